// How fast, beside the floor under it. What is compared is measured in turns, in the same run, and by its median: a
// machine that is busy for a while is busy for both.

package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/redis/go-redis/v9"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market/markettest"
)

// samples are the times that one thing took, by its name.
type samples map[string][]time.Duration

// take measures one run of do.
func (s samples) take(name string, do func()) {
	start := time.Now()
	do()
	s[name] = append(s[name], time.Since(start))
}

func (s samples) median(name string) float64 {
	slices.Sort(s[name])
	return float64(s[name][len(s[name])/2].Nanoseconds())
}

// report gives the medians, in microseconds.
func (s samples) report(b *testing.B) {
	for name := range s {
		b.ReportMetric(s.median(name)/1e3, name+"-µs")
	}
}

// echoServer builds the floor.
func echoServer(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "echo")
	if err := goBuild(path, "./testdata/echo"); err != nil {
		b.Fatal(err)
	}
	return path
}

const initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}` + "\n"

// BenchmarkStart measures from the start of the process to the answer to initialize, with the prices of a hundred symbols.
func BenchmarkStart(b *testing.B) {
	echo := echoServer(b)
	p := onFiles(b)
	p.prices = filepath.Join(testenv.TestData(b), "us_daily", "merged.jsonl")
	s := samples{}
	for b.Loop() {
		for name, cmd := range map[string]*exec.Cmd{"start": p.command("stdio"), "echo": exec.Command(echo)} {
			var server *pipes
			s.take(name, func() {
				server = pipeTo(b, cmd)
				server.send(b, initialize)
				server.answer(b)
			})
			server.kill()
		}
	}
	s.report(b)
	b.ReportMetric(s.median("start")/s.median("echo"), "start/echo")
}

// wideBook opens an account as AI-Trader does, with a zero for each of a hundred symbols, which makes lines of 1.2 kB, has
// it hold ten of them, and returns its trader.
func wideBook(b *testing.B, p *place) *trader {
	b.Helper()
	const symbols, held = 100, 10
	p.prices = filepath.Join(p.dir, "wide.jsonl")
	f, err := os.Create(p.prices)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := markettest.Write(f, 1, symbols, 2, "2025-01-01"); err != nil {
		b.Fatal(err)
	}
	first := ledger.Record{Date: "2025-01-01"}
	for i := range symbols {
		first.Positions = append(first.Positions, ledger.Position{Symbol: fmt.Sprintf("SYN%02d", i+1)})
	}
	first.Positions = append(first.Positions, ledger.Position{Symbol: ledger.Cash, Amount: decimal.New(1, 12)})
	p.put(b, "alice", [][]byte{first.Line()})
	p.setDate(b, "alice", "2025-01-02")
	tr := p.trade(b, "alice")
	for i := range held {
		tr.filled(b, "buy", fmt.Sprintf("SYN%02d", i+1), 1)
	}
	return tr
}

// inARow is how often one thing is measured before it is the next one's turn: an agent calls one server, again and again.
const inARow = 20

// benchmarkBuy measures a buy, one at a time, beside an echo and the storage that a buy cannot do without. The echo is mcp-go's:
// with its stock stdio loop, and with the plainest loop there is. Both sides are reached through mcp-go's client, and on a
// bare pipe, where no client's own time blurs the ratio.
func benchmarkBuy(b *testing.B, p *place, floor func(line []byte)) {
	n := 0
	next := func() (id int, order args) {
		n++
		return n, args{"symbol": "SYN01", "amount": 1, "order_id": strconv.Itoa(n)}
	}
	viaClient := func(tr *trader, tool string) func() {
		return func() {
			_, order := next()
			if r := tr.call(b, tool, order); r.failed {
				b.Fatal(r.text)
			}
		}
	}
	onPipe := func(cmd *exec.Cmd, tool string) func() {
		server := pipeTo(b, cmd)
		server.send(b, initialize)
		server.answer(b)
		return func() {
			id, _ := next()
			server.send(b, orderLine(id, tool, "SYN01", 1, strconv.Itoa(id)))
			if answer, err := server.out.ReadBytes('\n'); err != nil || bytes.Contains(answer, []byte(`"isError":true`)) {
				b.Fatalf("%v %s", err, answer)
			}
		}
	}
	echo, line := echoServer(b), []byte(strings.Repeat("x", 1199)+"\n")
	measured := map[string]func(){
		"buy":       viaClient(wideBook(b, p), "buy"),
		"echo":      viaClient(connect(b, echo, nil, nil), "echo"),
		"loop":      viaClient(connect(b, echo, []string{"loop"}, nil), "echo"),
		"pipe-buy":  onPipe(p.command("stdio", "--model-id", "alice"), "buy"),
		"pipe-echo": onPipe(exec.Command(echo), "echo"),
		"pipe-loop": onPipe(exec.Command(echo, "loop"), "echo"),
		"floor":     func() { floor(line) },
	}
	s := samples{}
	for b.Loop() {
		for name, call := range measured {
			for range inARow {
				s.take(name, call)
			}
		}
	}
	s.report(b)
	for _, way := range []string{"", "pipe-"} {
		for _, echo := range []string{"echo", "loop"} {
			b.ReportMetric(s.median(way+"buy")/(s.median(way+echo)+s.median("floor")), way+"buy/("+echo+"+floor)")
		}
	}
}

func BenchmarkBuyFile(b *testing.B) {
	p := onFiles(b)
	f, err := os.OpenFile(filepath.Join(p.dir, "floor"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	lock := flock.New(filepath.Join(p.dir, "floor.lock"))
	benchmarkBuy(b, p, func(line []byte) {
		if err := lock.Lock(); err != nil {
			b.Fatal(err)
		}
		if _, err := f.Write(line); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		if err := lock.Unlock(); err != nil {
			b.Fatal(err)
		}
	})
}

// bareScript does for a line what no commit can do without: check the session, look for the order id, append, note the
// order id, set the flag.
var bareScript = redis.NewScript(`
local v = redis.call('MGET', KEYS[3], KEYS[4], KEYS[5], KEYS[6])
if v[1] ~= ARGV[1] or v[2] ~= ARGV[2] then return 'session' end
if redis.call('HGET', KEYS[2], ARGV[3]) then return 'used' end
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
redis.call('XADD', KEYS[1], ARGV[4] .. '-1', 'line', ARGV[5])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
for i = 3, 6 do redis.call('PEXPIRE', KEYS[i], 3600000) end
redis.call('SET', KEYS[7], 'true', 'PX', 3600000)
return 'ok'`)

func BenchmarkBuyRedis(b *testing.B) {
	p := onRedis(b)
	o, err := redis.ParseURL(p.redisURL)
	if err != nil {
		b.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	if err := c.MSet(b.Context(), "floor:a", "alice", "floor:b", "2025-01-02").Err(); err != nil {
		b.Fatal(err)
	}
	keys, n := []string{"floor:ledger", "floor:orders", "floor:a", "floor:b", "floor:c", "floor:d", "floor:e"}, 0
	benchmarkBuy(b, p, func(line []byte) {
		n++
		if got, err := bareScript.Run(b.Context(), c, keys, "alice", "2025-01-02", strconv.Itoa(n), strconv.Itoa(n), line).Text(); err != nil || got != "ok" {
			b.Fatal(got, err)
		}
	})
}

// longLedger makes the lines of a ledger that was traded on for long, all of it in one share of MSFT, back and forth.
func longLedger(rows int) [][]byte {
	lines := make([][]byte, rows)
	cash, held, price := decimal.NewFromInt(1_000_000), decimal.Zero, decimal.RequireFromString("50.25")
	for i := range lines {
		r := ledger.Record{Date: "2025-10-02", ID: int64(i), Positions: ledger.Positions{{Symbol: ledger.Cash, Amount: cash}}}
		if i > 0 {
			r.Action, r.Symbol, r.Amount, r.Price = ledger.Buy, "MSFT", decimal.NewFromInt(1), decimal.NewNullDecimal(price)
			change := decimal.NewFromInt(1)
			if i%2 == 0 {
				r.Action, change = ledger.Sell, change.Neg()
			}
			held, cash = held.Add(change), cash.Sub(price.Mul(change))
			r.Positions = ledger.Positions{{Symbol: ledger.Cash, Amount: cash}, {Symbol: "MSFT", Amount: held}}
			r.OrderID, r.Prev = "old-"+strconv.Itoa(i), ledger.Hash(lines[i-1])
		}
		lines[i] = r.Line()
	}
	return lines
}

// put stores the lines of a ledger where the place keeps its ledgers, without going through the program.
func (p *place) put(b *testing.B, account string, lines [][]byte) {
	b.Helper()
	if p.redisURL == "" {
		file := p.ledgerFile(account)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			b.Fatal(err)
		}
		var text strings.Builder
		for _, line := range lines {
			text.Write(line)
			text.WriteByte('\n')
		}
		if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			b.Fatal(err)
		}
		return
	}
	o, err := redis.ParseURL(p.redisURL)
	if err != nil {
		b.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	for first := 0; first < len(lines); first += 1000 {
		_, err := c.Pipelined(b.Context(), func(r redis.Pipeliner) error {
			for i := first; i < min(first+1000, len(lines)); i++ {
				r.XAdd(b.Context(), &redis.XAddArgs{Stream: "ledger:{" + account + "}", ID: fmt.Sprintf("%d-1", i), Values: []any{"line", lines[i], "mark", "bench"}})
				if i > 0 {
					r.HSet(b.Context(), "orders:{"+account+"}", "old-"+strconv.Itoa(i), i)
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBuyOnALongLedger measures a buy on 100,000 rows beside one on 10. The first order with an id is apart: it may
// have to look for that id in all that is there.
func BenchmarkBuyOnALongLedger(b *testing.B) {
	long := longLedger(100_001) // an odd number: the account begins without a share
	for name, place := range map[string]func(testing.TB) *place{"file": onFiles, "redis": onRedis} {
		b.Run(name, func(b *testing.B) {
			p, s, traders := place(b), samples{}, map[string]*trader{}
			for account, rows := range map[string]int{"long": len(long), "short": 11} {
				p.put(b, account, long[:rows])
				p.setDate(b, account, "2025-10-02")
				traders[account] = p.trade(b, account)
				s.take(account+"-first", func() { traders[account].call(b, "buy", args{"symbol": "MSFT", "amount": 1, "order_id": "first"}) })
			}
			for n := 0; b.Loop(); n++ {
				for account, tr := range traders {
					s.take(account, func() {
						if r := tr.call(b, "buy", args{"symbol": "MSFT", "amount": 1, "order_id": "new-" + strconv.Itoa(n)}); r.failed {
							b.Fatal(r.text)
						}
					})
				}
			}
			s.report(b)
			b.ReportMetric(s.median("long")/s.median("short"), "long/short")
		})
	}
}

// residentMB reads how much memory a process holds, in MB: all of it, or without the pages of the program, which all servers of a machine share.
func residentMB(t testing.TB, pid int) (all, own float64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	testenv.Require(t, "procfs", err == nil, "there is no /proc")
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "VmRSS:" && f[0] != "RssAnon:" {
			continue
		}
		kB, err := strconv.Atoi(f[1])
		if err != nil {
			t.Fatal(err)
		}
		if f[0] == "VmRSS:" {
			all = float64(kB) / 1024
		} else {
			own = float64(kB) / 1024
		}
	}
	if all == 0 || own == 0 {
		t.Fatalf("no VmRSS, or no RssAnon:\n%s", text)
	}
	return all, own
}

func TestTheServerStaysSmallOverTenThousandCalls(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const most, mostOwn = 28, 9 // MB; what is not its own are pages of the program, which servers share and the system takes back
	calls := scaled(t, 10_000, 2_000)
	if raced {
		t.Skip("the race detector needs memory of its own")
	}
	dir := filepath.Join(testenv.TestData(t), "us_daily")
	onBothStores(t, func(t *testing.T, p *place) {
		p.prices = filepath.Join(dir, "merged.jsonl")
		symbols := symbolsOf(t, p)[:20] // as many as a portfolio that somebody looks after
		p.open(t, "alice", "100000000", "2025-10-29")
		s := p.pipe(t, "alice")
		for n := 0; n < calls; n += 4 {
			symbol := symbols[n/4%len(symbols)]
			s.send(t, orderLine(n, "buy", symbol, 1, fmt.Sprint("order-", n)), callLine(n+1, "get_portfolio", "{}"),
				callLine(n+2, "get_price_history", fmt.Sprintf(`{"symbol":%q}`, symbol)), callLine(n+3, "get_trades", "{}"))
			for range 4 {
				if r := s.answer(t).reply(t); r.failed {
					t.Fatal(r.text)
				}
			}
		}
		got, own := residentMB(t, s.cmd.Process.Pid)
		t.Logf("%.1f MB, %.1f of its own", got, own)
		if got > most || own > mostOwn {
			t.Errorf("the server holds %.1f MB, %.1f of its own: more than %d or %d", got, own, most, mostOwn)
		}
		if code := s.finish(t); code != 0 {
			t.Fatalf("exit %d", code)
		}
	})
}

func symbolsOf(t *testing.T, p *place) []string {
	t.Helper()
	var info struct {
		Series []struct{ Symbol string }
	}
	if err := json.Unmarshal([]byte(p.do(t, "prices", "info", "--json")), &info); err != nil {
		t.Fatal(err)
	}
	var symbols []string
	for _, s := range info.Series {
		symbols = append(symbols, s.Symbol)
	}
	if len(symbols) < 100 {
		t.Fatalf("%d symbols", len(symbols))
	}
	return symbols
}
