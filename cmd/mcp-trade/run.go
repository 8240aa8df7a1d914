// mcp-trade run: accounts through the trading days.

package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/agent"
	"mcp-trade/agent/decide"
	"mcp-trade/agent/manifest"
	"mcp-trade/agent/model/apis"
	"mcp-trade/agent/runner"
	"mcp-trade/decimal"
	"mcp-trade/internal/format"
	"mcp-trade/internal/mcpclient"
	"mcp-trade/internal/safetext"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store"
)

// decidersInHelp is a line for each decider.
func decidersInHelp() string {
	var lines strings.Builder
	for _, row := range decide.Table() {
		fmt.Fprintf(&lines, "  %-17s %s\n", row.Name+row.Argument, row.Does)
	}
	return lines.String()
}

// apisInHelp names the APIs of models, and the variables of their keys.
func apisInHelp() string {
	var names []string
	for _, api := range apis.All() {
		names = append(names, api.Name+" "+api.KeyVariable)
	}
	return strings.Join(names, ", ")
}

func runCommand(s *settings) *cobra.Command {
	var flags planFlags
	var replay string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "run [CONFIG.json]",
		Short: "Trade accounts through the days, each through an MCP server of its own",
		Long: "Trade accounts through the days, each through an MCP server of its own.\n\n" +
			"With a configuration of AI-Trader's form, each of its enabled models trades an account through its API. Each API has its\n" +
			"key: " + apisInHelp() + ". docs/running-agents.md lists\n" +
			"what can stand in a configuration. A flag comes before it.\n\n" +
			"An account is NAME=DECIDER[:ARG]:\n" + decidersInHelp() + "\n" +
			"Accounts are opened on --from and trade from the next trading day on; from a moment, from the next hour of the prices\n" +
			"on. A run that was interrupted goes on where it stopped when it is started again.",
		Example: "  mcp-trade run config.json --account benchmark=equal-weight\n" +
			"  mcp-trade run --prices merged.jsonl --from 2025-10-01 --to 2025-10-30 --account steady=equal-weight --account chaser=momentum:5",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if replay != "" {
				return s.replay(cmd, replay)
			}
			p, err := s.plan(cmd, flags, args)
			if err == nil {
				err = s.warnOfLimits(p)
			}
			if err != nil {
				return asUsage(err)
			}
			if dryRun {
				return s.printPlan(cmd, p)
			}
			if p.rules, err = s.openingRules(p.opens()...); err != nil {
				return err
			}
			if p.follow != nil {
				return s.follow(cmd, p)
			}
			if flags.queue.queue {
				return s.runQueued(cmd, p, flags, args)
			}
			r, closeRooms, err := s.runner(p)
			if err != nil {
				return err
			}
			defer closeRooms()
			if err := s.warnOfPrices(r.Prices, p.to, p.rules.Market); err != nil {
				return err
			}
			s.warnOfMemory(p)
			unhook, err := s.tellStops(r)
			if err != nil {
				return err
			}
			defer unhook()
			err = trade(cmd, s, r, p.accounts)
			if _, stopped := errors.AsType[quietError](err); stopped {
				first, same := "", "the same command"
				if p.fresh {
					same += ", without --fresh,"
				}
				if _, permanent := errors.AsType[changeError](err); permanent {
					first = "change what is named above; then "
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "mcp-trade: %s%s goes on where it stopped\n", first, same)
			}
			return err
		},
	}
	flags.register(cmd.Flags())
	s.register(cmd.Flags(), searching, opening, running, limiting, trading)
	cmd.Flags().StringVar(&replay, "replay", "", "repeat the run in a log path from its transcripts, without a model, and compare the ledgers")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "list the accounts and their trading days; open, ask and write nothing")
	flags.queue.register(cmd)
	cmd.MarkFlagsMutuallyExclusive("fresh", "change-settings", "replay")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "replay")
	cmd.MarkFlagsMutuallyExclusive("follow", "fresh")
	cmd.MarkFlagsMutuallyExclusive("follow", "replay")
	return cmd
}

// runner wires up a runner whose servers have the settings of this process.
func (s *settings) runner(p plan) (*runner.Runner, func(), error) {
	r, err := s.open()
	if err != nil {
		return nil, nil, err
	}
	prices, err := s.needPrices()
	if err != nil {
		return nil, nil, errors.Join(err, r.Close())
	}
	server, err := s.server()
	if err != nil {
		return nil, nil, errors.Join(err, r.Close())
	}
	runs, err := s.records(p, r.ledgers.Name(), prices)
	if err != nil {
		return nil, nil, errors.Join(err, prices.Close(), r.Close())
	}
	if p.pace != nil && p.pace.Budget != nil {
		if p.pace.Spent, err = runner.Spent(context.Background(), r.runs(), slices.Collect(maps.Keys(p.models))...); err != nil {
			return nil, nil, errors.Join(err, prices.Close(), r.Close())
		}
	}
	run := &runner.Runner{
		Prices: prices, Accounts: r.accounts, Server: server, Stderr: s.stderr, Runs: r.runs(), Owner: owner(),
		Recorder: &manifest.Recorder{Store: r.runs(), LogPath: s.logPath, Runs: runs, Prices: prices, Changed: p.changed}, Now: time.Now,
		Session: func(model string) (*session.Resolver, error) { return s.session(r, model) },
		From:    p.from, To: p.to, Cash: p.cash, Rules: p.rules, Changed: p.changed, Fresh: p.fresh, Parallel: p.parallel, Lockstep: p.lockstep,
		Progress: func(runner.Progress) {}, Steps: func(agent.Step) {}, Log: s.log,
	}
	return run, func() { _, _ = prices.Close(), r.Close() }, nil
}

// owner is this process, as it is told to those who find an account in its hands.
func owner() store.Owner {
	host, err := os.Hostname()
	if err != nil {
		host = "a machine without a name"
	}
	return store.Owner{Name: fmt.Sprintf("process %d on %s", os.Getpid(), host), Nonce: rand.Text(), Since: time.Now()}
}

// warnOfPrices tells what the prices keep a run from: days that they do not have, and all trades.
func (s *settings) warnOfPrices(prices *market.Prices, to market.Stamp, in *market.Market) error {
	info, err := prices.Info()
	if err != nil || info.Last == "" {
		return err
	}
	if info.Last.Day() < to.Day() {
		s.log.Warn().Msgf("the prices end on %s, before --to %s", info.Last, to)
	}
	splits, err := prices.AsOf(to.AddDays(1)).AllLikelySplits(to.Day())
	if err != nil {
		return err
	}
	if len(splits) > 0 {
		s.log.Warn().Msg("the prices jump as in a split, and tell of none: " + splitsText(splits))
	}
	adjusted, err := prices.Adjusted()
	if err != nil {
		return err
	}
	for _, a := range adjusted {
		s.log.Warn().Msg(a.String())
	}
	if !slices.ContainsFunc(info.Series, func(series market.SeriesInfo) bool { return market.Of(series.Symbol) == in }) {
		s.log.Warn().Msgf("none of the %d symbols of the prices can be traded: no order will be filled, since --market is %s", info.Symbols, in.ID)
	}
	return nil
}

// warnOfMemory tells which models may remember all days of a run.
func (s *settings) warnOfMemory(p plan) {
	for _, a := range p.accounts {
		to := cmp.Or(a.To, p.to).Day()
		if a.Cutoff != "" && to != "" && to <= a.Cutoff && p.mask == nil {
			s.log.Warn().Str("account", a.Name).Msgf("all days of the run, to %s, lie before or on the knowledge cutoff of the model, %s: it may remember what followed; --mask hides symbols and dates from it", to, a.Cutoff)
		}
	}
}

// server says how to launch this program as the MCP server of a model.
func (s *settings) server() (func(model string, lease store.Fence) mcpclient.Command, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	env, err := s.childEnvironment()
	if err != nil {
		return nil, err
	}
	args := []string{"stdio", "--log-format", s.logFormat}
	if other := s.otherToolsets(); other != nil {
		args = append(args, "--toolsets", strings.Join(other, ","))
	}
	if s.env == nil {
		args = append(args, "--no-env-file")
	} else if s.envFile != defaultEnvFile {
		args = append(args, "--env-file", s.envFile)
	}
	return func(model string, lease store.Fence) mcpclient.Command {
		return mcpclient.Command{
			Path: self, Args: args,
			Env: append(env(model), fmt.Sprintf("%s=%d", fenceVariable, lease)),
		}
	}, nil
}

// trade runs the accounts, shows how far they are, and prints what became of them.
func trade(cmd *cobra.Command, s *settings, r *runner.Runner, accounts []runner.Account) error {
	v := newProgressView(cmd.ErrOrStderr(), accounts)
	r.Progress, r.Steps = v.day, v.step
	s.stderr.redirect(v)
	results, err := r.Run(cmd.Context(), accounts)
	v.end()
	s.stderr.redirect(nil)
	if err != nil {
		return err
	}
	for i := range results {
		if stopped := results[i].Err; stopped != nil {
			results[i].Error = explain(stopped)
		}
	}
	return s.printRun(cmd, results)
}

// printRun prints what became of the accounts of a run, and returns the error with its exit status.
func (s *settings) printRun(cmd *cobra.Command, results []runner.Result) error {
	if s.json {
		if err := printJSON(cmd.OutOrStdout(), results); err != nil {
			return err
		}
	} else {
		printResults(cmd.OutOrStdout(), results)
		if isTerminal(cmd.OutOrStdout()) {
			fmt.Fprintln(cmd.OutOrStdout(), "\nSee what they were worth, with the same --prices: mcp-trade report --benchmark equal-weight --out report")
		}
	}
	return exitError(cmd, results)
}

// exitError prints why accounts stopped, and returns the error with the exit status of the run.
func exitError(cmd *cobra.Command, results []runner.Result) error {
	code, change := 0, false
	for _, r := range results {
		var stop interface{ Permanent() bool }
		change = change || errors.As(r.Err, &stop) && stop.Permanent()
		switch {
		case errors.Is(r.Err, context.Canceled):
			code = max(code, exitInterrupted)
		case r.Err != nil:
			fmt.Fprintf(cmd.ErrOrStderr(), "mcp-trade: account %s stopped: %s\n", r.Account, explain(r.Err))
			code = max(code, exitFailed)
		case !r.Verified:
			fmt.Fprintf(cmd.ErrOrStderr(), "mcp-trade: the ledger of %s is %s: %s; see: mcp-trade ledger verify %s\n", r.Account, r.Verdict, safetext.Line(strings.Join(r.Reasons, "; ")), r.Account)
			if r.Failed {
				code = max(code, exitFailed)
			}
		}
	}
	switch {
	case code == 0:
		return nil
	case change:
		return changeError{quietError(code)}
	}
	return quietError(code)
}

// changeError is the end of a run of which an account stopped for a reason that does not pass.
type changeError struct{ quietError }

// Unwrap is what ends the program.
func (e changeError) Unwrap() error { return e.quietError }

// printResults prints a line for each account: what it is worth after the close of its last day.
func printResults(w io.Writer, results []runner.Result) {
	header := []string{"account", ">days", ">trades", ">refused", ">cash", ">value at close", ">return", "ledger"}
	old := slices.ContainsFunc(results, func(r runner.Result) bool { return len(r.Stale) > 0 })
	if old {
		header = append(header, "oldest close")
	}
	t := newTable(w, header...)
	for _, r := range results {
		value, gain := "unknown", "unknown"
		if r.Value.Valid {
			value = format.Money(r.Value.Decimal)
		}
		if r.Return.Valid {
			gain = percentOf(r.Return)
		}
		row := table.Row{r.Account, r.Days, r.Trades, r.Refused, format.Money(r.Cash), value, gain, r.Verdict}
		if old {
			row = append(row, oldestClose(r.Stale.Oldest()))
		}
		t.AppendRow(row)
	}
	t.Render()
	for _, r := range results {
		if r.Caveat != "" {
			fmt.Fprintf(w, "%s: %s.\n", r.Account, r.Caveat)
		}
		if c := r.Around; c != nil {
			fmt.Fprintf(w, "The return of %s is %s up to the knowledge cutoff of its model, %s, and %s after it.\n", r.Account, percentOf(c.Before), c.Cutoff, percentOf(c.After))
		}
		if len(r.Stale) > 0 {
			fmt.Fprintf(w, "The value of %s counts closes of earlier days: %s.\n", r.Account, r.Stale)
		}
		if len(r.Unpriced) > 0 {
			fmt.Fprintf(w, "The value of %s is unknown: there is no close of %s.\n", r.Account, strings.Join(r.Unpriced, ", "))
		}
	}
	for _, r := range results {
		if len(r.RefusedBy) > 0 {
			fmt.Fprintf(w, "Refused orders of %s: %s.\n", r.Account, r.RefusedBy)
		}
	}
	printSpending(w, results)
	printHeads(w, results)
}

// percentOf writes a return, "-" for one that there is not.
func percentOf(d decimal.NullDecimal) string {
	if !d.Valid {
		return "-"
	}
	return d.Decimal.Mul(decimal.NewFromInt(100)).StringFixed(2) + " %"
}

// printHeads prints what proves the ledgers later, if it is kept elsewhere.
func printHeads(w io.Writer, results []runner.Result) {
	t := newTable(w, "account", "head: the hash of its ledger's newest row")
	cutLines(t, 0) // a part of a hash proves nothing
	for _, r := range results {
		if r.Head != "" {
			t.AppendRow(table.Row{r.Account, r.Head})
		}
	}
	if t.Length() > 0 {
		fmt.Fprintln(w)
		t.Render()
		fmt.Fprintln(w, "Keep a head where nobody can change it: mcp-trade ledger verify ACCOUNT --head HASH proves every row up to it.")
	}
}

// oldestClose is the age of the oldest close that a value counts, nothing if all are of the day.
func oldestClose(s *ledger.StaleClose) string {
	if s == nil {
		return ""
	}
	return s.Age()
}

// printSpending prints what language models used, if there are any.
func printSpending(w io.Writer, results []runner.Result) {
	t := newTable(w, "model", ">calls", ">tokens in", ">cached", ">tokens out", ">seconds", ">cost")
	for _, r := range results {
		if s := r.Spent; s != nil {
			t.AppendRow(table.Row{r.Account, format.Count(s.Calls), format.Count(s.In), format.Count(s.Cached), format.Count(s.Out), fmt.Sprintf("%.1f", s.Seconds), format.Cost(s.Cost)})
		}
	}
	if t.Length() > 0 {
		fmt.Fprintln(w)
		t.Render()
	}
}
