// What a call of the account's server comes to.

package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/agent"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
)

// answers are what a server may say to an order, and what the runner is to make of it: filled, refused, or a fault.
var answers = []struct {
	name, text string
	isError    bool
	want       string
}{
	{"a fill", `{"status":"filled","replayed":false,"id":1,"date":"2025-01-02"}`, false, "filled"},
	{"a fill of before", `{"status":"filled","replayed":true,"id":1,"date":"2025-01-02"}`, false, "filled"},
	{"a fill of another day", `{"status":"filled","replayed":true,"id":1,"date":"2025-01-01"}`, false, "filled on 2025-01-01"},
	{"a refusal", `{"error":"Too dear.","code":"insufficient_cash","class":"refusal"}`, true, "insufficient_cash"},
	{"a refusal of a server that does not say the class", `{"error":"Too dear.","code":"insufficient_cash"}`, true, "insufficient_cash"},
	{"a refusal that is an ordinary result", `{"error":"Too dear.","code":"insufficient_cash","class":"refusal"}`, false, "insufficient_cash"},
	{"a mistake of who decided", `{"error":"Half a share.","code":"invalid_argument","class":"caller"}`, true, "invalid_argument"},
	{"an order id of another order", `{"error":"That is another order.","code":"order_id_reused","class":"caller"}`, true, "That is another order."},
	{"a fault", `{"error":"Gone.","code":"ledger_unreachable","class":"fault"}`, true, "Gone."},
	{"a lease that was lost", `{"error":"Overtaken.","code":"lease_lost","class":"fault"}`, true, "Overtaken."},
	{"a session that is wrong", `{"error":"What day is this?","code":"session_invalid","class":"fault"}`, true, "What day is this?"},
	{"a code that nobody knows", `{"error":"No sun today.","code":"eclipse","class":"refusal"}`, true, "No sun today."},
	{"a failure without a code", `{"error":"It failed."}`, true, "It failed."},
	{"a failure in words", `internal error`, true, "internal error"},
	{"nothing", ``, true, "cannot be understood"},
	{"a success without a status", `{"id":1}`, false, `{"id":1}`},
	{"a success in words", `bought "status":"filled"`, false, "bought"},
}

// tell replaces the tool buy by one that answers as told.
func (r *room) tell(text string, isError bool) {
	buy := mcp.NewTool("buy", mcp.WithString("symbol"), mcp.WithString("order_id"))
	r.shop.AddTool(buy, func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{mcp.NewTextContent(text)}, IsError: isError}, nil
	})
}

// An order is skipped only where its refusal is known for what it is; nothing is written down of any other.
func TestBroker_Order(t *testing.T) {
	for _, a := range answers {
		t.Run(a.name, func(t *testing.T) {
			r := newRoom(t, t.TempDir())
			r.tell(a.text, a.isError)
			d := &broker{run: r.accountRun, day: agent.Day{Date: r.days[0]}, filled: map[string]bool{}}
			filled, err := d.Order(t.Context(), ledger.Buy, "SYN01", decimal.NewFromInt(1))
			got := "filled"
			switch why, refused := r.checkpoint.Refused["2025-01-02#1"]; {
			case err != nil:
				got = err.Error()
			case refused:
				got = string(why)
			}
			if !strings.Contains(got, a.want) || filled != (a.want == "filled") {
				t.Errorf("it came to %s, filled: %v", got, filled)
			}
			_, noFile := os.Stat(filepath.Join(r.logPath, "alice", "run.json"))
			if refused := len(r.checkpoint.Refused) > 0; err != nil && refused || (noFile == nil) != refused {
				t.Errorf("%v with the checkpoint %v and the file %v", err, r.checkpoint, noFile)
			}
		})
	}
}

func TestBroker_Call_OfAModel(t *testing.T) {
	for _, a := range answers {
		t.Run(a.name, func(t *testing.T) {
			r := newRoom(t, t.TempDir()).with(t, turns(modeltest.Do(modeltest.Order("buy", "SYN01", 1)), modeltest.Say("<FINISH_SIGNAL>")))
			r.tell(a.text, a.isError)
			got := "no result"
			err := r.tradeDay(t.Context(), 0)
			if err != nil {
				got = err.Error()
			}
			for _, e := range r.transcript(t, 0) {
				switch o := e.Result; {
				case o == nil:
				case err != nil:
					t.Errorf("the transcript has a result: %+v", o)
				case o.Filled:
					got = "filled"
				case o.Failed:
					got = string(o.Code)
				}
			}
			if !strings.Contains(got, a.want) {
				t.Errorf("it came to %s", got)
			}
			if refused := r.checkpoint.Before + len(r.checkpoint.Refused); (refused > 0) != (err == nil && got != "filled") {
				t.Errorf("%d orders are refused", refused)
			}
		})
	}
}

func TestFirstTime(t *testing.T) {
	const noted = `{"status":"filled","order_id":"\"replayed\":true", "inner":{"replayed":true}, "replayed" : %s ,"price":1.50,"note":"\u00e9"}`
	for text, want := range map[string]string{
		fmt.Sprintf(noted, "true"):  fmt.Sprintf(noted, "false"),
		fmt.Sprintf(noted, "false"): fmt.Sprintf(noted, "false"),
		`{"status":"filled"}`:       `{"status":"filled"}`,
		`"replayed":true`:           `"replayed":true`,
		`{"replayed":true`:          `{"replayed":false`,
		`[{"replayed":true}]`:       `[{"replayed":true}]`,
		``:                          ``,
	} {
		if got := firstTime(text); got != want {
			t.Errorf("%s\nbecame %s\nwant   %s", text, got, want)
		}
	}
}
