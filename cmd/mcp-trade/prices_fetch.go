// mcp-trade prices fetch: prices from the web.

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/feed"
	"mcp-trade/internal/format"
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
			"series is from. Of a day or an hour that is not over (--to today) only the open is taken, and a later fetch fills in the rest.\n" +
			"What the file has stays: newer bars are added, and a bar that the source has changed since is printed and written beside, to\n" +
			"FILE.revisions. A fetch that is ended goes on with the same command. Sources are asked in the order of --source, each only for\n" +
			"what the one before did not have; no other one is ever asked.\n\n" +
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
	cmd.Flags().StringVar(&f.to, "to", "", "last day, or today (default yesterday)")
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
}

func (p *fetchPlan) kept() string { return p.out + ".fetch" }

func (s *settings) planFetch(f *fetching) (*fetchPlan, error) {
	m := market.ID(f.market).Get()
	if m == nil {
		return nil, fmt.Errorf("--market %q: use us, cn or crypto", f.market)
	}
	interval, ok := map[string]string{"1d": "Daily", "60min": "60min"}[f.interval]
	if !ok {
		return nil, fmt.Errorf("--interval %q: use 1d or 60min", f.interval)
	}
	now := time.Now()
	today := feed.Moment(now.In(m.Zone())).Day()
	from, err := market.ParseStamp(f.from)
	if err != nil || !from.IsDay() {
		return nil, fmt.Errorf("--from %q: name the first day, such as 2025-01-02", f.from)
	}
	to := today.AddDays(-1)
	switch {
	case f.to == "today":
		to = today
	case f.to != "":
		if to, err = market.ParseStamp(f.to); err != nil || !to.IsDay() {
			return nil, fmt.Errorf("--to %q: name the last day, such as 2025-10-31, or today", f.to)
		}
		to = min(to, today)
	}
	if to < from {
		return nil, fmt.Errorf("there is no day from %s to %s", from, to)
	}
	p := &fetchPlan{out: cmp.Or(f.out, filepath.Join(s.dataDir, "merged.jsonl"))}
	symbols, err := namedSymbols(f.symbols, "nasdaq100, sse50 or crypto10", func(symbol string, of *market.Market) error {
		if of != m {
			return fmt.Errorf("%s is none of %s; one of these is %s", symbol, m.Name, m.Example)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, symbol := range symbols {
		p.jobs = append(p.jobs, feed.Job{Symbol: symbol, Interval: interval, From: from, To: to, Today: today, Now: now})
	}
	kept := p.kept()
	if to == today {
		kept = "" // what was answered about today is no answer later
	}
	if p.routes, err = s.routes(f.sources, m.ID, kept); err != nil {
		return nil, err
	}
	_, err = priceFileBefore(p.out) // what cannot be added to a file in the end is not fetched
	return p, err
}

// namedSymbols are those that --symbols names, once each, lists in place of their names. check refuses one.
func namedSymbols(named []string, lists string, check func(symbol string, of *market.Market) error) (symbols []string, err error) {
	for _, name := range named {
		list := feed.List(name)
		if len(list) == 0 {
			list = []string{strings.ToUpper(strings.TrimSpace(name))}
		}
		for _, symbol := range list {
			err := market.CheckSymbol(symbol)
			if err == nil {
				err = check(symbol, market.Of(symbol))
			}
			if err != nil {
				return nil, fmt.Errorf("--symbols: %w", err)
			}
			if !slices.Contains(symbols, symbol) {
				symbols = append(symbols, symbol)
			}
		}
	}
	if len(symbols) == 0 {
		return nil, errors.New("name symbols, or a list: --symbols " + lists)
	}
	return symbols, nil
}

// routes are the ways to sources that have a market: to those that are named, else to the first.
func (s *settings) routes(named []string, id market.ID, kept string) (routes []*feed.Route, err error) {
	if len(named) == 0 {
		first := slices.IndexFunc(priceSources, func(row sourceRow) bool { return slices.Contains(row.markets, id) })
		named = []string{priceSources[first].name} // each market has one
	}
	for i, name := range named {
		if slices.Contains(named[:i], name) {
			continue
		}
		route, err := s.route(name, kept)
		if err != nil {
			return nil, err
		}
		if row := priceSources[slices.Index(sourceNames(), name)]; !slices.Contains(row.markets, id) {
			return nil, fmt.Errorf("--source %s: it has no prices of --market %s", name, id)
		}
		routes = append(routes, route)
	}
	return routes, nil
}

// route is the way to a source; an error if there is none of the name, or no key for it. What it answers is kept in a folder, unless that is "".
func (s *settings) route(name, kept string) (*feed.Route, error) {
	at := slices.Index(sourceNames(), name)
	if at < 0 {
		return nil, fmt.Errorf("there is no source %q: use %s", name, strings.Join(sourceNames(), ", "))
	}
	row := priceSources[at]
	key, err := s.usable(name, row.key)
	if err != nil {
		return nil, err
	}
	client := s.webClient(name, row.pace, row.sign, key)
	r := &feed.Route{Source: row.open(s.first(row.variable)), Getter: client}
	if kept == "" {
		return r, nil
	}
	k := feed.Kept{Getter: client, Dir: kept, Access: s.access(), Now: time.Now}
	if picky, ok := r.Source.(interface{ Keep(feed.Reply) bool }); ok {
		k.Keep = picky.Keep
	}
	r.Getter = k
	return r, nil
}

func (s *settings) fetchPrices(cmd *cobra.Command, p *fetchPlan) error {
	results, err := fetchEach(p.jobs, func(j feed.Job) string { return j.Symbol }, cmd.ErrOrStderr(), func(j feed.Job) (feed.Fetched, error) {
		return feed.Fetch(cmd.Context(), p.routes, j)
	})
	if err != nil {
		if cmd.Context().Err() != nil {
			fmt.Fprintln(cmd.ErrOrStderr(), "mcp-trade: interrupted; the same command goes on where it stopped")
			return quietError(exitInterrupted)
		}
		return err
	}
	var got []*feed.Series
	for _, r := range results {
		if r.Outcome == feed.Done {
			got = append(got, r.Series)
		}
	}
	var j joined
	if len(got) > 0 {
		if j, err = s.joinPrices(cmd.Context(), p.out, got, nil); err != nil {
			return err
		}
	}
	if err := printFetched(cmd, s.json, p, results, j); err != nil {
		return err
	}
	if !slices.ContainsFunc(results, func(r feed.Fetched) bool { return r.Outcome == feed.Refused || r.Outcome == feed.Broken }) {
		if err := os.RemoveAll(p.kept()); err != nil {
			return err
		}
	}
	if len(got) < len(results) || len(j.revised) > 0 {
		return quietError(exitFailed)
	}
	return nil
}

// fetchEach fetches every job, and shows how far it is.
func fetchEach[Job, Result any](jobs []Job, symbol func(Job) string, w io.Writer, fetch func(Job) (Result, error)) (results []Result, err error) {
	show := showFetching(w, len(jobs))
	defer show(-1, "")
	for i, job := range jobs {
		show(i, symbol(job))
		r, err := fetch(job)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	show(len(jobs), "")
	return results, nil
}

// showFetching shows how many symbols are done: a bar on a terminal, a line now and then elsewhere. It is told -1 at the end.
func showFetching(w io.Writer, jobs int) func(done int, symbol string) {
	if !isTerminal(w) {
		every := max(jobs/10, 1)
		return func(done int, symbol string) {
			if done >= 0 && done%every == 0 && symbol != "" {
				fmt.Fprintf(w, "fetching %s, %d of %d\n", symbol, done+1, jobs)
			}
		}
	}
	bars := newBars(w)
	t := &progress.Tracker{Message: "fetching", Total: int64(jobs)}
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

func printFetched(cmd *cobra.Command, asJSON bool, p *fetchPlan, results []feed.Fetched, j joined) error {
	w, revised := cmd.OutOrStdout(), j.revised
	if asJSON {
		if revised == nil {
			revised = []feed.Revision{}
		}
		return printJSON(w, struct {
			Out     string          `json:"out"`
			Added   int             `json:"added"` // bars
			Symbols []feed.Fetched  `json:"symbols"`
			Revised []feed.Revision `json:"revised"`
		}{p.out, j.added, results, revised})
	}
	t := newTable(w, "symbol", "source", "outcome", ">bars")
	for _, r := range results {
		t.AppendRow(table.Row{r.Symbol, r.Source, r.Outcome, r.Bars})
	}
	t.Render()
	fmt.Fprintf(w, "%s new bars in %s.\n", format.Count(j.added), p.out)
	for _, r := range results {
		for _, told := range r.Told {
			fmt.Fprintf(w, "%s: %s.\n", r.Symbol, told)
		}
	}
	for _, r := range revised {
		fmt.Fprintf(w, "%s: %s: the source has changed %v to %v since; %s keeps what it was, %s has the change.\n", r.Symbol, r.Stamp, r.Was, r.Is, p.out, revisionsOf(p.out))
	}
	return nil
}
