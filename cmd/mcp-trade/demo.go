// mcp-trade demo: a run that needs nothing, on a market that is made up.

package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"mcp-trade/agent/config"
	"mcp-trade/agent/model/apis"
	"mcp-trade/decimal"
	"mcp-trade/feed/synthetic"
	"mcp-trade/internal/format"
	"mcp-trade/market"
	"mcp-trade/report"
)

// The demo's market: as many days of its calendar, from this one on, made up from this seed.
const (
	demoSeed  = 2
	demoDays  = 120
	demoFirst = market.Stamp("2025-01-01")
)

// demoAccounts are the accounts of the demo.
var demoAccounts = []string{"steady=equal-weight", "chaser=momentum:5", "dice=random:7"}

// demoRules are what an account begins with, which is enough for a board lot of every A-share, and what there is to see of the rules of a
// market.
func demoRules(of market.ID) (cash int64, rules string) {
	switch of {
	case market.CN:
		return 1_000_000, "Board lots, T+1 and the price limits of each day hold; commission, transfer fee and stamp duty are real.\nShares pay dividends, are split, and one is halted for some days."
	case market.Crypto:
		return 100_000, "Coins trade every day; the taker fee is real and paid in what is bought. One coin is halted for some days."
	}
	return 100_000, "Shares pay dividends, are split, and one is halted for some days; SEC fee and FINRA TAF are real."
}

// With a language model the demo has its first days only, since they cost money.
const demoModelDays = 5

// llmOfEnvironment is what --llm says when no model stands behind it.
const llmOfEnvironment = "$OPENAI_MODEL"

func demoCommand(s *settings) *cobra.Command {
	var model string
	var flags trustFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Trade three accounts on a synthetic market, with nothing to set up",
		Long: "Trade three accounts on a synthetic market, with nothing to set up: US shares, A-shares or crypto, with made-up prices, and\n" +
			"the real rules and fees of the market.\n\n" +
			"With --llm=MODEL, or --llm and OPENAI_MODEL, a language model trades beside them for a week, through the\n" +
			"OpenAI-compatible API that OPENAI_API_BASE and OPENAI_API_KEY point at.",
		Example: "  mcp-trade demo\n  mcp-trade demo --market cn",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && model != llmOfEnvironment {
				return fmt.Errorf("unknown argument %q: demo takes flags alone, such as --llm=MODEL", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 { // --llm MODEL
				model = args[0]
			}
			cash, _ := demoRules(market.ID(s.market))
			p := plan{cash: decimal.NewFromInt(cash)}
			if err := p.parse(demoAccounts); err != nil {
				return err
			}
			if cmd.Flags().Changed("llm") {
				if s.envErr != nil {
					return usageError{s.envErr}
				}
				if err := s.demoModel(cmd, &p, model, flags); err != nil {
					return asUsage(err)
				}
			}
			return s.demo(cmd, p)
		},
	}
	cmd.Flags().StringVar(&s.market, "market", s.market, "what is traded: "+inWordsOf(marketNames())+" (MCP_TRADE_MARKET)")
	cmd.Flags().StringVar(&model, "llm", "", "let a language model of this name trade too")
	cmd.Flags().Lookup("llm").NoOptDefVal = llmOfEnvironment
	flags.register(cmd.Flags())
	return cmd
}

// demoModel adds the language model that the environment points at.
func (s *settings) demoModel(cmd *cobra.Command, p *plan, name string, f trustFlags) error {
	if name == llmOfEnvironment {
		name, _ = s.lookup("OPENAI_MODEL")
	}
	if name == "" {
		return errors.New("which model? Say --llm=MODEL, or set OPENAI_MODEL")
	}
	c, api := config.Default(), apis.All()[0]
	m := config.Model{Signature: "model", BaseModel: name, BaseURL: api.BaseURL, KeyEnv: api.KeyVariable, Enabled: true, Tuning: c.AgentConfig.Tuning}
	if base := s.first(api.BaseVariable); base != "" {
		m.BaseURL, m.NamedBy = base, api.BaseVariable
	}
	m.MaxSteps = 15
	c.Models = []config.Model{m}
	return p.addModels(cmd, f, s, c, "demo --llm")
}

// demo trades the accounts of a plan on the made-up market.
func (s *settings) demo(cmd *cobra.Command, p plan) error {
	dir, err := os.MkdirTemp("", "mcp-trade-demo-")
	if err != nil {
		return err
	}
	id, file := market.ID(s.market), filepath.Join(dir, "merged.jsonl")
	s = s.onlyFolder(dir)
	s.market, s.costs, s.slippage, s.prices = string(id), market.RealCosts, "5bps", []string{file}
	about, days, err := demoMarket(file, id)
	if err != nil {
		return err
	}
	p.from, p.to = days[0], days[len(days)-1]
	closer := "ledger show chaser"
	if len(p.models) > 0 {
		p.to = days[demoModelDays]
		closer = "show model"
	}
	if p.rules, err = s.openingRules(p.from); err != nil {
		return err
	}
	if !s.json {
		_, rules := demoRules(id)
		fmt.Fprintf(cmd.OutOrStdout(), "%s%s\nsteady holds every symbol in equal parts, chaser the 5 that gained most lately, and dice trades at random.\n"+
			"Each begins with %s %s; orders fill 0.05 %% worse than the open.\nData dir: %s\n\n", about, rules, format.Money(p.cash), id.Get().Currency, dir)
	}
	r, closeRooms, err := s.runner(p)
	if err != nil {
		return err
	}
	defer closeRooms()
	stopped := trade(cmd, s, r, p.accounts) // also where a model failed the others have traded
	if quiet, ok := errors.AsType[quietError](stopped); s.json || stopped != nil && (!ok || quiet == exitInterrupted) {
		return stopped
	}
	out := filepath.Join(dir, "report")
	result, err := s.report(cmd.Context(), reportFlags{method: string(report.Own), benchmark: "equal-weight", out: out}, nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout())
	for _, a := range result.Accounts {
		fmt.Fprintln(cmd.OutOrStdout(), paidText(a))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "\nEach account traded through an MCP server of its own. What they were worth, day by day, to open in a browser:\n"+
		"  %[1]s\nLook closer:\n  %[4]s report --serve 127.0.0.1:8090 --data-dir %[2]s\n"+
		"  %[4]s %[3]s --data-dir %[2]s\n  %[4]s ledger verify --data-dir %[2]s\n", filepath.Join(out, "report.html"), dir, closer, callable())
	return cmp.Or(err, stopped)
}

// paidText says what an account paid and got beside its trades: "dice paid SEC fee 0.81, FINRA TAF 1.20; it got dividends of 90.10".
func paidText(a report.Account) string {
	fees := []string{"no fees"}
	if len(a.FeeItems) > 0 {
		fees = nil
	}
	for _, item := range a.FeeItems {
		fees = append(fees, item.Name+" "+format.Money(item.Paid))
	}
	text := a.Signature + " paid " + strings.Join(fees, ", ")
	if a.Dividends > 0 {
		text += "; it got dividends of " + cash(report.Known(a.Dividends))
	}
	return text + "."
}

// callable is how a shell calls this program.
func callable() string {
	self := os.Args[0]
	if _, err := exec.LookPath("mcp-trade"); err == nil {
		return "mcp-trade"
	}
	if strings.Contains(self, "go-build") { // go run has removed it by then
		return "go run ./cmd/mcp-trade"
	}
	return self
}

// demoMarket writes the prices, and returns what they are and their trading days.
func demoMarket(path string, id market.ID) (about string, days []market.Stamp, err error) {
	f, err := os.Create(path)
	if err != nil {
		return "", nil, err
	}
	if err := cmp.Or(synthetic.Write(f, id, demoSeed, demoFirst, demoDays), f.Close()); err != nil {
		return "", nil, err
	}
	prices, err := market.Open(path)
	if err != nil {
		return "", nil, err
	}
	defer prices.Close()
	if days, err = prices.Stamps("", ""); err != nil {
		return "", nil, err
	}
	last := days[len(days)-1]
	symbols, err := prices.AsOf(last).Symbols()
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("A synthetic market of %s (made up, seed %d): %d symbols, %d trading days from %s to %s.\n",
		id.Get().Name, demoSeed, len(symbols), len(days), days[0], last), days, nil
}
