// mcp-trade prices check: what would be wrong in a run with price files.

package main

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/market"
)

func checkCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "check [FILE...]", Short: "Find what would be wrong in a run with price files: exit 1 if there is anything",
		Long: "Find what would be wrong in a run with price files, by default those that a run would use: damaged lines, symbols that are no\n" +
			"symbols, are there twice or look like each other, impossible and missing figures, bars that are there twice, repeat the one\n" +
			"before or stand alone, gaps, series that end before others, likely splits, and prices that look adjusted. Each is printed with\n" +
			"its file and line. Exit 1 if anything was found.",
		Example: "  mcp-trade prices check merged.jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				files, err := s.priceFiles()
				if err != nil {
					return err
				}
				if args = files; len(args) == 0 {
					return usageError{fmt.Errorf("name price files, or put a *merged*.jsonl into %s", s.dataDir)}
				}
			}
			checked, err := market.Check(args...)
			if err != nil {
				return err
			}
			if err := printCheckedPrices(cmd.OutOrStdout(), s.json, args, checked); err != nil {
				return err
			}
			if len(checked.Faults) > 0 {
				return quietError(exitFailed)
			}
			return nil
		},
	}
}

// checkedFile is what was found in one file.
type checkedFile struct {
	File    string `json:"file"`
	Symbols int    `json:"symbols"` // that can be read
	Bars    int    `json:"bars"`
	Faults  int    `json:"faults"` // kinds of them, for each symbol
}

func printCheckedPrices(w io.Writer, asJSON bool, paths []string, c market.Checked) error {
	files := make([]checkedFile, len(paths))
	for i, path := range paths {
		f := &files[i]
		f.File = path
		for _, s := range c.Info.Series {
			if s.File == path {
				f.Symbols, f.Bars = f.Symbols+1, f.Bars+s.Bars
			}
		}
		for _, fault := range c.Faults {
			if fault.File == path {
				f.Faults++
			}
		}
	}
	if asJSON {
		faults := c.Faults
		if faults == nil {
			faults = []market.Warning{}
		}
		return printJSON(w, struct {
			Files  []checkedFile    `json:"files"`
			First  market.Stamp     `json:"first"`
			Last   market.Stamp     `json:"last"`
			Faults []market.Warning `json:"faults"`
		}{files, c.Info.First, c.Info.Last, faults})
	}
	t := newTable(w, "file", ">symbols", ">bars", ">faults")
	for _, f := range files {
		t.AppendRow(table.Row{f.File, f.Symbols, f.Bars, f.Faults})
	}
	t.Render()
	for _, fault := range c.Faults {
		fmt.Fprintln(w, fault)
	}
	return nil
}
