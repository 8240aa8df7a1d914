// Recomputing a row from the one before it.

package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/market"
	"mcp-trade/store"
)

// follows recomputes a row.
func (v *Verifier) follows(r *Record) {
	found := v.found
	v.recompute(r)
	if r.Prev == "" && v.found == found {
		v.rounding(r)
	}
}

func (v *Verifier) recompute(r *Record) {
	if v.event(r) {
		return
	}
	if r.At != "" || r.Why != "" || r.Side != "" && r.Action != Place && r.Action != Cancel {
		v.addFinding(r, Unexplained, "no bar, side or reason, which only orders that wait have", r.actionText())
	}
	switch {
	case r.Traded():
		v.trade(r)
		return
	case r.Action == Place || r.Action == Cancel:
		v.asks(r)
		return
	case r.Action != NoTrade:
		v.addFinding(r, Unexplained, "an action: buy, sell, order, cancel, expire or no_trade", fmt.Sprintf("%q", r.Action))
	case !r.Amount.IsZero():
		v.addFinding(r, Unexplained, "no amount where nothing was traded", r.Amount)
	}
	v.checkBought(r, v.bought(r))
	v.checkFilled(r, v.filled(r))
	v.checkOrders(r, v.base.Orders)
	if !v.unchanged(r) {
		v.compare(r, func(base Positions) Positions { return base }, decimal.NullDecimal{})
	}
}

// trade recomputes a row that bought or sold.
func (v *Verifier) trade(r *Record) {
	if r.Prev == "" && r.Amount.IsZero() && v.unchanged(r) {
		v.free(r)
		v.addFinding(r, NoChange, "an amount above 0", fmt.Sprintf("%s %s %s", r.Action, r.Amount, r.Symbol))
		return
	}
	if !v.judged {
		return // the rules are unknown to this version
	}
	found := v.found
	o := Order{ID: r.OrderID, Action: Sell, Symbol: r.Symbol, Amount: r.Amount, Note: r.Note, Terms: r.Terms}
	if r.Buys() {
		o.Action = Buy
	}
	rules := v.rulesOf(r)
	v.checkOrders(r, v.base.Orders)
	open := v.openOf(r, rules)
	price := v.price(r, o, rules, open)
	admitted := rules.Admit(r.Symbol, market.Of(r.Symbol))
	quote, bought, filled := open.quote, v.bought(r), v.filled(r)
	quote.Symbol, quote.Market, quote.At = r.Symbol, rules.Market, r.Date
	if v.prices == nil || open.err != nil {
		quote.Price = price.Decimal
	}
	attempt := func(base Positions) Attempt {
		return Attempt{o, Book{Date: r.Date, Positions: base, Bought: bought, Filled: filled, Orders: v.base.Orders}, quote, rules}
	}
	if admitted == nil && rules.NextOpen() {
		admitted = errors.New("the orders of the account wait for the next open")
	}
	bar := filled.bar(r)
	if admitted == nil && v.prices != nil && open.err == nil && !rules.volumeCap.IsZero() {
		bar, admitted = attempt(v.before(r)).fitsVolume(v.prices.AsOf(r.Date))
	}
	v.checkFilled(r, rules.filledIn(bar, Record{Symbol: r.Symbol, Amount: r.Amount, Filled: filled}).Filled)
	charged := v.charged(r, o, rules, price)
	if admitted == nil && price.Valid && charged && v.agrees(r, attempt, price.Decimal) {
		v.priced(r, o, rules, open)
		return
	}
	if admitted == nil {
		admitted = rules.Check(o)
	}
	if admitted == nil {
		admitted = attempt(v.before(r)).refusedAt(price.Valid)
	}
	if admitted != nil {
		v.addFinding(r, Refused, "an order that the rules allow", fmt.Sprintf("%s %s %s: %v", r.Action, r.Amount, r.Symbol, admitted))
	}
	v.priced(r, o, rules, open)
	kept, unfit := applyAt(attempt(v.before(r)), price.Decimal)
	if unfit == nil {
		v.checkBought(r, kept.Bought)
	}
	v.compare(r, func(base Positions) Positions {
		if !price.Valid { // without a price the cash cannot be checked
			return applyTrade(base, r, decimal.Zero).with(Position{Cash, r.Cash()})
		}
		traded := applyTrade(base, r, price.Decimal) // with its own fees, also where the base cannot pay for it
		return traded.with(rules.rounded(Position{r.Symbol, traded.Amount(r.Symbol)}), rules.rounded(Position{Cash, traded.Amount(Cash)}))
	}, price)
	below := r.Cash().IsNegative() || r.Positions.Amount(r.Symbol).IsNegative()    // which is a finding of its own
	if unfit != nil && price.Valid && r.Prev != "" && v.found == found && !below { // it adds up, and yet the account could not do it
		v.addFinding(r, Refused, "an order that the account can fill", fmt.Sprintf("%s %s %s: %v", r.Action, r.Amount, r.Symbol, unfit))
	}
}

// charged compares the fees of a row with what the rules ask of its trade. Without a price only that there are none can be told.
func (v *Verifier) charged(r *Record, o Order, rules Rules, price decimal.NullDecimal) bool {
	if !price.Valid && rules.costs.Fees() != nil {
		return false
	}
	c, err := rules.charge(o, r.Date, price.Decimal)
	if err != nil {
		v.addFinding(r, FeesDiffer, "fees that the rules tell", err)
		return false
	}
	if c.Total.Equal(r.Fees) && c.InKind.Equal(r.InKind) && slices.EqualFunc(c.Items, r.FeeItems, market.FeeItem.Equal) {
		return true
	}
	v.addFinding(r, FeesDiffer, feesText(c.Total, c.Items, c.InKind), feesText(r.Fees, r.FeeItems, r.InKind))
	return false
}

// free finds fees of a row that traded nothing.
func (v *Verifier) free(r *Record) {
	if v.judged && (!r.Fees.IsZero() || len(r.FeeItems) > 0 || !r.InKind.IsZero()) {
		v.addFinding(r, FeesDiffer, 0, feesText(r.Fees, r.FeeItems, r.InKind))
	}
}

// feesText writes fees with what they are.
func feesText(total decimal.Decimal, items market.FeeItems, inKind decimal.Decimal) string {
	text := total.String()
	if len(items) > 0 {
		text += " " + items.String()
	}
	if !inKind.IsZero() {
		text += " " + inKind.String() + " in kind"
	}
	return text
}

// rounding finds a row that is within the tolerance but equals neither the exact result nor that of binary floats.
func (v *Verifier) rounding(r *Record) {
	base := v.before(r)
	exact, floats := base, base
	if r.Traded() && !r.Amount.IsZero() {
		price := v.price(r, Order{}, Rules{}, v.openOf(r, v.rulesOf(r))) // of a program that knows no slippage
		if !price.Valid {
			return // without a price the cash cannot be checked
		}
		exact, floats = applyTrade(base, r, price.Decimal), applyTradeInFloats(base, r, price.Decimal)
	}
	if diff(floats, r.Positions, decimal.Zero) == "" {
		return
	}
	if difference := diff(exact, r.Positions, decimal.Zero); difference != "" {
		v.addFinding(r, Rounding, difference, describe(r, difference))
	}
}

// agrees reports whether a trade changed two positions alone, to the right amounts. If it reports false, the caller must compare the
// whole books.
func (v *Verifier) agrees(r *Record, attempt func(Positions) Attempt, price decimal.Decimal) bool {
	before, now := v.two[0][:0], v.two[1][:0]
	for _, c := range r.delta.changes {
		switch {
		case c.symbol == Cash || c.symbol == r.Symbol:
			before, now = append(before, Position{c.symbol, c.before}), append(now, Position{c.symbol, c.after})
		case !within(c.before, c.after, tolerance(r)):
			return false
		}
	}
	v.two[0], v.two[1] = before, now
	if !r.delta.known || len(before) != 2 {
		return false
	}
	a := attempt(before)
	if a.Rules.Check(a.Order) != nil || a.refusedAt(true) != nil {
		return false
	}
	rec, err := applyAt(a, price)
	return err == nil && same(rec.Positions, now, tolerance(r)) && same(rec.Bought, r.Bought, decimal.Zero)
}

// rulesOf are the rules under which a trade was made.
func (v *Verifier) rulesOf(r *Record) Rules {
	if v.kept == "" && r.Prev == "" {
		return asAITrader(market.Of(r.Symbol)) // as AI-Trader trades it
	}
	return v.rules
}

// Filling is the view in which the trade of the newest row filled. Those of AI-Trader fill in bars as they are stamped.
func (v *Verifier) Filling(r Record, in market.View) market.View { return v.rulesOf(&r).view(in) }

// bought is what was bought before a row on its day.
func (v *Verifier) bought(r *Record) Positions {
	return Book{Date: v.base.Date, Bought: v.base.Bought, newest: v.base.moment()}.boughtOn(r.Date)
}

// filled is what was filled before a row on its day.
func (v *Verifier) filled(r *Record) DayFills {
	return Book{Date: v.base.Date, Filled: v.base.Filled, newest: v.base.moment()}.filledOn(r.On())
}

// bar is the bar in which a row was filled, as far as it can be told without prices: at an hour the row may stand in the bar of its day.
func (d DayFills) bar(r *Record) market.Stamp {
	day := r.On().Day()
	if r.Filled.in(day, r.Symbol).Equal(d.in(day, r.Symbol).Add(r.Amount)) {
		return day
	}
	return r.On()
}

// checkBought compares what a row says was bought on its day with what was.
func (v *Verifier) checkBought(r *Record, want Positions) {
	if !same(want, r.Bought, decimal.Zero) {
		v.addFinding(r, Unexplained, fmt.Sprintf("bought_today %s", boughtText(want)), boughtText(r.Bought))
	}
}

func boughtText(p Positions) string {
	text, _ := p.MarshalJSON() // which always encodes
	return string(text)
}

// unchanged tells whether a row leaves the book as it was.
func (v *Verifier) unchanged(r *Record) bool {
	if !r.delta.known {
		return diff(v.base.Positions, r.Positions, tolerance(r)) == ""
	}
	for _, c := range r.delta.changes {
		if !within(c.before, c.after, tolerance(r)) {
			return false
		}
	}
	return true
}

// limited recomputes what the limits count after a row, and holds its order against those that are given.
func (v *Verifier) limited(r *Record) {
	if v.base.Limits == nil && r.Limits == nil {
		return
	}
	if r.Limits == nil {
		v.addFinding(r, LimitsDiffer, "what the limits count", "none")
		return
	}
	hash := r.Limits.Hash
	if v.limits != nil && hash != v.limits.Hash() {
		v.report.Unlimited++
	}
	if !v.judged || v.prices == nil {
		return
	}
	t, err := newTrial(hash, v.book(r), *r, v.prices.AsOf(r.Date), v.rules)
	if err != nil { // prices that cannot be read are no finding
		return
	}
	if !t.rec.Limits.equal(r.Limits) {
		v.addFinding(r, LimitsDiffer, t.rec.Limits, r.Limits)
	}
	if v.limits == nil || !r.Traded() {
		return
	}
	if e := v.limits.excess(t, true); e != nil {
		v.addFinding(r, OverLimit, e.key+" "+e.value, e.sentence(t))
	}
}

// before is the book that a row was made from.
func (v *Verifier) before(r *Record) Positions {
	if !r.delta.known {
		return v.base.Positions
	}
	var was []Position
	for _, c := range r.delta.changes {
		was = append(was, Position{c.symbol, c.before})
	}
	return r.Positions.with(was...)
}

// price is the price that a trade is recomputed at: the one that its row states, else that which the open makes.
func (v *Verifier) price(r *Record, o Order, rules Rules, open openPrice) decimal.NullDecimal {
	if !r.Price.Valid && v.prices != nil && open.err == nil {
		return decimal.NewNullDecimal(rules.fillsAt(o, open.price))
	}
	return r.Price
}

// priced compares the price that a row states with the open and its slippage.
func (v *Verifier) priced(r *Record, o Order, rules Rules, open openPrice) {
	switch {
	case v.prices == nil:
		v.report.Unpriced++
		return
	case open.err != nil:
		v.noBar(r, open.err)
		return
	}
	if price := rules.fillsAt(o, open.price); r.Price.Valid && !price.Equal(r.Price.Decimal) {
		v.addFinding(r, PriceDiffers, price, r.Price.Decimal)
	}
}

// noBar adds the finding of a trade without an open. Prices that cannot be read are no finding.
func (v *Verifier) noBar(r *Record, err error) {
	var damaged *market.DamagedError
	var unknown *market.UnknownSymbolError
	bar := fmt.Sprintf("a bar of %s on %s", r.Symbol, r.Date)
	switch {
	case errors.As(err, &damaged):
		v.report.Unpriced++
	case errors.As(err, &unknown):
		v.addFinding(r, NoBar, bar, "no such symbol in the price files by then")
	default:
		v.addFinding(r, NoBar, bar, err)
	}
}

// openPrice is the price at which a symbol fills on a date, or why there is none.
type openPrice struct {
	price decimal.Decimal
	err   error
	quote market.Quote
}

// openOf returns the open of a row's symbol in a view as of its date.
func (v *Verifier) openOf(r *Record, rules Rules) openPrice {
	if asStamped := rules.fillsAsStamped(); r.Date != v.today || asStamped != v.asStamped {
		v.today, v.asStamped = r.Date, asStamped
		clear(v.opens)
	}
	o, known := v.opens[r.Symbol]
	if known || v.prices == nil {
		return o
	}
	quote, err := rules.view(v.prices.AsOf(r.Date)).Quote(r.Symbol)
	o.price, o.err, o.quote = quote.Price, err, quote
	if quote.Symbol != r.Symbol {
		o.err = fmt.Errorf("none of that name: the prices have %s", quote.Symbol)
	}
	v.opens[r.Symbol] = o
	return o
}

// compare compares the book of a row with the one that the row should have made of the book before it, and adds the finding that
// explains a difference. price is that of the recomputed trade, null if the row is no trade or the price is unknown.
func (v *Verifier) compare(r *Record, expectedFrom func(Positions) Positions, price decimal.NullDecimal) {
	base := v.before(r)
	expected := expectedFrom(base)
	difference := diff(expected, r.Positions, tolerance(r))
	if difference == "" {
		return
	}
	if !v.report.full() {
		for older := range v.bases() {
			if diff(expectedFrom(older.Positions), r.Positions, tolerance(r)) == "" {
				v.addFinding(r, StaleBase, fmt.Sprintf("the book of row %d", v.base.ID), fmt.Sprintf("the book of row %d", older.ID))
				return
			}
		}
	}
	if implied, ok := impliedPrice(base, r); ok && price.Valid && !implied.Equal(price.Decimal) { // the same: rounded otherwise
		v.addFinding(r, PriceDiffers, price.Decimal, implied)
		return
	}
	v.addFinding(r, Unexplained, difference, describe(r, difference))
}

// applyTrade returns the positions of a base after a trade, even if the base cannot pay for it.
func applyTrade(base Positions, r *Record, price decimal.Decimal) Positions {
	change := r.Amount
	if r.sells() {
		change = change.Neg()
	}
	cash := base.Amount(Cash).Sub(price.Mul(change)).Sub(r.paid())
	return base.with(Position{r.Symbol, base.Amount(r.Symbol).Add(change).Sub(r.InKind)}, Position{Cash, cash})
}

// applyTradeInFloats is applyTrade in binary floats, as AI-Trader computes it.
func applyTradeInFloats(base Positions, r *Record, price decimal.Decimal) Positions {
	held, cash := base.Amount(r.Symbol).InexactFloat64(), base.Amount(Cash).InexactFloat64()
	amount := r.Amount.InexactFloat64()
	value := price.InexactFloat64() * amount
	if r.sells() {
		held, cash = held-amount, cash+float64(value) // the conversion keeps the compiler from fusing multiplication and addition
	} else {
		held, cash = held+amount, cash-float64(value)
	}
	left := Positions{{r.Symbol, decimal.NewFromFloat(held)}, {Cash, decimal.NewFromFloat(cash)}}
	if tolerance(r).Equal(rounded) {
		for i, text := range []string{strconv.FormatFloat(held, 'f', 4, 64), strconv.FormatFloat(cash, 'f', 4, 64)} {
			left[i].Amount = decimal.RequireFromString(text)
		}
	}
	return base.with(left...)
}

// impliedPrice returns the price at which the trade leads from the base to the record. It reports false if positions other than
// the cash differ.
func impliedPrice(base Positions, r *Record) (decimal.Decimal, bool) {
	if !r.Traded() || !r.Amount.IsPositive() {
		return decimal.Zero, false
	}
	spent := base.Amount(Cash).Sub(r.paid()).Sub(r.Cash())
	if r.sells() {
		spent = spent.Neg()
	}
	implied := spent.DivRound(r.Amount, 10)
	if !implied.IsPositive() || diff(applyTrade(base, r, implied), r.Positions, decimal.New(1, -4)) != "" {
		return decimal.Zero, false
	}
	return implied, true
}

// Tolerances for rows of a program that computes in binary floats.
var (
	floats  = decimal.New(1, -6)
	rounded = decimal.New(1, -4) // to 4 decimals
)

// tolerance is how far a row may be off, see [Verify].
func tolerance(r *Record) decimal.Decimal {
	switch {
	case r.Prev != "":
		return decimal.Zero
	case strings.HasSuffix(string(r.Action), store.Crypto):
		return rounded
	}
	return floats
}

// diff names the first position in which two lists differ by more than the tolerance, as the first list has it; "" if
// they agree. A position that is not listed holds nothing.
func diff(expected, found Positions, tolerance decimal.Decimal) string {
	if same(expected, found, tolerance) {
		return ""
	}
	amounts := make(map[string]decimal.Decimal, len(expected))
	for _, p := range expected {
		amounts[p.Symbol] = p.Amount
	}
	for _, p := range found {
		if !within(amounts[p.Symbol], p.Amount, tolerance) {
			return p.Symbol + " " + amounts[p.Symbol].String()
		}
		delete(amounts, p.Symbol)
	}
	for _, p := range expected {
		if a, left := amounts[p.Symbol]; left && !within(a, decimal.Zero, tolerance) {
			return p.Symbol + " " + a.String()
		}
	}
	return ""
}

// same is the fast test for two lists that agree and have the same order.
func same(expected, found Positions, tolerance decimal.Decimal) bool {
	if len(expected) != len(found) {
		return false
	}
	for i, p := range expected {
		if p.Symbol != found[i].Symbol || !within(p.Amount, found[i].Amount, tolerance) {
			return false
		}
	}
	return true
}

func within(a, b, tolerance decimal.Decimal) bool {
	return a == b || a.Exponent() == b.Exponent() && a.Equal(b) || !a.Sub(b).Abs().GreaterThan(tolerance)
}

// describe names the position of a difference as the record has it.
func describe(r *Record, difference string) string {
	symbol, _, _ := strings.Cut(difference, " ")
	return symbol + " " + r.Positions.Amount(symbol).String()
}
