// Bad input, bad files, bad networks: each gets one sentence with a code, nothing is lost, and the next call is served.

package integration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
)

func TestBadArgumentsAreRefusedWithTheirCodeAndTheServerGoesOn(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, tool, arguments, code string
	}{
		{"a negative amount", "buy", `{"symbol":"AAPL","amount":-1}`, "invalid_argument"},
		{"nothing", "buy", `{"symbol":"AAPL","amount":0}`, "invalid_argument"},
		{"minus nothing", "sell", `{"symbol":"AAPL","amount":-0.0}`, "invalid_argument"},
		{"half a share too many", "buy", `{"symbol":"AAPL","amount":1.5}`, "invalid_argument"},
		{"a negative number in a string", "sell", `{"symbol":"AAPL","amount":"-5000"}`, "invalid_argument"},
		{"not a number", "buy", `{"symbol":"AAPL","amount":"NaN"}`, "invalid_argument"},
		{"infinity", "buy", `{"symbol":"AAPL","amount":"Infinity"}`, "invalid_argument"},
		{"a number beyond all numbers in a string", "buy", `{"symbol":"AAPL","amount":"1e999"}`, "invalid_argument"},
		{"a number beyond all numbers", "buy", `{"symbol":"AAPL","amount":1e999}`, "invalid_argument"},
		{"a number beyond all companies", "buy", `{"symbol":"AAPL","amount":1e20}`, "invalid_argument"},
		{"a word", "buy", `{"symbol":"AAPL","amount":"ten"}`, "invalid_argument"},
		{"a flag", "buy", `{"symbol":"AAPL","amount":true}`, "invalid_argument"},
		{"no amount", "buy", `{"symbol":"AAPL"}`, "invalid_argument"},
		{"no symbol", "buy", `{"symbol":null,"amount":1}`, "invalid_argument"},
		{"a list of symbols", "buy", `{"symbol":["AAPL"],"amount":1}`, "invalid_argument"},
		{"an unknown argument", "buy", `{"symbol":"AAPL","amount":1,"signature":"bob"}`, "invalid_argument"},
		{"arguments that are a list", "buy", `[1]`, "invalid_argument"},
		{"an unknown symbol", "buy", `{"symbol":"AAPK","amount":1}`, "unknown_symbol"},
		{"a symbol that is a path", "get_price", `{"symbol":"../../etc/passwd"}`, "unknown_symbol"},
		{"a symbol of another market", "buy", `{"symbol":"600519.SH","amount":100}`, "invalid_argument"},
		{"more than the cash", "buy", `{"symbol":"AAPL","amount":10}`, "insufficient_cash"},
		{"more than is held", "sell", `{"symbol":"MSFT","amount":1}`, "insufficient_position"},
		{"a date after today", "get_price", `{"symbol":"AAPL","date":"2025-10-03"}`, "not_yet"},
		{"a history after today", "get_price_history", `{"symbol":"AAPL","start":"2025-10-03"}`, "not_yet"},
		{"no date", "get_price", `{"symbol":"AAPL","date":"yesterday"}`, "invalid_argument"},
		{"a day without a bar", "get_price", `{"symbol":"AAPL","date":"2025-09-01"}`, "no_price"},
		{"a limit beyond the limit", "get_trades", `{"limit":100000}`, "invalid_argument"},
		{"a cursor from nowhere", "get_trades", `{"cursor":"x"}`, "invalid_argument"},
	}
	p := onFiles(t)
	p.open(t, "alice", "1000", "2025-10-02")
	s := p.pipe(t, "alice")
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s.send(t, callLine(2*i, c.tool, c.arguments), callLine(2*i+1, "get_portfolio", `{}`))
			answers := map[string]message{}
			for range 2 {
				m := s.answer(t)
				answers[string(m.ID)] = m
			}
			r := answers[fmt.Sprint(2*i)].reply(t)
			if sentence := r.str("error"); !r.failed || r.str("code") != c.code || sentence == "" || strings.Contains(sentence, "\n") {
				t.Errorf("want a refusal with the code %s, got %s", c.code, r.text)
			}
			if r := answers[fmt.Sprint(2*i+1)].reply(t); r.failed || r.number(t, "cash").IntPart() != 1000 {
				t.Errorf("the next call: %s", r.text)
			}
		})
	}
	if code := s.finish(t); code != 0 {
		t.Fatalf("exit %d\n%s", code, s.log)
	}
	if n := len(p.records(t, "alice")); n != 1 {
		t.Fatalf("%d records after refusals only", n)
	}
}

func TestRefusalsNameTheWayOut(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "1000", "2025-10-02")
	tr := p.trade(t, "alice")
	if r := tr.refused(t, "unknown_symbol", "buy", args{"symbol": "AAPK", "amount": 1}); !strings.Contains(r.text, `"did_you_mean":["AAPL"]`) {
		t.Errorf("no suggestion: %s", r.text)
	}
	if r := tr.refused(t, "insufficient_cash", "buy", args{"symbol": "AAPL", "amount": 10}); r.number(t, "max_amount").IntPart() != 9 {
		t.Errorf("how many can be bought: %s", r.text)
	}
	if r := tr.refused(t, "invalid_argument", "buy", args{"symbol": "AAPL", "amount": 1, "price": 3}); !strings.Contains(r.str("error"), "symbol, amount, order_id, dry_run, note") {
		t.Errorf("the valid arguments: %s", r.text)
	}
}

func TestWhatIsUnambiguousIsAccepted(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "10000", "2025-10-02")
	s := p.pipe(t, "alice")
	for i, amount := range []string{`10`, `10.0`, `"10"`, `1e1`, `" 10 "`} {
		s.send(t, callLine(i, "buy", `{"symbol":" aapl ","amount":`+amount+`,"order_id":null,"note":null,"dry_run":null}`))
		if r := s.answer(t).reply(t); r.failed || r.str("symbol") != "AAPL" || r.number(t, "amount").IntPart() != 10 {
			t.Errorf("amount %s: %s", amount, r.text)
		}
	}
	if code := s.finish(t); code != 0 {
		t.Fatalf("exit %d", code)
	}
}

func TestLinesThatAreNoRequestsAreAnsweredAndTheServerGoesOn(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "1000", "2025-10-02")
	s := p.pipe(t, "alice")
	for _, c := range []struct {
		line string
		code int
	}{
		{"this is not JSON", -32700},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"buy","arguments":{"symbol":"AAPL","amount":NaN}}}`, -32700},
		{"[]", -32600},
		{`{"jsonrpc":"2.0","id":1,"method":"no/such"}`, -32601},
		{strings.Repeat("x", 5<<20), -32600},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"sell_everything","arguments":{}}}`, -32602},
	} {
		s.send(t, c.line+"\n")
		if m := s.answer(t); m.Error == nil || m.Error.Code != c.code {
			t.Errorf("%.60s is answered with %+v, want the error %d", c.line, m.Error, c.code)
		}
		s.send(t, callLine(2, "get_portfolio", "{}"))
		if r := s.answer(t).reply(t); r.failed {
			t.Errorf("after %.60s: %s", c.line, r.text)
		}
	}
	if code := s.finish(t); code != 0 {
		t.Fatalf("exit %d", code)
	}
}

func TestAnIDThatIsUsedAgainAfterItsAnswerIsANewRequest(t *testing.T) {
	t.Parallel()
	const pairs = 500
	p := onFiles(t)
	p.open(t, "alice", "100000", "2025-10-02")
	s := p.pipe(t, "alice")
	for i := range pairs {
		s.send(t, orderLine(1, "buy", "MSFT", 1, ""), orderLine(2, "sell", "MSFT", 1, ""))
		for range 2 {
			if r := s.answer(t).reply(t); r.failed {
				t.Fatalf("pair %d: %s", i, r.text)
			}
		}
	}
	if code := s.finish(t); code != 0 {
		t.Fatalf("exit %d", code)
	}
}

func TestASignatureThatIsAPathReachesNoFile(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	tr := p.trade(t, "m1", "SIGNATURE=../../etc", "TODAY_DATE=2025-10-02")
	for _, tool := range []string{"get_portfolio", "get_session"} {
		if r := tr.refused(t, "session_invalid", tool, nil); !strings.Contains(r.str("error"), "SIGNATURE") {
			t.Errorf("%s does not say what is wrong: %s", tool, r.text)
		}
	}
	tr.refused(t, "session_invalid", "buy", args{"symbol": "AAPL", "amount": 1})
	p.open(t, "m1", "1000", "2025-10-02") // the session counts before the environment
	tr.filled(t, "buy", "AAPL", 1)
	for _, bad := range [][]string{
		{"ledger", "register", "../x", "--date", "2025-10-01"}, {"session", "set", "SIGNATURE=.hidden"},
		{"session", "list", "--model-id", "a/b"}, {"ledger", "show", ".."},
	} {
		if out := p.try(t, bad...); out.code == 0 || !strings.Contains(out.stderr, "not valid") {
			t.Errorf("mcp-trade %v: exit %d %s", bad, out.code, out.stderr)
		}
	}
}

func TestATornTailIsCutBackAndNothingElseIsLost(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "1000", "2025-10-02")
	p.trade(t, "alice").filled(t, "buy", "MSFT", 1)
	whole, err := os.ReadFile(p.ledgerFile("alice"))
	if err != nil {
		t.Fatal(err)
	}
	torn := append(slices.Clone(whole), `{"date": "2025-10-02", "id": 2, "this_ac`...)
	if err := os.WriteFile(p.ledgerFile("alice"), torn, 0o644); err != nil {
		t.Fatal(err)
	}
	tr := p.trade(t, "alice")
	if r := tr.filled(t, "buy", "MSFT", 1); r.number(t, "id").IntPart() != 2 {
		t.Fatalf("the trade after a torn one: %s", r.text)
	}
	tr.told(t, "cut back", 1)
	p.verified(t, "alice")
	if text, _ := os.ReadFile(p.ledgerFile("alice")); !strings.HasPrefix(string(text), string(whole)) {
		t.Error("what was whole is not what it was")
	}
}

func TestATruncatedPriceFileServesWhatIsWhole(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	cut := plainMarket()
	p.prices = filepath.Join(p.dir, "cut.jsonl")
	if err := os.WriteFile(p.prices, []byte(cut[:len(cut)-100]), 0o644); err != nil {
		t.Fatal(err)
	}
	p.open(t, "alice", "1000", "2025-10-02")
	tr := p.trade(t, "alice")
	// Since when a symbol exists stands in the part that may be lost, so as of any day it does not.
	tr.refused(t, "unknown_symbol", "buy", args{"symbol": "MSFT", "amount": 1})
	tr.filled(t, "buy", "AAPL", 1)
	tr.told(t, p.prices, 1)
	if out := p.try(t, "prices", "info"); !strings.Contains(out.stdout+out.stderr, "cut.jsonl:2") {
		t.Errorf("the damaged line is not named:\n%s%s", out.stdout, out.stderr)
	}
}

func TestAPriceFileThatIsTruncatedUnderneathTheServerEndsNothing(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.prices = filepath.Join(p.dir, "shrinking.jsonl")
	if err := os.WriteFile(p.prices, []byte(plainMarket()), 0o644); err != nil {
		t.Fatal(err)
	}
	p.open(t, "alice", "1000", "2025-10-02")
	tr := p.trade(t, "alice")
	tr.filled(t, "buy", "AAPL", 1) // its series is read by now, that of MSFT is not
	if err := os.Truncate(p.prices, 10); err != nil {
		t.Fatal(err)
	}
	if r := tr.call(t, "buy", args{"symbol": "MSFT", "amount": 1}); !r.failed || r.str("code") != "prices_changed" {
		t.Fatalf("a file that is cut off: %s", r.text)
	}
	if err := os.WriteFile(p.prices, []byte(plainMarket()), 0o644); err != nil {
		t.Fatal(err)
	}
	tr.filled(t, "buy", "MSFT", 1)
	p.prices = plain
	p.verified(t, "alice")
}

func TestAMissingPriceFileIsToldAtTheStart(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "1000", "2025-10-02")
	p.prices = filepath.Join(p.dir, "nowhere.jsonl")
	for _, command := range []string{"stdio", "prices info"} {
		out := p.try(t, strings.Fields(command)...)
		if out.code != 1 || out.stdout != "" || !strings.Contains(out.stderr, "nowhere.jsonl") || strings.Count(out.stderr, "\n") != 1 {
			t.Errorf("%s: exit %d\n%s%s", command, out.code, out.stdout, out.stderr)
		}
	}
	p.prices = ""
	tr := p.trade(t, "alice") // without any price file asked for, the server serves what needs none
	tr.refused(t, "prices_unconfigured", "buy", args{"symbol": "AAPL", "amount": 1})
	if r := tr.call(t, "get_session", nil); r.failed {
		t.Errorf("get_session: %s", r.text)
	}
}

func TestARedisThatLosesTheScriptIsSentItAgain(t *testing.T) {
	t.Parallel()
	p := onRedis(t)
	p.open(t, "alice", "1000", "2025-10-02")
	tr := p.trade(t, "alice")
	for range 3 {
		tr.filled(t, "buy", "MSFT", 1)
		redisDo(t, p.redisURL, "SCRIPT", "FLUSH")
	}
	p.verified(t, "alice")
}

func TestALostAnswerOfRedisExecutesNothingTwice(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	proxy := testenv.StartProxy(t, testenv.StartRedis(t))
	p.redisURL = "redis://" + proxy.Addr()
	p.open(t, "alice", "1000", "2025-10-02")
	tr := p.trade(t, "alice")
	for range 3 {
		tr.filled(t, "buy", "MSFT", 1)
		proxy.DropReply("EVALSHA", nil)
	}
	if proxy.Drops() != 2 {
		t.Fatalf("%d answers were lost on the way, want 2", proxy.Drops())
	}
	if n := len(p.records(t, "alice")); n != 4 {
		t.Fatalf("%d records, want 4", n)
	}
	p.verified(t, "alice")
}

func TestARedisThatNeverAnsweredIsToldAtOnceByEveryCommand(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.redisURL = "redis://127.0.0.1:" + testenv.FreePort(t)
	for _, command := range []string{"ledger show alice", "ledger register alice --date 2025-10-01", "ledger verify alice", "session set HALT=true"} {
		out := p.try(t, strings.Fields(command)...)
		if out.code != 1 || !strings.Contains(out.stderr, "redis") || out.stdout != "" {
			t.Errorf("%s: exit %d\n%s%s", command, out.code, out.stdout, out.stderr)
		}
	}
	var findings []struct{ What, State string }
	out := p.try(t, "doctor", "--json")
	if err := json.Unmarshal([]byte(out.stdout), &findings); err != nil || out.code != 1 {
		t.Fatalf("doctor: exit %d %v\n%s", out.code, err, out.stdout)
	}
	if !slices.Contains(findings, struct{ What, State string }{"redis", "failed"}) {
		t.Errorf("doctor does not find it: %+v", findings)
	}
}

func TestAHaltStopsTradingFromTheNextOrderOn(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		p.open(t, "alice", "1000", "2025-10-02")
		tr := p.trade(t, "alice")
		for _, model := range []string{"alice", "*"} {
			tr.filled(t, "buy", "MSFT", 1)
			p.do(t, "session", "set", "HALT=true", "--model-id", model)
			tr.refused(t, "halted", "buy", args{"symbol": "MSFT", "amount": 1})
			p.do(t, "session", "clear", "HALT", "--model-id", model)
		}
		tr.filled(t, "buy", "MSFT", 1)
		p.verified(t, "alice")
	})
}
