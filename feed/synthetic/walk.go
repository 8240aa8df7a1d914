package synthetic

// This file moves prices: a common factor, and a walk for each symbol. Prices are in millionths of the currency, moves in millionths of the
// price, shocks in thousandths of a standard deviation.

import (
	"math"
	"math/rand/v2"

	"mcp-trade/decimal"
	"mcp-trade/feed"
	"mcp-trade/market"
)

const (
	maxPrice = 1_000_000_000_000 // keeps a price times a move within 64 bits
	million  = 1_000_000
	cent     = 10_000
	steps    = 8 // of a day, between open and close
)

// move is that of the common factor over a night, and over the day after it.
type move struct{ night, day int64 }

// newFactor draws the common factor of a market.
func newFactor(seed uint64, of market.ID, days int) []move {
	k := kinds[of]
	d := dice{rand.New(rand.NewPCG(seed, k.stream))}
	v := newVolatility(k.factor)
	moves := make([]move, days)
	for i := range moves {
		usual := v.usual()
		night, day := d.shock()*part(usual, k.night)/1000, d.shock()*part(usual, 100-k.night)/1000
		v.after(night + day)
		moves[i] = move{night, day + k.drift}
	}
	return moves
}

// volatility is a variance that follows the moves: after a large one it is larger for a while.
type volatility struct{ long, now int64 }

func newVolatility(usual int64) volatility { return volatility{usual * usual, usual * usual} }

// usual is the standard deviation. A square root is the same on every machine.
func (v *volatility) usual() int64 { return int64(math.Sqrt(float64(v.now))) }

func (v *volatility) after(moved int64) {
	v.now = min((3*v.long+11*moved*moved+86*v.now)/100, 9*v.long)
}

// part is the standard deviation of a part of the variance, in hundredths.
func part(usual, hundredths int64) int64 {
	return int64(math.Sqrt(float64(usual * usual * hundredths / 100)))
}

type dice struct{ *rand.Rand }

// normal is a number of about the standard normal distribution: the sum of twelve uniform ones has a standard deviation of 1.
func (d dice) normal() int64 {
	sum := int64(-6_000)
	for range 12 {
		sum += d.Int64N(1_001)
	}
	return sum
}

// fat is by how much a shock is larger than a normal one, in hundredths: one of twenty is from a distribution of more than twice the width.
func (d dice) fat() int64 {
	if d.IntN(20) == 0 {
		return 220
	}
	return 90
}

func (d dice) shock() int64 { return d.normal() * d.fat() / 100 }

// walk is a symbol on its way.
type walk struct {
	member
	dice  dice
	own   volatility
	beta  int64 // hundredths
	trend int64 // what a trending one gains a day, for a while
	level int64 // that a reverting one returns to
	usual int64 // volume, in thousandths

	fair      int64 // what the price would be without limits, in millionths
	close     int64 // the last that was traded; 0: none yet
	reference int64 // that close, less what was paid and divided by what was split since

	splitOn, haltFrom, haltTo, paysFrom int // days
	dividend                            int64
}

func newWalk(seed uint64, n int, m member, days int) *walk {
	d := dice{rand.New(rand.NewPCG(seed, m.kind.stream+uint64(n)+1))}
	w := &walk{member: m, dice: d, own: newVolatility(m.kind.own + d.Int64N(m.kind.own)), beta: 50 + d.Int64N(101)}
	price := m.price
	if price == 0 {
		price = (10_000_000 + d.Int64N(140_000_000)) / m.kind.cheaper
	}
	w.fair = nearest(price+d.Int64N(price), m.tick)
	w.level = w.fair
	// What changes hands in a day is 2 to 300 million of the currency.
	w.usual = (2 + d.Int64N(300)) * million * million / w.fair * 1000
	w.splitOn = days/3 + d.IntN(days/3+1)
	w.haltFrom = days/4 + d.IntN(days/2+1)
	w.haltTo = w.haltFrom + 2 + d.IntN(3)
	if m.pays {
		w.paysFrom = days/8 + d.IntN(min(m.kind.payments, days/2)+1)
		w.dividend = w.fair / 1000 * (m.kind.yield + d.Int64N(2*m.kind.yield)) / cent * cent
	}
	return w
}

// act returns what happens to the share in the morning of a day.
func (w *walk) act(day int) (a feed.Action, acted bool) {
	if w.close == 0 {
		return a, false
	}
	if w.is > 0 && day == w.splitOn {
		scale := func(n int64) int64 { return n * w.was / w.is }
		w.fair, w.level, w.dividend = scale(w.fair), scale(w.level), scale(w.dividend)/cent*cent
		w.reference = nearest(w.reference*w.was/w.is, cent)
		w.usual = w.usual * w.is / w.was
		return feed.Action{Split: coefficient(w.was, w.is)}, true
	}
	if w.pays && w.dividend > 0 && day >= w.paysFrom && (day-w.paysFrom)%w.kind.payments == 0 {
		w.fair = max(w.fair-w.dividend, w.tick)
		w.reference -= w.dividend
		return feed.Action{Dividend: millionths(w.dividend).String()}, true
	}
	return a, false
}

// day moves the walk by a day and returns its bar, and whether there is one.
func (w *walk) day(day market.Stamp, i int, factor move) (b feed.Bar, traded bool) {
	k, usual := w.kind, w.own.usual()
	news, hours := w.news(), part(usual, 100-k.night)*w.dice.fat()/100
	night := w.dice.shock()*part(usual, k.night)/1000 + news
	even := factor.day*w.beta/100 + w.pull()
	if k.night == 0 {
		night, even = 0, even+news
	}
	w.fair = moved(w.fair, night+factor.night*w.beta/100)
	down, up := limits(w.symbol, day, w.reference)
	if w.reference > 0 { // also after a halt
		w.fair = within(w.fair, moved(w.reference, -k.most), moved(w.reference, k.most))
	}
	traded = i < w.haltFrom || i >= w.haltTo || !w.halts
	price := func() int64 { return within(nearest(w.fair, w.tick), max(down, w.tick), up) }
	open, begin, moves := price(), w.fair, int64(0)
	high, low, own := open, open, int64(0)
	for step := range int64(steps) {
		own += w.dice.normal() * hours / 2828 // the square root of the steps, in thousandths
		moves = within(even*(step+1)/steps+own, -k.most, k.most)
		w.fair = max(moved(begin, moves), w.tick)
		high, low = max(high, price()), min(low, price())
	}
	w.own.after(night + own)
	volume := w.volume(moves, high == low)
	if !traded {
		return b, false
	}
	w.close = price()
	w.reference = w.close
	return bar(open, high, low, w.close, volume), true
}

// news is what news of the symbol alone move it by, 0 on most days.
func (w *walk) news() int64 {
	if w.dice.Int64N(w.kind.news) > 0 {
		return 0
	}
	news := w.kind.newsMove + w.dice.Int64N(w.kind.newsMove)
	if w.dice.IntN(2) == 0 {
		return -news
	}
	return news
}

// pull is what the character of the symbol moves it by.
func (w *walk) pull() int64 {
	switch w.character {
	case trending:
		w.trend = w.trend*97/100 + w.dice.normal()*w.kind.own/6_000
		return w.trend
	case reverting:
		return (w.level - w.fair) * 100_000 / w.fair
	}
	return 0
}

// volume is what changes hands on a day of such a move: more after a larger one, and little where the price stands at a limit all day.
func (w *walk) volume(moved int64, locked bool) int64 {
	busy := 400 + min(600*max(moved, -moved)/w.kind.own, 4_000)
	if locked {
		busy = 100
	}
	n := w.usual * busy / 1000 * (600 + w.dice.Int64N(800)) / 1000
	return max(n/w.kind.round, 1) * w.kind.round
}

func moved(price, by int64) int64 { return min(price+price*by/million, maxPrice) }

func within(n, low, high int64) int64 { return min(max(n, low), high) }

// nearest rounds half up to a multiple.
func nearest(n, of int64) int64 { return (n + of/2) / of * of }

// coefficient is a split as price files have it.
func coefficient(was, is int64) string { return decimal.New(is*10_000/was, -4).String() }

// bar is a bar of prices in millionths, and of a volume in thousandths.
func bar(open, high, low, closing, volume int64) feed.Bar {
	return feed.Bar{Figures: [...]string{millionths(open).String(), millionths(high).String(), millionths(low).String(), millionths(closing).String(), decimal.New(volume, -3).String()}}
}

func millionths(n int64) decimal.Decimal { return decimal.New(n, -6) }

// limits are the lowest and the highest price of a day after a reference close, in millionths; 0 and the highest number where there are none.
func limits(symbol string, day market.Stamp, reference int64) (down, up int64) {
	m := market.Of(symbol)
	if m.Limits == nil || reference == 0 {
		return 0, maxPrice
	}
	low, high, known := m.Limits(symbol, day, millionths(reference), market.ShareStatus{})
	if !known {
		return 0, maxPrice
	}
	return low.Shift(6).IntPart(), high.Shift(6).IntPart()
}
