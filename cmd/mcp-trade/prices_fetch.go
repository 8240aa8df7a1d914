// mcp-trade prices fetch: prices from the web.

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/feed"
	"mcp-trade/feed/convert"
	"mcp-trade/internal/files"
	"mcp-trade/market"
)

// fetching is what a command line asks for.
type fetching struct {
	market, from, to, interval, out string
	symbols, sources                []string
}

func fetchCommand(s *settings) *cobra.Command {
	var f fetching
	cmd := &cobra.Command{
		Use: "fetch --market MARKET --symbols LIST --from DAY", Short: "Get prices from the web into a price file", Args: cobra.NoArgs,
		Long: "Get prices from the web into a price file: raw prices, with dividends and splits where the source tells of them, and where each\n" +
			"series is from. Only days that are over are taken. What the file has stays: newer bars are added, and a bar that the source has\n" +
			"changed since is printed and written beside, to FILE.revisions. A fetch that is ended goes on with the same command. Sources are\n" +
			"asked in the order of --source, each only for what the one before did not have; no other one is ever asked.\n\n" +
			"Exit 1 if a symbol has no bars from any source, or if a bar was changed.",
		Example: "  mcp-trade prices fetch --market us --symbols nasdaq100 --from 2025-01-01\n" +
			"  mcp-trade prices fetch --market crypto --symbols BTC-USDT,ETH-USDT --from 2025-10-01 --to 2025-10-31 --interval 60min --out data/hours_merged.jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			plan, err := s.planFetch(&f)
			if err != nil {
				return usageError{err}
			}
			return s.fetchPrices(cmd, plan)
		},
	}
	names := strings.Join(sourceNames(), ", ")
	cmd.Flags().StringVar(&f.market, "market", string(market.Default), "us, cn or crypto")
	cmd.Flags().StringSliceVar(&f.symbols, "symbols", nil, "symbols such as AAPL, 600519.SH or BTC-USDT, or a list: nasdaq100, sse50, crypto10")
	cmd.Flags().StringVar(&f.from, "from", "", "first day")
	cmd.Flags().StringVar(&f.to, "to", "", "last day (default yesterday)")
	cmd.Flags().StringVar(&f.interval, "interval", "1d", "1d or 60min")
	cmd.Flags().StringSliceVar(&f.sources, "source", nil, "sources in their order: "+names+" (default the first of these that has the market)")
	cmd.Flags().StringVar(&f.out, "out", "", "price file (default {data-dir}/merged.jsonl)")
	return cmd
}

// fetchPlan is a fetch with everything in it decided.
type fetchPlan struct {
	out    string
	jobs   []feed.Job
	routes []*feed.Route
	before map[string]*feed.Series // of the price file
}

func (p *fetchPlan) revisions() string { return p.out + ".revisions" }
func (p *fetchPlan) kept() string      { return p.out + ".fetch" }

func (s *settings) planFetch(f *fetching) (*fetchPlan, error) {
	m := market.ID(f.market).Get()
	if m == nil {
		return nil, fmt.Errorf("--market %q: use us, cn or crypto", f.market)
	}
	interval, ok := map[string]string{"1d": "Daily", "60min": "60min"}[f.interval]
	if !ok {
		return nil, fmt.Errorf("--interval %q: use 1d or 60min", f.interval)
	}
	today := feed.Moment(time.Now().In(m.Zone())).Day()
	from, err := market.ParseStamp(f.from)
	if err != nil || !from.IsDay() {
		return nil, fmt.Errorf("--from %q: name the first day, such as 2025-01-02", f.from)
	}
	to := today.AddDays(-1)
	if f.to != "" {
		if to, err = market.ParseStamp(f.to); err != nil || !to.IsDay() {
			return nil, fmt.Errorf("--to %q: name the last day, such as 2025-10-31", f.to)
		}
		to = min(to, today.AddDays(-1))
	}
	if to < from {
		return nil, fmt.Errorf("there is no day from %s to %s that is over", from, to)
	}
	p := &fetchPlan{out: cmp.Or(f.out, filepath.Join(s.dataDir, "merged.jsonl"))}
	symbols, err := symbolsToFetch(f.symbols, m)
	if err != nil {
		return nil, err
	}
	for _, symbol := range symbols {
		p.jobs = append(p.jobs, feed.Job{Symbol: symbol, Interval: interval, From: from, To: to, Today: today})
	}
	if p.routes, err = s.routes(f.sources, m.ID, p.kept()); err != nil {
		return nil, err
	}
	p.before, err = priceFileBefore(p.out)
	return p, err
}

// symbolsToFetch are those that are named, once each, lists in place of their names.
func symbolsToFetch(named []string, m *market.Market) (symbols []string, err error) {
	for _, name := range named {
		list := feed.List(name)
		if len(list) == 0 {
			list = []string{strings.ToUpper(strings.TrimSpace(name))}
		}
		for _, symbol := range list {
			if err := market.CheckSymbol(symbol); err != nil {
				return nil, fmt.Errorf("--symbols: %w", err)
			}
			if market.Of(symbol) != m {
				return nil, fmt.Errorf("--symbols: %s is none of %s; one of these is %s", symbol, m.Name, m.Example)
			}
			if !slices.Contains(symbols, symbol) {
				symbols = append(symbols, symbol)
			}
		}
	}
	if len(symbols) == 0 {
		return nil, fmt.Errorf("name symbols, or a list: --symbols nasdaq100, sse50 or crypto10")
	}
	return symbols, nil
}

// routes are the ways to sources that have a market: to those that are named, else to the first.
func (s *settings) routes(named []string, id market.ID, kept string) (routes []*feed.Route, err error) {
	for _, name := range named {
		if !slices.Contains(sourceNames(), name) {
			return nil, fmt.Errorf("--source %q: use %s", name, strings.Join(sourceNames(), ", "))
		}
	}
	for _, row := range priceSources {
		has := slices.Contains(row.markets, id)
		if slices.Contains(named, row.name) && !has {
			return nil, fmt.Errorf("--source %s: it has no prices of --market %s", row.name, id)
		}
		if !has || len(named) == 0 && len(routes) > 0 || len(named) > 0 && !slices.Contains(named, row.name) {
			continue
		}
		const each = 30 * time.Second
		name := row.name
		client := &feed.Client{Source: name, Pace: row.pace, Each: each, Now: time.Now, Waiting: func(pause time.Duration) {
			s.log.Warn().Msgf("%s asks to wait %v", name, pause)
		}}
		routes = append(routes, &feed.Route{Source: row.open(s.first(row.variable)), Getter: feed.Kept{Getter: client, Dir: kept, Access: s.access(), Now: time.Now}})
	}
	slices.SortStableFunc(routes, func(a, b *feed.Route) int {
		return cmp.Compare(slices.Index(named, a.Name()), slices.Index(named, b.Name()))
	})
	return routes, nil
}

// priceFileBefore are the series of a price file; none if there is no such file.
func priceFileBefore(path string) (map[string]*feed.Series, error) {
	before := map[string]*feed.Series{}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return before, nil
	}
	c := convert.Read([]string{path})
	all, err := c.Finish()
	if faults := c.Faults(); len(faults) > 0 {
		return nil, fmt.Errorf("%w. Mend the file (mcp-trade prices check %s), or name another one with --out", errors.New(faults[0].String()), path)
	}
	for _, series := range all {
		before[series.Symbol] = series
	}
	return before, err
}

func (s *settings) fetchPrices(cmd *cobra.Command, p *fetchPlan) error {
	results, err := fetchAll(cmd.Context(), p, showFetching(cmd.ErrOrStderr(), p.jobs))
	if err != nil {
		if cmd.Context().Err() != nil {
			fmt.Fprintln(cmd.ErrOrStderr(), "mcp-trade: interrupted; the same command goes on where it stopped")
			return quietError(exitInterrupted)
		}
		return err
	}
	var revised []feed.Revision
	failed, got := 0, 0
	for i := range results {
		r := &results[i]
		if r.Outcome != feed.Done {
			failed++
			continue
		}
		got++
		old, there := p.before[r.Symbol]
		if !there {
			p.before[r.Symbol] = r.Series
			continue
		}
		changed, err := old.Join(r.Series)
		if err != nil {
			return err
		}
		revised = append(revised, changed...)
	}
	if got > 0 {
		if err := s.writeFetched(p, revised); err != nil {
			return err
		}
	}
	if err := printFetched(cmd, s.json, p, results, revised); err != nil {
		return err
	}
	if !slices.ContainsFunc(results, func(r feed.Fetched) bool { return r.Outcome == feed.Refused || r.Outcome == feed.Broken }) {
		if err := os.RemoveAll(p.kept()); err != nil {
			return err
		}
	}
	if failed > 0 || len(revised) > 0 {
		return quietError(exitFailed)
	}
	return nil
}

// fetchAll fetches every job. show is told how many are done, and of which symbol the next one is.
func fetchAll(ctx context.Context, p *fetchPlan, show func(done int, symbol string)) (results []feed.Fetched, err error) {
	defer show(-1, "")
	for i, job := range p.jobs {
		show(i, job.Symbol)
		r, err := feed.Fetch(ctx, p.routes, job)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	show(len(p.jobs), "")
	return results, nil
}

// writeFetched writes the price file, and before it the bars that were changed.
func (s *settings) writeFetched(p *fetchPlan, revised []feed.Revision) error {
	if err := s.access().MkdirAll(filepath.Dir(p.out)); err != nil {
		return err
	}
	if len(revised) > 0 {
		text, err := files.Read(p.revisions(), 1<<30)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, r := range revised {
			line, err := json.Marshal(r)
			if err != nil {
				return err
			}
			change, _, _ := bytes.Cut(line, []byte(`,"by":`))
			if !bytes.Contains(text, change) { // it is told each time, and kept once
				text = append(append(text, line...), '\n')
			}
		}
		if err := s.access().Replace(p.revisions(), text); err != nil {
			return err
		}
	}
	var all []*feed.Series
	for _, series := range p.before {
		all = append(all, series)
	}
	slices.SortFunc(all, func(a, b *feed.Series) int { return cmp.Compare(a.Symbol, b.Symbol) })
	return s.writePrices(p.out, all)
}

// showFetching shows how many symbols are done: a bar on a terminal, a line now and then elsewhere. It is told -1 at the end.
func showFetching(w io.Writer, jobs []feed.Job) func(done int, symbol string) {
	if !isTerminal(w) {
		every := max(len(jobs)/10, 1)
		return func(done int, symbol string) {
			if done >= 0 && done%every == 0 && symbol != "" {
				fmt.Fprintf(w, "fetching %s, %d of %d\n", symbol, done+1, len(jobs))
			}
		}
	}
	bars := newBars(w)
	t := &progress.Tracker{Message: "fetching", Total: int64(len(jobs))}
	bars.AppendTracker(t)
	go bars.Render()
	return func(done int, symbol string) {
		if done < 0 {
			if !t.IsDone() {
				t.MarkAsErrored()
			}
			stopBars(w, bars)
			return
		}
		t.UpdateMessage("fetching " + symbol)
		t.SetValue(int64(done))
	}
}

func printFetched(cmd *cobra.Command, asJSON bool, p *fetchPlan, results []feed.Fetched, revised []feed.Revision) error {
	w := cmd.OutOrStdout()
	if asJSON {
		if revised == nil {
			revised = []feed.Revision{}
		}
		return printJSON(w, struct {
			Out     string          `json:"out"`
			Symbols []feed.Fetched  `json:"symbols"`
			Revised []feed.Revision `json:"revised"`
		}{p.out, results, revised})
	}
	t := newTable(w, "symbol", "source", "outcome", ">bars")
	for _, r := range results {
		t.AppendRow(table.Row{r.Symbol, r.Source, r.Outcome, r.Bars})
	}
	t.Render()
	for _, r := range results {
		for _, told := range r.Told {
			fmt.Fprintf(w, "%s: %s.\n", r.Symbol, told)
		}
	}
	for _, r := range revised {
		fmt.Fprintf(w, "%s: %s: the source has changed %v to %v since; %s keeps what it was, %s has the change.\n", r.Symbol, r.Stamp, r.Was, r.Is, p.out, p.revisions())
	}
	return nil
}
