// mcp-trade demo: a run that needs nothing, on a market that is made up.

package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"mcp-trade/agent/config"
	"mcp-trade/agent/model/apis"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/report"
)

// The demo's market: as many symbols and trading days, from this day on, made up from this seed.
const (
	demoSeed    = 1
	demoSymbols = 20
	demoDays    = 120
	demoFirst   = market.Stamp("2025-01-01")
	demoCash    = 100000
)

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
		Long: "Trade three accounts on a synthetic market, with nothing to set up.\n\n" +
			"With --llm=MODEL, or --llm and OPENAI_MODEL, a language model trades beside them for a week, through the\n" +
			"OpenAI-compatible API that OPENAI_API_BASE and OPENAI_API_KEY point at.",
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
			p := plan{from: demoFirst, cash: decimal.NewFromInt(demoCash), rules: ledger.DefaultRules()}
			if err := p.parse([]string{"steady=equal-weight", "chaser=momentum:5", "dice=random:7"}); err != nil {
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
	days, err := demoMarket(filepath.Join(dir, "merged.jsonl"))
	if err != nil {
		return err
	}
	p.from, p.to = days[0], days[len(days)-1]
	closer := "mcp-trade ledger show chaser"
	if len(p.models) > 0 {
		p.to = days[demoModelDays]
		closer = "mcp-trade show model"
	}
	s = s.onlyFolder(dir)
	s.prices = []string{filepath.Join(dir, "merged.jsonl")}
	if !s.json {
		fmt.Fprintf(cmd.OutOrStdout(), "A synthetic market (made up, seed %d): %d symbols, %d trading days from %s to %s.\n"+
			"steady holds every symbol in equal parts, chaser the 5 that gained most lately, and dice trades at random.\nData dir: %s\n\n",
			demoSeed, demoSymbols, demoDays, days[0], days[len(days)-1], dir)
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
	if _, err := s.report(cmd.Context(), reportFlags{method: string(report.Own), benchmark: "equal-weight", out: out}, nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "\nEach account traded through an MCP server of its own. What they were worth, day by day, to open in a browser:\n"+
		"  %[1]s\nLook closer:\n  mcp-trade report --serve 127.0.0.1:8090 --data-dir %[2]s\n"+
		"  %[3]s --data-dir %[2]s\n  mcp-trade ledger verify --data-dir %[2]s\n", filepath.Join(out, "report.html"), dir, closer)
	return cmp.Or(err, stopped)
}

// demoMarket writes the prices and returns their trading days.
func demoMarket(path string) ([]market.Stamp, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := market.WriteSynthetic(f, demoSeed, demoSymbols, demoDays, demoFirst); err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	prices, err := market.Open(path)
	if err != nil {
		return nil, err
	}
	defer prices.Close()
	return prices.Stamps("", "")
}
