package page

// The page on a phone, by finger.

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"mcp-trade/report/page/pagetest"
)

// tap touches the middle of an element, and lets go.
func tap(tab *pagetest.Tab, selector string) {
	at := pagetest.Eval[[]float64](tab, fmt.Sprintf(`(e => { e.scrollIntoView({behavior: "instant", block: "center"}); const r = e.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2] })(document.querySelector(%q))`, selector))
	tab.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, input.SynthesizeTapGesture, input.SynthesizeTapGestureParams{X: at[0], Y: at[1], GestureSourceType: input.GestureSourceTypeTouch})
		return err
	}))
}

// onAPhone reads charts with a finger, and looks at all parts of the page: they are no wider than the phone, or say that they scroll,
// and nothing that is to be touched is smaller than 24 pixels.
func onAPhone(t *testing.T, browser pagetest.Browser) {
	tab := opened(t, browser, pagetest.Phone, file(t, newBourse(t, "steady", "a-name-that-is-as-long-as-some-models-have-it-2025-09-29").season(t).subject(t)))
	openAll(tab)
	for chart, want := range map[string]string{"equity": "steady", "drawdown": "steady", "account-steady-allocation": "CASH", "account-steady-drawdown": "steady"} {
		tap(tab, "#"+chart+" .plot")
		if tip := pagetest.Eval[string](tab, fmt.Sprintf(`(tip => tip.hidden ? "" : tip.innerText)(document.querySelector("#%s .tip"))`, chart)); !strings.Contains(tip, want) || !strings.Contains(tip, "%") {
			t.Errorf("after a tap on %s it tells %q", chart, tip)
		}
	}
	tab.Do(chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("details")) d.open = true`))
	tab.Wait(`[...document.querySelectorAll(".scroll")].some(e => e.scrollWidth > e.clientWidth + 1) && [...document.querySelectorAll(".scroll")].every(e => e.matches(".wider") === e.scrollWidth > e.clientWidth + 1)`)
	if wide := pagetest.Eval[int](tab, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("the page is %d pixels wide, by %q", wide, pagetest.Eval[[]string](tab, `[...document.querySelectorAll("main *, header *")].filter(e => e.getBoundingClientRect().right > 391 && !e.closest(".scroll")).map(e => e.outerHTML.slice(0, 120)).slice(0, 5)`))
	}
	for _, small := range pagetest.Eval[[]string](tab, `[...document.querySelectorAll("a, button, summary, input, select")].filter(e => e.getClientRects().length && !e.matches(".skip")).map(e => [e, e.getBoundingClientRect()])
		.filter(([, r]) => Math.min(r.width, r.height) < 24).map(([e, r]) => e.outerHTML.slice(0, 150) + " " + r.width + " by " + r.height)`) {
		t.Errorf("too small for a finger: %s", small)
	}
}
