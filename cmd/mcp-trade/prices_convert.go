// mcp-trade prices convert: one price file from files of other programs.

package main

import (
	"bufio"
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/feed"
	"mcp-trade/feed/convert"
	"mcp-trade/market"
)

func convertCommand(s *settings) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "convert FILE... --out FILE", Short: "Make a price file from CSV and from kept replies", Args: cobra.MinimumNArgs(1),
		Long: "Make a price file from tables (CSV with a row for each bar, with a column for each symbol, as pandas, yfinance, Stooq and Binance\n" +
			"write them), from replies of Alpha Vantage, Yahoo, Binance, Tencent, Alpaca, and from price files. Where a table has no column of\n" +
			"symbols, the name of its file is the symbol. A row that cannot be read, or whose bar is impossible, is printed with file, line\n" +
			"and reason; the others are kept, and the exit code is 1. The price file is replaced in one step.",
		Example: "  mcp-trade prices convert AAPL.csv MSFT.csv --out data/merged.jsonl\n  mcp-trade prices convert replies/*.json --out data/merged.jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usageError{fmt.Errorf("name the price file to write: --out data/merged.jsonl")}
			}
			collectGarbage(50) // all bars are held until they are sorted
			c := convert.Read(args)
			series, unwritten := c.Finish()
			if unwritten == nil {
				unwritten = s.writePrices(out, series)
			}
			if err := printConverted(cmd.OutOrStdout(), s.json, out, c, series); err != nil {
				return err
			}
			if unwritten == nil && len(c.Faults()) > 0 {
				return quietError(exitFailed)
			}
			return unwritten
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "the price file to write")
	return cmd
}

// writePrices replaces a price file.
func (s *settings) writePrices(path string, all []*feed.Series) error {
	return s.access().ReplaceWith(path, func(w io.Writer) error {
		out := bufio.NewWriter(w)
		for _, series := range all {
			if err := series.Write(out); err != nil {
				return err
			}
		}
		return out.Flush()
	})
}

func printConverted(w io.Writer, asJSON bool, out string, c *convert.Converted, all []*feed.Series) error {
	faults, bars := c.Faults(), 0
	first, last := market.Stamp(""), market.Stamp("")
	for _, series := range all {
		bars += len(series.Bars)
		if from := series.Bars[0].Stamp; first == "" || from < first {
			first = from
		}
		last = max(last, series.Bars[len(series.Bars)-1].Stamp)
	}
	if asJSON {
		if faults == nil {
			faults = []market.Warning{}
		}
		return printJSON(w, struct {
			Out     string           `json:"out"`
			Symbols int              `json:"symbols"`
			Bars    int              `json:"bars"`
			First   market.Stamp     `json:"first"`
			Last    market.Stamp     `json:"last"`
			Files   []convert.File   `json:"files"`
			Faults  []market.Warning `json:"faults"`
		}{out, len(all), bars, first, last, c.Files, faults})
	}
	t := newTable(w, "file", "form", ">symbols", ">bars", ">faults")
	for _, f := range c.Files {
		t.AppendRow(table.Row{f.File, f.Form, f.Symbols, f.Bars, f.Faults})
	}
	t.Render()
	for _, f := range c.Files {
		for _, note := range f.Notes {
			fmt.Fprintf(w, "%s: %s.\n", f.File, note)
		}
	}
	for _, fault := range faults {
		fmt.Fprintln(w, fault)
	}
	if len(all) > 0 {
		fmt.Fprintf(w, "%s: symbols %d, bars %d, %s to %s. Trade on them: mcp-trade run --prices %s --from %s --to %s --account test=equal-weight\n",
			out, len(all), bars, first, last, out, first, last)
	}
	return nil
}
