// What a shell completes: accounts, deciders, names of session values, and the values of flags that have few.

package main

import (
	"strings"

	"github.com/spf13/cobra"

	"mcp-trade/agent/decide"
	"mcp-trade/session"
	"mcp-trade/tools"
)

// completer offers what could stand at a place of the command line.
type completer = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

// choices are the values of flags, by name.
var choices = withRules(map[string][]string{
	"ledger":        ledgerNames(),
	"on-redis-loss": {lossFile, lossRefuse},
	"adjusted":      {adjustedWarn, adjustedRefuse},
	"log-format":    {"console", "json"},
	"search":        append([]string{searchAuto, searchOff}, providerNames()...),
	"search-cache":  {"record", "replay", searchOff},
	"refusals":      {"error", "result"},
	"toolsets":      {tools.TradeSet, tools.MarketSet, tools.SearchSet, tools.OrdersSet, tools.AITraderSet, tools.MathSet},
	"method":        {"own", "upstream"},
	"benchmark":     {"equal-weight"},
})

// withRules adds what the settings of rules can be.
func withRules(choices map[string][]string) map[string][]string {
	choices["market"] = marketNames()
	for _, row := range ruleTable {
		choices[row.flag] = row.words()
	}
	return choices
}

// complete registers the completions of a command and of those below it.
func (s *settings) complete(cmd *cobra.Command) {
	for name, values := range choices {
		// Local flags are asked for so: no flag of a parent is among them yet, and cobra's own question copies all sets at every start.
		if cmd.Flags().Lookup(name) != nil || cmd.PersistentFlags().Lookup(name) != nil {
			_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
		}
	}
	switch strings.TrimPrefix(cmd.CommandPath(), "mcp-trade ") {
	case "run":
		_ = cmd.RegisterFlagCompletionFunc("account", completeDecider)
	case "ledger show", "ledger export", "ledger archive", "ledger import", "show":
		cmd.ValidArgsFunction = s.completeAccounts(1)
	case "ledger verify", "ledger repair", "report":
		cmd.ValidArgsFunction = s.completeAccounts(-1)
	case "session get":
		cmd.ValidArgs = session.Names
	case "session clear":
		cmd.ValidArgsFunction = cobra.FixedCompletions(session.Names, cobra.ShellCompDirectiveNoFileComp)
	case "session set":
		cmd.ValidArgsFunction = completeValue
	}
	for _, sub := range cmd.Commands() {
		s.complete(sub)
	}
}

// completeAccounts offers the accounts that are not named yet as the first so many arguments; -1: as each of them. Files stay
// on offer, since a ledger can be named by its file.
func (s *settings) completeAccounts(first int) completer {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if first >= 0 && len(args) >= first {
			return nil, cobra.ShellCompDirectiveDefault
		}
		if err := s.resolve(cmd); err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		r, err := s.open()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		defer r.Close()
		names, err := r.accounts.Names(cmd.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return names, cobra.ShellCompDirectiveDefault
	}
}

// completeDecider offers the deciders behind NAME=.
func completeDecider(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	name, _, named := strings.Cut(begun, "=")
	if !named {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var offered []string
	for _, row := range decide.Table() {
		offered = append(offered, name+"="+row.Example)
	}
	return offered, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeValue offers names of session values, and the values of those that are true or false.
func completeValue(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	const here = cobra.ShellCompDirectiveNoFileComp
	name, _, named := strings.Cut(begun, "=")
	if named && (name == session.IfTrade || name == session.Halt) {
		return []string{name + "=true", name + "=false"}, here
	}
	if named {
		return nil, here
	}
	var offered []string
	for _, n := range session.Names {
		offered = append(offered, n+"=")
	}
	return offered, here | cobra.ShellCompDirectiveNoSpace
}
