// Tests of how errors are printed.

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"mcp-trade/market"
	"mcp-trade/session"
)

func TestPrintError(t *testing.T) {
	missing := &session.MissingError{Name: session.Signature, Model: "m"}
	for _, c := range []struct {
		err  error
		exit int
		text string
		want map[string]any // beside the sentence
	}{
		{errors.New("a\nb \u202e\x1b[2J"), exitFailed, "mcp-trade: a\n  b \u202e\x1b[2J\n", map[string]any{}},
		{usageError{errors.New("wrong")}, exitUsage, "mcp-trade: wrong\nSee 'mcp-trade run --help'.\n", map[string]any{"code": "invalid_argument", "class": "caller"}},
		{&market.AdjustedError{Adjusted: market.Adjusted{File: "F", Certain: true, Why: "so"}}, exitFailed,
			"mcp-trade: F holds adjusted prices, which know of later splits or dividends: so; take the raw prices, or --adjusted warn\n", map[string]any{}},
		{fmt.Errorf("x: %w", missing), exitFailed, "mcp-trade: x: " + advised(missing) + "\n", map[string]any{"code": "session_missing", "class": "fault", "missing": "SIGNATURE", "model_id": "m"}},
		{&market.UnknownSymbolError{Symbol: "NVDAA", DidYouMean: []string{"NVDA"}}, exitFailed, "", map[string]any{"code": "unknown_symbol", "class": "refusal", "symbol": "NVDAA", "did_you_mean": []any{"NVDA"}}},
	} {
		var text, line bytes.Buffer
		printError(&text, c.err, c.exit, false, "mcp-trade run")
		if c.text != "" && text.String() != c.text {
			t.Errorf("%q, want %q", text.String(), c.text)
		}
		printError(&line, c.err, c.exit, true, "mcp-trade run")
		var got map[string]any
		if err := json.Unmarshal(line.Bytes(), &got); err != nil || strings.Count(line.String(), "\n") != 1 || strings.ContainsAny(line.String(), "\u202e\x1b") {
			t.Errorf("%v: %q", err, line.String())
		}
		c.want["error"] = advised(c.err)
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
}
