package market

// This file has the rules of Chinese A-shares: boards, lots, ticks, price limits, trading days and hours, each with its first day and
// its source. SSE, SZSE and BSE are the exchanges of Shanghai, Shenzhen and Beijing.

import (
	"slices"
	"strings"

	"mcp-trade/decimal"
)

// board is a part of an exchange with rules of its own.
type board int

const (
	mainBoard board = iota
	chiNext         // SZSE, since 2009-10-30
	star            // SSE, since 2019-07-22
	beijing         // BSE, since 2021-11-15
)

// boardOf returns the board of an A-share by its number.
func boardOf(symbol string) board {
	number, exchange, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(symbol)), ".")
	starts := func(with ...string) bool {
		return slices.ContainsFunc(with, func(w string) bool { return strings.HasPrefix(number, w) })
	}
	switch {
	case exchange == "BJ":
		return beijing
	case exchange == "SH" && starts("688", "689"):
		return star
	case exchange == "SZ" && starts("300", "301", "302"):
		return chiNext
	}
	return mainBoard
}

// cnUnit returns what is bought of an A-share in one order.
//
//	main board  multiples of 100, at most 1,000,000 (SSE, "Trading mechanism")
//	ChiNext     multiples of 100; the largest order since 2020-08-24 is not confirmed, and is left out
//	STAR        200 or more, since 2019-07-22; at most 50,000 in an order, 100,000 with a limit price (SSE, rules of the STAR market)
//	BSE         100 or more, since 2021-11-15; the largest order is not confirmed, and is left out
func cnUnit(symbol string, _ Stamp) Unit {
	hundred, one := decimal.NewFromInt(100), decimal.NewFromInt(1)
	switch boardOf(symbol) {
	case star:
		return Unit{Step: one, Least: decimal.NewFromInt(200), Largest: decimal.NewFromInt(50_000), AtLimit: decimal.NewFromInt(100_000)}
	case beijing:
		return Unit{Step: one, Least: hundred}
	case chiNext:
		return Unit{Step: hundred, Least: hundred}
	}
	return Unit{Step: hundred, Least: hundred, Largest: decimal.NewFromInt(1_000_000)}
}

// cnTick returns the step of prices: 0.01 of shares, 0.001 of funds, since 2006-07-01 (trading rules of SSE and SZSE).
func cnTick(symbol string, _ Stamp, _ decimal.Decimal) decimal.Decimal {
	number, exchange, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(symbol)), ".")
	isFund := exchange == "SH" && strings.HasPrefix(number, "5") ||
		exchange == "SZ" && (strings.HasPrefix(number, "15") || strings.HasPrefix(number, "16") || strings.HasPrefix(number, "18"))
	if isFund {
		return decimal.New(1, -3)
	}
	return decimal.New(1, -2)
}

// ShareStatus is what the price limits of a share depend on beside its board. Price files may say it, see [Open].
type ShareStatus struct {
	ST  bool // special treatment, ST or *ST, on that day
	Day int  // the how manieth trading day since it was listed, 1 for the first; 0: later, or not known
}

// percents are the price limits of a board, in percent of the previous close, from a day on.
var percents = [...]struct {
	board   board
	st      bool
	from    Stamp
	percent int64
}{
	{mainBoard, false, "1996-12-16", 10}, // SZSE, history of trading rules
	{mainBoard, true, "1998-04-22", 5},   // SSE and SZSE, rules of special treatment
	{mainBoard, true, "2026-07-06", 10},  // SSE notice of 2026-04-24, SZSE [2026] 551
	{chiNext, false, "2009-10-30", 10},   // SZSE
	{chiNext, true, "2009-10-30", 5},     // SZSE
	{chiNext, false, "2020-08-24", 20},   // SZSE [2020] 620
	{chiNext, true, "2020-08-24", 20},    // likewise
	{star, false, "2019-07-22", 20},      // SSE [2019] 23, article 18
	{star, true, "2019-07-22", 20},       // likewise
	{beijing, false, "2021-11-15", 30},   // BSE trading rules, article 3.3.11
	{beijing, true, "2021-11-15", 30},    // likewise
}

// cnLimits returns the lowest and the highest price of a day: the previous close, plus and minus a part, half up to the tick; at least
// one tick from the close (SSE 3.3.17 since 2023-04-10, SZSE 3.3.16 since 2011-02-28). known is false where there are no limits, or
// none that could be told: on the first days of a share, and on its first day on a main board before 2023-04-10, whose limits are
// parts of a price of issue that no price file has.
func cnLimits(symbol string, on Stamp, before decimal.Decimal, l ShareStatus) (down, up decimal.Decimal, known bool) {
	day, board, percent := on.Day(), boardOf(symbol), int64(0)
	for _, row := range percents {
		if row.board == board && row.st == l.ST && row.from <= day {
			percent = row.percent
		}
	}
	if percent == 0 || l.Day > 0 && l.Day <= freeDays(board, day) {
		return decimal.Zero, decimal.Zero, false
	}
	tick, part := cnTick(symbol, on, before), decimal.New(percent, -2)
	places := -tick.Exponent()
	down = before.Sub(before.Mul(part)).Round(places)
	up = before.Add(before.Mul(part)).Round(places)
	floored := strings.HasSuffix(strings.ToUpper(symbol), ".SZ") && day >= "2011-02-28" || day >= "2023-04-10"
	if floored && up.LessThan(before.Add(tick)) {
		up = before.Add(tick)
	}
	if floored && down.GreaterThan(before.Sub(tick)) {
		down = before.Sub(tick)
	}
	return down, up, true
}

// freeDays is on how many of its first days a share has no price limits: five on STAR since 2019-07-22 (SSE), on ChiNext since 2020-08-24
// (SZSE) and on the main boards since 2023-04-10 (both); one at BSE since 2021-11-15, and before on the other boards.
func freeDays(b board, day Stamp) int {
	switch {
	case b == star, b == chiNext && day >= "2020-08-24", b == mainBoard && day >= "2023-04-10":
		return 5
	}
	return 1
}

// cnCalendar is that of SSE, SZSE and BSE. A year that it does not tell of is not published yet, or was not looked up.
var cnCalendar = Calendar{Exchanges: "the exchanges", From: "2024-01-01", To: "2026-12-31", Holiday: cnHoliday}

// cnClosed are the weekdays on which the exchanges are closed, by year: notices of SSE, SZSE and BSE. On Saturdays and Sundays they are
// closed also where those are work days elsewhere.
var cnClosed = map[Stamp]string{
	"2024": "01-01 02-09 02-12 02-13 02-14 02-15 02-16 04-04 04-05 05-01 05-02 05-03 06-10 09-16 09-17 10-01 10-02 10-03 10-04 10-07",
	"2025": "01-01 01-28 01-29 01-30 01-31 02-03 02-04 04-04 05-01 05-02 05-05 06-02 10-01 10-02 10-03 10-06 10-07 10-08",
	"2026": "01-01 01-02 02-16 02-17 02-18 02-19 02-20 02-23 04-06 05-01 05-04 05-05 06-19 09-25 10-01 10-02 10-05 10-06 10-07",
}

func cnHoliday(day Stamp) string {
	if strings.Contains(cnClosed[day[:4]], string(day[5:])) {
		return "by their notice for " + string(day[:4])
	}
	return ""
}

// cnSession is from when to when SSE and SZSE trade on a trading day, Shanghai time.
func cnSession(Stamp) (open, end string) { return "09:30", "15:00" }

// cnHours tells whether the exchanges trade at a moment of a trading day, and if not, why: 09:30 to 11:30 and 13:00 to 15:00 Shanghai time
// (SZSE since 2006-07-01, SSE since 2018-08-20). A day without an hour stands for its open.
func cnHours(at Stamp, _ bool) (why string) {
	if at.IsDay() {
		return ""
	}
	switch hour := at[len(dayForm)+1:]; {
	case hour >= "11:30:00" && hour < "13:00:00":
		return "the exchanges rest from 11:30 to 13:00"
	case hour < "09:30:00" || hour >= "15:00:00":
		return "the exchanges trade from 09:30 to 11:30 and from 13:00 to 15:00"
	}
	return ""
}
