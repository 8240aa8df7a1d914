// mcp-trade run: accounts through the trading days.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"

	"mcp-trade/agent"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
)

func runCommand(s *settings) *cobra.Command {
	var from, to, cash string
	var accounts []string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Trade accounts through the days, each through an MCP server of its own",
		Long: "Trade accounts through the days, each through an MCP server of its own.\n\n" +
			"An account is NAME=DECIDER[:ARG]:\n" +
			"  equal-weight      holds every symbol in equal parts\n" +
			"  momentum[:N]      holds the N symbols that gained most lately (5)\n" +
			"  random[:SEED]     trades at random, the same for the same seed (1)\n" +
			"  recorded:FILE     repeats the trades in a ledger (position.jsonl)\n\n" +
			"Accounts are opened on --from and trade from the next trading day on. A run that was interrupted goes on where it\n" +
			"stopped when it is started again.",
		Example: "  mcp-trade run --prices merged.jsonl --from 2025-10-01 --to 2025-10-30 --account steady=equal-weight --account chaser=momentum:5",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, closeRooms, err := s.runner(from, to, cash)
			if err != nil {
				return err
			}
			defer closeRooms()
			return trade(cmd, s, r, accounts)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "day on which accounts are opened")
	cmd.Flags().StringVar(&to, "to", "", "last day to trade")
	cmd.Flags().StringVar(&cash, "cash", "10000", "money that each account is opened with")
	cmd.Flags().StringArrayVar(&accounts, "account", nil, "NAME=DECIDER[:ARG], repeatable")
	s.registerSearch(cmd.Flags())
	for _, name := range []string{"from", "to", "account"} {
		_ = cmd.MarkFlagRequired(name)
	}
	return cmd
}

// runner wires up a runner whose servers have the settings of this process.
func (s *settings) runner(from, to, cash string) (*agent.Runner, func(), error) {
	first, err := market.ParseStamp(from)
	if err != nil {
		return nil, nil, usageError{fmt.Errorf("--from: %w", err)}
	}
	last, err := market.ParseStamp(to)
	if err != nil {
		return nil, nil, usageError{fmt.Errorf("--to: %w", err)}
	}
	amount, err := ledger.ParseDecimal(cash)
	if err != nil || !amount.IsPositive() {
		return nil, nil, usageError{fmt.Errorf("--cash %q: use an amount above 0", cash)}
	}
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
	runner := &agent.Runner{
		Prices: prices, Accounts: s.accounts(r), Server: server, Stderr: os.Stderr, LogPath: s.logPath,
		Session: func(model string) (*session.Layers, error) { return s.session(r, model) },
		From:    first, To: last, Cash: amount, Progress: func(agent.Progress) {}, Log: s.log,
	}
	return runner, func() { _, _ = prices.Close(), r.Close() }, nil
}

// server says how to launch this program as the MCP server of a model. Settings travel in the environment, where a
// password in one of them is not for everyone to see.
func (s *settings) server() (func(model string) agent.Command, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	files, err := s.priceFiles()
	if err != nil {
		return nil, err
	}
	env := []string{
		"REDIS_URL=" + s.redisURL, "MCP_TRADE_DATA_DIR=" + s.dataDir, "LOG_PATH=" + s.logPath, "MCP_TRADE_LEDGER=" + s.ledger,
		"MCP_TRADE_PRICES=" + strings.Join(files, ","), "MCP_TRADE_SESSION_TTL=" + s.ttl.String(),
		"MCP_TRADE_SEARCH=" + strings.Join(s.search, ","), "MCP_TRADE_SEARCH_CACHE=" + s.searchCache,
		"MCP_TRADE_TOOLSETS=", "MCP_TRADE_READ_ONLY=",
		"RUNTIME_ENV_PATH=", // each account has a session of its own
	}
	return func(model string) agent.Command {
		return agent.Command{
			Path: self, Args: []string{"stdio", "--log-format", s.logFormat},
			Env: append(env[:len(env):len(env)], "CURRENT_MODEL_ID="+model),
		}
	}, nil
}

// trade runs the accounts, shows how far they are, and prints what became of them.
func trade(cmd *cobra.Command, s *settings, r *agent.Runner, specs []string) error {
	var accounts []agent.Account
	for _, spec := range specs {
		a, err := agent.ParseAccount(spec)
		if err != nil {
			return usageError{err}
		}
		accounts = append(accounts, a)
	}
	show, done := showProgress(cmd.ErrOrStderr(), accounts)
	r.Progress = show
	results, err := r.Run(cmd.Context(), accounts)
	done()
	if err != nil {
		return err
	}
	if s.json {
		err = printJSON(cmd.OutOrStdout(), results)
	} else {
		printResults(cmd.OutOrStdout(), results)
	}
	if err != nil {
		return err
	}
	return verdict(cmd, results)
}

// verdict tells what went wrong, and how to go on.
func verdict(cmd *cobra.Command, results []agent.Result) error {
	code := 0
	for _, r := range results {
		switch {
		case errors.Is(r.Err, context.Canceled):
			code = max(code, exitInterrupted)
		case r.Err != nil:
			fmt.Fprintf(cmd.ErrOrStderr(), "mcp-trade: account %s stopped: %v\n", r.Account, r.Err)
			code = max(code, exitFailed)
		case !r.Verified:
			fmt.Fprintf(cmd.ErrOrStderr(), "mcp-trade: the ledger of %s does not verify; see: mcp-trade ledger verify %s\n", r.Account, r.Account)
			code = max(code, exitFailed)
		}
	}
	if code == 0 {
		return nil
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "mcp-trade: the same command goes on where it stopped")
	return quietError(code)
}

func printResults(w io.Writer, results []agent.Result) {
	t := newTable(w, "account", ">days", ">trades", ">refused", ">cash", ">value", ">return", "ledger verified")
	for _, r := range results {
		value, gain, verified := "unknown", "unknown", "no"
		if r.Value.Valid {
			value = money(r.Value.Decimal)
		}
		if r.Return.Valid {
			gain = r.Return.Decimal.Mul(decimal.NewFromInt(100)).StringFixed(2) + " %"
		}
		if r.Verified {
			verified = "yes"
		}
		t.AppendRow(table.Row{r.Account, r.Days, r.Trades, r.Refused, money(r.Cash), value, gain, verified})
	}
	t.Render()
}

// showProgress shows a bar per account on a terminal, and a line per account and tenth of the days elsewhere. done must
// be called before anything else is printed.
func showProgress(w io.Writer, accounts []agent.Account) (show func(agent.Progress), done func()) {
	if !isTerminal(w) {
		var mu sync.Mutex
		return func(p agent.Progress) {
			if step := max(p.Of/10, 1); p.Done%step == 0 || p.Done == p.Of {
				mu.Lock()
				defer mu.Unlock()
				fmt.Fprintf(w, "%s: day %d of %d, %s\n", p.Account, p.Done, p.Of, p.Date)
			}
		}, func() {}
	}
	bars := newBars(w)
	trackers, longest := map[string]*progress.Tracker{}, 0
	for _, a := range accounts {
		longest = max(longest, len(a.Name))
		trackers[a.Name] = &progress.Tracker{Message: a.Name, DeferStart: true}
		bars.AppendTracker(trackers[a.Name])
	}
	bars.SetMessageLength(longest + len(" 2006-01-02 15:04:05"))
	go bars.Render()
	return func(p agent.Progress) {
			t := trackers[p.Account]
			t.UpdateTotal(int64(p.Of))
			t.SetValue(int64(p.Done))
			t.UpdateMessage(fmt.Sprintf("%s %s", p.Account, p.Date))
		}, func() {
			for _, t := range trackers {
				if !t.IsDone() {
					t.MarkAsErrored()
				}
			}
			stopBars(w, bars)
		}
}
