package page

import (
	"math"
	"testing"

	"github.com/chromedp/chromedp"

	"mcp-trade/report"
	"mcp-trade/report/page/pagetest"
)

// forestAndMatrix reads the intervals back from their drawing, and the correlations from their table.
func forestAndMatrix(t *testing.T, browser pagetest.Browser) {
	s := newBourse(t, "steady", "chaser", "dice").season(t).subject(t)
	tab := opened(t, browser, pagetest.Desktop, file(t, s))
	type row struct {
		Key             string
		Zero, Low, High float64
		At              float64
	}
	drawn := map[string]row{}
	for _, x := range pagetest.Eval[[]row](tab, `[...document.querySelectorAll("#ahead tbody tr")].map(tr => {
		const at = (kind) => tr.querySelector(kind).getAttribute("d").match(/[\d.]+/g).map(Number);
		const [low, , high] = at(".range");
		return {Key: tr.dataset.key, Zero: at(".zero")[0], Low: low, High: high, At: Number(tr.querySelector(".dot").getAttribute("cx"))}})`) {
		drawn[x.Key] = x
	}
	// All rows have one axis of logarithms: as many pixels for the same growth.
	scale := 0.0
	for _, a := range s.Report.Accounts {
		c, d := a.Certainty, drawn[a.Signature]
		for _, x := range []struct{ drawn, value float64 }{{d.Low, c.AheadInterval.Low.Float()}, {d.High, c.AheadInterval.High.Float()}, {d.At, c.Ahead.Float()}} {
			if growth := math.Log1p(x.value); scale == 0 {
				scale = (x.drawn - d.Zero) / growth
			} else if want := d.Zero + scale*growth; math.Abs(want-x.drawn) > 1 {
				t.Errorf("%s: %v is drawn at %v, want %v", a.Signature, x.value, x.drawn, want)
			}
		}
	}
	if len(drawn) != 3 || scale <= 0 {
		t.Errorf("drawn are %v", drawn)
	}
	tab.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("correlations").open = true`))
	tab.Wait(`document.querySelectorAll("#matrix-table tbody tr").length === 3`)
	places := map[string]int{}
	for i, a := range s.Report.Accounts {
		places[a.Signature] = i
	}
	cells := pagetest.Eval[[][]string](tab, `[...document.querySelectorAll("#matrix-table tbody tr")].map(tr => [...tr.querySelectorAll("td")].map(td => td.textContent))`)
	for _, c := range s.Report.Pairs {
		i, j := places[c.Account], places[c.Against]
		want := pagetest.Eval[string](tab, `coefficient(`+report.Known(c.Correlation.Float()).Text(10)+`)`)
		if cells[i][j] != want || cells[j][i] != want || want == "" {
			t.Errorf("%s and %s have %s and %s, want %s", c.Account, c.Against, cells[i][j], cells[j][i], want)
		}
	}
	tab.Picture("forest")
	for _, finding := range tab.Axe() {
		t.Error(finding)
	}
}
