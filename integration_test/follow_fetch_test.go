// A run that follows the market on prices that it fetches itself, from a stand-in of a source that shows what there is at the time of the
// clock, and that is late, fails, breaks off and revises bars.

package integration_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-trade/agent/manifest"
	"mcp-trade/internal/testenv"
	"mcp-trade/market"
)

// coinSource plays Binance by the clock of a run: a bar for each day that has begun, that of the day under way as it is so far.
type coinSource struct {
	*httptest.Server
	clock   string // file
	symbols []string
	days    []market.Stamp
	bars    map[string][5]float64 // by symbol and day: open, high, low, close, volume

	mu      sync.Mutex
	absent  map[string]bool       // bars that are not there yet
	revised map[string][5]float64 // bars that are others now
	failing int                   // the status of all answers, 0: none fails
	cut     bool                  // the next answer breaks off
	failed  int                   // answers
}

const coinHistory = 25 // days before the first that is followed

func newCoinSource(t *testing.T, random *rand.Rand, clock string, days int) *coinSource {
	c := &coinSource{clock: clock, symbols: []string{"ADA-USDT", "BTC-USDT", "ETH-USDT", "SOL-USDT"}, bars: map[string][5]float64{},
		absent: map[string]bool{}, revised: map[string][5]float64{}}
	for i := range coinHistory + days {
		c.days = append(c.days, market.Stamp("2025-09-01").AddDays(i))
	}
	for _, symbol := range c.symbols {
		price := 50 + 50*random.Float64()
		for _, day := range c.days {
			open := price
			price = open * (1 + 0.06*(random.Float64()-0.5))
			c.bars[symbol+string(day)] = [5]float64{open, max(open, price) + 1, min(open, price) - 1, price, 1000}
		}
	}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// at is a time after a day's beginning.
func (c *coinSource) at(day int, after time.Duration) time.Time {
	return c.days[0].AddDays(day).In(time.UTC).Add(after)
}

// be changes what the source shows.
func (c *coinSource) be(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

func (c *coinSource) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text, err := os.ReadFile(c.clock)
	now, errTime := time.Parse(time.RFC3339, string(text))
	if c.failing != 0 || err != nil || errTime != nil {
		c.failed++
		w.Header().Set("Retry-After", "600") // too long to be waited for
		w.WriteHeader(cmp.Or(c.failing, http.StatusInternalServerError))
		return
	}
	q := r.URL.Query()
	from, _ := strconv.ParseInt(q.Get("startTime"), 10, 64)
	to, _ := strconv.ParseInt(q.Get("endTime"), 10, 64)
	var rows []string
	for _, day := range c.days {
		opens, key := day.In(time.UTC), strings.TrimSuffix(q.Get("symbol"), "USDT")+"-USDT"+string(day)
		if at := opens.UnixMilli(); at < from || at > to || now.Before(opens) || c.absent[key] {
			continue
		}
		b := c.bars[key]
		if other, is := c.revised[key]; is {
			b = other
		}
		if part := now.Sub(opens).Hours() / 24; part < 1 { // so far
			b[3] = b[0] + (b[3]-b[0])*part + 0.3
			b[1], b[2], b[4] = max(b[0], b[3])+part/2, min(b[0], b[3])-part/2, b[4]*part
		}
		rows = append(rows, fmt.Sprintf(`[%d,"%.2f","%.2f","%.2f","%.2f","%.2f",0]`, opens.UnixMilli(), b[0], b[1], b[2], b[3], b[4]))
	}
	if answer := "[" + strings.Join(rows, ",") + "]"; !c.cut {
		fmt.Fprint(w, answer)
	} else {
		c.cut = false
		c.failed++
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		fmt.Fprint(w, answer[:len(answer)/2])
	}
}

// followCoins lays out a run that follows the source for so many days, from the given one on, which is under way when it is started.
func followCoins(t *testing.T, p *place, random *rand.Rand, days, from int, more ...string) (*coinSource, *lapse) {
	t.Helper()
	l := &lapse{place: p, now: &time.Time{}, clock: filepath.Join(t.TempDir(), "clock")}
	c := newCoinSource(t, random, l.clock, days)
	p.prices = filepath.Join(t.TempDir(), "merged.jsonl")
	p.env = append(p.env, "BINANCE_URL="+c.URL)
	l.tick(t, c.at(coinHistory, 12*time.Hour))
	p.do(t, c.fetch(coinHistory-1, p.prices)...)
	l.args = append(c.run(from), "--follow", "--catch-up", "trade", "--clock", l.clock, "--json")
	l.args = append(l.args, more...)
	t.Cleanup(func() {
		if l.running != nil {
			_ = l.running.Process.Kill()
			<-l.ended
		}
	})
	return c, l
}

// fetch is the command that fetches the days up to one.
func (c *coinSource) fetch(to int, out string) []string {
	return []string{"prices", "fetch", "--market", "crypto", "--symbols", strings.Join(c.symbols, ","), "--from", string(c.days[0]), "--to", string(c.days[to]), "--out", out}
}

// run is the command that runs the accounts from a day on.
func (c *coinSource) run(from int) []string {
	command := []string{"run", "--market", "crypto", "--fill", "next-open", "--from", string(c.days[from]), "--to", string(c.days[len(c.days)-1])}
	for _, a := range followers {
		command = append(command, "--account", a)
	}
	return command
}

// fetchedRevision is one line of the file of revisions.
type fetchedRevision struct {
	Symbol  string
	Stamp   market.Stamp
	Was, Is map[string]string
}

// keptBeside are the changes that are kept beside a price file.
func (p *place) keptBeside(t *testing.T) (all []fetchedRevision) {
	t.Helper()
	text, err := os.ReadFile(p.prices + ".revisions")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var r fetchedRevision
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// sameAsBacktest holds the ledgers against those of a run over the past on the price file as it is now, and verifies them.
func (l *lapse) sameAsBacktest(t *testing.T, command []string) {
	t.Helper()
	over := onFiles(t)
	over.prices = l.prices
	over.do(t, command...)
	got, want := l.books(t, followers...), over.books(t, followers...)
	if got != want || strings.Count(got, `"action": "buy"`) < len(followers) {
		t.Errorf("the ledgers differ from those of the backtest\n%s", firstLines(got, want))
	}
	for _, account := range followers {
		l.verified(t, signature(account))
	}
}

// revisions are the notices of revised prices that a hook got, as symbol and day, once each.
func (h *hook) revisions(symbols []string) (all []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.notices {
		if n["event"] != "revision" {
			continue
		}
		for _, symbol := range symbols {
			if strings.Contains(n["text"].(string), symbol) {
				all = append(all, symbol+n["date"].(string))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestFollow_OnASourceThatIsLateFailsAndRevises(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	p, random, hook := onFiles(t), randomly(t), startHook(t, http.StatusOK)
	p.env = []string{"MCP_TRADE_WEBHOOK=" + hook.URL}
	c, l := followCoins(t, p, random, 1+scaled(t, 60, 6), coinHistory-1)
	l.start(t)
	l.await(t, c.days[coinHistory], "the close")
	kills, lates, revised, logs := 0, 0, []string{}, ""
	for n := coinHistory + 1; n < len(c.days); n++ {
		day, k := c.days[n], n-coinHistory
		kill, after := k == 2 || k > 6 && random.IntN(6) == 0, 15*time.Second+time.Duration(random.IntN(30))*time.Minute
		late := c.symbols[random.IntN(len(c.symbols))]
		if key := c.symbols[random.IntN(len(c.symbols))] + string(c.days[n-2]); !kill {
			c.be(func() { // the open or the close of a day that is over, and that was traded
				b := c.bars[key]
				b[3*(k%2)] += 0.01
				c.revised[key] = b
			})
			revised = append(revised, key)
		}
		c.be(func() {
			c.cut = k%5 == 0
			c.absent[late+string(day)] = k%4 == 1
			c.failing = map[int]int{2: http.StatusTooManyRequests, 3: http.StatusInternalServerError}[k%4]
		})
		l.tick(t, c.at(n, after))
		if k%4 != 0 {
			l.await(t, day, "prices")
			lates++
			c.be(func() { c.absent, c.failing = map[string]bool{}, 0 })
			l.tick(t, l.now.Add(2*time.Minute))
		}
		if kill {
			kills++
			logs += l.err.String()
			l.kill(t, time.Duration(random.IntN(900))*time.Millisecond)
			l.start(t)
		}
		l.await(t, day, "the close")
		for end := time.Now().Add(patience); len(hook.revisions(c.symbols)) < len(revised) && time.Now().Before(end); {
			time.Sleep(5 * time.Millisecond)
		}
	}
	l.tick(t, c.at(len(c.days), time.Minute))
	l.end(t)
	logs += l.err.String()

	l.sameAsBacktest(t, c.run(coinHistory-1))
	l.decidedOnFirstFigures(t, c)
	slices.Sort(revised)
	var beside, told []string
	for _, r := range p.keptBeside(t) {
		beside = append(beside, r.Symbol+string(r.Stamp))
		if len(r.Was) != 1 || len(r.Is) != 1 || r.Was["open"] == r.Is["open"] && r.Was["close"] == r.Is["close"] {
			t.Errorf("%+v", r)
		}
	}
	for _, e := range l.told("revision") {
		for _, symbol := range c.symbols {
			if strings.Contains(e["text"].(string), symbol) {
				told = append(told, symbol+e["date"].(string))
			}
		}
	}
	slices.Sort(beside)
	slices.Sort(told)
	if got := hook.revisions(c.symbols); !slices.Equal(beside, revised) || !slices.Equal(told, revised) || !slices.Equal(got, revised) || strings.Count(logs, "has other figures of") != len(revised) {
		t.Errorf("revised: %v\nkept:    %v\ntold:    %v\nhook:    %v\n%s", revised, beside, told, got, logs)
	}
	t.Logf("%d days, %d of them with late or failing prices, %d failed answers, %d revisions, %d kills", len(c.days)-coinHistory, lates, c.failed, len(revised), kills)
	if c.failed < 3 || kills == 0 || len(revised) < 4 {
		t.Error("too little went wrong")
	}
}

// decidedOnFirstFigures holds the price file against what the source showed first of each bar, and each forward day against the file.
func (l *lapse) decidedOnFirstFigures(t *testing.T, c *coinSource) {
	t.Helper()
	c.be(func() { c.revised = nil })
	first := filepath.Join(t.TempDir(), "first.jsonl")
	l.do(t, c.fetch(len(c.days)-1, first)...)
	is := withoutTimes(t, l.prices)
	for line := range strings.Lines(withoutTimes(t, first)) {
		_, bars, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(line), "}}"), `"Time Series`)
		if len(bars) < 1000 || !strings.Contains(is, bars) {
			t.Errorf("the price file is not what was shown first: no %.300s in\n%.600s", bars, is)
		}
	}
	prices, err := market.Open(l.prices)
	if err != nil {
		t.Fatal(err)
	}
	defer prices.Close()
	for _, account := range followers {
		days := l.forwardDays(t, signature(account))
		if len(days) != len(c.days)-coinHistory {
			t.Errorf("%s: %d forward days, want %d", account, len(days), len(c.days)-coinHistory)
		}
		for _, d := range days {
			known, err := manifest.HashView(prices.AsOf(d.Date))
			if err != nil || d.Known == nil || *d.Known != known || d.CaughtUp || len(d.Missing) > 0 || d.Decided.Before(d.Date.In(time.UTC)) {
				t.Errorf("%s on %s: %+v, want %+v, %v", account, d.Date, d, known, err)
			}
		}
	}
}

// A day is traded at its deadline without the bar of a symbol for which an order waits. The bar comes later: it stays unknown, as it was
// shown, and is kept beside. The order waits for the next open, in the ledger and in the backtest alike.
func TestFollow_ABarThatComesAfterItsDayWasTradedStaysUnknown(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	c, l := followCoins(t, p, randomly(t), 4, coinHistory-1, "--deadline", "2h")
	const late = "SOL-USDT"
	n := coinHistory + 1
	day := c.days[n]
	l.start(t)
	l.await(t, c.days[coinHistory], "the close")
	c.be(func() { c.absent[late+string(day)] = true })
	l.tick(t, c.at(n, 30*time.Second))
	l.await(t, day, late)
	l.tick(t, c.at(n, 121*time.Minute))
	l.await(t, day, "the close")
	l.kill(t, 0)
	l.start(t)
	l.await(t, day, "the close")
	c.be(func() { c.absent = nil })
	for _, next := range c.days[n+1:] {
		l.tick(t, next.In(time.UTC).Add(30*time.Second))
		l.await(t, next, "the close")
	}
	l.tick(t, c.at(len(c.days), time.Minute))
	l.end(t)

	l.sameAsBacktest(t, c.run(coinHistory-1))
	filled := ""
	for _, r := range p.records(t, "steady") {
		if r.Symbol == late && r.Traded() {
			filled += string(r.Date)
		}
	}
	if filled != string(c.days[n+1]) {
		t.Errorf("the order is filled on %q, want %s", filled, c.days[n+1])
	}
	beside := p.keptBeside(t)
	if len(beside) != 1 || beside[0].Symbol != late || beside[0].Stamp != day || len(beside[0].Was) != 0 || len(beside[0].Is) != 5 {
		t.Errorf("kept beside the file: %+v", beside)
	}
	if told := l.told("revision"); len(told) != 1 || told[0]["date"] != string(day) || !strings.Contains(told[0]["text"].(string), "stays unknown") {
		t.Errorf("told: %v", told)
	}
	for _, account := range followers {
		days := p.forwardDays(t, signature(account))
		if i := slices.IndexFunc(days, func(d manifest.ForwardDay) bool { return d.Date == day }); i < 0 || !slices.Equal(days[i].Missing, []string{late}) {
			t.Errorf("%s: %+v", account, days)
		}
	}
}
