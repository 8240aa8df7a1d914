package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mcp-trade/agent"
	"mcp-trade/agent/llm"
	"mcp-trade/agent/notify"
	"mcp-trade/agent/runner"
)

func TestStopNotice(t *testing.T) {
	now := time.Date(2025, 10, 2, 14, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		err   error
		event notify.Event // "" if nobody is told
		says  string
	}{
		{fmt.Errorf("2025-10-02: %w", &agent.HaltedError{Account: "a"}), notify.Halt, "account a stopped: 2025-10-02: trading is halted; clear it with"},
		{fmt.Errorf("2025-10-02: %w", &llm.BudgetError{}), notify.Budget, "raise the budget to go on"},
		{errors.New("the model cannot be reached"), notify.Stopped, "account a stopped: the model cannot be reached"},
		{fmt.Errorf("2025-10-02: %w", context.Canceled), "", ""},
		{nil, "", ""},
	} {
		n, stopped := stopNotice(runner.Result{Account: "a", Date: "2025-10-02", Err: c.err}, now)
		if stopped != (c.event != "") || stopped && (n.Event != c.event || !strings.Contains(n.Text, c.says) || n.Account != "a" || n.Date != "2025-10-02" || n.At != now) {
			t.Errorf("%v: %+v, %v", c.err, n, stopped)
		}
	}
}

func TestSettings_Webhook(t *testing.T) {
	const secret = "T0KEN"
	for _, c := range []struct{ name, environment, file, fails, warns string }{
		{"none", "", "", "", ""},
		{"of an environment file", "", "https://host/" + secret, "", "MCP_TRADE_WEBHOOK of .env is not heeded"},
		{"no address", secret, "", "MCP_TRADE_WEBHOOK: it is no address", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			t.Setenv(webhookVariable, c.environment)
			s := &settings{envFile: ".env", env: map[string]string{webhookVariable: c.file}, log: zerolog.New(&log)}
			hook, err := s.webhook()
			said := fmt.Sprint(err)
			if hook != nil || (err != nil) != (c.fails != "") || !strings.Contains(said, c.fails) || !strings.Contains(log.String(), c.warns) || c.warns == "" && log.Len() > 0 {
				t.Errorf("%v, %v\n%s", hook, err, log.String())
			}
			if strings.Contains(said+log.String(), secret) {
				t.Errorf("the address is shown: %s\n%s", said, log.String())
			}
		})
	}
}
