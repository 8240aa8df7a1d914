// mcp-trade report --compare: how two reports, or the accounts of two folders, differ.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/internal/safetext"
	"mcp-trade/report"
	"mcp-trade/report/compare"
)

// compareReports prints how the reports of two paths differ.
func (s *settings) compareReports(cmd *cobra.Command, f reportFlags, paths []string) error {
	if len(paths) != 2 {
		return usageError{fmt.Errorf("--compare takes two reports, not %d: each a report.json, a folder that --out wrote, or a folder of accounts such as data/agent_data", len(paths))}
	}
	var both [2]report.Report
	for i, path := range paths {
		var err error
		if both[i], err = s.reportAt(cmd.Context(), f, path); err != nil {
			return err
		}
	}
	differ := compare.Of(both[0], both[1])
	if s.json {
		return printJSON(cmd.OutOrStdout(), differ)
	}
	printDiffer(cmd.OutOrStdout(), differ, paths)
	return nil
}

// reportAt is the report in a file or folder, or that on the accounts of a folder.
func (s *settings) reportAt(ctx context.Context, f reportFlags, path string) (report.Report, error) {
	file := path
	stat, err := os.Stat(path)
	if err == nil && stat.IsDir() {
		file = filepath.Join(path, "report.json")
	}
	text, unread := os.ReadFile(file)
	switch {
	case err != nil:
		return report.Report{}, err
	case unread == nil:
		var r report.Report
		if err := json.Unmarshal(text, &r); err != nil {
			return r, fmt.Errorf("%s is no report of this version: %w", file, err)
		}
		return r, nil
	case !errors.Is(unread, os.ErrNotExist):
		return report.Report{}, unread
	}
	accounts, err := os.ReadDir(path)
	if err != nil {
		return report.Report{}, err
	}
	var names []string
	for _, a := range accounts {
		ledger := filepath.Join(path, a.Name(), "position", "position.jsonl")
		if _, err := os.Stat(ledger); err == nil {
			names = append(names, ledger)
		}
	}
	if len(names) == 0 {
		return report.Report{}, fmt.Errorf("%s has neither a report.json nor accounts (ACCOUNT/position/position.jsonl)", path)
	}
	return s.report(ctx, f, names)
}

// printDiffer prints a comparison.
func printDiffer(w io.Writer, r compare.Reports, paths []string) {
	fmt.Fprintf(w, "A: %s\nB: %s\n", safetext.Line(paths[0]), safetext.Line(paths[1]))
	printChanges(w, r.Settings)
	for i, only := range [][]string{r.OnlyA, r.OnlyB} {
		if len(only) > 0 {
			fmt.Fprintf(w, "\nOnly in %c: %s\n", 'A'+i, safetext.Line(strings.Join(only, ", ")))
		}
	}
	for _, a := range r.Accounts {
		fmt.Fprintf(w, "\n%s\n", safetext.Line(a.Signature))
		printChanges(w, a.Settings)
		if len(a.Figures) > 0 {
			t := newTable(w, "figure", ">A", ">B", ">B less A")
			for _, x := range a.Figures {
				t.AppendRow(table.Row{report.MetricOf(x.Key).Name, digits(x.A), digits(x.B), digits(x.Difference)})
			}
			t.Render()
		}
		if a.Trade != nil {
			fmt.Fprintf(w, "The first trade that differs: A %s; B %s\n", orDash(a.Trade.A), orDash(a.Trade.B))
		}
		if a.Value != nil {
			fmt.Fprintf(w, "The first value that differs, on %s: A %s, B %s\n", a.Value.Date, cash(a.Value.A), cash(a.Value.B))
		}
	}
	if len(r.Same) > 0 {
		fmt.Fprintf(w, "\nThe same in settings, trades, values and figures: %s\n", safetext.Line(strings.Join(r.Same, ", ")))
	}
	if r.Equal() {
		fmt.Fprintln(w, "Nothing differs.")
	}
}

func printChanges(w io.Writer, changes []compare.Change) {
	if len(changes) == 0 {
		return
	}
	t := newTable(w, "setting", "A", "B")
	for _, c := range changes {
		t.AppendRow(table.Row{c.Name, orDash(c.A), orDash(c.B)})
	}
	t.Render()
}

// orDash is a text, and a dash for none.
func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return safetext.Line(text)
}

// digits writes a figure to six decimals.
func digits(n report.Number) string { return dashed(n, 6) }
