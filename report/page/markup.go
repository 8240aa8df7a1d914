// The page as markup: its frame, and the parts that sections share.
//
// gomponents rather than html/template: the reflection of html/template makes the linker keep every method of the program, so that
// each MCP server would be larger and slower to start. Both escape all text that is not marked as markup.

package page

import (
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"mcp-trade/internal/safetext"
)

const icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M1 13l4-5 4 2 6-8' fill='none' " +
	"stroke='%231d6fa5' stroke-width='2.4' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E"

// document is the whole page.
func (v *snapshot) document(live bool, data string) g.Node {
	return h.Doctype(h.HTML(h.Lang("en"),
		h.Head(
			h.Meta(h.Charset("utf-8")),
			h.Meta(g.Attr("http-equiv", "Content-Security-Policy"), h.Content(policy(live))),
			h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
			h.Meta(h.Name("color-scheme"), h.Content("light dark")),
			h.Meta(h.Name("referrer"), h.Content("no-referrer")),
			h.TitleEl(g.Text(inert(v.title))),
			h.Link(h.Rel("icon"), h.Href(icon)),
			h.StyleEl(g.Raw(content("page.css"))),
		),
		h.Body(
			g.If(live, g.Group{h.Data("events", "events"), h.Data("version", v.name)}),
			h.A(h.Class("skip"), h.Href("#main"), g.Text("To the report")),
			h.Header(h.Class("bar"),
				h.P(h.Class("brand"), g.Text("mcp-trade "), h.Span(g.Text("report"))),
				h.Nav(h.Aria("label", "Parts of the report"), navLink("#curves", "Charts"), navLink("#accounts", "Accounts"), navLink("#trades", "Trades")),
				g.If(live, h.P(h.ID("live"), h.Class("live"), h.Role("status"), g.Text("Live"))),
			),
			h.P(h.ID("said"), h.Class("hidden"), h.Role("status")), // what a screen reader is to tell
			h.Main(h.ID("main"), h.TabIndex("-1"), v.frame()),
			h.Footer(h.P(g.Text("Paper trading on historical prices: no order ever reached a market. Past returns, simulated ones above all, promise nothing."))),
			h.Script(h.ID("data"), h.Type("application/json"), g.Raw(data)),
			h.Script(g.Raw(script())),
		)))
}

// markup writes a node.
func markup(n g.Node) string {
	var out strings.Builder
	_ = n.Render(&out) // a builder takes all
	return inert(out.String())
}

// inert replaces control characters, which would change how the page's text is shown.
func inert(text string) string { return safetext.Replaced(text, "\n\t") }

func navLink(to, name string) g.Node { return h.A(h.Href(to), g.Text(name)) }

func square(class string) g.Node { return h.I(h.Class("swatch " + class)) }

// muted is a paragraph in a muted colour, nothing if the text is empty.
func muted(text string) g.Node { return g.If(text != "", h.P(h.Class("soft"), g.Text(text))) }

// scrollRegion lets a table that is too wide be scrolled by finger and by keyboard.
func scrollRegion(name, class string, rest ...g.Node) g.Node {
	return h.Div(h.Class(class), h.TabIndex("0"), h.Role("region"), h.Aria("label", name), g.Group(rest))
}

func caption(text string) g.Node { return h.Caption(h.Class("hidden"), g.Text(text)) }

// tableHead is the head of a table. A name that starts with ">" heads a column of numbers.
func tableHead(names ...string) g.Node {
	return h.THead(h.Tr(g.Map(names, func(name string) g.Node {
		name, number := strings.CutPrefix(name, ">")
		return h.Th(h.Scope("col"), g.If(number, h.Class("num")), g.Text(name))
	})))
}

func rowHead(nodes ...g.Node) g.Node { return h.Th(h.Scope("row"), g.Group(nodes)) }

// numCell is a number in a table, with one more class.
func numCell(text, class string) g.Node {
	return h.Td(h.Class(strings.TrimSpace("num "+class)), g.Text(text))
}

func cells(texts ...string) g.Node {
	return g.Map(texts, func(text string) g.Node { return numCell(text, "") })
}

func warnings(texts []string) g.Node {
	return g.If(len(texts) > 0, h.Ul(h.Class("warnings"), h.Aria("label", "What is unknown or doubtful"),
		g.Map(texts, func(text string) g.Node { return h.Li(g.Text(text)) })))
}

// folded is a part that is folded until a click opens it. By its id the script keeps it open when the section is replaced.
func folded(id, name string, rest ...g.Node) g.Node {
	return h.Details(g.If(id != "", h.ID(id)), h.Summary(g.Text(name)), g.Group(rest))
}
