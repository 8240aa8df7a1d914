// The files of a report.

package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"mcp-trade/internal/files"
	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/chart"
)

// tradeFiles take the trades of accounts that are read at the same time, each in a file of its own until all are read: a
// ledger may have more trades than memory should hold.
type tradeFiles struct {
	order []string
	files map[string]*tradeFile
}

type tradeFile struct {
	file *os.File
	text *bufio.Writer
	rows *csv.Writer
}

func newTradeFiles(dir string, ledgers []report.Ledger) (*tradeFiles, error) {
	if err := files.Umask.MkdirAll(dir); err != nil {
		return nil, err
	}
	t := &tradeFiles{files: map[string]*tradeFile{}}
	for _, l := range ledgers {
		f, err := os.CreateTemp(dir, ".trades-*")
		if err != nil {
			t.remove()
			return nil, err
		}
		_ = os.Remove(f.Name()) // where that is possible while it is open: nothing is left of it when the process is killed
		text := bufio.NewWriter(f)
		t.order = append(t.order, l.Signature)
		t.files[l.Signature] = &tradeFile{f, text, csv.NewWriter(text)}
	}
	return t, nil
}

func (t *tradeFiles) add(signature string, trade report.Trade) error {
	return report.WriteTrade(t.files[signature].rows, signature, trade)
}

// join writes the trades of all accounts, one account after the other.
func (t *tradeFiles) join(path string) error {
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

// remove ends the files of the accounts.
func (t *tradeFiles) remove() {
	for _, f := range t.files {
		f.file.Close()
		os.Remove(f.file.Name())
	}
}

// writeReport writes all files of a report to a folder. Each is replaced as a whole.
func writeReport(dir string, r report.Report, view market.View, trades *tradeFiles) error {
	texts := map[string][]byte{}
	var text bytes.Buffer
	if err := printJSON(&text, r); err != nil {
		return err
	}
	texts["report.json"] = bytes.Clone(text.Bytes())
	text.Reset()
	if err := report.WriteEquity(&text, r); err != nil {
		return err
	}
	texts["equity.csv"] = text.Bytes()
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
