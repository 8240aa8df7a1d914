// The rules of the markets: a list of small pure functions over an attempt. A new rule is a file rule_NAME.go with its function, and
// a row here. Apply asks each of them; so does verify.

package ledger

import "mcp-trade/market"

// rule is a row of the list.
type rule struct {
	name  string
	in    market.ID // the market whose orders it judges, "" for every market
	says  string    // what it asks of an order; the function says since when, and where that stands
	when  when
	judge func(Attempt) error // a *[Refusal] of an attempt that breaks the rule
	terms []term              // what stands of it in the rules of a record
}

// when tells what is known when a rule is asked.
type when int

const (
	beforePrice when = iota // so that what is wrong whatever the price is told first
	atPrice
)

// rules is the list, in the order in which the rules are asked.
var rules = [...]rule{
	{name: "whole lots", when: beforePrice, judge: wholeLots, says: "An amount is a multiple of the account's lot: one share where a market has no other unit."},
}

// refused returns the refusal of the first rule that the attempt breaks, of those that are asked then.
func (a Attempt) refused(then when) error {
	for i := range rules {
		if r := &rules[i]; r.when == then && (r.in == "" || r.in == a.Rules.Market.ID) {
			if err := r.judge(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// refusedAt returns the refusal of the first rule that the attempt breaks, of those that can be asked with a price or without one.
func (a Attempt) refusedAt(priced bool) error {
	if err := a.refused(beforePrice); err != nil || !priced {
		return err
	}
	return a.refused(atPrice)
}
