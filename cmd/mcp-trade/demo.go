// mcp-trade demo: a run that needs nothing, on a market that is made up.

package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"mcp-trade/market"
	"mcp-trade/report"
)

// The demo's market: as many symbols and trading days, from this day on, made up from this seed.
const (
	demoSeed    = 1
	demoSymbols = 20
	demoDays    = 120
	demoFirst   = market.Stamp("2025-01-01")
	demoCash    = "100000"
)

func demoCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Trade three accounts on a synthetic market, with nothing to set up",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp("", "mcp-trade-demo-")
			if err != nil {
				return err
			}
			days, err := demoMarket(filepath.Join(dir, "merged.jsonl"))
			if err != nil {
				return err
			}
			// The demo keeps to its own folder, whatever else is configured.
			*s = settings{
				modelID: s.modelID, ttl: s.ttl, logFormat: s.logFormat, json: s.json, log: s.log,
				dataDir: dir, logPath: filepath.Join(dir, "agent_data"), prices: []string{filepath.Join(dir, "merged.jsonl")}, ledger: "file",
				search: []string{searchOff},
			}
			if !s.json {
				fmt.Fprintf(cmd.OutOrStdout(), "A synthetic market (made up, seed %d): %d symbols, %d trading days from %s to %s.\nData dir: %s\n\n",
					demoSeed, demoSymbols, demoDays, days[0], days[len(days)-1], dir)
			}
			r, closeRooms, err := s.runner(string(days[0]), string(days[len(days)-1]), demoCash)
			if err != nil {
				return err
			}
			defer closeRooms()
			if err := trade(cmd, s, r, []string{"steady=equal-weight", "chaser=momentum:5", "dice=random:7"}); err != nil || s.json {
				return err
			}
			out := filepath.Join(dir, "report")
			if _, err := s.report(cmd.Context(), reportFlags{method: string(report.Own), benchmark: "equal-weight", out: out}, nil); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "\nEach account traded through an MCP server of its own. What they were worth, day by day, in figures and charts:\n"+
				"  %s\nLook closer:\n  mcp-trade report --benchmark equal-weight --data-dir %[2]s\n"+
				"  mcp-trade ledger show chaser --data-dir %[2]s\n  mcp-trade ledger verify --data-dir %[2]s\n", out, dir)
			return err
		},
	}
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
