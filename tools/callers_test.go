package tools

// Tests of several callers of one server: each has its own session, account and orders.

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/rs/zerolog"

	"mcp-trade/code"
	"mcp-trade/serve"
	"mcp-trade/session"
)

// newCaller opens an account and returns a caller whose session names it.
func (f *fixture) newCaller(t *testing.T, model, account, cash, today string) *session.Caller {
	t.Helper()
	l, err := session.New(session.Config{
		Model: model, Local: f.store, Env: func(string) (string, bool) { return "", false }, Warn: func(text string) { t.Log(text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Set(t.Context(), map[string]any{session.Signature: account, session.TodayDate: today}); err != nil {
		t.Fatal(err)
	}
	f.register(t, account, cash)
	return &session.Caller{Session: l}
}

// rounds are requests that show whatever a caller can see, and orders with ids that another caller uses too.
func rounds(account, other string) (lines []string) {
	for i := range 20 {
		lines = append(lines,
			callLine(fmt.Sprint("buy ", i), "buy", fmt.Sprintf(`{"symbol":"NVDA","amount":1,"order_id":"o-%d"}`, i)),
			callLine(fmt.Sprint("again ", i), "buy", fmt.Sprintf(`{"symbol":"NVDA","amount":1,"order_id":"o-%d"}`, i)),
			callLine(fmt.Sprint("session ", i), "get_session", `{}`),
			callLine(fmt.Sprint("portfolio ", i), "get_portfolio", `{}`),
			callLine(fmt.Sprint("trades ", i), "get_trades", `{"limit":50}`),
			callLine(fmt.Sprint("price ", i), "get_price", `{"symbol":"NVDA"}`),
			requestLine(fmt.Sprintf(`"own %d"`, i), "resources/read", fmt.Sprintf(`{"uri":"ledger://%s/latest"}`, account)),
			requestLine(fmt.Sprintf(`"other's %d"`, i), "resources/read", fmt.Sprintf(`{"uri":"ledger://%s/latest"}`, other)),
			requestLine(fmt.Sprintf(`"report %d"`, i), "resources/read", fmt.Sprintf(`{"uri":"report://%s"}`, account)),
			requestLine(fmt.Sprintf(`"briefing %d"`, i), "prompts/get", `{"name":"trading-day"}`),
			requestLine(fmt.Sprintf(`"list %d"`, i), "resources/list", `{}`),
			requestLine(fmt.Sprintf(`"day %d"`, i), "resources/read", fmt.Sprintf(`{"uri":"briefing://%s"}`, account)),
			callLine(fmt.Sprint("sell ", i), "sell", fmt.Sprintf(`{"symbol":"NVDA","amount":%d}`, i%3)),
		)
	}
	return lines
}

// ask says one line after the other to a server and returns what it answers to each.
func ask(t *testing.T, s *serve.Server, c *session.Caller, lines []string) (answers []string) {
	in, input := io.Pipe()
	output, out := io.Pipe()
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := s.Stdio(session.WithCaller(t.Context(), c), in, out); err != nil {
			t.Error(err)
		}
		_ = out.Close()
	})
	r := bufio.NewReader(output)
	for _, line := range lines {
		_, _ = io.WriteString(input, line)
		answer, err := r.ReadString('\n')
		if err != nil {
			t.Errorf("%s: %v", line, err)
			break
		}
		answers = append(answers, answer)
	}
	_ = input.Close()
	wait.Wait()
	return answers
}

// Each of two callers is answered, at the same time as the other, byte for byte what it is answered alone.
func TestServer_TwoCallersAtOnce(t *testing.T) {
	world := func() (f *fixture, s *serve.Server, a, b *session.Caller) {
		f = newFixture(t, testBars)
		return f, serve.New(f.server, f.Log), f.newCaller(t, "model-a", "alice", "5000", "2025-10-02"), f.newCaller(t, "model-b", "bob", "900", "2025-10-03")
	}
	ofA, ofB := rounds("alice", "bob"), rounds("bob", "alice")
	_, s, a, b := world()
	wantA, wantB := ask(t, s, a, ofA), ask(t, s, b, ofB)

	f, s, a, b := world()
	var gotA, gotB []string
	var wait sync.WaitGroup
	wait.Go(func() { gotA = ask(t, s, a, ofA) })
	wait.Go(func() { gotB = ask(t, s, b, ofB) })
	wait.Wait()
	for name, c := range map[string]struct{ lines, got, want []string }{"a": {ofA, gotA, wantA}, "b": {ofB, gotB, wantB}} {
		if len(c.got) != len(c.lines) || len(c.want) != len(c.lines) {
			t.Fatalf("caller %s got %d and %d answers to %d requests", name, len(c.got), len(c.want), len(c.lines))
		}
		for i := range c.lines {
			if c.got[i] != c.want[i] {
				t.Errorf("caller %s asked %s\nand beside the other is answered %.500s\nalone %.500s", name, c.lines[i], c.got[i], c.want[i])
			}
		}
	}
	all := strings.Join(gotA, "")
	if !strings.Contains(all, `"replayed":true`) || !strings.Contains(all, "Only the account of the session can be read") || strings.Contains(all, "bob") {
		t.Errorf("the first caller was answered\n%.2000s", all)
	}
	if f.rows(t, "gpt-5") != 1 {
		t.Error("an account of no caller was traded in")
	}
}

// An order of one account waits for those of the same account alone.
func TestServer_LanesOfTwoCallers(t *testing.T) {
	f := newFixture(t, testBars)
	a, b := f.newCaller(t, "model-a", "alice", "5000", "2025-10-02"), f.newCaller(t, "model-b", "bob", "900", "2025-10-02")
	began, release := make(chan struct{}), make(chan struct{})
	f.server.mcp.AddTool(mcp.NewTool("hold_order"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		began <- struct{}{}
		<-release
		return mcp.NewToolResultText("held"), nil
	})
	f.server.orderTools["hold_order"] = true
	s := serve.New(f.server, f.Log)
	var wait sync.WaitGroup
	var ofA []string
	wait.Go(func() { ofA = ask(t, s, a, []string{callLine(1, "hold_order", `{}`)}) })
	<-began
	var again []string
	wait.Go(func() { again = ask(t, s, a, []string{callLine(2, "buy", buyOne)}) }) // of another connection
	if ofB := ask(t, s, b, []string{callLine(1, "buy", buyOne)}); len(ofB) != 1 || !strings.Contains(ofB[0], `"status":"filled"`) {
		t.Errorf("the order of another account: %s", ofB)
	}
	if n := f.rows(t, "alice"); n != 1 {
		t.Errorf("an order came before one of the same account that is under way: %d rows", n)
	}
	close(release)
	wait.Wait()
	if len(ofA) != 1 || len(again) != 1 || !strings.Contains(again[0], `"status":"filled"`) || f.rows(t, "alice") != 2 {
		t.Errorf("%s, %s, and %d rows", ofA, again, f.rows(t, "alice"))
	}
}

// A caller keeps to its account.
func TestServer_AccountOfACaller(t *testing.T) {
	f := newFixture(t, testBars)
	f.register(t, "o3", "700")
	f.caller.Account = "gpt-5"
	if _, failed := f.call(t, "buy", buyOne); failed {
		t.Fatal("the caller's own account is refused")
	}
	f.set(t, session.Signature, "o3")
	for tool, arguments := range map[string]string{"buy": buyOne, "sell": buyOne, "get_portfolio": `{}`, "get_trades": `{}`, "get_session": `{}`, "get_price": `{"symbol":"NVDA"}`} {
		text, failed := f.call(t, tool, arguments)
		if !failed || !strings.Contains(text, string(code.SessionUnreachable)) || strings.Contains(text, "o3") || strings.Contains(text, "700") {
			t.Errorf("%s in the session of another account: %s", tool, text)
		}
	}
	if f.rows(t, "o3") != 1 || f.rows(t, "gpt-5") != 2 {
		t.Errorf("%d and %d rows", f.rows(t, "o3"), f.rows(t, "gpt-5"))
	}
}

// A call without a caller fails.
func TestServer_WithoutACaller(t *testing.T) {
	f := newFixture(t, testBars)
	var out strings.Builder
	in := callLine(1, "buy", buyOne) + callLine(2, "get_session", `{}`) + requestLine(3, "resources/read", `{"uri":"ledger://gpt-5/latest"}`) + requestLine(4, "prompts/get", `{"name":"trading-day"}`)
	if err := serve.New(f.server, zerolog.Nop()).Stdio(t.Context(), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	got := messages(t, []byte(out.String()))
	for _, m := range got {
		if m.Error == nil || m.Error.Message != ourFault {
			t.Errorf("%s is answered %s, %+v", m.ID, m.Result, m.Error)
		}
	}
	if len(got) != 4 || f.rows(t, "gpt-5") != 1 {
		t.Errorf("%d answers, %d rows", len(got), f.rows(t, "gpt-5"))
	}
}
