// Whom runs tell of what happens to their accounts.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"mcp-trade/agent"
	"mcp-trade/agent/llm"
	"mcp-trade/agent/notify"
	"mcp-trade/agent/runner"
)

// webhookVariable holds the address that is told of what happens in runs.
const webhookVariable = "MCP_TRADE_WEBHOOK"

// webhook returns whom to tell of what happens in runs, to be closed at the end; nil if nobody is named. An environment file may be somebody
// else's, who would then be told of the accounts: what it says is not heeded.
func (s *settings) webhook() (*notify.Webhook, error) {
	address := os.Getenv(webhookVariable)
	if address == "" {
		if s.env[webhookVariable] != "" {
			s.log.Warn().Msgf("%s of %s is not heeded: only the environment can name who is told of accounts", webhookVariable, s.envFile)
		}
		return nil, nil
	}
	hook, err := notify.New(address, time.Now, s.log)
	if err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", webhookVariable, err)}
	}
	return hook, nil
}

// tellStops has the webhook told, if there is one, of accounts that stop in a run. It returns what ends that.
func (s *settings) tellStops(r *runner.Runner) (end func(), err error) {
	hook, err := s.webhook()
	r.Ended = func(result runner.Result) {
		if n, stopped := stopNotice(result, r.Now()); stopped {
			hook.Tell(n)
		}
	}
	return hook.Close, err
}

// stopNotice says why an account stopped; false if it did not, or was interrupted.
func stopNotice(r runner.Result, at time.Time) (notify.Notice, bool) {
	n := notify.Notice{Event: notify.Stopped, Account: r.Account, Date: r.Date, At: at}
	if r.Err == nil || errors.Is(r.Err, context.Canceled) {
		return n, false
	}
	_, halted := errors.AsType[*agent.HaltedError](r.Err)
	_, spent := errors.AsType[*llm.BudgetError](r.Err)
	switch {
	case halted:
		n.Event = notify.Halt
	case spent:
		n.Event = notify.Budget
	}
	n.Text = fmt.Sprintf("account %s stopped: %s", r.Account, explain(r.Err))
	return n, true
}
