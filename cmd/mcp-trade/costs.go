// The rules that accounts are opened under: --costs and --slippage.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"mcp-trade/ledger"
	"mcp-trade/market"
)

// maxCostsFile bounds a file of costs, in bytes.
const maxCostsFile = 64 << 10

// openingRules are the rules of the market, for accounts that are opened at these stamps, with the costs that are set. An account of
// days has no hours.
func (s *settings) openingRules(opens ...market.Stamp) (ledger.Rules, error) {
	rules, err := s.rules()
	if err == nil && !slices.ContainsFunc(opens, func(at market.Stamp) bool { return !at.IsDay() }) {
		rules, err = rules.WithoutHours()
	}
	if err != nil {
		return rules, err
	}
	costs, err := readCosts(s.costs, rules.Market.ID)
	if err != nil {
		return ledger.Rules{}, usageError{fmt.Errorf("--costs: %w", err)}
	}
	slippage, err := market.ParseSlippage(s.slippage)
	if err != nil {
		return ledger.Rules{}, usageError{fmt.Errorf("--slippage: %w", err)}
	}
	return rules.WithCosts(costs, slippage)
}

// readCosts reads costs that have a name, or those of a file.
func readCosts(name string, of market.ID) (market.Costs, error) {
	if name == market.NoCosts || name == market.RealCosts {
		return market.ParseCosts([]byte(`"`+name+`"`), of)
	}
	about, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return market.Costs{}, fmt.Errorf("there is no file %q; use none, real or the path of a file", name)
	case err != nil:
		return market.Costs{}, err
	case !about.Mode().IsRegular() || about.Size() > maxCostsFile:
		return market.Costs{}, fmt.Errorf("%s is no file of costs, which has at most %d bytes", name, maxCostsFile)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return market.Costs{}, err
	}
	costs, err := market.ParseCosts(bytes.TrimPrefix(text, []byte("\ufeff")), of) // some editors of Windows write it
	if err != nil {
		return market.Costs{}, fmt.Errorf("%s: %w", name, err)
	}
	return costs, nil
}
