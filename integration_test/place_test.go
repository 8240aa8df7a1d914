// A place to trade: a data dir, perhaps a Redis, the settings that name them, and the ways to reach the binary there.

package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/redis/go-redis/v9"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/redisstore"
)

// patience is how long a test waits for what must come before it calls it missing. It measures nothing.
const patience = 60 * time.Second

type place struct {
	dir      string // the data dir
	redisURL string // "" without Redis
	prices   string
	env      []string // beside those that the fields above stand for
	program  string   // the path of the program that acts here; "" for the one that was built
}

func (p *place) path() string {
	if p.program != "" {
		return p.program
	}
	return binary
}

// onFiles is a place without Redis.
func onFiles(t testing.TB) *place { return &place{dir: t.TempDir(), prices: plain} }

// onRedis is a place whose sessions and ledgers are in a Redis of its own.
func onRedis(t testing.TB) *place {
	p := onFiles(t)
	p.redisURL = "redis://" + testenv.StartRedis(t)
	return p
}

// onBothStores runs a test in both kinds of place.
func onBothStores(t *testing.T, test func(t *testing.T, p *place)) {
	t.Run("file", func(t *testing.T) { test(t, onFiles(t)) })
	t.Run("redis", func(t *testing.T) { test(t, onRedis(t)) })
}

func (p *place) environment() []string {
	return append([]string{"MCP_TRADE_DATA_DIR=" + p.dir, "MCP_TRADE_PRICES=" + p.prices, "REDIS_URL=" + p.redisURL}, p.env...)
}

func (p *place) command(args ...string) *exec.Cmd {
	cmd := exec.Command(p.path(), args...)
	cmd.Env = append(os.Environ(), p.environment()...)
	cmd.Dir = p.dir
	return cmd
}

// output is what became of a command.
type output struct {
	stdout, stderr string
	code           int
}

// try runs a command to its end.
func (p *place) try(t testing.TB, args ...string) output {
	t.Helper()
	return runToEnd(t, p.command(args...))
}

func runToEnd(t testing.TB, cmd *exec.Cmd) output {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// do runs a command that must succeed.
func (p *place) do(t testing.TB, args ...string) string {
	t.Helper()
	out := p.try(t, args...)
	if out.code != 0 {
		t.Fatalf("mcp-trade %s: exit %d\n%s%s", strings.Join(args, " "), out.code, out.stdout, out.stderr)
	}
	return out.stdout
}

// open registers an account and sets the session of a model of the same name to it.
func (p *place) open(t testing.TB, account, cash, date string) {
	t.Helper()
	p.do(t, "ledger", "register", account, "--cash", cash, "--date", date)
	p.setDate(t, account, date)
}

func (p *place) setDate(t testing.TB, account, date string) {
	t.Helper()
	p.do(t, "session", "set", "SIGNATURE="+account, "TODAY_DATE="+date, "--model-id", account)
}

// ledgerFile is where a ledger in files is.
func (p *place) ledgerFile(account string) string {
	return filepath.Join(p.dir, "agent_data", account, "position", "position.jsonl")
}

func (p *place) sessionFile(model string) string {
	return filepath.Join(p.dir, ".runtime_env_"+model+".json")
}

// records reads a ledger as the binary exports it.
func (p *place) records(t testing.TB, account string) []ledger.Record {
	t.Helper()
	return parseLedger(t, p.do(t, "ledger", "export", account))
}

func parseLedger(t testing.TB, text string) []ledger.Record {
	t.Helper()
	var records []ledger.Record
	for line := range strings.Lines(text) {
		r, err := ledger.ParseLine([]byte(line))
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		records = append(records, r)
	}
	return records
}

// verified fails the test unless the account is verified, and all rows but the first are chained.
func (p *place) verified(t testing.TB, account string) {
	t.Helper()
	var reports []struct {
		Rows, Chained int
		Verdict       ledger.Verdict
	}
	out := p.try(t, "ledger", "verify", account, "--json")
	if err := json.Unmarshal([]byte(out.stdout), &reports); err != nil || len(reports) != 1 || out.code != 0 {
		t.Fatalf("verify %s: exit %d\n%s%s", account, out.code, out.stdout, out.stderr)
	}
	if r := reports[0]; r.Chained != r.Rows-1 || r.Verdict != ledger.Verified {
		t.Fatalf("verify %s: %+v", account, r)
	}
}

// accounts opens the place's ledgers in this process, for what only the runner does.
func (p *place) accounts(t testing.TB) *ledger.Accounts {
	t.Helper()
	return ledger.NewAccounts(p.store(t))
}

// store opens the place's store in this process.
func (p *place) store(t testing.TB) store.Store {
	t.Helper()
	warn := func(text string) { t.Log(text) }
	if p.redisURL == "" {
		s := filestore.New(p.dir, filepath.Join(p.dir, "agent_data"), filestore.WithWarnings(warn))
		t.Cleanup(func() { s.Close() })
		return s
	}
	o, err := redisstore.Options(p.redisURL)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	s := redisstore.New(redisstore.Config{Options: o, Warn: warn, NewToken: func() string { n++; return fmt.Sprintf("test-%d-%d", time.Now().UnixNano(), n) }})
	t.Cleanup(func() { s.Close() })
	return s
}

// trader is an MCP client on a server of its own.
type trader struct {
	*client.Client
	log *syncBuffer // the server's stderr
}

// trade starts the server of a model, as an agent does, and shakes hands with it.
func (p *place) trade(t testing.TB, model string, env ...string) *trader {
	t.Helper()
	return connect(t, p.path(), []string{"stdio"}, append(append(p.environment(), "CURRENT_MODEL_ID="+model), env...))
}

func connect(t testing.TB, path string, args, env []string) *trader {
	t.Helper()
	log := &syncBuffer{}
	tr := &trader{client.NewClient(transport.NewStdioWithOptions(path, env, args, transport.WithCommandStderrWriter(log))), log}
	if err := tr.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	var hello mcp.InitializeRequest
	hello.Params.ProtocolVersion = mcp.LATEST_PROTOCOL_VERSION
	hello.Params.ClientInfo = mcp.Implementation{Name: "integration_test", Version: "1"}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := tr.Initialize(ctx, hello); err != nil {
		t.Fatalf("initialize: %v\n%s", err, log)
	}
	return tr
}

// reply is the answer of a tool.
type reply struct {
	failed bool
	fields map[string]any // numbers are json.Number
	text   string
}

func (r reply) str(name string) string { s, _ := r.fields[name].(string); return s }

func (r reply) number(t testing.TB, name string) decimal.Decimal {
	t.Helper()
	d, err := decimal.NewFromString(fmt.Sprint(r.fields[name]))
	if err != nil {
		t.Fatalf("%s is no number in %s", name, r.text)
	}
	return d
}

type args map[string]any

// told waits until the server's log, which comes by a pipe of its own, says something so many times.
func (tr *trader) told(t testing.TB, words string, times int) {
	t.Helper()
	testenv.Eventually(t, "the log", func() error {
		if n := strings.Count(tr.log.String(), words); n != times {
			return fmt.Errorf("it says %q %d times, not %d:\n%s", words, n, times, tr.log)
		}
		return nil
	})
}

// call calls a tool. A call that gets no answer at all fails the test.
func (tr *trader) call(t testing.TB, tool string, arguments args) reply {
	t.Helper()
	r, err := tr.tryCall(tool, arguments)
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", tool, arguments, err, tr.log)
	}
	return r
}

// tryCall is call for goroutines beside the test's.
func (tr *trader) tryCall(tool string, arguments args) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var req mcp.CallToolRequest
	req.Params.Name = tool
	req.Params.Arguments = map[string]any(arguments)
	result, err := tr.CallTool(ctx, req)
	if err != nil {
		return reply{}, err
	}
	if len(result.Content) != 1 {
		return reply{}, fmt.Errorf("%d contents", len(result.Content))
	}
	text, ok := result.Content[0].(mcp.TextContent)
	if !ok {
		return reply{}, fmt.Errorf("content %T", result.Content[0])
	}
	return newReply(result.IsError, text.Text)
}

func newReply(failed bool, text string) (reply, error) {
	r := reply{failed: failed, text: text}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&r.fields); err != nil {
		return r, fmt.Errorf("the answer is not JSON: %q", text)
	}
	return r, nil
}

// filled calls buy or sell and fails the test unless the order was filled.
func (tr *trader) filled(t testing.TB, tool, symbol string, amount any) reply {
	t.Helper()
	r := tr.call(t, tool, args{"symbol": symbol, "amount": amount})
	if r.failed || r.str("status") != "filled" {
		t.Fatalf("%s %v %s: %s", tool, amount, symbol, r.text)
	}
	return r
}

// refused calls a tool and fails the test unless it is refused with the code and one sentence.
func (tr *trader) refused(t testing.TB, code, tool string, arguments args) reply {
	t.Helper()
	r := tr.call(t, tool, arguments)
	if !r.failed || r.str("code") != code || r.str("error") == "" || strings.ContainsAny(r.str("error"), "\n\r") {
		t.Fatalf("%s %v: want a refusal with the code %s, got %s", tool, arguments, code, r.text)
	}
	return r
}

// redisDo sends one command to a Redis.
func redisDo(t testing.TB, url string, words ...any) any {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	answer, err := c.Do(t.Context(), words...).Result()
	if err != nil {
		t.Fatalf("%v: %v", words, err)
	}
	return answer
}
