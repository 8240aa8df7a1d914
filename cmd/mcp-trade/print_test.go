package main

import (
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

func TestClip(t *testing.T) {
	for width, want := range map[int]int{0: 58, 30: 30} {
		var out strings.Builder
		rows := newTable(&out, "account", ">value at close", "ledger")
		rows.AppendRow(table.Row{strings.Repeat("long-name-", 3), "10,000.00", "verified"})
		cutLines(rows, width)
		rows.Render()
		longest := 0
		for line := range strings.Lines(out.String()) {
			longest = max(longest, text.StringWidthWithoutEscSequences(strings.TrimRight(line, " \n")))
		}
		if cut := strings.Contains(out.String(), "≈"); longest > want || cut != (width > 0) || !cut && !strings.Contains(out.String(), "verified") {
			t.Errorf("%d columns: cut %v, %d wide\n%s", width, cut, longest, out.String())
		}
	}
}
