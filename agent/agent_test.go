// A decider as somebody outside would write it.

package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"mcp-trade/agent"
	"mcp-trade/agent/transcript"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
)

// newsReader buys what the news is good about. This is all that a decider takes.
var newsReader agent.DeciderFunc = func(ctx context.Context, d *agent.Day) error {
	news, err := d.Call(ctx, "get_information", map[string]json.RawMessage{"query": json.RawMessage(`"AAPL earnings"`)})
	if err != nil {
		return err
	}
	if news.Failed {
		return fmt.Errorf("the news cannot be read: %s", news.Text)
	}
	if !strings.Contains(news.Text, "beats expectations") {
		return nil
	}
	_, err = d.Order(ctx, ledger.Buy, "AAPL", decimal.NewFromInt(10))
	return err
}

// paper is a broker of paper: it answers calls as told, and notes what it is asked for.
type paper struct {
	answer agent.Answer
	asked  []string
}

func (p *paper) Order(_ context.Context, action ledger.Action, symbol string, amount decimal.Decimal) (bool, error) {
	p.asked = append(p.asked, fmt.Sprint(action, " ", amount, " ", symbol))
	return true, nil
}

func (p *paper) Call(_ context.Context, tool string, arguments map[string]json.RawMessage) (agent.Answer, error) {
	p.asked = append(p.asked, fmt.Sprintf("%s %s", tool, arguments["query"]))
	return p.answer, nil
}

func (p *paper) Journal() (*transcript.Journal, error)                { panic("it keeps none") }
func (p *paper) Spent() transcript.Spending                           { return transcript.Spending{} }
func (p *paper) Step(agent.Step)                                      {}
func (p *paper) Skip()                                                {}
func (p *paper) Caveat(string)                                        {}
func (p *paper) Trades(context.Context, int) ([]ledger.Record, error) { return nil, nil }
func (p *paper) Standing(context.Context) (agent.Standing, error) {
	return agent.Standing{}, nil
}

func TestDeciderFunc(t *testing.T) {
	for _, c := range []struct {
		answer agent.Answer
		want   string
	}{
		{agent.Answer{Text: "Apple beats expectations"}, `get_information "AAPL earnings", buy 10 AAPL`},
		{agent.Answer{Text: "Apple as expected"}, `get_information "AAPL earnings"`},
		{agent.Answer{Text: "no source", Failed: true}, `get_information "AAPL earnings", the news cannot be read: no source`},
	} {
		trader, err := newsReader.Open(t.Context(), "alice", nil)
		if err != nil {
			t.Fatal(err)
		}
		p := &paper{answer: c.answer}
		if err := trader.Decide(t.Context(), &agent.Day{Account: "alice", Date: "2025-01-02", Broker: p}); err != nil {
			p.asked = append(p.asked, err.Error())
		}
		if got := strings.Join(p.asked, ", "); got != c.want {
			t.Errorf("after %q: %s, want %s", c.answer.Text, got, c.want)
		}
		if err := trader.Close(); err != nil {
			t.Error(err)
		}
	}
}
