// Package export writes the files of a report: the page, JSON, CSV and charts.
package export

import (
	"bufio"
	"bytes"
	"encoding/csv"
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
	"mcp-trade/report/paper"
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
	{"months.csv", func(a report.Account) bool { return len(a.Months) > 0 }, report.WriteMonths},
	{"symbols.csv", func(a report.Account) bool { return len(a.Symbols) > 0 }, report.WriteSymbols},
	{"closed_trades.csv", func(a report.Account) bool { return len(a.RoundTrips) > 0 }, report.WriteClosed},
	{"corporate_actions.csv", func(a report.Account) bool { return len(a.Actions) > 0 }, report.WriteActions},
	{"forward.csv", func(a report.Account) bool { return a.Forward != nil }, report.WriteForward},
}

// Names are the files that Write writes of a report, but for the charts.
func Names(r report.Report) []string {
	names := []string{"report.html", "report.json", schemaFile, "trades.csv"}
	for _, t := range tables {
		if slices.ContainsFunc(r.Accounts, t.of) {
			names = append(names, t.name)
		}
	}
	for _, form := range paper.Forms() {
		names = append(names, leaderboardFile(form))
	}
	return append(names, methodsFile)
}

// Write writes all files of a report to a folder. Each is replaced as a whole.
func Write(dir string, r report.Report, view market.View, trades *Trades) error {
	var large errgroup.Group // beside the charts
	large.Go(func() error {
		return files.Umask.ReplaceWith(filepath.Join(dir, "report.json"), func(w io.Writer) error { return WriteJSON(w, r) })
	})
	var html []byte
	large.Go(func() (err error) {
		html, err = writePage(r, view)
		return err
	})
	texts := map[string][]byte{}
	if err := errors.Join(addTables(texts, r), addPaper(texts, r), drawCharts(texts, r), large.Wait()); err != nil {
		return err
	}
	texts["report.html"] = html
	for name, content := range texts {
		if err := files.Umask.Replace(filepath.Join(dir, name), content); err != nil {
			return err
		}
	}
	return trades.join(filepath.Join(dir, "trades.csv"))
}

// addTables adds the tables that there is something to write in.
func addTables(files map[string][]byte, r report.Report) error {
	for _, t := range tables {
		if !slices.ContainsFunc(r.Accounts, t.of) {
			continue
		}
		var rows bytes.Buffer
		if err := t.write(&rows, r); err != nil {
			return err
		}
		files[t.name] = rows.Bytes()
	}
	return nil
}

// What goes beside the data into a paper.
const (
	schemaFile  = "report.schema.json"
	methodsFile = "methods.md"
)

func leaderboardFile(form paper.Form) string { return "leaderboard." + form.Extension() }

// addPaper adds the leaderboard in each form, as CSV with all figures, the methods, and the schema of report.json.
func addPaper(files map[string][]byte, r report.Report) error {
	for _, form := range paper.Forms() {
		o := paper.Options{Told: true}
		if form == paper.CSV {
			o.Columns = []string{"rank", "account", "days", "trades"}
			for _, x := range report.MetricTable() {
				o.Columns = append(o.Columns, string(x.Key))
			}
			o.Columns = append(o.Columns, "ledger")
		}
		var text bytes.Buffer
		board, err := paper.Of(r, o)
		if err := errors.Join(err, board.Write(&text, form)); err != nil {
			return err
		}
		files[leaderboardFile(form)] = text.Bytes()
	}
	files[methodsFile] = []byte(paper.Methods(r))
	var err error
	files[schemaFile], err = Schema()
	return err
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
	size        chart.Size
	inPaper     bool // it is drawn at the width of a paper's text too
}

// The sizes of charts: of all accounts, of one account, and for a paper, whose text is 7 inches wide, of 96 pixels each.
var (
	ofAll   = chart.Size{Width: 1200, Height: 600}
	ofOne   = chart.Size{Width: 800, Height: 400}
	ofPaper = chart.Size{Width: 672, Height: 336}
)

// drawingForm is a form in which a chart is drawn.
type drawingForm struct {
	suffix string // of the file's name
	format chart.Format
	size   chart.Size
}

// drawings are the charts of a report.
func drawings(r report.Report, looks chart.Looks) []drawing {
	list := []drawing{{"equity", "Total return", chart.Equity(r, looks), ofAll, true}, {"drawdown", "Drawdown", chart.Drawdown(r, looks), ofAll, true}}
	for _, a := range r.Accounts {
		list = append(list, drawing{"allocation-" + a.Signature, "Allocation of " + a.Signature, chart.Allocation(a), ofOne, false})
	}
	return list
}

// drawCharts adds the charts that there is something to draw of, drawn side by side.
func drawCharts(files map[string][]byte, r report.Report) error {
	var mu sync.Mutex
	var drawers errgroup.Group
	drawers.SetLimit(runtime.GOMAXPROCS(0))
	looks := chart.LooksOf(r.Accounts, nil)
	for _, d := range drawings(r, looks) {
		for _, form := range []drawingForm{{"", chart.SVG, d.size}, {"", chart.PNG, d.size}, {"-paper", chart.SVG, ofPaper}} {
			if form.suffix != "" && !d.inPaper {
				continue
			}
			drawers.Go(func() error {
				plot := d.plot
				plot.Print = form.suffix != ""
				image, err := plot.File(form.format, form.size, d.title)
				if errors.Is(err, chart.ErrEmpty) {
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				files[d.name+form.suffix+"."+string(form.format)] = image
				return err
			})
		}
	}
	for _, f := range chart.Forests(r, looks) {
		drawers.Go(func() error {
			image, err := f.SVG(ofOne.Width)
			mu.Lock()
			defer mu.Unlock()
			files["forest-"+f.Key+".svg"] = image
			return err
		})
	}
	return drawers.Wait()
}
