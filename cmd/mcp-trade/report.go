// mcp-trade report: what accounts were worth.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mcp-trade/agent/manifest"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/export"
	"mcp-trade/report/page"
	"mcp-trade/report/paper"
	"mcp-trade/store"
)

// reportFlags are the flags of the command as they were given.
type reportFlags struct {
	from, to, benchmark, method, out, serve, experiment string
	format, sort                                        string
	columns                                             []string
	top                                                 int
	schema, compare                                     bool
	riskFree                                            float64
	open                                                bool
}

// endOfTime is after every bar: whoever looks back from there sees all of them.
const endOfTime = market.Stamp("9999-12-31")

func reportCommand(s *settings) *cobra.Command {
	var f reportFlags
	cmd := &cobra.Command{
		Use: "report [SIGNATURE|FILE...]", Short: "Tell what accounts were worth: leaderboard, figures, charts",
		Long: "Tell what accounts were worth at the close of each trading day, and what follows from it. Without arguments every account\n" +
			"but archives is reported. With --out the folder gets report.html, report.json with its schema, tables as CSV, the leaderboard\n" +
			"and a paragraph on the methods for a paper, and charts as SVG and PNG. With --serve the page report.html is served and follows the ledgers as they grow.\n" +
			"With --experiment the accounts of an experiment are reported, and what their models, prompts and runs tell apart.\n" +
			"A figure that is not known is '-', or null with its reason in report.json.",
		Example: "  mcp-trade report --benchmark equal-weight\n  mcp-trade report gpt-5 qwen3-max --benchmark QQQ.json --from 2025-10-01 --out results\n  mcp-trade report --serve 127.0.0.1:8090",
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.serve != "" {
				return s.serveReport(cmd, f, args)
			}
			if f.compare {
				return s.compareReports(cmd, f, args)
			}
			if f.schema {
				schema, err := export.Schema()
				if err == nil {
					_, err = cmd.OutOrStdout().Write(schema)
				}
				return err
			}
			limitMemory(256 << 20) // a report on many accounts need not hold their garbage
			r, err := s.report(cmd.Context(), f, args)
			if err != nil {
				return err
			}
			if s.json {
				return export.WriteJSON(exact(cmd.OutOrStdout()), r)
			}
			board, err := f.board(r, isTerminal(cmd.OutOrStdout()))
			if err != nil {
				return usageError{err}
			}
			if f.format != "" {
				return board.Write(cmd.OutOrStdout(), paper.Form(f.format))
			}
			printReport(cmd.OutOrStdout(), r, board, len(f.columns) > 0)
			if r.Variants != nil {
				printVariants(cmd.OutOrStdout(), r)
			}
			if f.out != "" {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "\nWritten to %s: %s, charts as SVG and PNG.\n", f.out, strings.Join(export.Names(r), ", "))
			}
			return err
		},
	}
	cmd.Flags().StringVar(&f.from, "from", "", "first day (default the first of each account)")
	cmd.Flags().StringVar(&f.to, "to", "", "last day (default the last of each account)")
	cmd.Flags().StringVar(&f.benchmark, "benchmark", "", "what to compare with: a symbol, a price file of one symbol, or equal-weight")
	cmd.Flags().StringVar(&f.experiment, "experiment", "", "configuration whose experiment to compare, as run took it")
	cmd.Flags().StringVar(&f.method, "method", string(report.Own), "own; upstream for AI-Trader's published figures too, upstream-2 as it computes them since 2025-11-20")
	cmd.Flags().Float64Var(&f.riskFree, "risk-free", 0, "risk-free rate of a year, 0.02 for 2 %")
	cmd.Flags().StringVar(&f.out, "out", "", "folder to write the report to")
	cmd.Flags().StringVar(&f.format, "format", "", "of the leaderboard: latex, markdown or csv (default a table to read)")
	cmd.Flags().StringVar(&f.sort, "sort", "", "column to order the leaderboard by, the highest first; sharpe:asc for the lowest")
	cmd.Flags().StringSliceVar(&f.columns, "columns", nil, "columns of the leaderboard, by the keys or titles of figures: account,total_return,max_drawdown")
	cmd.Flags().IntVar(&f.top, "top", 0, "accounts in the leaderboard (default all)")
	cmd.Flags().BoolVar(&f.compare, "compare", false, "tell how two reports differ: report.json, folders of --out, or folders of accounts")
	cmd.Flags().BoolVar(&f.schema, "schema", false, "print the JSON schema of report.json")
	cmd.Flags().StringVar(&f.serve, "serve", "", "address to serve the page on, such as 127.0.0.1:8090")
	cmd.Flags().BoolVar(&f.open, "open", false, "let --serve take an address that other machines reach; there is no password")
	cmd.MarkFlagsMutuallyExclusive("serve", "out", "compare")
	return cmd
}

// report builds the report that the flags ask for, and writes it if they name a folder.
func (s *settings) report(ctx context.Context, f reportFlags, names []string) (report.Report, error) {
	o, err := f.options()
	if err != nil {
		return report.Report{}, usageError{err}
	}
	r, err := s.openPriced(true)
	if err != nil {
		return report.Report{}, err
	}
	defer r.Close()
	o.View, o.Prices = r.prices.AsOf(endOfTime), r.prices
	if o.From != "" { // else no price need be read for it
		if info, err := r.prices.Info(); err == nil && info.Last != "" && o.From > info.Last.Day() {
			return report.Report{}, fmt.Errorf("--from %s: the prices end on %s before it", o.From, info.Last)
		}
	}
	return s.build(ctx, f, o, r, names)
}

// board is the leaderboard that the flags ask for.
func (f reportFlags) board(r report.Report, terminal bool) (paper.Board, error) {
	return paper.Of(r, paper.Options{Columns: f.columns, Sort: f.sort, Top: f.top, Curve: terminal && f.format == "", Told: f.format != ""})
}

// build is report on stores and prices that are open.
func (s *settings) build(ctx context.Context, f reportFlags, o report.Options, r rooms, names []string) (report.Report, error) {
	asked := names
	names, absent, err := s.trialsOf(ctx, f.experiment, &o, r, names)
	if err != nil {
		return report.Report{}, err
	}
	ledgers, left, err := s.reported(ctx, r, names)
	if err != nil {
		return report.Report{}, err
	}
	info, err := r.prices.Info()
	if err != nil {
		return report.Report{}, err
	}
	o.Universe = cmp.Or(info.MadeUp(), info.Survivors())
	left = append(left, absent...)
	if o.Benchmark, err = f.series(o, ledgers); err != nil {
		return report.Report{}, err
	}
	if f.out != "" || f.serve != "" {
		o.Trades = max(report.DefaultTrades, page.MaxTrades/max(1, len(ledgers)))
	}
	if f.out == "" {
		result, err := report.Build(ledgers, o)
		result.Warnings = append(result.Warnings, left...)
		return result, err
	}
	trades, err := export.NewTrades(f.out, ledgers)
	if err != nil {
		return report.Report{}, err
	}
	defer trades.Remove()
	o.OnTrade = trades.Add
	result, err := report.Build(ledgers, o)
	if err != nil {
		return report.Report{}, err
	}
	result.Warnings = append(result.Warnings, left...)
	if result.Made, err = s.made(f, asked); err != nil {
		return report.Report{}, err
	}
	return export.Bounded(result), export.Write(f.out, result, o.View, trades)
}

// options reads the flags that need no files.
func (f reportFlags) options() (report.Options, error) {
	o := report.Options{Method: report.Method(f.method), RiskFree: f.riskFree}
	for _, day := range []struct {
		name, text string
		to         *market.Stamp
	}{{"from", f.from, &o.From}, {"to", f.to, &o.To}} {
		stamp, err := market.ReadStamp(day.text)
		if day.text != "" && err != nil {
			return o, fmt.Errorf("--%s: %w", day.name, err)
		}
		*day.to = stamp.Day()
	}
	switch {
	case f.format != "" && !slices.Contains(paper.Forms(), paper.Form(f.format)):
		return o, fmt.Errorf("--format %q: use latex, markdown or csv", f.format)
	case f.top < 0:
		return o, fmt.Errorf("--top %d: use a number above 0", f.top)
	case !o.Method.Valid():
		return o, fmt.Errorf("--method %q: use own, upstream or upstream-2", f.method)
	case o.To != "" && o.To < o.From:
		return o, fmt.Errorf("--from %s is after --to %s", o.From, o.To)
	case !(f.riskFree > -1 && f.riskFree < 1):
		return o, fmt.Errorf("--risk-free %v: write 2 %% as 0.02", f.riskFree)
	}
	return o, nil
}

// reported are the accounts and files of the names, or every account whose ledger can be read. It tells which ones are left out.
func (s *settings) reported(ctx context.Context, r rooms, names []string) (ledgers []report.Ledger, left []string, err error) {
	if len(names) == 0 {
		if names, left, err = readable(ctx, r.accounts); err != nil {
			return nil, nil, err
		}
	}
	taken := map[string]bool{}
	for i, name := range names {
		e := s.evidence(ctx, r, name)
		l := report.Ledger{Signature: signatureOf(name, i), Lines: e.lines}
		if taken[l.Signature] {
			return nil, nil, usageError{fmt.Errorf("two of the ledgers are called %s", l.Signature)}
		}
		taken[l.Signature] = true
		if e.logPath != "" {
			var unread error
			if l.Anchors, unread = manifest.Anchors(e.logPath, e.account, e.store); unread != nil {
				l.Findings = append(l.Findings, manifest.Unread(unread))
			}
		}
		if l.RunStats, err = runStatsOf(ctx, r, e.store, s.logPath, l.Signature); err != nil {
			return nil, nil, err
		}
		ledgers = append(ledgers, l)
	}
	return ledgers, left, nil
}

// readable returns the accounts whose newest row can be read, and of the others a sentence each.
func readable(ctx context.Context, accounts *ledger.Accounts) (names, left []string, err error) {
	all, err := accounts.Names(ctx)
	if err != nil {
		return nil, nil, err
	}
	all = slices.DeleteFunc(all, store.IsArchive)
	var errs []error
	for _, name := range all {
		if _, err := accounts.Head(ctx, name); err != nil {
			errs = append(errs, err)
			left = append(left, fmt.Sprintf("The account %s is left out: %s", name, explain(err)))
			continue
		}
		names = append(names, name)
	}
	switch {
	case len(all) == 0:
		return nil, nil, errors.New("there is no account; open one with: mcp-trade ledger register SIGNATURE --cash 10000 --date YYYY-MM-DD")
	case len(names) == 0:
		return nil, nil, errs[0]
	}
	return names, left, ctx.Err()
}

// signatureOf names a ledger that is given as a file, such as gpt-5/position/position.jsonl, after its folder or itself.
func signatureOf(name string, number int) string {
	path := filepath.ToSlash(filepath.Clean(name))
	parts := strings.Split(strings.TrimSuffix(path, "/position.jsonl"), "/")
	if last := len(parts) - 1; last > 0 && parts[last] == "position" {
		parts = parts[:last]
	}
	signature := strings.TrimSuffix(parts[len(parts)-1], ".jsonl")
	if store.CheckName("signature", signature) != nil {
		return fmt.Sprintf("ledger-%d", number+1)
	}
	return signature
}

// series is the benchmark.
func (f reportFlags) series(o report.Options, ledgers []report.Ledger) (*report.Series, error) {
	if f.benchmark == "" {
		return nil, nil
	}
	if f.benchmark == "equal-weight" {
		from, err := report.FirstDay(o.From, ledgers)
		if err != nil {
			return nil, err
		}
		series, err := report.EqualWeight(o.View, from, o.To)
		return &series, err
	}
	view, symbol := o.View, f.benchmark
	if stat, err := os.Stat(f.benchmark); err == nil && stat.Mode().IsRegular() {
		prices, err := market.Open(f.benchmark)
		if err != nil {
			return nil, fmt.Errorf("--benchmark: %w", err)
		}
		defer prices.Close()
		view = prices.AsOf(endOfTime)
		symbols, err := view.Symbols()
		if err != nil {
			return nil, err
		}
		if len(symbols) != 1 {
			return nil, usageError{fmt.Errorf("--benchmark %s: the file has %d symbols; give one with a single symbol", f.benchmark, len(symbols))}
		}
		symbol = symbols[0]
	}
	series, err := report.SymbolSeries(view, symbol)
	if unknown, ok := errors.AsType[*market.UnknownSymbolError](err); ok {
		text := fmt.Sprintf("--benchmark %s: the prices have no such symbol", f.benchmark)
		if len(unknown.DidYouMean) > 0 {
			text += " (did you mean " + strings.Join(unknown.DidYouMean, ", ") + "?)"
		}
		return nil, errors.New(text + "; name one that they have, a price file of one symbol, or equal-weight")
	}
	if err != nil {
		return nil, fmt.Errorf("--benchmark: %w", err)
	}
	return &series, nil
}
