// The tear sheet of an account: what it did by month, in its falls, over windows of days, by symbol and by trade, and what it cost.

package page

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"mcp-trade/report"
	"mcp-trade/report/chart"
)

// maxTrips bounds the closed trades that are listed; all of them are rows of the table of trades.
const maxTrips = 200

// sheet is the tear sheet as markup. Each part says what it shows; a part of which nothing is known is left out.
func (v *account) sheet(a report.Account) g.Node {
	return g.Group{
		months(v.ID, a),
		h.Div(h.Class("prices"), h.Div(h.Data("chart", v.ID+"-drawdown"), h.Data("line", chart.AccountKey(a.Signature))), g.Map(v.Rolling, func(x *slot) g.Node { return x.node() })),
		falls(a), distribution(v.ID, a), symbols(v.ID, a), trips(v.ID, a), costs(a), h.Div(h.Data("pairs", a.Signature)),
	}
}

// part is a part of the sheet: a heading, what it shows, and a table.
func part(name, text string, rest ...g.Node) g.Node {
	return g.Group{h.H4(h.Class("part"), g.Text(name)), muted(text), g.Group(rest)}
}

// grid is a table that scrolls. A head that starts with ">" is over numbers.
func grid(name string, heads []string, rows g.Node) g.Node {
	return scrollRegion(name, "scroll tall", h.Table(caption(name), tableHead(heads...), h.TBody(rows)))
}

// newRolling plots the rolling figures, none for an account of fewer days than a window.
func newRolling(a report.Account, id string) []*slot {
	list := []*slot{}
	for _, x := range []struct {
		name, kind, text string
		of               func(report.Rolling) report.Number
	}{
		{"Volatility", "part", "Standard deviation of the newest 60 daily returns, annualized.", func(x report.Rolling) report.Number { return x.Volatility }},
		{"Sharpe ratio", "ratio", "Mean excess over the risk-free rate / standard deviation of the newest 60 daily returns, annualized.", func(x report.Rolling) report.Number { return x.Sharpe }},
		{"Beta", "ratio", "Move of the account per move of the benchmark, over the newest 60 daily returns of both.", func(x report.Rolling) report.Number { return x.Beta }},
	} {
		line := chart.Line{Key: "rolling", Name: x.name}
		for _, w := range a.Rolling {
			line.Points = append(line.Points, report.Point{Date: w.Date, Value: x.of(w)})
		}
		from := chart.Plot{Lines: []chart.Line{line}}
		if !from.Empty() {
			p := plot{ID: id + "-rolling-" + elementID(strings.ToLower(x.name)), Title: x.name + ", rolling", Kind: x.kind, Small: true, Table: x.name + " of 60 returns by day", Text: x.text}
			list = append(list, &slot{plot: p, from: from, scale: 1e3})
		}
	}
	return list
}

// heat is the class of a return in the map of months: its sign, and how large it is.
func heat(n report.Number) string {
	size := 0
	for _, bound := range []float64{0.01, 0.03, 0.06} {
		if math.Abs(n.Float()) >= bound {
			size++
		}
	}
	if n.Float() == 0 {
		return ""
	}
	return fmt.Sprintf("heat %s%d", sign(n), size)
}

// months is the map of the months, a row for each year.
func months(id string, a report.Account) g.Node {
	if len(a.Months) == 0 {
		return nil
	}
	byName := map[string]report.Span{}
	for _, m := range a.Months {
		byName[m.Name] = m
	}
	heads := []string{"Year", ">Jan", ">Feb", ">Mar", ">Apr", ">May", ">Jun", ">Jul", ">Aug", ">Sep", ">Oct", ">Nov", ">Dec", ">Year", ">Benchmark", ">Returns"}
	rows := g.Map(a.Years, func(y report.Span) g.Node {
		var months g.Group
		for m := range 12 {
			span := byName[fmt.Sprintf("%s-%02d", y.Name, m+1)]
			text := ""
			if span.Name != "" {
				text = signedPercent(span.Return)
			}
			months = append(months, numCell(text, heat(span.Return)))
		}
		return h.Tr(rowHead(g.Text(y.Name)), months, numCell(signedPercent(y.Return), heat(y.Return)), numCell(signedPercent(y.Benchmark), ""), numCell(count(y.Returns), "soft"))
	})
	return part("Months", "Compound return of each month and year; a return counts where it ends. The benchmark is over the returns that both have.",
		scrollRegion("Returns of "+a.Signature+" by month", "scroll", h.Table(h.Class("months"), h.ID(id+"-months"), caption("Returns of "+a.Signature+" by month"), tableHead(heads...), h.TBody(rows))))
}

// falls is the table of the deepest drawdowns.
func falls(a report.Account) g.Node {
	if len(a.Drawdowns) == 0 {
		return nil
	}
	rows := g.Map(a.Drawdowns, func(d report.Drawdown) g.Node {
		recovered := string(d.Recovered)
		if recovered == "" {
			recovered = "not yet"
		}
		return h.Tr(numCell(percent(report.Known(d.Depth)), "down"), h.Td(g.Text(string(d.Peak))), h.Td(g.Text(string(d.Trough))), h.Td(g.Text(recovered)), cells(count(d.TradingDays), count(d.CalendarDays)))
	})
	return part("Deepest drawdowns", "Each from the day of its peak to the first day at the peak again, or to the end; no two overlap.",
		grid("Deepest drawdowns of "+a.Signature, []string{">Depth", "Peak", "Trough", "Recovered", ">Trading days", ">Calendar days"}, rows))
}

// bins counts returns between whole multiples of a width: about 30 of them between the 1st and the 99th percentile, and the rest at the ends.
func bins(a report.Account) (width float64, first int, counts []int) {
	var returns []float64
	for _, p := range a.Periods {
		if p.Return.Known() {
			returns = append(returns, p.Return.Float())
		}
	}
	slices.Sort(returns)
	n := len(returns)
	if n < 20 || returns[0] == returns[n-1] {
		return 0, 0, nil
	}
	low, high := returns[n/100], returns[n-1-n/100]
	width = 0.0005
	for (high-low)/width > 30 {
		width *= 2
	}
	first, last := int(math.Floor(low/width)), int(math.Floor(high/width))
	counts = make([]int, last-first+1)
	for _, r := range returns {
		counts[int(min(max(math.Floor(r/width), float64(first)), float64(last)))-first]++
	}
	return width, first, counts
}

// distribution draws how often returns were how large.
func distribution(id string, a report.Account) g.Node {
	width, first, counts := bins(a)
	if counts == nil {
		return nil
	}
	const wide, high = 480.0, 120.0
	room, top := wide/float64(len(counts)), float64(slices.Max(counts))
	text := func(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
	label := func(bin int) string { return signedPercent(report.Known(float64(bin) * width)) }
	var bars, rows g.Group
	for i, n := range counts {
		tall := high * float64(n) / top
		side := "up"
		if first+i < 0 {
			side = "down"
		}
		between := label(first+i) + " to " + label(first+i+1)
		bars = append(bars, g.El("rect", h.Class(side), g.Attr("x", text(float64(i)*room+1)), g.Attr("y", text(high-tall)), g.Attr("width", text(room-2)), g.Attr("height", text(tall)), g.El("title", g.Text(between+": "+count(n)))))
		rows = append(rows, h.Tr(rowHead(g.Text(between)), numCell(count(n), "")))
	}
	m := a.Metrics
	told := func(key report.Key) string { return metricText(m.Value(key), report.MetricOf(key).Unit, 2) }
	return part("Distribution of daily returns", fmt.Sprintf("From %s to %s; the first and the last bar hold what is beyond. VaR %s, CVaR %s, tail ratio %s, skew %s, excess kurtosis %s: from 60 returns, defined below in all figures.",
		label(first), label(first+len(counts)), told("var_95"), told("cvar_95"), told("tail_ratio"), told("skew"), told("excess_kurtosis")),
		g.El("svg", h.Class("bars"), g.Attr("viewBox", "0 0 480 120"), h.Role("img"), h.Aria("label", "Distribution of daily returns, drawn; the table below has the same counts"), bars),
		folded(id+"-distribution", "Counts", grid("Daily returns of "+a.Signature, []string{"Between", ">Returns"}, rows)))
}

// symbols is what each symbol gained.
func symbols(id string, a report.Account) g.Node {
	if len(a.Symbols) == 0 {
		return nil
	}
	known := report.Known
	row := func(x report.SymbolProfit) g.Node {
		return h.Tr(rowHead(g.Text(x.Symbol)), numCell(signedMoney(x.Gain), sign(x.Gain)), cells(signedMoney(x.Realized), signedMoney(x.Unrealized), money(known(x.Dividends)),
			count(x.Trades), money(known(x.Fees)), money(x.Slippage), percent(known(x.Weight))))
	}
	heads := []string{"Symbol", ">Gain", ">Realized", ">Unrealized", ">Dividends", ">Trades", ">Fees", ">Slippage", ">Mean weight"}
	text := "What each added to the value, fees and dividends included: realized by closed trades, unrealized by what is held."
	if a.Unexplained.Known() && a.Unexplained.Float() != 0 {
		text += fmt.Sprintf(" %s of the value no trade or corporate action explains.", signedMoney(a.Unexplained))
	}
	const few = 10
	name := "Gains of " + a.Signature + " by symbol"
	nodes := g.Group{scrollRegion(name, "scroll", h.Table(caption(name), tableHead(heads...), h.TBody(g.Map(a.Symbols[:min(few, len(a.Symbols))], row))))}
	if rest := a.Symbols[min(few, len(a.Symbols)):]; len(rest) > 0 {
		nodes = append(nodes, folded(id+"-symbols", fmt.Sprintf("The other %d", len(rest)), grid("Further gains of "+a.Signature, heads, g.Map(rest, row))))
	}
	return part("Gain by symbol", text, nodes)
}

// trips lists the closed trades, the newest first.
func trips(id string, a report.Account) g.Node {
	if len(a.RoundTrips) == 0 {
		return nil
	}
	var rows g.Group
	for _, x := range slices.Backward(a.RoundTrips[max(0, len(a.RoundTrips)-maxTrips):]) {
		gain := report.Known(x.Gain)
		rows = append(rows, h.Tr(rowHead(h.A(h.Href(fmt.Sprintf("#t-%s-%d", elementID(a.Signature), x.ID)), g.Text(x.Symbol))), h.Td(g.Text(string(x.Opened))), h.Td(g.Text(string(x.Closed))),
			cells(count(x.Days), amount(x.Amount), money(report.Known(x.Cost)), money(report.Known(x.Income))), numCell(signedMoney(gain), sign(gain)), numCell(signedPercent(x.Return), sign(gain))))
	}
	name := plural(a.RoundTripCount, "closed trade")
	if a.RoundTripCount > maxTrips {
		name = fmt.Sprintf("The newest %d of %s", maxTrips, name)
	}
	return folded(id+"-closed", name, muted("A sale, and the shares bought first of those still held. Days are calendar days from the purchase of the oldest share."),
		grid("Closed trades of "+a.Signature, []string{"Symbol", "Opened", "Closed", ">Days", ">Amount", ">Cost", ">Income", ">Gain", ">Return"}, rows))
}

// costs are what the trades cost.
func costs(a report.Account) g.Node {
	if len(a.Paid) == 0 {
		return nil
	}
	rows := g.Map(a.Paid, func(c report.CostItem) g.Node {
		share := unknown
		if c.OfTraded.Known() {
			share = fixed(report.Known(100*c.OfTraded.Float()), 4) + space + "%"
		}
		return h.Tr(rowHead(g.Text(capital(c.Name))), cells(money(c.Paid), share))
	})
	return part("Costs of trades", "Fees by their names in the ledger, and slippage: what was paid beyond the opens of the bars, below 0 if prices were better.",
		grid("Costs of "+a.Signature, []string{"Cost", ">Paid", ">Of the value traded"}, rows))
}
