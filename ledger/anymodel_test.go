package ledger_test

// A second account beside the one that is tested: it judges and books orders by the rules as they are written down, in fractions,
// and shares no line with the program.

import (
	"math/big"
	"strings"

	"mcp-trade/code"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// model is the account.
type model struct {
	*drawn
	cash   *big.Rat
	held   map[string]*big.Rat
	bought map[string]*big.Rat // on the day
	day    string
}

func (d *drawn) account(cash *big.Rat) *model {
	m := &model{drawn: d, cash: cash, held: map[string]*big.Rat{}, bought: map[string]*big.Rat{}}
	for _, symbol := range d.symbols {
		m.held[symbol] = new(big.Rat)
	}
	return m
}

// on begins a day.
func (m *model) on(moment string) {
	if moment[:10] != m.day {
		m.day, m.bought = moment[:10], map[string]*big.Rat{}
	}
}

// boughtToday is what T+1 keeps from being sold.
func (m *model) boughtToday(symbol string) *big.Rat {
	if m.bought[symbol] == nil || m.terms["t_plus"] == "0" {
		return new(big.Rat)
	}
	return m.bought[symbol]
}

// trade is what an order makes of the account.
type trade struct {
	price, fees, inKind, cash, held *big.Rat
}

// judge is what an order makes of the account, and the codes of all that is against it.
func (m *model) judge(side ledger.Action, symbol string, amount *big.Rat, moment string) (made trade, against map[code.Code]bool) {
	against = map[code.Code]bool{}
	refuse := func(c code.Code, when bool) {
		if when {
			against[c] = true
		}
	}
	refuse(code.InvalidArgument, amount.Sign() <= 0 || amount.Cmp(rat("1000000000000000")) > 0 || !m.inParts() && !amount.IsInt())
	refuse(code.LotSize, !m.inLots(side, symbol, amount, moment, ledger.Terms{}))
	refuse(code.MarketClosed, m.closed(moment))
	b, ok := m.barAt(symbol, moment)
	refuse(code.NoPrice, !ok)
	refuse(code.UnknownSymbol, !m.known(symbol, moment))
	if !ok || amount.Sign() <= 0 {
		return made, against
	}
	if before := m.closeBefore(symbol, moment[:10]); m.id == market.CN && m.terms["price_limits"] != "off" && before != nil {
		down, up := limitsOf(symbol, before)
		refuse(code.PriceLimit, side == ledger.Buy && b.open.Cmp(up) >= 0 || side == ledger.Sell && b.open.Cmp(down) <= 0)
	}
	value := mul(b.open, amount)
	refuse(code.LotSize, m.id == market.Crypto && m.terms["rounding"] != "upstream" && value.Cmp(big.NewRat(5, 1)) < 0)
	made.price = m.slipped(side, b.open)
	made.fees, made.inKind = m.fees(side, symbol, moment[:10], made.price, amount)
	paid := sub(made.fees, mul(made.inKind, made.price))
	refuse(code.LotSize, made.inKind.Cmp(amount) > 0)
	if side == ledger.Buy {
		made.cash = m.keptCash(sub(sub(m.cash, mul(made.price, amount)), paid))
		made.held = m.kept(sub(add(m.held[symbol], amount), made.inKind))
	} else {
		refuse(code.InvalidArgument, made.price.Sign() <= 0)
		refuse(code.InsufficientPosition, amount.Cmp(m.held[symbol]) > 0)
		refuse(code.TPlus1, amount.Cmp(sub(m.held[symbol], m.boughtToday(symbol))) > 0 && amount.Cmp(m.held[symbol]) <= 0)
		made.cash = m.keptCash(sub(add(m.cash, mul(made.price, amount)), paid))
		made.held = m.kept(sub(m.held[symbol], amount))
	}
	refuse(code.InsufficientCash, made.cash.Sign() < 0)
	return made, against
}

// book applies a trade.
func (m *model) book(side ledger.Action, symbol string, amount *big.Rat, made trade) {
	m.cash, m.held[symbol] = made.cash, made.held
	if side == ledger.Buy && m.id == market.CN && m.terms["t_plus"] != "0" {
		m.bought[symbol] = add(m.boughtToday(symbol), amount)
	}
}

// known tells whether a symbol has a bar by then.
func (m *model) known(symbol, moment string) bool {
	for _, at := range m.moments() {
		if _, ok := m.barAt(symbol, at); ok && at <= moment {
			return true
		}
	}
	return false
}

// inLots tells whether the board, or the pair, trades such an amount.
func (m *model) inLots(side ledger.Action, symbol string, amount *big.Rat, moment string, terms ledger.Terms) bool {
	multiple := func(of *big.Rat) bool { return new(big.Rat).Quo(amount, of).IsInt() }
	switch {
	case m.terms["rounding"] == "upstream":
		return true
	case m.inParts():
		return multiple(m.step(symbol, moment))
	case m.id == market.US:
		return true
	case m.terms["lots"] == "strict100":
		return multiple(rat("100"))
	}
	least, most := m.least(symbol), map[string]string{"60": "1000000", "68": "50000"}[symbol[:2]]
	if symbol[:2] == "68" && terms.Type == ledger.LimitOrder {
		most = "100000"
	}
	if most != "" && amount.Cmp(rat(most)) > 0 {
		return false
	}
	byOne := symbol[:2] == "68" || symbol[:2] == "92"
	if byOne && amount.Cmp(least) >= 0 || !byOne && multiple(least) {
		return true
	}
	can := sub(m.held[symbol], m.boughtToday(symbol))
	if side == ledger.Buy || amount.Cmp(can) > 0 {
		return false
	}
	rest := sub(can, mul(least, rounded(new(big.Rat).Quo(can, least), 0, "down")))
	odd := sub(amount, mul(least, rounded(new(big.Rat).Quo(amount, least), 0, "down")))
	return byOne && amount.Cmp(can) == 0 || !byOne && odd.Cmp(rest) == 0
}

// least is the least amount that is bought.
func (m *model) least(symbol string) *big.Rat {
	if symbol[:2] == "68" && m.terms["lots"] != "strict100" {
		return rat("200")
	}
	return rat("100")
}

// inParts tells whether parts are traded.
func (m *model) inParts() bool { return m.id == market.Crypto || m.terms["lot"] != "" }

// step is what amounts are multiples of where parts are traded.
func (m *model) step(symbol, moment string) *big.Rat {
	switch {
	case m.id == market.US:
		return rat("0.000001")
	case symbol == "BTC-USDT":
		return rat("0.00001")
	case symbol == "XRP-USDT" && moment[:10] < "2025-06-03":
		return rat("1")
	case symbol == "XRP-USDT":
		return rat("0.1")
	}
	return rat("0.00000001")
}

// closed tells whether the exchanges are.
func (m *model) closed(moment string) bool {
	day, hour, hourly := strings.Cut(moment, " ")
	switch {
	case m.id == market.CN && m.terms["fill"] == "upstream":
		return false
	case m.id == market.CN:
		return day == "2025-10-01" || hourly && (hour < "09:30:00" || hour >= "11:30:00" && hour < "13:00:00" || hour >= "15:00:00")
	case m.id == market.US && m.terms["hours"] != "":
		open, end := "09:30:00", "16:00:00"
		if day == "2025-07-03" {
			end = "13:00:00"
		}
		if m.terms["hours"] == "extended" {
			open, end = "04:00:00", map[string]string{"16:00:00": "20:00:00", "13:00:00": "17:00:00"}[end]
		}
		return hour < open || hour >= end
	}
	return false
}

// slipped is the price at which an order fills.
func (m *model) slipped(side ledger.Action, open *big.Rat) *big.Rat {
	worse := map[string]*big.Rat{"none": new(big.Rat), "7bps": mul(open, rat("0.0007")), "half-spread:0.003": rat("0.003")}[m.slip]
	if side == ledger.Sell {
		return sub(open, worse)
	}
	return add(open, worse)
}

// fees are what a trade pays in all, in money, and how much of what was bought that took.
func (m *model) fees(side ledger.Action, symbol, day string, price, amount *big.Rat) (money, inKind *big.Rat) {
	value, none := mul(price, amount), new(big.Rat)
	least := func(a, b *big.Rat) *big.Rat {
		if a.Cmp(b) < 0 {
			return a
		}
		return b
	}
	sells := side == ledger.Sell
	switch {
	case m.costs == "none":
		return none, none
	case m.costs == "file":
		fee := rounded(add(add(mul(value, rat("0.0031")), mul(amount, rat("0.007"))), rat("0.3")), 2, "up")
		if fee.Cmp(rat("2")) < 0 {
			fee = rat("2")
		}
		return least(fee, rat("40")), none
	case m.id == market.US && sells:
		sec := rat("0")
		if day <= "2025-05-13" {
			sec = rounded(mul(value, rat("0.0000278")), 2, "up")
		}
		return add(sec, least(rounded(mul(amount, rat("0.000166")), 2, "up"), rat("8.30"))), none
	case m.id == market.CN:
		commission := roundHalfUp(mul(value, rat("0.00025")), 2)
		if commission.Cmp(rat("5")) < 0 {
			commission = rat("5")
		}
		all := add(commission, roundHalfUp(mul(value, rat("0.00001")), 2))
		switch {
		case sells && day < "2023-08-28":
			all = add(all, roundHalfUp(mul(value, rat("0.001")), 2))
		case sells:
			all = add(all, roundHalfUp(mul(value, rat("0.0005")), 2))
		}
		return all, none
	case m.id == market.Crypto && sells:
		return rounded(mul(value, rat("0.001")), 8, "up"), none
	case m.id == market.Crypto:
		coins := rounded(mul(amount, rat("0.001")), 8, "up")
		return mul(coins, price), coins
	}
	return none, none
}

// keptCash is what is left of the cash: beside fractions of shares it is whole cents.
func (m *model) keptCash(left *big.Rat) *big.Rat {
	if m.id == market.US && m.inParts() && left.Sign() >= 0 {
		return rounded(left, 2, "down")
	}
	return m.kept(left)
}

// kept is what is left of a sum in the account: crypto loses what is finer than a balance.
func (m *model) kept(left *big.Rat) *big.Rat {
	switch {
	case m.id != market.Crypto || left.Sign() < 0:
		return left
	case m.terms["rounding"] == "upstream":
		return roundHalfUp(left, 4)
	}
	return rounded(left, 8, "down")
}

// stepAbove is the next amount above another that could be bought.
func (m *model) stepAbove(symbol string, amount *big.Rat, moment string) *big.Rat {
	switch {
	case m.terms["rounding"] == "upstream":
		return add(amount, rat("0.0001"))
	case m.inParts():
		return add(amount, m.step(symbol, moment))
	case m.id == market.US:
		return add(amount, rat("1"))
	case amount.Sign() == 0:
		return m.least(symbol)
	case m.terms["lots"] != "strict100" && (symbol[:2] == "68" || symbol[:2] == "92"):
		return add(amount, rat("1"))
	}
	return add(amount, rat("100"))
}
