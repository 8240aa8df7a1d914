// Viewers of a served page, from outside: what is sent to them while accounts trade. In full, which takes an hour:
//
//	MCP_TRADE_SCALE=1 MCP_TRADE_SOAK=60 go test ./integration_test -run Serve_Viewers/redis -timeout 90m -v

package integration_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// audience is how many follow a page of how many accounts, and for how long these trade.
type audience struct {
	viewers, accounts int
	trades            int // a second, of all accounts together
	length            time.Duration
}

// TestServe_Viewers has accounts trade while viewers take each change as the script of the page does. In the end each viewer has every
// trade, and all that the server has. With MCP_TRADE_SCALE=1 it measures 50 viewers of 20 accounts for MCP_TRADE_SOAK minutes.
func TestServe_Viewers(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	a := audience{viewers: 5, accounts: 4, trades: 8, length: 2 * time.Second}
	full := os.Getenv("MCP_TRADE_SCALE") != ""
	if full {
		a = audience{viewers: 50, accounts: 20, trades: 3, length: time.Duration(settingOf(t, "MCP_TRADE_SOAK", 1)) * time.Minute}
	}
	onBothStores(t, func(t *testing.T, p *place) {
		p.prices = synthetic
		f := newFloor(t, p, a)
		days, err := f.prices.AsOf("9999-12-31").Days("", "2025-01-02", "")
		if err != nil {
			t.Fatal(err)
		}
		f.watched(t, p.serve(t, "--benchmark", "equal-weight"), a, days)
		if full {
			t.Log("beside it, a server that was started on these ledgers a minute ago:")
			a.length = time.Minute
			f.watched(t, p.serve(t, "--benchmark", "equal-weight"), a, days[len(days)-1:])
		}
	})
}

// watched has accounts trade on days, one after the other, and viewers follow.
func (f *floor) watched(t *testing.T, s *served, a audience, days []market.Stamp) {
	t.Helper()
	var viewers []*viewer
	for range a.viewers {
		viewers = append(viewers, newViewer(t, s.address))
	}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var running sync.WaitGroup
	for _, v := range viewers {
		running.Go(func() { v.follow(ctx) })
	}
	if a.length >= time.Minute {
		running.Go(func() { sampleMemory(ctx, t, s.cmd.Process.Pid) })
	}
	f.trade(t, a, days)
	testenv.Eventually(t, "a viewer", func() error { return f.seenBy(viewers) })
	end()
	running.Wait()
	f.judge(t, s, viewers)
}

// floor is where accounts trade.
type floor struct {
	accounts *ledger.Accounts
	prices   *market.Prices
	names    []string
	made     map[string][]made // by account, in their order
}

// made is a trade that is committed.
type made struct {
	symbol string
	amount float64 // below 0 for a sale
	at     time.Time
}

func newFloor(t *testing.T, p *place, a audience) *floor {
	t.Helper()
	prices, err := market.Open(p.prices)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { prices.Close() })
	f := &floor{accounts: p.accounts(t), prices: prices, made: map[string][]made{}}
	for i := range a.accounts {
		f.names = append(f.names, fmt.Sprint("trader-", i))
		if _, err := f.accounts.Register(t.Context(), f.names[i], decimal.NewFromInt(1_000_000), "2025-01-01"); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// trade makes trades at planned times. An account sells what it bought before.
func (f *floor) trade(t *testing.T, a audience, days []market.Stamp) {
	t.Helper()
	total, random, began := int(a.length.Seconds()*float64(a.trades)), rand.New(rand.NewPCG(3, 50)), time.Now()
	for n := range total {
		time.Sleep(time.Until(began.Add(time.Duration(n) * time.Second / time.Duration(a.trades))))
		name := f.names[random.IntN(len(f.names))]
		before := f.made[name]
		m := made{symbol: fmt.Sprintf("SYN%02d", 1+random.IntN(20)), amount: 10}
		o := ledger.Order{Action: ledger.Buy, Symbol: m.symbol, Amount: decimal.NewFromInt(10)}
		if len(before)%2 == 1 {
			o.Action, o.Symbol = ledger.Sell, before[len(before)-1].symbol
			m = made{symbol: o.Symbol, amount: -10}
		}
		if _, err := f.accounts.Submit(t.Context(), name, o, f.prices.AsOf(days[n*len(days)/total])); err != nil {
			t.Fatal(err)
		}
		m.at = time.Now()
		f.made[name] = append(before, m)
	}
}

// seenBy tells which viewer lacks a trade.
func (f *floor) seenBy(viewers []*viewer) error {
	for i, v := range viewers {
		v.mu.Lock()
		for name, all := range f.made {
			if n := len(v.seen[name]); n != len(all) && v.failed == nil {
				v.mu.Unlock()
				return fmt.Errorf("%d has %d trades of %d by %s", i, n, len(all), name)
			}
		}
		v.mu.Unlock()
	}
	return nil
}

// judge holds what the viewers have against the trades and against the server, and tells how soon they had it.
func (f *floor) judge(t *testing.T, s *served, viewers []*viewer) {
	t.Helper()
	now := newViewer(t, s.address)
	waits := map[time.Time][]time.Duration{} // by ten minutes
	var sizes []int
	for i, v := range viewers {
		if v.failed != nil {
			t.Fatalf("viewer %d: %v", i, v.failed)
		}
		if v.version != now.version || !reflect.DeepEqual(v.parts, now.parts) {
			t.Errorf("viewer %d has version %s, and other content than the server, which has %s", i, v.version, now.version)
		}
		sizes = append(sizes, v.sizes...)
		for name, all := range f.made {
			for n, m := range all {
				if seen := v.seen[name][n]; !seen.IsZero() {
					part := m.at.Truncate(10 * time.Minute)
					waits[part] = append(waits[part], max(0, seen.Sub(m.at)))
				}
			}
		}
	}
	for _, shown := range now.parts["trades"].([]any) {
		columns := shown.(map[string]any)
		for n, m := range f.made[columns["name"].(string)] {
			symbol := columns["symbols"].([]any)[int(column(columns, "symbol", n))]
			if amount := column(columns, "amount", n); symbol != m.symbol || amount != m.amount {
				t.Errorf("trade %d of %s is shown as %v %v, it was %v %s", n+1, columns["name"], amount, symbol, m.amount, m.symbol)
			}
		}
	}
	slices.Sort(sizes)
	for _, part := range slices.SortedFunc(maps.Keys(waits), time.Time.Compare) {
		t.Logf("a trade after %s is with a viewer after: %s", part.Format("15:04"), quantiles(waits[part]))
	}
	t.Logf("%d events with their changes: %d bytes in the median, %d at most", len(sizes), sizes[len(sizes)/2], sizes[len(sizes)-1])
	if sizes[len(sizes)/2] > 20_000 {
		t.Errorf("half of the events and changes have more than %d bytes", sizes[len(sizes)/2])
	}
}

func column(columns map[string]any, name string, n int) float64 {
	return columns[name].([]any)[n].(float64)
}

// sampleMemory logs each minute, and in the end, what a server holds: least, median and most of the looks every five seconds.
func sampleMemory(ctx context.Context, t *testing.T, pid int) {
	for minute := 1; ctx.Err() == nil; minute++ {
		var looks []float64
		for len(looks) < 12 && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Second):
			}
			all, _ := residentMB(t, pid)
			looks = append(looks, all)
		}
		slices.Sort(looks)
		handles, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		t.Logf("minute %d: %.0f, %.0f, %.0f MB, %d handles, %d threads", minute, looks[0], looks[len(looks)/2], looks[len(looks)-1], len(handles), len(threads))
	}
}

// viewer has a page open, as its script has it.
type viewer struct {
	address string
	client  http.Client
	version string
	parts   map[string]any // overview and trades
	bytes   int            // that came since the last update

	mu     sync.Mutex
	seen   map[string][]time.Time // by account: when each of its trades was there
	sizes  []int                  // of each event with its changes
	failed error
}

func newViewer(t *testing.T, address string) *viewer {
	t.Helper()
	v := &viewer{address: address, seen: map[string][]time.Time{}, client: http.Client{Transport: &http.Transport{DisableCompression: true}}}
	if err := v.readAll(); err != nil {
		t.Fatal(err)
	}
	v.note(time.Time{}) // that it has the trades before
	v.sizes = nil
	return v
}

// get reads an answer of JSON, nil if there is none, and the version that it is of.
func (v *viewer) get(path string) (value any, version string, err error) {
	w, err := v.client.Get(v.address + path)
	if err != nil {
		return nil, "", err
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil || w.StatusCode == http.StatusNoContent {
		return nil, "", err
	}
	if w.StatusCode != http.StatusOK || w.Header.Get("Content-Encoding") != "gzip" {
		return nil, "", fmt.Errorf("%s: %s, %q", path, w.Status, w.Header)
	}
	v.bytes += len(text)
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		return nil, "", err
	}
	err = json.NewDecoder(z).Decode(&value)
	return value, w.Header.Get("Report-Version"), err
}

// readAll reads the parts anew, of one version.
func (v *viewer) readAll() error {
	for {
		overview, version, err := v.get("part/overview")
		if err != nil {
			return err
		}
		trades, other, err := v.get("part/trades")
		if err != nil {
			return err
		}
		if version == other {
			v.version, v.parts = version, map[string]any{"overview": overview, "trades": trades}
			return nil
		}
	}
}

// update takes the changes up to the version that was told.
func (v *viewer) update(told string) error {
	for v.version != told {
		value, _, err := v.get("change/" + v.version)
		if err != nil {
			return err
		}
		if value == nil {
			return v.readAll()
		}
		change := value.(map[string]any)
		for name := range v.parts {
			v.parts[name] = patched(v.parts[name], change[name])
		}
		v.version = change["version"].(string)
	}
	return nil
}

// follow takes each event until ctx is done.
func (v *viewer) follow(ctx context.Context) {
	err := v.events(ctx)
	if ctx.Err() == nil {
		v.mu.Lock()
		v.failed = fmt.Errorf("the events ended: %w", err)
		v.mu.Unlock()
	}
}

func (v *viewer) events(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.address+"events?version="+v.version, nil)
	if err != nil {
		return err
	}
	w, err := v.client.Do(r)
	if err != nil {
		return err
	}
	defer w.Body.Close()
	lines, event := bufio.NewScanner(w.Body), ""
	for v.bytes = 0; lines.Scan(); {
		v.bytes += len(lines.Bytes()) + 1
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var told string
		if err := json.Unmarshal([]byte(data), &told); err != nil || event != "change" {
			return fmt.Errorf("the event %s: %s, %v", event, data, err)
		}
		if err := v.update(told); err != nil {
			return err
		}
		v.note(time.Now())
	}
	return lines.Err()
}

// note notes which trades are there, and what they took.
func (v *viewer) note(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, shown := range v.parts["trades"].([]any) {
		columns := shown.(map[string]any)
		name := columns["name"].(string)
		for range len(columns["id"].([]any)) - len(v.seen[name]) {
			v.seen[name] = append(v.seen[name], now)
		}
	}
	v.sizes = append(v.sizes, v.bytes)
	v.bytes = 0
}

// patched applies a change to a value of JSON and returns the new one, by the description in report/page/patch.go.
func patched(value, patch any) any {
	p, _ := patch.([]any)
	if p == nil {
		return value
	}
	if p[0] == "=" {
		return p[1]
	}
	changes := p[1].(map[string]any)
	if object, ok := value.(map[string]any); ok {
		for key, change := range changes {
			if change.([]any)[0] == "-" {
				delete(object, key)
			} else {
				object[key] = patched(object[key], change)
			}
		}
		return object
	}
	list := value.([]any)[:int(p[2].(float64))]
	for key, change := range changes {
		if i, err := strconv.Atoi(key); err == nil {
			list[i] = patched(list[i], change)
		}
	}
	return append(list, p[3].([]any)...)
}
