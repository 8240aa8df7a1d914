package market

// This file has what US shares are traded in.

import "mcp-trade/decimal"

// shareUnit is one share. US shares have no other unit for an order: a round lot matters for quotes alone.
func shareUnit(string, Stamp) Unit {
	one := decimal.NewFromInt(1)
	return Unit{Step: one, Least: one}
}

// usTick returns the step of quoted prices: a cent, and a hundredth of one below a dollar. It has been so since 2005 (Regulation NMS, rule
// 612). Half a cent for shares with a narrow spread was adopted in 2024; from which day it holds is not confirmed, and it is left out.
// Prices of executions may be finer.
func usTick(_ string, _ Stamp, price decimal.Decimal) decimal.Decimal {
	if price.LessThan(decimal.NewFromInt(1)) {
		return decimal.New(1, -4)
	}
	return decimal.New(1, -2)
}

// usSession is from when to when NYSE and Nasdaq trade on a trading day, New York time.
func usSession(day Stamp) (open, end string) {
	if isUSHalfDay(day) {
		return "09:30", "13:00"
	}
	return "09:30", "16:00"
}

// usHours tells whether NYSE and Nasdaq trade at a moment of a trading day, and if not, why: 09:30 to 16:00 New York time, on half days to
// 13:00; with the extended hours of brokers 04:00 to 20:00, on half days to 17:00. A day without an hour stands for its open.
func usHours(at Stamp, extended bool) (why string) {
	if at.IsDay() {
		return ""
	}
	open, end := usSession(at.Day())
	if extended {
		open, end = "04:00", map[string]string{"16:00": "20:00", "13:00": "17:00"}[end]
	}
	if hour := string(at[len(dayForm)+1:]); hour < open || hour >= end+":00" {
		return "the exchanges trade from " + open + " to " + end + " on that day"
	}
	return ""
}
