// Package export writes the files of a report: the page, JSON, CSV and charts.
package export

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"mcp-trade/internal/files"
	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/chart"
	"mcp-trade/report/page"
)

// Trades takes the trades of accounts that are read at the same time, each in a file of its own until all are read: a
// ledger may have more trades than memory should hold.
type Trades struct {
	order []string
	files map[string]*tradeFile
}

type tradeFile struct {
	file *os.File
	text *bufio.Writer
	rows *csv.Writer
}

// NewTrades opens the files in a folder, which is made if it is not there. Remove ends them.
func NewTrades(dir string, ledgers []report.Ledger) (*Trades, error) {
	if err := files.Umask.MkdirAll(dir); err != nil {
		return nil, err
	}
	t := &Trades{files: map[string]*tradeFile{}}
	for _, l := range ledgers {
		f, err := os.CreateTemp(dir, ".trades-*")
		if err != nil {
			t.Remove()
			return nil, err
		}
		_ = os.Remove(f.Name()) // where that is possible while it is open: nothing is left of it when the process is killed
		text := bufio.NewWriter(f)
		t.order = append(t.order, l.Signature)
		t.files[l.Signature] = &tradeFile{f, text, csv.NewWriter(text)}
	}
	return t, nil
}

// Add takes a trade of an account; it is an [report.Options.OnTrade].
func (t *Trades) Add(signature string, trade report.Trade) error {
	return report.WriteTrade(t.files[signature].rows, signature, trade)
}

// join writes the trades of all accounts, one account after the other.
func (t *Trades) join(path string) error {
	return files.Umask.ReplaceWith(path, func(all io.Writer) error {
		header := csv.NewWriter(all)
		_ = header.Write(report.TradeColumns()) // Error tells
		header.Flush()
		err := header.Error()
		for _, signature := range t.order {
			f := t.files[signature]
			f.rows.Flush()
			err = errors.Join(err, f.rows.Error(), f.text.Flush())
			_, seekErr := f.file.Seek(0, io.SeekStart)
			_, copyErr := io.Copy(all, f.file)
			err = errors.Join(err, seekErr, copyErr)
		}
		return err
	})
}

// Remove ends the files of the accounts.
func (t *Trades) Remove() {
	for _, f := range t.files {
		f.file.Close()
		os.Remove(f.file.Name())
	}
}

// tables are the tables beside that of the trades. One is written if it is of any account.
var tables = []struct {
	name  string
	of    func(report.Account) bool
	write func(io.Writer, report.Report) error
}{
	{"equity.csv", func(report.Account) bool { return true }, report.WriteEquity},
	{"corporate_actions.csv", func(a report.Account) bool { return len(a.Actions) > 0 }, report.WriteActions},
	{"forward.csv", func(a report.Account) bool { return a.Forward != nil }, report.WriteForward},
}

// Names are the files that Write writes of a report, but for the charts.
func Names(r report.Report) []string {
	names := []string{"report.html", "report.json", "trades.csv"}
	for _, t := range tables {
		if slices.ContainsFunc(r.Accounts, t.of) {
			names = append(names, t.name)
		}
	}
	return names
}

// Write writes all files of a report to a folder. Each is replaced as a whole.
func Write(dir string, r report.Report, view market.View, trades *Trades) error {
	if err := files.Umask.ReplaceWith(filepath.Join(dir, "report.json"), func(w io.Writer) error { return writeJSON(w, r) }); err != nil {
		return err
	}
	texts := map[string][]byte{}
	for _, t := range tables {
		if !slices.ContainsFunc(r.Accounts, t.of) {
			continue
		}
		var rows bytes.Buffer
		if err := t.write(&rows, r); err != nil {
			return err
		}
		texts[t.name] = rows.Bytes()
	}
	var err error
	if texts["report.html"], err = writePage(r, view); err != nil {
		return err
	}
	if err := drawCharts(texts, r); err != nil {
		return err
	}
	for name, content := range texts {
		if err := files.Umask.Replace(filepath.Join(dir, name), content); err != nil {
			return err
		}
	}
	return trades.join(filepath.Join(dir, "trades.csv"))
}

// writeJSON writes a report, one account after the other: all of them may be more than memory should hold twice.
func writeJSON(w io.Writer, r report.Report) error {
	out := bufio.NewWriter(w)
	accounts := r.Accounts
	r.Accounts = []report.Account{}
	text, err := indented("", r)
	if err != nil {
		return err
	}
	const list = "\n  \"accounts\": [" // a line feed in a text is none in JSON, so this is no text
	before, after, _ := bytes.Cut(text, []byte(list))
	out.Write(before)
	out.WriteString(list)
	for i, a := range accounts {
		if text, err = indented("    ", a); err != nil {
			return err
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n    ")
		out.Write(text)
	}
	if len(accounts) > 0 {
		out.WriteString("\n  ")
	}
	out.Write(after)
	out.WriteByte('\n')
	return out.Flush() // tells of earlier errors too
}

// indented is a value as JSON, whose lines but the first begin with a prefix.
func indented(prefix string, value any) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent(prefix, "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}

// writePage is report.html.
func writePage(r report.Report, view market.View) ([]byte, error) {
	var out bytes.Buffer
	err := page.Write(&out, page.Data{Report: r, Prices: report.Closes(view), TradesNote: "All of them are in trades.csv beside this page."})
	return out.Bytes(), err
}

// drawing is a chart on its way into a file.
type drawing struct {
	name, title string
	plot        chart.Plot
}

// drawings are the charts of a report.
func drawings(r report.Report) []drawing {
	list := []drawing{{"equity", "Total return", chart.Equity(r)}, {"drawdown", "Drawdown", chart.Drawdown(r)}}
	for _, a := range r.Accounts {
		list = append(list, drawing{"allocation-" + a.Signature, "Allocation of " + a.Signature, chart.Allocation(a)})
	}
	return list
}

// drawCharts adds the charts that there is something to draw of, drawn side by side.
func drawCharts(files map[string][]byte, r report.Report) error {
	var mu sync.Mutex
	var drawers errgroup.Group
	drawers.SetLimit(runtime.GOMAXPROCS(0))
	for _, d := range drawings(r) {
		for _, format := range []chart.Format{chart.SVG, chart.PNG} {
			drawers.Go(func() error {
				image, err := d.plot.File(format, chart.Size{Width: 1200, Height: 600}, d.title)
				if errors.Is(err, chart.ErrEmpty) {
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				files[d.name+"."+string(format)] = image
				return err
			})
		}
	}
	return drawers.Wait()
}
