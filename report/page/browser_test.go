package page

// The page in a real browser, as a file.

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"mcp-trade/internal/testenv"
	"mcp-trade/report/page/pagetest"
)

// TestWrite_InABrowser starts one browser for all that takes one.
func TestWrite_InABrowser(t *testing.T) {
	testenv.Slow(t)
	browser := pagetest.Start(t)
	for _, c := range []struct {
		name string
		test func(*testing.T, pagetest.Browser)
	}{
		{"the page is seen on every screen", onEveryScreen},
		{"trades are sorted", onASample(sorts)},
		{"trades are filtered", onASample(filters)},
		{"a drawing is read by keyboard and by pointer", onASample(reads)},
		{"lines are turned off", onASample(turnsOff)},
		{"each drawn line is the series of its key", drawnSeries},
		{"accounts of which little is known are drawn", oddAccounts},
		{"many accounts are shown", manyAccounts},
		{"what is ahead is drawn, and correlations are a table", forestAndMatrix},
		{"changes are applied", onASample(patches)},
		{"the page is printed", onASample(onPaper)},
		{"everything is done by keyboard", onASample(byKeyboard)},
		{"the focus stays when trades come", focusStays},
		{"a press and a selection stay when trades come", pressesStay},
		{"everything has a name and a place for a screen reader", onASample(namesAll)},
		{"what changes is told, and not each trade", tellsChanges},
		{"a phone is enough", onAPhone},
		{"hostile text is inert", hostileText},
		{"a new trade comes without a reload and leaves the reader in peace", tradeComes},
		{"an account that is opened appears", accountComes},
		{"trouble is told and goes away", trouble},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, browser) })
	}
}

func onEveryScreen(t *testing.T, browser pagetest.Browser) {
	address := file(t, newBourse(t, "steady", "chaser", "dice").season(t).subject(t))
	for _, c := range []struct {
		name   string
		screen pagetest.Screen
	}{
		{"desktop-light", pagetest.Desktop}, {"desktop-dark", pagetest.Desktop.InTheDark()},
		{"phone-light", pagetest.Phone}, {"phone-dark", pagetest.Phone.InTheDark()},
	} {
		t.Run(c.name, func(t *testing.T) {
			tab := browser.Open(t, c.screen, address)
			openAll(tab)
			tab.Picture(c.name)
			allDrawn(t, tab)
			if wide := pagetest.Eval[int](tab, `document.documentElement.scrollWidth`); wide > int(c.screen.Width) {
				t.Errorf("the page is %d pixels wide on a screen of %d", wide, c.screen.Width)
			}
			if c.screen.Dark != c.screen.Phone {
				return // each ground and each width was held against the rules once
			}
			tab.Do(chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("details")) d.open = true`))
			for _, finding := range tab.Axe() {
				t.Error(finding)
			}
		})
	}
}

// openAll opens the details of all accounts.
func openAll(tab *pagetest.Tab) {
	tab.Wait(`document.body.dataset.ready === "all"`)
	tab.Do(chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("details.account")) d.open = true`))
	tab.Wait(`[...document.querySelectorAll("details.account")].every(d => d.querySelector(".headline") && !d.querySelector("[aria-busy]"))`)
}

// opened is a page whose script has drawn all that is seen at first.
func opened(t *testing.T, browser pagetest.Browser, s pagetest.Screen, address string) *pagetest.Tab {
	t.Helper()
	tab := browser.Open(t, s, address)
	tab.Wait(`document.body.dataset.ready === "all"`)
	return tab
}

// onPaper prints the page and looks at it with forced colours: curves and swatches keep what tells them apart, and nothing is cut off.
func onPaper(t *testing.T, tab *pagetest.Tab) {
	openAll(tab)
	for _, c := range []struct {
		name   string
		params emulation.SetEmulatedMediaParams
	}{
		{"print", emulation.SetEmulatedMediaParams{Media: "print"}},
		{"forced-colors", emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}}}},
	} {
		tab.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, c.params)
			return err
		}))
		tab.Picture(c.name)
		tell := map[string]string{"print": "strokeDasharray", "forced-colors": "stroke"}[c.name] // paper may have no colours
		looks := pagetest.Eval[[]string](tab, fmt.Sprintf(`[...document.querySelectorAll("#equity .drawing [data-key] path.line")].map(p => getComputedStyle(p).%[1]s).sort()
			.concat([...document.querySelectorAll("#controls .legend .swatch")].map(s => [...s.querySelectorAll(".line, .fill")].find(e => getComputedStyle(e).display !== "none")).map(e => getComputedStyle(e).%[1]s).sort())`, tell))
		if len(looks) != 8 || len(slices.Compact(slices.Clone(looks[:4]))) != 4 || c.name == "print" && !slices.Equal(looks[:4], looks[4:]) {
			t.Errorf("%s: the curves and their swatches are %v", c.name, looks)
		}
		if c.name == "print" && pagetest.Eval[bool](tab, `[...document.querySelectorAll(".bar, .filter, .only")].some(e => e.offsetParent) || [...document.querySelectorAll(".tall")].some(e => e.clientHeight < e.scrollHeight)`) {
			t.Error("controls are printed, or a table is cut off")
		}
		if c.name == "print" {
			const paper = 718 // what A4 has between its margins, in pixels
			tab.Do(chromedp.EmulateViewport(paper, 1000))
			if wide := pagetest.Eval[int](tab, `document.documentElement.scrollWidth`); wide > paper {
				t.Errorf("the page is %d pixels wide on paper", wide)
			}
		}
	}
}

// onASample runs a test on the page of three accounts.
func onASample(test func(*testing.T, *pagetest.Tab)) func(*testing.T, pagetest.Browser) {
	return func(t *testing.T, browser pagetest.Browser) {
		test(t, opened(t, browser, pagetest.Desktop, file(t, newBourse(t, "steady", "chaser", "dice").season(t).subject(t))))
	}
}

// allDrawn checks that each drawing is seen, in one form, with a line in it that has a length.
func allDrawn(t *testing.T, tab *pagetest.Tab) {
	t.Helper()
	type plot struct {
		ID    string
		Seen  int
		Drawn int
		Table int
	}
	plots := pagetest.Eval[[]plot](tab, `[...document.querySelectorAll("figure.chart")].map(f => {
		const seen = [...f.querySelectorAll(".drawing svg")].filter(s => s.getBoundingClientRect().width > 100);
		return {ID: f.id, Seen: seen.length, Drawn: seen.flatMap(s => [...s.querySelectorAll("path.line")]).filter(p => p.getTotalLength() > 100 &&
			getComputedStyle(p).stroke !== "none").length, Table: (f.querySelector("details").open = true, fillTable(figures.get(f.id)), f.querySelectorAll("tbody tr").length)}})`)
	if len(plots) < 2+3*2 {
		t.Errorf("there are %d drawings", len(plots))
	}
	for _, p := range plots {
		if p.Seen != 1 || p.Drawn == 0 || p.Table == 0 {
			t.Errorf("%+v", p)
		}
	}
	if n := pagetest.Eval[int](tab, `[...document.querySelectorAll("#equity .drawing svg")].find(s => s.getBoundingClientRect().width).querySelectorAll("path.line").length`); n != 4 {
		t.Errorf("there are %d curves, want those of three accounts and a benchmark", n)
	}
}

// column is what the visible rows of the table of trades hold in a column.
func columnOf(tab *pagetest.Tab, name string) []string {
	return pagetest.Eval[[]string](tab, fmt.Sprintf(`(() => {
		const table = document.getElementById("trades-table");
		const at = [...table.tHead.rows[0].cells].findIndex(c => c.textContent === %q);
		return [...table.tBodies[0].rows].map(r => r.cells[at].textContent)})()`, name))
}

func sorts(t *testing.T, tab *pagetest.Tab) {
	sorted := func(what, column, order string) {
		t.Helper()
		compare := `String(a).localeCompare(b)`
		if column == "Value" || column == "Gain" {
			compare = `(n => n(a) - n(b) || 0)((x) => x === "–" ? Infinity : ` + order + ` * Number(x.replace(/[,+]/g, "").replace("−", "-")))`
		} else if order == "-1" {
			compare = `-` + compare
		}
		values := columnOf(tab, column)
		if len(values) < 20 {
			t.Fatalf("%s: %d rows", what, len(values))
		}
		want := pagetest.Eval[[]string](tab, fmt.Sprintf(`%s.sort((a, b) => %s)`, jsList(values), compare))
		if strings.Join(values, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %v", what, values)
		}
		state := pagetest.Eval[string](tab, `[...document.querySelectorAll("#trades-table th")].filter(t => t.ariaSort).map(t => t.textContent + t.ariaSort).join()`)
		if state != column+map[string]string{"1": "ascending", "-1": "descending"}[order] {
			t.Errorf("%s: the head says %s", what, state)
		}
	}
	press := func(column string) {
		tab.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`[...document.querySelectorAll("#trades-table th button")].find(b => b.textContent === %q).focus()`, column)), chromedp.KeyEvent("\r"))
	}
	sorted("at first", "Date", "-1")
	press("Value")
	sorted("by value, from the keyboard", "Value", "-1")
	press("Value")
	sorted("the other way", "Value", "1")
	press("Gain")
	sorted("by what only sales have", "Gain", "-1")
	press("Symbol")
	press("Symbol")
	sorted("by name", "Symbol", "1")
}

// jsList writes texts as a list of JavaScript.
func jsList(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = fmt.Sprintf("%q", v)
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

func filters(t *testing.T, tab *pagetest.Tab) {
	all := len(columnOf(tab, "Symbol"))
	tab.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("filter-text").focus()`), chromedp.KeyEvent("syn03"))
	some := columnOf(tab, "Symbol")
	for _, symbol := range some {
		if symbol != "SYN03" {
			t.Errorf("a row of %s is shown", symbol)
		}
	}
	if len(some) == 0 || len(some) == all {
		t.Errorf("%d of %d rows are shown", len(some), all)
	}
	said := pagetest.Eval[string](tab, `document.getElementById("filter-count").textContent`)
	if want := fmt.Sprintf("%d of %d found", len(some), pagetest.Eval[int](tab, `trades.length`)); said != want {
		t.Errorf("it says %q, want %q", said, want)
	}
	tab.Do(chromedp.Evaluate[chromedp.Void](`for (const [id, value] of [["filter-account", "dice"], ["filter-side", "sell"], ["filter-text", ""]]) {
		const e = document.getElementById(id); e.value = value; e.dispatchEvent(new Event("input", {bubbles: true})) }`))
	accounts, sides := columnOf(tab, "Account"), columnOf(tab, "Side")
	if len(accounts) == 0 || strings.Join(accounts, "") != strings.Repeat("dice", len(accounts)) || strings.Join(sides, "") != strings.Repeat("sold", len(sides)) {
		t.Errorf("shown are %v %v", accounts, sides)
	}
}

func reads(t *testing.T, tab *pagetest.Tab) {
	tip := func() string {
		return pagetest.Eval[string](tab, `(p => p.querySelector(".tip").hidden ? "" : p.querySelector(".tip").innerText)(document.querySelector("#equity .plot"))`)
	}
	tab.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#equity .plot").focus()`))
	if text := tip(); text != "" {
		t.Errorf("before a key it says %q", text)
	}
	tab.Do(chromedp.KeyEvent("\ue011")) // nothing is bound to it
	pressKey := func(key string) {
		tab.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true, cancelable: true}))`, key)))
	}
	pressKey("End")
	last := tip()
	pressKey("ArrowLeft")
	before := tip()
	pressKey("Home")
	first := tip()
	for _, text := range []string{last, before, first} {
		if !strings.Contains(text, "steady") || !strings.Contains(text, "%") {
			t.Errorf("it says %q", text)
		}
	}
	if !strings.HasPrefix(first, "2025-01-01") || last == before {
		t.Errorf("first %q, last but one %q, last %q", first, before, last)
	}
	if aloud := pagetest.Eval[string](tab, `document.querySelector("#equity .reading").textContent`); !strings.HasPrefix(aloud, "2025-01-01, ") {
		t.Errorf("aloud it says %q", aloud)
	}
	pressKey("Escape")
	if text := tip(); text != "" {
		t.Errorf("after Escape it says %q", text)
	}
	// By pointer: at the right end stands the last date.
	tab.Do(chromedp.Evaluate[chromedp.Void](`(p => { const r = p.getBoundingClientRect(); p.dispatchEvent(new PointerEvent("pointermove", {clientX: r.right - 4, clientY: r.top + 50, bubbles: true})) })
		(document.querySelector("#equity .plot"))`))
	if text := tip(); text != last {
		t.Errorf("at the right end it says %q, want %q", text, last)
	}
	at := pagetest.Eval[[]float64](tab, `(p => { const line = [...p.querySelectorAll("[data-key='account steady'] path.line")].find(l => l.getBoundingClientRect().width); return [line.getBoundingClientRect().right, p.querySelector(".cross").getBoundingClientRect().left] })
		(document.querySelector("#equity .plot"))`)
	if at[0]-at[1] > 40 || at[1]-at[0] > 40 {
		t.Errorf("the line ends at %v, the cross is at %v", at[0], at[1])
	}
}

func turnsOff(t *testing.T, tab *pagetest.Tab) {
	shown := func() string {
		return pagetest.Eval[string](tab, `[...document.querySelectorAll("#equity .drawing [data-key]")].map(g => g.dataset.key).sort().join()`)
	}
	top := func() float64 {
		return pagetest.Eval[float64](tab, `parseFloat([...document.querySelectorAll("#equity text[text-anchor=end]")].map(l => l.textContent).filter(l => l.includes("%")).at(-1))`)
	}
	const all = "account chaser,account dice,account steady,benchmark"
	if shown() != all {
		t.Fatalf("shown are %s", shown())
	}
	// The axis follows what is shown.
	axis := top()
	tab.Do(chromedp.Evaluate[chromedp.Void](`overview.charts[0].lines.find(l => l.key === "account dice").v[20] += 5e6; showCurves()`))
	if axis > 100 || top() < 500 {
		t.Fatalf("the axis ends at %v without, and at %v with a curve of 500 %%", axis, top())
	}
	for _, click := range []struct{ what, shown string }{
		{`[data-key="account dice"] button`, "account chaser,account steady,benchmark"},
		{`[data-key="account dice"] button`, all},
		{`[data-key="account steady"] .only`, "account steady,benchmark"},
		{`[data-key="benchmark"] button`, "account steady"},
		{`[data-key="account dice"] button`, "account dice,account steady"},
	} {
		tab.Do(chromedp.Click(chromedp.CSS(`#controls ` + click.what)))
		if shown() != click.shown {
			t.Errorf("after a click on %s there are the curves of %s, want %s", click.what, shown(), click.shown)
		}
		if n := pagetest.Eval[int](tab, `[...document.querySelectorAll("#controls li > [aria-pressed=true]")].length`); n != strings.Count(click.shown, ",")+1 {
			t.Errorf("after a click on %s the legend has %d turned on", click.what, n)
		}
		if strings.Contains(click.shown, "dice") == (top() < 500) {
			t.Errorf("with the curves of %s the axis ends at %v", click.shown, top())
		}
	}
}

func hostileText(t *testing.T, browser pagetest.Browser) {
	tab := opened(t, browser, pagetest.Desktop, file(t, poison(newBourse(t, "steady", "dice").season(t).subject(t))))
	openAll(tab)
	tab.Picture("hostile")
	if pagetest.Eval[bool](tab, `"hacked" in window || document.querySelectorAll("img, script:not(#data):not(:last-of-type)").length > 0`) {
		t.Error("a text was taken for markup")
	}
	if acting := pagetest.Eval[int](tab, `(document.body.innerText.match(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g) ?? []).length`); acting > 0 {
		t.Errorf("%d characters act on the text", acting)
	}
	for _, place := range []string{"#trades-table td.note", "#trades-table tr td:nth-child(4)", ".day blockquote p", ".legend li", ".warnings li", ".pair tbody th"} {
		texts := pagetest.Eval[[]string](tab, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(e => e.textContent)`, place))
		if !strings.Contains(strings.Join(texts, ""), "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>\"'`{{.}}</style>") {
			t.Errorf("%s does not show it as text: %q", place, texts)
		}
	}
}
