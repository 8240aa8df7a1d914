// The rules of an account: which market it trades, and how.

package ledger

import (
	"fmt"
	"strings"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/market"
)

// Rules decide whether an order can be filled.
type Rules struct {
	Market *market.Market    // whose symbols are traded
	other  map[string]string // the JSON of the terms that are not the default ones of the market, by their keys

	costs    market.Costs
	slippage market.Slippage

	volumeCap decimal.Decimal // a part of a bar's volume, 0: none

	limits Limits // of the operator, who can change them at any time: they do not stand in the rules of a record
}

// DefaultRules are the rules that accounts are opened under, and those of a ledger that has none.
func DefaultRules() Rules { return RulesOf(market.Default.Get()) }

// unstated are the rules of a ledger that has none: the default ones of the market whose symbols it names. AI-Trader names all of them
// in its first record.
func unstated(p Positions) Rules {
	for _, held := range p {
		if m := market.Of(held.Symbol); held.Symbol != Cash && m.Tradable {
			return RulesOf(m)
		}
	}
	return DefaultRules()
}

// RulesOf are the default rules of a market.
func RulesOf(m *market.Market) Rules { return Rules{Market: m} }

// Admit refuses a symbol of another market: its prices are in another currency and its lots are others.
func (r Rules) Admit(symbol string, of *market.Market) error {
	if of != r.Market {
		return &Refusal{
			code.InvalidArgument, fmt.Sprintf("%s belongs to the market %q, which cannot be traded here. Trade %s.", symbol, of.ID, r.Market.Name),
			map[string]any{"symbol": symbol, "market": of.ID},
		}
	}
	return nil
}

// maxAmount bounds an order. No company has as many shares, and no coin as many units.
var maxAmount = decimal.NewFromInt(1_000_000_000_000_000)

// Check refuses an order whose action or amount no market, no book and no price could satisfy.
func (r Rules) Check(o Order) error {
	invalid := func(format string, args ...any) error {
		return &Refusal{code.InvalidArgument, fmt.Sprintf(format, args...), o.about(r)}
	}
	wrong := o.wrong()
	switch {
	case o.Action != Buy && o.Action != Sell:
		return invalid("Unknown action %q. Use buy or sell.", o.Action)
	case strings.EqualFold(o.Symbol, Cash): // there are shares of that name; a book would take them for money
		return invalid("%s is the name of the account's money and cannot be traded.", o.Symbol)
	case !o.Amount.IsPositive():
		return invalid("Amount must be positive. You tried to %s %s %s.", o.Action, o.Amount, r.Market.Units)
	case o.Amount.GreaterThan(maxAmount):
		return invalid("Amount must be at most %s. You tried to %s %s %s.", maxAmount, o.Action, o.Amount, r.Market.Units)
	}
	if wrong != "" {
		return &Refusal{code.InvalidArgument, wrong, map[string]any{"symbol": o.Symbol, "type": o.Type}}
	}
	return nil
}

// about are the details of a refusal of the order's amount.
func (o Order) about(r Rules) map[string]any {
	return map[string]any{"symbol": o.Symbol, "amount": o.Amount, "minimum": r.lot()}
}

// AmountForm is the form of an amount, for schemas and for refusals.
type AmountForm struct {
	Type        string          // in a JSON schema
	Minimum     decimal.Decimal // one lot; 0: anything above it
	Description string
	Invalid     string // the beginning of AI-Trader's sentence about something else, which ends with what was given
}

// Amount is the form of the amounts that the rules allow.
func (r Rules) Amount() AmountForm {
	if lot := r.lot(); lot.IsInteger() && lot.IsPositive() {
		return AmountForm{
			"integer", lot, "Number of shares, " + r.exampleAmount(),
			"Invalid amount format. Amount must be an integer for stock trading. You provided: ",
		}
	}
	return AmountForm{
		"number", decimal.Zero, "Number of " + r.Market.Units + ", such as 0.5",
		"Invalid amount format. Amount must be a number. You provided: ",
	}
}

// exampleAmount is one that is traded.
func (r Rules) exampleAmount() string {
	if least := r.unit(r.Market.Example, "").Least; least.GreaterThan(one) {
		return fmt.Sprintf("in lots, such as %s or %s", least, least.Add(least))
	}
	return "a whole number such as 10"
}

// lot is what amounts are multiples of; 0 where parts are traded, in the steps of the symbol.
func (r Rules) lot() decimal.Decimal {
	if other, ok := r.other["lot"]; ok {
		return decimal.RequireFromString(other) // of those that are known
	}
	return r.Market.Lot
}

// whole tells whether an amount is a multiple of the lot, where parts are not traded.
func (r Rules) whole(amount decimal.Decimal) bool {
	lot := r.lot()
	if lot.LessThan(one) || amount.Exponent() >= 0 && lot.Equal(one) {
		return true
	}
	return amount.Mod(lot).IsZero()
}

// The usual lots, made once.
var one, hundred = decimal.NewFromInt(1), decimal.NewFromInt(100)

// KeepsBought tells whether what was bought on a day is kept in the record, since it cannot be sold on that day.
func (r Rules) KeepsBought() bool { return r.Market.ID == market.CN && r.other[tPlusKey] != sameDay }

// unit is what amounts of a symbol are traded at a stamp under the rules.
func (r Rules) unit(symbol string, at market.Stamp) market.Unit {
	if r.rounding() == upstream { // AI-Trader knows no steps, but its balances have some
		step := decimal.New(1, -upstreamDecimals)
		return market.Unit{Step: step, Least: step}
	}
	if r.other[lotsKey] == strict100 {
		return market.Unit{Step: hundred, Least: hundred}
	}
	if _, other := r.other["lot"]; other {
		return market.Unit{Step: r.lot(), Least: r.lot()}
	}
	return r.Market.Unit(symbol, at)
}

// asAITrader are the rules under which AI-Trader trades a market.
func asAITrader(m *market.Market) Rules {
	r := RulesOf(m)
	switch m.ID {
	case market.Crypto:
		r.other = map[string]string{"rounding": upstream}
	case market.CN:
		r.other = map[string]string{lotsKey: strict100, tPlusKey: sameDay, limitsKey: noLimits, fillKey: fillAsStamped}
	}
	return r
}

// fillsAsStamped tells whether orders fill at the open of a bar that ends at their stamp, as in AI-Trader.
func (r Rules) fillsAsStamped() bool { return r.other[fillKey] == fillAsStamped }

// NextOpen tells whether a market order waits for the next open.
func (r Rules) NextOpen() bool { return r.other[fillKey] == fillNextOpen }

// view is the view in which the orders of the account fill.
func (r Rules) view(v market.View) market.View { return v.AsStamped(r.fillsAsStamped()) }

// Actions tells whether corporate actions are applied.
func (r Rules) Actions() bool { return r.other[actionsKey] == actionsOn }
