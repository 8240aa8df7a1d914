package page

import (
	"fmt"
	"strings"
	"testing"

	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/chart"
)

// The style of the page has the colours of the looks, and their dashes on paper.
func TestStyle_Looks(t *testing.T) {
	light, _, _ := strings.Cut(content("page.css"), "@media")
	_, print, _ := strings.Cut(content("page.css"), "@media print")
	for l := chart.Look(0); l < 10; l++ {
		if want := fmt.Sprintf("--%s: %s;", l.Class(), l.Color()); !strings.Contains(light, want) {
			t.Errorf("the style has no %s", want)
		}
		dashes := dashText(l.Printed())
		if want := fmt.Sprintf(".%s { --dashes: %s; }", l.Class(), dashes); dashes != "" && !strings.Contains(print, want) {
			t.Errorf("the style has no %s", want)
		}
	}
}

// In a page that is served an account keeps its look, whoever comes.
func TestRenderer_Looks(t *testing.T) {
	var r renderer
	var s Data
	before := chart.Looks{}
	for i := range 25 {
		s.Report.Accounts = append([]report.Account{{Signature: fmt.Sprint("account", i), Market: market.US}}, s.Report.Accounts...)
		if _, err := r.render(s); err != nil {
			t.Fatal(err)
		}
		for name, l := range before {
			if r.looks[name] != l {
				t.Errorf("%s had the look %d, and has %d beside %d accounts", name, l, r.looks[name], i)
			}
		}
		before = r.looks
	}
	if len(before) != 25 {
		t.Errorf("%d accounts have a look", len(before))
	}
}
