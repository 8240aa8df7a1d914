// How numbers and dates are written on the page.

package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"mcp-trade/market"
	"mcp-trade/report"
)

// unknown stands for a number that is not known.
const unknown = "–"

const (
	minus = "\u2212"
	space = "\u00a0" // keeps a number and its unit on one line
)

// metricText writes a metric by its unit, a ratio with the given decimals.
func metricText(n report.Number, unit report.Unit, decimals int) string {
	switch unit {
	case report.Money:
		return money(n)
	case report.Change:
		return signedPercent(n)
	case report.Points:
		return points(n)
	case report.Part:
		return percent(n)
	case report.Ratio:
		return fixed(n, decimals)
	}
	return fixed(n, 0)
}

// money writes an amount to the cent, with separators of thousands.
func money(n report.Number) string { return fixed(n, 2) }

// count writes a whole number.
func count(n int) string { return fixed(report.Known(float64(n)), 0) }

// fixed writes a number with the given decimals and separators of thousands.
func fixed(n report.Number, decimals int) string {
	if !n.Known() {
		return unknown
	}
	text := report.Known(math.Abs(n.Float())).Text(decimals)
	whole, rest, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		whole += "." + rest
	}
	if n.Float() < 0 && strings.Trim(text, "0.") != "" {
		return minus + whole
	}
	return whole
}

// amount writes a number of shares or coins with its digits, at most six after the point.
func amount(f float64) string {
	if f == math.Trunc(f) {
		return fixed(report.Known(f), 0)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if _, decimals, _ := strings.Cut(text, "."); len(decimals) > 6 {
		return fixed(report.Known(f), 6)
	}
	return text
}

// price writes a price: to the cent, or finer if it is small.
func price(n report.Number) string {
	if n.Known() && math.Abs(n.Float()) < 1 {
		return n.Text(6)
	}
	return money(n)
}

// percent writes a fraction as percent.
func percent(n report.Number) string {
	if !n.Known() {
		return unknown
	}
	return fixed(report.Known(100*n.Float()), 2) + space + "%"
}

// signedPercent writes a fraction as percent, with its sign.
func signedPercent(n report.Number) string {
	return plusSign(n) + percent(n)
}

// points writes a difference of fractions in percentage points.
func points(n report.Number) string {
	if !n.Known() {
		return unknown
	}
	return plusSign(n) + fixed(report.Known(n.Float()*100), 2) + space + "pp"
}

// signedMoney writes an amount with its sign.
func signedMoney(n report.Number) string {
	return plusSign(n) + money(n)
}

func plusSign(n report.Number) string {
	if n.Known() && n.Float() > 0 {
		return "+"
	}
	return ""
}

// sign returns the class of a number: up, down or "".
func sign(n report.Number) string {
	switch {
	case n.Float() > 0:
		return "up"
	case n.Float() < 0:
		return "down"
	}
	return ""
}

// capital writes a name as a heading has it.
func capital(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// plural writes a number and its noun, in the plural unless the number is 1.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return count(n) + " " + what + "s"
}

// dateRange writes a range of days.
func dateRange(from, to market.Stamp) string {
	if from == to {
		return string(from)
	}
	return fmt.Sprintf("%s to %s", from, to)
}

// noBreak keeps each date of a text on one line.
func noBreak(text string) string { return strings.ReplaceAll(text, "-", "\u2011") }
