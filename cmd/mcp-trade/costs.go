// The rules that accounts are opened under: --costs, --slippage, --fill and --volume-cap.

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
// days has no hours. Corporate actions are applied where the prices tell of them.
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
	if rules, err = rules.WithCosts(costs, slippage); err != nil {
		return rules, err
	}
	if rules, err = s.fillRules(rules); err != nil {
		return rules, err
	}
	stated, err := s.statesActions()
	if err != nil || !stated {
		return rules, err
	}
	return rules.WithActions()
}

// statesActions tells whether the prices, if there are any, tell of corporate actions.
func (s *settings) statesActions() (bool, error) {
	prices, err := s.openAnyPrices()
	if err != nil || prices == nil {
		return false, err
	}
	stated, err := prices.StatesActions()
	return stated, errors.Join(err, prices.Close())
}

// fillRules adds when orders fill, and how much of a bar's volume.
func (s *settings) fillRules(r ledger.Rules) (ledger.Rules, error) {
	if !slices.Contains([]string{fillOpen, fillNextOpen}, s.fill) {
		return r, usageError{fmt.Errorf("--fill %q: use %s or %s", s.fill, fillOpen, fillNextOpen)}
	}
	var err error
	if s.fill == fillNextOpen {
		if s.takenAsStamped() {
			return r, usageError{errors.New("--fill next-open and --cn-hourly-fill upstream are two rules of when an order fills; use one")}
		}
		if r, err = r.With("fill", `"`+fillNextOpen+`"`); err != nil {
			return r, err
		}
	}
	if s.volumeCap == noVolumeCap {
		return r, nil
	}
	if r, err = r.With("volume_cap", `"`+s.volumeCap+`"`); err != nil {
		return r, usageError{fmt.Errorf("--volume-cap %q: use a share above 0%% and up to 100%%, such as 10%%, or %s", s.volumeCap, noVolumeCap)}
	}
	return r, nil
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
