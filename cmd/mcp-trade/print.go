// What commands print: tables and bars for people, JSON for programs.

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"mcp-trade/decimal"
)

// printJSON prints one value.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// newTable is a table on w. A header that starts with ">" heads a column of numbers, aligned to the right.
func newTable(w io.Writer, header ...string) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	style.Options = table.Options{SeparateHeader: true}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	t.SetStyle(style)
	row, columns := make(table.Row, len(header)), make([]table.ColumnConfig, len(header))
	for i, h := range header {
		columns[i].Number = i + 1
		if name, number := strings.CutPrefix(h, ">"); number {
			columns[i].Align, columns[i].AlignHeader, h = text.AlignRight, text.AlignRight, name
		}
		row[i] = h
	}
	t.SetColumnConfigs(columns)
	t.AppendHeader(row)
	return t
}

// newBars are bars of progress on a terminal. They are seen once they are rendered.
func newBars(w io.Writer) progress.Writer {
	bars := progress.NewWriter()
	bars.SetOutputWriter(w)
	bars.SetUpdateFrequency(100 * time.Millisecond)
	bars.SetTrackerPosition(progress.PositionRight)
	bars.SetStyle(progress.StyleBlocks)
	bars.Style().Visibility.Value = true
	bars.Style().Options.Separator = " "
	bars.Style().Options.PercentIndeterminate = "    " // of what has not begun
	return bars
}

// stopBars draws the bars for the last time, and returns when that is done.
func stopBars(w io.Writer, bars progress.Writer) {
	for bars.IsRenderInProgress() {
		bars.Stop()
		time.Sleep(10 * time.Millisecond)
	}
	fmt.Fprintln(w)
}

// money prints an amount to the cent, with the thousands apart.
func money(d decimal.Decimal) string {
	whole, cents, _ := strings.Cut(d.Abs().StringFixed(2), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if d.Round(2).IsNegative() {
		whole = "-" + whole
	}
	return whole + "." + cents
}

// count prints a whole number with the thousands apart.
func count(n int) string { return strings.TrimSuffix(money(decimal.NewFromInt(int64(n))), ".00") }

// cost prints what a model cost, which can be much less than a cent.
func cost(d *decimal.Decimal) string {
	if d == nil {
		return "unknown"
	}
	return d.StringFixed(4)
}

// inert makes text from outside harmless to a terminal: what is no visible character or plain space is spelled out. Line
// feeds stay.
func inert(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\ufffd") {
		switch {
		case r == '\n' || unicode.IsGraphic(r):
			b.WriteRune(r)
		case r == '\t':
			b.WriteString("    ")
		case r != '\r':
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
