// What commands print: tables and bars for people, JSON for programs.

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"mcp-trade/internal/safetext"
)

// printJSON prints one value.
func printJSON(w io.Writer, v any) error {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(safetext.JSON(out.Bytes()))
	return err
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
		columns[i].Transformer = func(cell any) string { return safetext.Line(fmt.Sprint(cell)) }
		if name, number := strings.CutPrefix(h, ">"); number {
			columns[i].Align, columns[i].AlignHeader, h = text.AlignRight, text.AlignRight, name
		}
		row[i] = safetext.Line(h)
	}
	t.SetColumnConfigs(columns)
	t.AppendHeader(row)
	if isTerminal(w) {
		cutLines(t, widthOf(w))
	}
	return t
}

// cutLines cuts the lines of a table to a width, where they would wrap; 0 leaves them whole.
func cutLines(t table.Writer, width int) { t.Style().Size.WidthMax = width }

// newBars are bars of progress on a terminal. They are seen once they are rendered. Bars move the cursor, so they pass the screen
// by: their messages must be harmless.
func newBars(w io.Writer) progress.Writer {
	if s, ok := w.(*screen); ok {
		w = s.file
	}
	bars := progress.NewWriter()
	bars.SetOutputWriter(w)
	bars.SetUpdateFrequency(100 * time.Millisecond)
	bars.SetTrackerPosition(progress.PositionRight)
	bars.SetStyle(progress.StyleBlocks)
	bars.Style().Visibility.Value = true
	bars.Style().Options.TimeInProgressPrecision = time.Second
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
