// The sections as markup.

package page

import (
	"fmt"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

func (a account) node() g.Node {
	dayNode := func(d day) g.Node { return d.node(a.ID) }
	return g.Group{
		h.P(h.Class("lead"), g.Text(a.Lead)),
		g.If(a.Verdict != "", h.P(h.Class("verdict"), g.Text(a.Verdict))),
		g.Map(a.Told, func(line string) g.Node { return h.P(h.Class("soft"), g.Text(line)) }),
		warnings(a.Warnings),
		g.If(a.Head != "", h.P(h.Class("soft head"), g.Text(a.Proof+" Head "), h.Code(g.Text(a.Head)))),
		h.Dl(h.Class("headline"), g.Map(a.Headline, func(m metricRow) g.Node {
			return h.Div(h.Dt(g.Text(m.Name)), h.Dd(h.B(h.Class(m.Sign), g.Text(m.Text)), g.Text(" "), h.Span(g.Text(m.Meaning))))
		})),
		h.Div(h.Class("pair"), a.Allocation.node(), a.holdings()),
		a.Sheet,
		folded(a.ID+"-measures", "All figures", scrollRegion("All figures of "+a.Name, "scroll", figures("All figures of "+a.Name, a.Metrics))),
		g.If(len(a.Upstream) > 0, folded(a.ID+"-upstream", "By AI-Trader’s definitions", figures(a.Name+" by AI-Trader’s definitions", a.Upstream))),
		g.If(len(a.Actions) > 0, folded(a.ID+"-actions", "Corporate actions of what it held", muted(a.ActionsNote), a.actionsTable())),
		g.If(len(a.Forward) > 0, folded(a.ID+"-forward", "Days that were traded as they came", muted(a.ForwardNote), a.forwardDays())),
		g.If(len(a.Prices) > 0, g.Group{
			h.H4(h.Class("part"), g.Text("Trades on the price")), muted(a.PricesNote),
			h.P(h.Class("key soft"), h.I(h.Class("close")), g.Text("close "), square("bought turned"), g.Text("bought "), square("sold"), g.Text("sold")),
			h.Div(h.Class("prices"), g.Map(a.Prices, func(symbol string) g.Node {
				return h.Div(h.Data("chart", a.ID+"-price-"+elementID(symbol)), h.Data("symbol", symbol))
			}))}),
		g.If(len(a.Days) > 0, g.Group{
			h.H4(h.Class("part"), g.Text("Day by day")), muted(a.DaysNote), g.Map(a.Days, dayNode),
			g.If(len(a.Earlier) > 0, folded(a.ID+"-earlier", fmt.Sprintf("Earlier days (%d)", len(a.Earlier)), g.Map(a.Earlier, dayNode)))}),
	}
}

// node is the place of a chart.
func (x *slot) node() g.Node {
	if x == nil {
		return nil
	}
	return h.Div(h.Data("chart", x.ID))
}

func (a account) forwardDays() g.Node {
	name := "Days that " + a.Name + " traded as they came"
	return scrollRegion(name, "scroll tall", h.Table(h.Class("measures"), caption(name), tableHead("Day", "Decided", "At, UTC", "Note"), h.TBody(g.Map(a.Forward, func(d forwardDay) g.Node {
		return h.Tr(rowHead(g.Text(d.Date)), h.Td(g.Text(d.Mark)), h.Td(g.Text(d.Decided)), h.Td(g.Text(d.Note)))
	}))))
}

func (a account) actionsTable() g.Node {
	name := "Corporate actions of what " + a.Name + " held"
	return scrollRegion(name, "scroll tall", h.Table(h.Class("measures"), caption(name), tableHead("Day", ">Paid", "What happened"), h.TBody(g.Map(a.Actions, func(x action) g.Node {
		return h.Tr(rowHead(g.Text(x.Date)), numCell(x.Paid, ""), h.Td(g.Text(x.Text)))
	}))))
}

func (a account) holdings() g.Node {
	return h.Div(h.H4(g.Text("Holdings")), scrollRegion("Holdings of "+a.Name, "scroll", h.Table(caption("Holdings of "+a.Name+" at the end"),
		tableHead("Symbol", ">Amount", ">Price", ">Value", ">Gain"), h.TBody(
			h.Tr(rowHead(g.Text("Cash")), cells("", "", a.Cash, "")),
			g.Map(a.Holdings, func(x holding) g.Node {
				return h.Tr(rowHead(g.Text(x.Symbol)), numCell(x.Amount, ""), h.Td(h.Class("num"), g.If(x.Priced != "", h.Title(x.Priced)), g.Text(x.Price), footnote(x.Old)),
					numCell(x.Value, ""), numCell(x.Gain, x.Sign))
			})))))
}

// footnote is a small line below a number; no text, no line.
func footnote(text string) g.Node { return g.If(text != "", h.Small(g.Text(text))) }

// figures is a table of metrics.
func figures(name string, all []metricRow) g.Node {
	return h.Table(h.Class("measures"), caption(name), tableHead("Figure", ">Value", "What it is"), h.TBody(g.Map(all, func(m metricRow) g.Node {
		return h.Tr(rowHead(g.Text(m.Name)), numCell(m.Text, ""),
			h.Td(g.Text(m.Meaning), g.If(m.Formula != "", g.Group{g.Text(" "), h.Code(g.Text(m.Formula))}), g.If(m.Why != "", g.Group{g.Text(" "), h.Em(g.Text("Not known: " + m.Why + "."))})))
	})))
}

func (d day) node(account string) g.Node {
	did := h.P(h.Class("soft"), g.Text("No trade."))
	if len(d.Trades) > 0 {
		did = h.Ul(g.Map(d.Trades, func(t dayTrade) g.Node {
			return h.Li(h.Span(h.Class(t.Action), g.Text(t.Verb)), g.Text(" "+t.Amount+" "), h.B(g.Text(t.Symbol)), g.Text(" at "+t.Price),
				g.If(t.Note != "", g.Group{g.Text(" "), h.Q(g.Text(t.Note))}))
		}), g.If(d.More > 0, h.Li(h.Class("soft"), g.Textf("and %d more", d.More))))
	}
	return g.El("article", h.ID(account+"-"+string(d.Date)), h.Class("day"), h.Data("key", string(d.Date)),
		h.H5(h.A(h.Href("#"+account+"-"+string(d.Date)), g.Text(string(d.Date))), g.Text(" "), h.Span(h.Class(d.Sign), g.Text(d.Return))),
		g.If(d.Lead != "", h.BlockQuote(h.P(g.Text(d.Lead)), g.If(d.Rest != "", folded("", "The rest of it", h.P(g.Text(d.Rest)))))),
		h.Div(h.Class("did"), did, muted(d.Notes)),
		g.If(d.Said != "", h.Details(h.ID(account+"-"+string(d.Date)+"-said"), h.Class("said"), h.Data("said", d.Said), h.Summary(g.Text("The conversation")))))
}

// plain is the leaderboard as a table that needs no script.
func (b overview) plain() g.Node {
	heads := []string{">#", "Account"}
	for _, column := range b.Columns {
		heads = append(heads, ">"+column)
	}
	row := func(rank, name string, cells []cell) g.Node {
		return h.Tr(numCell(rank, "soft"), rowHead(g.Text(name)), g.Map(cells, func(c cell) g.Node {
			return h.Td(h.Class("num"), g.Text(c.Text), g.If(c.Small != "", h.Small(g.Text(c.Small))))
		}))
	}
	rows := g.Group{g.Map(b.Rows, func(r boardRow) g.Node { return row(r.Rank, commaJoined(r.Name, r.Mark), r.Cells) })}
	if b.Benchmark != nil {
		rows = append(rows, row("", b.Benchmark.Name+" (benchmark)", b.Benchmark.Cells))
	}
	return g.If(len(b.Rows) > 0, h.Div(h.Class("scroll"), h.Table(caption("Leaderboard"), tableHead(heads...), h.TBody(rows))))
}

// frame is what the script fills. What it says of the whole report stands there already.
func (v *snapshot) frame() g.Node {
	option := func(value, name string) g.Node { return h.Option(h.Value(value), g.Text(name)) }
	return g.Group{
		h.NoScript(h.P(g.Text("This page draws itself with its own script, which the browser does not run. The figures are in report.json and equity.csv too.")), v.plain),
		h.Section(h.ID("board"), h.H1(g.Text(v.title)), h.P(h.Class("lead"), g.Text(v.lead)), muted(v.note)),
		h.Section(h.ID("runs"), h.Aria("labelledby", "runs-title"), g.Attr("hidden")),
		h.Section(h.ID("curves"), h.Aria("labelledby", "curves-title"), g.Attr("hidden"), h.H2(h.ID("curves-title"), h.Class("hidden"), g.Text("Charts")),
			h.Div(h.ID("controls")), h.Div(h.ID("drawings")), h.Div(h.ID("forests")), h.Div(h.ID("matrix"))),
		h.Section(h.ID("accounts"), h.Aria("labelledby", "accounts-title"), g.Attr("hidden"), h.H2(h.ID("accounts-title"), g.Text("Accounts")), h.Div(h.ID("account-list"))),
		h.Section(h.ID("trades"), h.Aria("labelledby", "trades-title"), h.H2(h.ID("trades-title"), g.Text("Trades")), h.P(h.ID("trades-note"), h.Class("soft")),
			h.Form(h.ID("filter"), h.Class("filter"), h.Role("search"), h.Aria("label", "Filter of the trades"), g.Attr("hidden"),
				h.Label(g.Text("Search "), h.Input(h.ID("filter-text"), h.Type("search"), h.AutoComplete("off"), g.Attr("spellcheck", "false"), h.Placeholder("symbol, date, note"))),
				h.Label(g.Text("Account "), h.Select(h.ID("filter-account"), option("", "all"))),
				h.Label(g.Text("Side "), h.Select(h.ID("filter-side"), option("", "both"), option("buy", "bought"), option("sell", "sold"))),
				h.P(h.Button(h.ID("trades-download"), h.Type("button"), h.Class("plain"), g.Text("Download as CSV"))),
				h.P(h.ID("filter-count"), h.Role("status"))),
			h.Div(h.ID("trades-found"))),
	}
}
