package synthetic

// This file has the symbols of each market, and what is particular about single ones.

import (
	"fmt"

	"mcp-trade/market"
)

// kind is what the symbols of a market have in common. Moves are in millionths of the price, a day.
type kind struct {
	stream   uint64 // of random numbers, so that markets of one seed are not alike
	factor   int64  // usual move of the common factor
	own      int64  // least usual move of a symbol's own; up to twice as much
	drift    int64  // what the factor gains
	night    int64  // hundredths of the variance that come over night
	news     int64  // one day of so many has news of the symbol alone
	newsMove int64  // least move of news; up to twice as much
	most     int64  // move of a night or a day
	cheaper  int64  // so many times less than a US share a symbol costs at the beginning
	round    int64  // volumes are multiples of it, in thousandths
	actions  bool   // dividends and splits
	payments int    // days between two dividends
	yield    int64  // of one, in thousandths of the price at the beginning; up to three times as much
}

var kinds = map[market.ID]kind{
	market.US:     {factor: 12_000, own: 8_000, drift: 350, night: 30, news: 80, newsMove: 40_000, most: 250_000, cheaper: 1, round: 1_000, actions: true, payments: 63, yield: 2},
	market.CN:     {stream: 1000, factor: 15_000, own: 9_000, drift: 350, night: 20, news: 80, newsMove: 70_000, most: 250_000, cheaper: 3, round: 100_000, actions: true, payments: 242, yield: 10},
	market.Crypto: {stream: 2000, factor: 25_000, own: 14_000, drift: 700, news: 80, newsMove: 60_000, most: 300_000, round: 1},
}

// character is how a symbol differs from the others in the way it moves.
type character int

const (
	usual character = iota
	trending
	reverting
)

// member is a symbol of a market.
type member struct {
	symbol    string
	kind      kind
	character character
	halts     bool
	was, is   int64 // a split into is shares of was; 0 for none
	pays      bool  // dividends
	price     int64 // at the beginning, in millionths; up to twice as much. 0: any that is usual
	tick      int64 // in millionths
}

// roster lists the symbols of a market. None is, or looks like, one of a company or a coin: US symbols have no digits, the numbers of
// A-shares are of no series that the exchanges give out.
func roster(of market.ID) (list []member) {
	for n, symbol := range symbols(of) {
		m := member{symbol: symbol, kind: kinds[of], tick: 10_000}
		switch n {
		case 0:
			m.character = trending
		case 1:
			m.character = reverting
		case 2:
			m.halts = true
		}
		if m.kind.actions {
			m.split(of, n)
			m.pays = n%2 == 1
		}
		list = append(list, m)
	}
	if of == market.Crypto {
		for i, c := range coins {
			list[i].price, list[i].tick = c.price, c.tick
		}
	}
	return list
}

// coins are the price and the tick of each, in millionths.
var coins = [...]struct{ price, tick int64 }{
	{40_000_000_000, 10_000}, {2_000_000_000, 10_000}, {500_000_000, 10_000}, {100_000_000, 10_000}, {15_000_000, 1_000},
	{12_000_000, 1_000}, {2_000_000, 100}, {500_000, 100}, {200_000, 10}, {80_000, 10},
}

func symbols(of market.ID) (list []string) {
	add := func(count int, form string) {
		for n := range count {
			list = append(list, fmt.Sprintf(form, n+1))
		}
	}
	switch of {
	case market.US:
		add(20, "SYN%02d")
	case market.CN:
		add(8, "6099%02d.SH")
		add(5, "0099%02d.SZ")
		add(4, "3029%02d.SZ") // ChiNext
		add(2, "6899%02d.SH") // STAR
		add(1, "9999%02d.BJ")
	case market.Crypto:
		add(len(coins), "SYN%02d-USDT")
	}
	return list
}

// split says which symbols of a market are split: of US shares one four for one, and one that has become cheap one for ten; of A-shares
// two get 4 or 10 new shares for 10.
func (m *member) split(of market.ID, n int) {
	switch {
	case of == market.US && n == 3:
		m.was, m.is, m.price = 1, 4, 400_000_000
	case of == market.US && n == 4:
		m.was, m.is, m.price = 10, 1, 3_000_000
	case of == market.CN && n == 3:
		m.was, m.is = 5, 7
	case of == market.CN && n == 9:
		m.was, m.is = 1, 2
	}
}
