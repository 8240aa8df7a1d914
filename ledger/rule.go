// The rules of the markets: a list of small pure functions over an attempt. A new rule is a file rule_NAME.go with its function, and
// a row here. Apply asks each of them; so does verify.

package ledger

import (
	"mcp-trade/market"
)

// rule is a row of the list.
type rule struct {
	name  string
	in    market.ID // the market whose orders it judges, "" for every market
	says  string    // what it asks of an order; the function says since when, and where that stands
	when  when
	judge func(Attempt) error // a *[Refusal] of an attempt that breaks the rule
	terms []term              // what stands of it in the rules of a record

	ofSize bool // it judges the amount or the order's own price: of an order that waits as it is placed, and not once more of a part that fills
}

// when tells what is known when a rule is asked.
type when int

const (
	beforePrice when = iota // so that what is wrong whatever the price is told first
	atPrice
)

// rules is the list, in the order in which the rules are asked. T+1 names what can be sold, so what keeps all of it from being sold comes before.
var rules = [...]rule{
	{name: "whole lots", ofSize: true, when: beforePrice, judge: wholeLots, says: "An amount is a multiple of the account's lot: one share where a market has no other unit."},
	{name: "hours", when: beforePrice, judge: session, terms: []term{{
		key: hoursKey, preset: presetHours, knows: func(m *market.Market, value string) bool {
			return m.ID == market.US && (value == regularHours || value == extendedHours)
		},
	}}, says: "An order comes while the exchanges trade: US shares 09:30 to 16:00, on half days to 13:00, with the hours `extended` from 04:00 to 20:00, and at every bar in a ledger that states no hours; A-shares 09:30 to 11:30 and 13:00 to 15:00; and on no weekend, nor on a holiday of NYSE and Nasdaq from 2004 to 2028 or of the exchanges of China from 2024 to 2026. A day without an hour stands for its open."},
	{name: "tick", ofSize: true, when: beforePrice, judge: onTick, says: "A limit or a stop price is a multiple of the tick: 0.01 of US shares, 0.0001 below a dollar; 0.01 of A-shares, 0.001 of funds; of crypto that of the pair on Binance on that day. Any price where no tick is known."},
	{name: "board lots", ofSize: true, in: market.CN, when: beforePrice, judge: cnLots, terms: []term{only(lotsKey, `"exchange"`, strict100)}, says: "Main board and ChiNext: multiples of 100. STAR: 200 or more. BSE: 100 or more. An odd rest is sold whole. At most 1,000,000 in an order on a main board, 50,000 on STAR, 100,000 with a limit price. With the lots `strict100` multiples of 100, as in AI-Trader."},
	{name: "price limits", in: market.CN, when: atPrice, judge: cnPriceLimits, terms: []term{only(limitsKey, `"on"`, noLimits)}, says: "Nothing is bought at the upper limit of the day, nor sold at the lower one: 10 % from the previous close on a main board (ST 5 % until 2026-07-05), 20 % on ChiNext (10 %, ST 5 %, until 2020-08-23) and STAR, 30 % at BSE. With the `price_limits` `off` it is, as in AI-Trader."},
	{name: "T+1", in: market.CN, when: atPrice, judge: cnTPlus, terms: []term{only(tPlusKey, "1", sameDay)}, says: "What was bought on a day is not sold on it. With a `t_plus` of 0 it is."},
	{name: "fractions", ofSize: true, in: market.US, when: beforePrice, judge: steps, says: "With a `lot` of 0.000001 an amount is a multiple of it, not of a whole share."},
	{name: "step", ofSize: true, in: market.Crypto, when: beforePrice, judge: steps, says: "An amount is a multiple of the pair's step on Binance on that day: 0.00001 BTC, 0.1 XRP since 2025-06-03. Any 8 decimals where no step is known."},
	{name: "least value", ofSize: true, in: market.Crypto, when: atPrice, judge: cryptoLeastValue, says: "An order is worth at least 10 USDT from 2021-10-11 on, and 5 USDT from 2023-09-15 on."},
}

// refusedBy returns the refusal of the first rule that the attempt breaks, of those that are of size or of the others.
func (a Attempt) refusedBy(size bool) error {
	for i := range rules {
		if r := &rules[i]; r.ofSize == size && (r.in == "" || r.in == a.Rules.Market.ID) {
			if err := r.judge(a); err != nil {
				return err
			}
		}
	}
	return nil
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
	if then == atPrice && a.Order.Type == LimitOrder && !a.Order.reached(a.Order.Action, a.Quote.Price) {
		return a.notReached()
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
