// The sections as markup.

package page

import (
	"fmt"
	"slices"
	"strconv"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"mcp-trade/report/chart"
)

func (b leaderboard) node() g.Node {
	names := slices.Concat([]string{">#", "Account"}, b.Columns, []string{">Days", ">Trades"})
	if b.Verified {
		names = append(names, "Ledger")
	}
	rows := g.Map(b.Rows, func(s leaderboardRow) g.Node {
		return h.Tr(h.ID("rank-"+s.Link.ID), cell(s.Rank, "soft"),
			rowHead(h.A(h.Href("#"+s.Link.ID), swatch(s.Link.Look), g.Text(s.Link.Name)), footnote(s.Mark)), cell(s.Return, "main "+s.Sign),
			g.If(b.Benchmark != nil, cell(s.ExcessReturn, "")), h.Td(h.Class("num"), g.Text(s.Value), footnote(s.AsOf)),
			cells(s.Sharpe, s.MaxDrawdown, s.WinRate, s.Days, count(s.Trades)), g.If(b.Verified, h.Td(h.Class("ledger"), g.Text(string(s.Ledger)))))
	})
	if x := b.Benchmark; x != nil {
		rows = append(rows, h.Tr(h.Class("bench"), h.Td(), rowHead(swatch(chart.Benchmark), g.Text(x.Link.Name+" "), h.Span(h.Class("soft"), g.Text("benchmark"))),
			cell(x.Return, "main "+x.Sign), cells("", "", "", "", "", "", ""), g.If(b.Verified, h.Td())))
	}
	return h.Section(h.ID("board"), h.H1(g.Text(b.Title)), h.P(h.Class("lead"), g.Text(b.Lead)),
		g.If(len(b.Rows) > 0, g.Group{
			scrollRegion("Leaderboard", "scroll", h.Table(h.Class("board"), caption("Leaderboard, the highest total return first"), tableHead(names...), h.TBody(rows))),
			muted(b.Note)}),
		warnings(b.Warnings))
}

// curvesNode is the section of the charts of all accounts.
func curvesNode(figures []figure) g.Node {
	return h.Section(h.ID("curves"), h.Aria("labelledby", "curves-title"), h.H2(h.ID("curves-title"), h.Class("hidden"), g.Text("Charts")),
		g.Map(figures, figure.node), h.Span(h.ID("accounts")))
}

func (f figure) node() g.Node {
	if len(f.Drawings) == 0 {
		return nil
	}
	return g.El("figure", h.ID(f.ID), h.Class("chart "+f.Kind), h.Data("dates", strconv.Itoa(f.Dates)), h.Aria("labelledby", f.ID+"-title"),
		h.FigCaption(h.H3(h.ID(f.ID+"-title"), g.Text(f.Title)), h.P(h.ID(f.ID+"-text"), h.Class("soft"), g.Text(f.Text))),
		g.If(f.Legend, h.Ul(h.Class("legend"), h.Aria("label", "Lines of "+f.Title), g.Map(f.Lines, func(l chart.Line) g.Node {
			return h.Li(h.Data("key", l.Key), h.Button(h.Type("button"), h.Aria("pressed", "true"), swatch(l.Look), g.Text(l.Name)))
		}))),
		h.Div(h.Class("plot"), h.TabIndex("0"), h.Role("img"), h.Aria("describedby", f.ID+"-text"),
			h.Aria("label", f.Title+", drawn. The arrow keys go from date to date; the same figures are in the table below."),
			g.Map(f.Drawings, func(d drawing) g.Node { return h.Div(h.Class("drawing "+d.Class), d.SVG) }),
			h.I(h.Class("cross"), g.Attr("hidden")), h.Div(h.Class("tip"), g.Attr("hidden"))),
		h.P(h.Class("hidden reading"), h.Aria("live", "polite")),
		details(f.ID+"-table", f.Table, scrollRegion(f.Table, "scroll tall", h.Table(caption(f.Table), f.head(), h.TBody(g.Map(f.Rows, func(r row) g.Node {
			return h.Tr(h.Data("at", strconv.Itoa(r.At)), rowHead(g.Text(string(r.Date))), cells(r.Cells...))
		}))))))
}

func (f figure) head() g.Node {
	return h.THead(h.Tr(g.Map(f.Columns, func(c column) g.Node {
		return h.Th(h.Scope("col"), g.If(c != f.Columns[0], h.Class("num")), g.If(c.Key != "", h.Data("key", c.Key)), g.Text(c.Name))
	})))
}

func (a account) node() g.Node {
	return h.Section(h.ID(a.ID), h.Class("account"), h.Aria("labelledby", a.ID+"-name"),
		h.H2(h.ID(a.ID+"-name"), swatch(a.Look), g.Text(a.Name)),
		h.P(h.Class("lead"), g.Text(a.Lead)),
		g.If(a.Verdict != "", h.P(h.Class("verdict"), g.Text(a.Verdict))),
		g.Map(a.Told, func(line string) g.Node { return h.P(h.Class("soft"), g.Text(line)) }),
		warnings(a.Warnings),
		g.If(a.Head != "", h.P(h.Class("soft head"), g.Text(a.Proof+" Head "), h.Code(g.Text(a.Head)))),
		h.Dl(h.Class("headline"), g.Map(a.Headline, func(m metricRow) g.Node {
			return h.Div(h.Dt(g.Text(m.Name)), h.Dd(h.B(h.Class(m.Sign), g.Text(m.Text)), g.Text(" "), h.Span(g.Text(m.Meaning))))
		})),
		h.Div(h.Class("pair"), a.Allocation.node(), a.holdings()),
		details(a.ID+"-measures", "All figures", scrollRegion("All figures of "+a.Name, "scroll", figures("All figures of "+a.Name, a.Metrics))),
		g.If(len(a.Upstream) > 0, details(a.ID+"-upstream", "By AI-Trader’s definitions", figures(a.Name+" by AI-Trader’s definitions", a.Upstream))),
		g.If(len(a.Actions) > 0, details(a.ID+"-actions", "Corporate actions of what it held", muted(a.ActionsNote), a.actionsTable())),
		g.If(len(a.Forward) > 0, details(a.ID+"-forward", "Days that were traded as they came", muted(a.ForwardNote), a.forwardDays())),
		g.If(len(a.Prices) > 0, g.Group{
			h.H3(h.Class("part"), g.Text("Trades on the price")), muted(a.PricesNote),
			h.P(h.Class("key soft"), h.I(h.Class("close")), g.Text("close "), square(chart.Bought.Class()+" turned"), g.Text("bought "), square(chart.Sold.Class()), g.Text("sold")),
			h.Div(h.Class("prices"), g.Map(a.Prices, figure.node))}),
		g.If(len(a.Days) > 0, g.Group{
			h.H3(h.Class("part"), g.Text("Day by day")), muted(a.DaysNote), g.Map(a.Days, day.node),
			g.If(len(a.Earlier) > 0, details(a.ID+"-earlier", fmt.Sprintf("Earlier days (%d)", len(a.Earlier)), g.Map(a.Earlier, day.node)))}))
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
		return h.Tr(rowHead(g.Text(x.Date)), cell(x.Paid, ""), h.Td(g.Text(x.Text)))
	}))))
}

func (a account) holdings() g.Node {
	return h.Div(h.H3(g.Text("Holdings")), scrollRegion("Holdings of "+a.Name, "scroll", h.Table(caption("Holdings of "+a.Name+" at the end"),
		tableHead("Symbol", ">Amount", ">Price", ">Value", ">Gain"), h.TBody(
			h.Tr(rowHead(g.Text("Cash")), cells("", "", a.Cash, "")),
			g.Map(a.Holdings, func(x holding) g.Node {
				return h.Tr(rowHead(g.Text(x.Symbol)), cell(x.Amount, ""), h.Td(h.Class("num"), g.If(x.Priced != "", h.Title(x.Priced)), g.Text(x.Price), footnote(x.Old)),
					cell(x.Value, ""), cell(x.Gain, x.Sign))
			})))))
}

// footnote is a small line below a number; no text, no line.
func footnote(text string) g.Node { return g.If(text != "", h.Small(g.Text(text))) }

// figures is a table of metrics.
func figures(name string, all []metricRow) g.Node {
	return h.Table(h.Class("measures"), caption(name), tableHead("Figure", ">Value", "What it is"), h.TBody(g.Map(all, func(m metricRow) g.Node {
		return h.Tr(rowHead(g.Text(m.Name)), cell(m.Text, ""),
			h.Td(g.Text(m.Meaning), g.If(m.Why != "", g.Group{g.Text(" "), h.Em(g.Text("Not known: " + m.Why + "."))})))
	})))
}

func (d day) node() g.Node {
	did := h.P(h.Class("soft"), g.Text("No trade."))
	if len(d.Trades) > 0 {
		did = h.Ul(g.Map(d.Trades, func(t trade) g.Node {
			return h.Li(h.Span(h.Class(t.Action), g.Text(t.Verb)), g.Text(" "+t.Amount+" "), h.B(g.Text(t.Symbol)), g.Text(" at "+t.Price),
				g.If(t.Note != "", g.Group{g.Text(" "), h.Q(g.Text(t.Note))}))
		}), g.If(d.More > 0, h.Li(h.Class("soft"), g.Textf("and %d more", d.More))))
	}
	return g.El("article", h.Class("day"), h.Data("key", string(d.Date)),
		h.H4(g.Text(string(d.Date)+" "), h.Span(h.Class(d.Sign), g.Text(d.Return))),
		g.If(d.Lead != "", h.BlockQuote(h.P(g.Text(d.Lead)), g.If(d.Rest != "", details("", "The rest of it", h.P(g.Text(d.Rest)))))),
		h.Div(h.Class("did"), did, muted(d.Notes)))
}

func (t trades) node() g.Node {
	return h.Section(h.ID("trades"), h.Aria("labelledby", "trades-title"), h.H2(h.ID("trades-title"), g.Text("Trades")), muted(t.Note),
		g.If(len(t.Rows) > 0, g.Group{t.filter(), scrollRegion("Table of trades", "scroll", t.table())}))
}

func (t trades) filter() g.Node {
	option := func(value, name string) g.Node { return h.Option(h.Value(value), g.Text(name)) }
	return h.Form(h.ID("filter"), h.Class("filter"), h.Role("search"), h.Aria("label", "Filter of the trades"),
		h.Label(g.Text("Search "), h.Input(h.ID("filter-text"), h.Type("search"), h.AutoComplete("off"), g.Attr("spellcheck", "false"), h.Placeholder("symbol, date, note"))),
		h.Label(g.Text("Account "), h.Select(h.ID("filter-account"), option("", "all"), g.Map(t.Accounts, func(name string) g.Node { return option(name, name) }))),
		h.Label(g.Text("Side "), h.Select(h.ID("filter-side"), option("", "both"), option("buy", "bought"), option("sell", "sold"))),
		h.P(h.ID("filter-count"), h.Role("status")))
}

func (t trades) table() g.Node {
	column := func(name string, attributes ...g.Node) g.Node {
		return h.Th(h.Scope("col"), g.Group(attributes), h.Button(h.Type("button"), g.Text(name)))
	}
	num := h.Class("num")
	value := func(text, sort, class string) g.Node {
		return h.Td(h.Class("num "+class), h.Data("v", sort), g.Text(text))
	}
	return h.Table(h.ID("trades-table"), h.Class("trades"), caption("Trades; the buttons in the head sort"),
		h.THead(h.Tr(column("Date", h.Aria("sort", "descending")), column("Account"), column("Side"), column("Symbol"), column("Amount", num), column("Price", num),
			column("Value", num), g.If(t.Fees, column("Fees", num)), column("Gain", num), g.If(t.Notes, column("Note")))),
		h.TBody(g.Map(t.Rows, func(r trade) g.Node {
			return h.Tr(h.ID(r.ID), h.Data("account", r.Account), h.Data("side", r.Action), h.Td(g.Text(r.Date)), h.Td(g.Text(r.Account)),
				h.Td(h.Class(r.Action), g.Text(r.Verb)), h.Td(g.Text(r.Symbol)), value(r.Amount, r.AmountV, ""), value(r.Price, r.PriceV, ""),
				value(r.Value, r.ValueV, ""), g.If(t.Fees, value(r.Fees, r.FeesV, "")), value(r.Gain, r.GainV, r.Sign),
				g.If(t.Notes, h.Td(h.Class("note"), g.Text(r.Note))))
		})))
}
