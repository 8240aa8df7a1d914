package page

// The page by keyboard alone, and as a screen reader gets it.

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"mcp-trade/report/page/pagetest"
)

// goTo presses the tabulator, or Shift and it, until an element has the focus that an expression of e is true of.
func goTo(t *testing.T, tab *pagetest.Tab, back bool, what string) {
	t.Helper()
	var options []chromedp.KeyOption
	if back {
		options = append(options, chromedp.KeyModifiers(kb.ModifierShift))
	}
	for range 300 {
		tab.Do(chromedp.KeyEvent(kb.Tab, options...))
		if pagetest.Eval[bool](tab, `((e) => Boolean(`+what+`))(document.activeElement)`) {
			if !pagetest.Eval[bool](tab, `document.activeElement.matches(":focus-visible")`) {
				t.Errorf("that %s has the focus is not seen", what)
			}
			return
		}
	}
	t.Fatalf("the keyboard does not come to %s: it is at %s", what, pagetest.Eval[string](tab, `document.activeElement.outerHTML.slice(0, 200)`))
}

// enter presses Enter as a keyboard does: key and character in one. chromedp sends them apart, so that a link may have led elsewhere, and what
// has the focus there gets the character: a summary is closed by it.
func enter(tab *pagetest.Tab) {
	tab.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, Text: "\r", UnmodifiedText: "\r"}
		up := down
		up.Type, up.Text, up.UnmodifiedText = input.DispatchKeyEventTypeKeyUp, "", ""
		_, err := cdp.Call(ctx, target, input.DispatchKeyEvent, down)
		if err == nil {
			_, err = cdp.Call(ctx, target, input.DispatchKeyEvent, up)
		}
		return err
	}))
}

// byKeyboard uses nothing but keys: leaderboard, curves, an account, its drawings, closed trades and days, and the trades.
func byKeyboard(t *testing.T, tab *pagetest.Tab) {
	press := func(keys string) { tab.Do(chromedp.KeyEvent(keys)) }
	holds := func(what, expression string) {
		t.Helper()
		if !pagetest.Eval[bool](tab, `Boolean(`+expression+`)`) {
			t.Errorf("it does not hold that %s: %s has the focus, told is %q", what, pagetest.Eval[string](tab, `document.activeElement.outerHTML.slice(0, 200)`),
				pagetest.Eval[string](tab, `document.getElementById("said").textContent`))
		}
	}
	goTo(t, tab, false, `e.textContent === "Trades" && e.closest("#board thead")`)
	enter(tab)
	holds("the leaderboard is sorted by trades", `document.querySelector("#board [aria-sort=descending]").textContent === "Trades" && document.activeElement.textContent === "Trades"`)
	press(" ")
	holds("it is sorted the other way, and told so", `document.querySelector("#board [aria-sort=ascending]").textContent === "Trades" && document.getElementById("said").textContent === "Sorted by Trades, ascending"`)
	goTo(t, tab, false, `e.textContent === "1 month"`)
	press(" ")
	holds("a month is shown, and told so", `document.activeElement.textContent === "1 month" && /^4 curves from 2025-.* to 2025-/.test(document.getElementById("said").textContent)`)
	goTo(t, tab, false, `e.closest("#controls [data-key='account dice']")`)
	press(" ")
	holds("the curve of dice is off, and what turns it on has the focus", `!document.querySelector("#equity .drawing [data-key='account dice']") && document.activeElement.closest("[data-key='account dice']")`)
	goTo(t, tab, false, `e.closest("#equity .plot")`)
	press(kb.ArrowLeft)
	holds("the last day is told", `!document.querySelector("#equity .tip").hidden && document.querySelector("#equity .reading").textContent.startsWith(overview.days.at(-1))`)
	press(kb.Home)
	first := pagetest.Eval[string](tab, `document.querySelector("#equity .reading").textContent`)
	press(kb.ArrowRight)
	if second := pagetest.Eval[string](tab, `document.querySelector("#equity .reading").textContent`); second <= first || !strings.Contains(second, "steady") {
		t.Errorf("after %q the arrow tells %q", first, second)
	}
	goTo(t, tab, true, `e.matches("#rank-account-dice a")`)
	enter(tab)
	tab.Wait(`document.activeElement.matches("#account-dice > summary") && document.querySelector("#account-dice .headline") && !document.querySelector("[aria-busy]")`)
	goTo(t, tab, false, `e.closest("#account-dice-allocation .plot")`)
	press(kb.End)
	holds("the allocation is told", `document.querySelector("#account-dice-allocation .reading").textContent.includes("CASH")`)
	goTo(t, tab, false, `e.parentNode.id === "account-dice-closed"`)
	enter(tab)
	goTo(t, tab, false, `e.matches("#account-dice-closed a")`)
	trade := pagetest.Eval[string](tab, `document.activeElement.hash.slice(1)`)
	enter(tab)
	tab.Wait(fmt.Sprintf(`document.activeElement.id === %q`, trade))
	goTo(t, tab, true, `e.id === "filter-text"`)
	press("syn03")
	holds("trades are found, and told", `/^[0-9]+ of [0-9]+ found$/.test(document.getElementById("filter-count").textContent) && [...document.querySelectorAll("#trades-table tbody tr")].every(r => r.textContent.includes("SYN03"))`)
	goTo(t, tab, true, `e.closest("#account-dice .day h5")`)
	day := pagetest.Eval[string](tab, `document.activeElement.hash.slice(1)`)
	enter(tab)
	tab.Wait(fmt.Sprintf(`document.activeElement.id === %q && location.hash.startsWith("#" + %q)`, day, day))
	goTo(t, tab, true, `e.matches("#account-dice > summary")`)
	press(" ")
	holds("the account is closed again", `!document.getElementById("account-dice").open`)
}

// focusStays has trades come while the reader stands somewhere.
func focusStays(t *testing.T, browser pagetest.Browser) {
	x, address := open(t, newBourse(t, "steady", "dice").season(t))
	tab := browser.Open(t, pagetest.Desktop, address)
	tab.Wait(`document.getElementById("live").textContent === "Live" && document.body.dataset.ready === "all"`)
	for i, place := range []string{`#rank-account-steady a`, `#board thead th:nth-child(4) button`, `#controls [data-key="account steady"] .only`, `#trades-table thead th:nth-child(5) button`, `#trades-found .scroll`, `#equity .plot`} {
		tab.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector(%q).focus()`, place)))
		x.change(func() { x.trade(t, 1, 57, "SYN02", float64(1000*(i+1)), "") })
		tab.Wait(fmt.Sprintf(`document.getElementById("t-dice-%d")`, len(x.books[1].lines)-1))
		if !pagetest.Eval[bool](tab, fmt.Sprintf(`document.activeElement.matches(%q)`, place)) {
			t.Errorf("a trade moves the focus from %s to %s", place, pagetest.Eval[string](tab, `document.activeElement.outerHTML.slice(0, 200)`))
		}
	}
}

// pressesStay has trades come between press and release of the mouse, and while a text is selected.
func pressesStay(t *testing.T, browser pagetest.Browser) {
	x, address := open(t, newBourse(t, "steady", "dice").season(t))
	tab := browser.Open(t, pagetest.Desktop, address)
	tab.Wait(`document.getElementById("live").textContent === "Live" && document.body.dataset.ready === "all"`)
	for _, c := range []struct{ press, done string }{
		{`#board thead th:nth-child(3) button`, `document.querySelector("#board thead th:nth-child(3)").ariaSort === "descending"`},
		{`#controls [data-key="1 month"]`, `chosen.from > "2025-01-31"`},
		{`#controls [data-key="account steady"] button`, `!chosen.shows("account steady")`},
		{`#trades-table thead th:nth-child(5) button`, `document.querySelector("#trades-table [aria-sort]").textContent === "Amount"`},
		{`#account-dice > summary h3`, `document.getElementById("account-dice").open`},
		{`#rank-account-steady a`, `location.hash.startsWith("#account-steady")`},
	} {
		at := pagetest.Eval[[]float64](tab, fmt.Sprintf(`(e => { e.scrollIntoView({behavior: "instant", block: "center"}); const r = e.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2] })(document.querySelector(%q))`, c.press))
		mouse := func(kind input.DispatchMouseEventType) {
			tab.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
				_, err := cdp.Call(ctx, target, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: at[0], Y: at[1], Button: input.MouseButtonLeft, ClickCount: 1})
				return err
			}))
		}
		mouse(input.DispatchMouseEventTypeMousePressed)
		x.change(func() { x.trade(t, 1, 57, "SYN02", 10, "") })
		tab.Wait(fmt.Sprintf(`trades.some(t => t.key === "t-dice-%d")`, len(x.books[1].lines)-1))
		mouse(input.DispatchMouseEventTypeMouseReleased)
		tab.Wait(c.done)
	}
	tab.Do(chromedp.Evaluate[chromedp.Void](`getSelection().selectAllChildren(document.querySelector("#rank-account-steady td:nth-child(3)"))`))
	x.change(func() { x.trade(t, 1, 57, "SYN02", 10, "") })
	tab.Wait(fmt.Sprintf(`trades.some(t => t.key === "t-dice-%d")`, len(x.books[1].lines)-1))
	if selected := pagetest.Eval[string](tab, `getSelection().toString()`); !strings.Contains(selected, "%") {
		t.Errorf("after a trade %q is selected", selected)
	}
}

// namesAll reads the page with all parts opened as a screen reader gets it.
func namesAll(t *testing.T, tab *pagetest.Tab) {
	openAll(tab)
	tab.Do(chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("details")) d.open = true`))
	page, level := tab.Tree()[0], 0
	names, charts := map[string]int{}, 0
	for _, n := range page.All() {
		if n.Focusable && n.Role != "main" && (n.Name == "" || n.Role == "generic" || n.Role == "none") {
			t.Errorf("the keyboard comes to something without a name: %s %q", n.Role, n.Name)
		}
		if strings.ContainsAny(n.Name, "\u2190\u2191\u2192\u2193\u2195") && n.Role != "StaticText" && n.Role != "region" && n.Role != "InlineTextBox" {
			t.Errorf("an arrow is read aloud: %s %q", n.Role, n.Name)
		}
		switch n.Role {
		case "heading":
			if n.Name == "" || n.Level > level+1 || n.Level == 1 && level > 0 {
				t.Errorf("the heading %q of level %d follows one of level %d", n.Name, n.Level, level)
			}
			level = n.Level
		case "table":
			if names[n.Name]++; n.Name == "" || !slices.ContainsFunc(n.All(), func(x pagetest.Node) bool { return x.Role == "columnheader" && x.Name != "" }) {
				t.Errorf("the table %q has no name, or no heads", n.Name)
			}
		case "application":
			names[n.Name]++
			charts++
			if !strings.Contains(n.Description, "; on that day ") {
				t.Errorf("the chart %q is described as %q", n.Name, n.Description)
			}
		case "image":
			if n.Name == "" {
				t.Error("a picture has no name")
			}
		}
	}
	for name, n := range names {
		if n > 1 {
			t.Errorf("%d tables or charts are called %q", n, name)
		}
	}
	if charts < 2+3*3 || len(names) < 30 {
		t.Errorf("there are %d charts, and %d charts and tables", charts, len(names))
	}
}

// tellsChanges has trades come: a screen reader is told of the first, and of the others together.
func tellsChanges(t *testing.T, browser pagetest.Browser) {
	x, address := open(t, newBourse(t, "steady", "dice").season(t))
	tab := browser.Open(t, pagetest.Desktop, address)
	tab.Wait(`document.getElementById("live").textContent === "Live" && document.body.dataset.ready === "all"`)
	// What a region of the page that is told of holds at each change.
	tab.Do(chromedp.Evaluate[chromedp.Void](`window.told = []; news.pause = 1e9;
		for (const region of document.querySelectorAll("[role=status], [aria-live]")) new MutationObserver(() => told.push(region.textContent)).observe(region, {childList: true, characterData: true, subtree: true})`))
	trades := func(n int) {
		for range n {
			x.change(func() { x.trade(t, 1, 57, "SYN02", 30, "") })
			tab.Wait(fmt.Sprintf(`document.getElementById("t-dice-%d")`, len(x.books[1].lines)-1))
		}
	}
	trades(4)
	if told := pagetest.Eval[[]string](tab, `told`); !slices.Equal(told, []string{"1 new trade: dice bought 30 SYN02"}) {
		t.Errorf("of four trades is told %q", told)
	}
	tab.Do(chromedp.Evaluate[chromedp.Void](`told.length = 0; news.pause = 0`))
	trades(1)
	tab.Wait(`told.length > 0`)
	if told := pagetest.Eval[[]string](tab, `told`); !slices.Equal(told, []string{"4 new trades, the last one: dice bought 30 SYN02"}) {
		t.Errorf("after the pause is told %q", told)
	}
	polite := 0
	for _, n := range tab.Tree()[0].All() {
		if n.Live != "" && n.Live != "polite" && n.Live != "off" {
			t.Errorf("%s %q interrupts: %s", n.Role, n.Name, n.Live)
		}
		if n.Live == "polite" {
			polite++
		}
	}
	if polite == 0 {
		t.Error("nothing is told of at all")
	}
}
