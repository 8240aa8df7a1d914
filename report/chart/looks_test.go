package chart

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"mcp-trade/report"
)

// named are accounts of these names.
func named(names ...string) (all []report.Account) {
	for _, name := range names {
		all = append(all, report.Account{Signature: name})
	}
	return all
}

// changed counts the accounts that have another look than before. Looks must differ, and those of ten accounts in colour.
func changed(t *testing.T, before, now Looks) (n int) {
	t.Helper()
	seen, colors := map[Look]bool{}, map[string]bool{}
	for name, l := range now {
		seen[l], colors[l.Color()] = true, true
		if old, ok := before[name]; ok && old != l {
			n++
		}
	}
	if len(seen) != len(now) || len(colors) < min(10, len(now)) {
		t.Errorf("%d accounts have %d looks of %d colours", len(now), len(seen), len(colors))
	}
	return n
}

// An account that is added leaves the looks of nearly all others as they are, and of all that a page has shown.
func TestLooksOf(t *testing.T) {
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("%s-%d", []string{"gpt-5", "qwen3-max", "claude", "steady"}[i%4], i))
	}
	others, moved := 0, 0
	for size := range 30 {
		var set []string
		for i := range size {
			set = append(set, fmt.Sprintf("model-%d-%d", size, i))
		}
		before := LooksOf(named(set...), nil)
		for _, name := range names {
			all := append(slices.Clone(set), name)
			if n := changed(t, before, LooksOf(named(all...), before)); n > 0 {
				t.Errorf("of %d accounts that a page shows, %d change their looks for %s", size, n, name)
			}
			others, moved = others+size, moved+changed(t, before, LooksOf(named(all...), nil))
		}
		slices.Reverse(set)
		if n := changed(t, before, LooksOf(named(set...), nil)); n > 0 {
			t.Errorf("%d looks depend on the ranks", n)
		}
	}
	if moved*100 > 20*others {
		t.Errorf("%d of %d looks are others beside one account more", moved, others)
	}
}

// Without colours too, the first ten curves are told apart, in the chart for a paper and in no other one.
func TestPlot_Print(t *testing.T) {
	seen := map[string]bool{fmt.Sprint(Benchmark.Printed()): true}
	for l := range Look(len(palette)) {
		seen[fmt.Sprint(l.Printed())] = true
	}
	if len(seen) != len(palette)+1 {
		t.Errorf("ten curves and a benchmark have %d kinds of dashes", len(seen))
	}
	r := sample()
	p := Equity(r, Looks{"steady": 1, hostile: 2})
	dashes := []byte(`stroke-dasharray="14 6"`)
	screen, err := p.File(SVG, Size{500, 300}, "")
	if err != nil || bytes.Contains(screen, dashes) {
		t.Error("the curves are dashed on a screen", err)
	}
	p.Print = true
	paper, err := p.File(SVG, Size{500, 300}, "")
	if n := bytes.Count(paper, dashes); err != nil || n != 2 { // in the drawing and in the legend
		t.Errorf("a curve is dashed %d times on paper, %v", n, err)
	}
}
