// What commands say of an error: its sentence, and what to do about it, in the words of the command line.

package main

import (
	"errors"
	"fmt"
	"regexp"

	"mcp-trade/agent"
	"mcp-trade/agent/llm"
	"mcp-trade/agent/runner"
	"mcp-trade/market"
	"mcp-trade/search"
	"mcp-trade/tools"
)

// explain returns an error's sentence with advice behind it. Lines after the first are indented, so that none of them looks like one
// of ours.
func explain(err error) string {
	beginning := regexp.MustCompile(`\n(\S)`) // not in a package variable: every start would pay for it
	return beginning.ReplaceAllString(advised(err), "\n  $1")
}

func advised(err error) string {
	var halted *agent.HaltedError
	var noDays *runner.NoDaysError
	var other *runner.OtherSettingsError
	var changed *llm.ToolsChangedError
	var notSetUp *search.NotConfiguredError
	var adjusted *market.AdjustedError
	switch {
	case errors.As(err, &halted):
		return fmt.Sprintf("%v; clear it with 'mcp-trade session clear HALT --model-id %s' (or '*', if all are halted) to go on", err, halted.Account)
	case errors.As(err, &noDays):
		return fmt.Sprintf("%v; 'mcp-trade prices info' tells which they have", err)
	case errors.As(err, &other):
		return fmt.Sprintf("%v\nGive the settings that it had, or --change-settings to go on with these, or --fresh to archive the account and begin it anew", err)
	case errors.As(err, &changed):
		return fmt.Sprintf("%v\nLook at what they do now; --change-settings goes on with them", err)
	case errors.As(err, &adjusted):
		return fmt.Sprintf("%v, or --adjusted warn", err)
	case errors.As(err, &notSetUp):
		return "not set up: " + setupHints()[notSetUp.Provider]
	}
	return err.Error() + tools.Advice(err)
}
