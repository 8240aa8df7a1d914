package market

// This file has what amounts of a symbol a market trades. The files of the markets say it, with dates and sources.

import "mcp-trade/decimal"

// Unit is what amounts of a symbol are traded on a day.
type Unit struct {
	Step       decimal.Decimal // amounts lie whole steps above the least one
	Least      decimal.Decimal // that can be bought
	Largest    decimal.Decimal // of one order; 0: any
	AtLimit    decimal.Decimal // the largest of one order with a limit price, where it is another; 0: Largest
	LeastValue decimal.Decimal // of one order, in the market's currency; 0: any
}

// Floor returns the largest amount up to a number that can be bought, 0 if none can.
func (u Unit) Floor(most decimal.Decimal) decimal.Decimal {
	if u.Largest.IsPositive() {
		most = decimal.Min(most, u.Largest)
	}
	if most.LessThan(u.Least) {
		return decimal.Zero
	}
	steps, _ := most.Sub(u.Least).QuoRem(u.Step, 0)
	return u.Least.Add(steps.Mul(u.Step))
}
