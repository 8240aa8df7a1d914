// kill -9 while an account is settled, by the command settle or by a server whose first order finds much that is due: after any number of
// kills the ledger is the one that nobody disturbed, byte for byte, with each fill, end and dividend in it once.
//
// Of 1,000 kills on each store a hundredth is made, unless MCP_TRADE_STORM says another part of them in percent; they, the prices and the
// orders are drawn from MCP_TRADE_STORM_SEED.

package integration_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

func TestStormOfSettling(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	random, kills := randomly(t), scaled(t, 1000, 10/min(raceSlows, 2))
	calm := onFiles(t)
	prices := filepath.Join(calm.dir, "prices.jsonl")
	if err := os.WriteFile(prices, []byte(restlessMarket(random)), 0o600); err != nil {
		t.Fatal(err)
	}
	calm.prices = prices
	calm.placeMany(t, random)
	placed := calm.do(t, "ledger", "export", "alice")
	began := time.Now()
	calm.do(t, settleAlice...)
	whole := time.Since(began)
	if out := runToEnd(t, calm.lastOrder()); !strings.Contains(out.stdout, `"status":"filled"`) {
		t.Fatal(out.stdout, out.stderr)
	}
	settled := calm.do(t, "ledger", "export", "alice")
	events := eachOnce(t, parseLedger(t, settled)[strings.Count(placed, "\n"):])
	t.Logf("%d kills, %d events", kills, events)
	onBothStores(t, func(t *testing.T, p *place) {
		p.prices = prices
		k := settlingKiller{place: p, random: randomly(t), whole: whole, first: strings.Count(placed, "\n"), last: strings.Count(settled, "\n")}
		copied, data := filepath.Join(p.dir, "placed.jsonl"), p.dir
		put(t, copied, placed)
		for round := 0; k.killed < kills; round++ {
			if round > 10*kills {
				t.Fatal("the kills come too late")
			}
			p.afresh(t, filepath.Join(data, fmt.Sprint(round)))
			p.do(t, "ledger", "import", "alice", copied)
			p.setDate(t, "alice", lastDay)
			for !k.settle(t) {
			}
			if got := p.do(t, "ledger", "export", "alice"); got != settled {
				t.Fatalf("round %d, after %d kills, the ledger differs from the undisturbed one:\n%s", round, k.killed, firstDifference(got, settled))
			}
		}
		p.verified(t, "alice")
		t.Logf("%d kills, %d of them between two events", k.killed, k.between)
		if k.between == 0 && !raced {
			t.Error("no kill fell between two events")
		}
	})
}

var (
	lastDay     = tenDays[len(tenDays)-1]
	settleAlice = []string{"settle", "alice", "--date", lastDay}
)

// lastOrder is a server whose one order comes when everything is due.
func (p *place) lastOrder() *exec.Cmd {
	cmd := p.command("stdio", "--model-id", "alice")
	cmd.Stdin = strings.NewReader(orderLine(1, "buy", "R0", 1, "the last"))
	return cmd
}

// restlessMarket makes prices of ten symbols up that move much, with dividends.
func restlessMarket(random *rand.Rand) string {
	var text strings.Builder
	for symbol := range 10 {
		var bars []string
		for i, day := range tenDays {
			open := 9500 + random.IntN(1000)
			paid := "0"
			if i > 1 && random.IntN(4) == 0 {
				paid = "0.25"
			}
			bars = append(bars, fmt.Sprintf(`%q: {"1. open": "%s", "2. high": "%s", "3. low": "%s", "4. close": "%s", "5. volume": "1000", "7. dividend amount": "%s", "8. split coefficient": "1.0"}`,
				day, dollars(int64(open)), dollars(int64(open+random.IntN(500))), dollars(int64(open-random.IntN(500))), dollars(int64(open)), paid))
		}
		fmt.Fprintf(&text, `{"Meta Data": {"2. Symbol": "R%d"}, "Time Series (Daily)": {%s}}`+"\n", symbol, strings.Join(bars, ", "))
	}
	return text.String()
}

// placeMany opens an account, buys of each symbol, and places as many orders that wait as an account may have.
func (p *place) placeMany(t *testing.T, random *rand.Rand) {
	t.Helper()
	p.open(t, "alice", "1000000", tenDays[0])
	accounts := p.accounts(t)
	prices, err := market.Open(p.prices)
	if err != nil {
		t.Fatal(err)
	}
	defer prices.Close()
	submit := func(o ledger.Order) {
		t.Helper()
		if _, err := accounts.Submit(t.Context(), "alice", o, prices.AsOf(market.Stamp(tenDays[0]))); err != nil {
			t.Fatal(err)
		}
	}
	for symbol := range 10 {
		submit(ledger.Order{Action: ledger.Buy, Symbol: fmt.Sprintf("R%d", symbol), Amount: decimal.NewFromInt(50)})
	}
	for n := range 100 {
		// Below every open, or above: so each of them waits.
		low, high := decimal.New(int64(9000+random.IntN(500)), -2), decimal.New(int64(10501+random.IntN(500)), -2)
		o := ledger.Order{Symbol: fmt.Sprintf("R%d", n%10), Amount: decimal.NewFromInt(int64(1 + random.IntN(5)))}
		o.Until = ledger.GTC
		if random.IntN(8) == 0 {
			o.Until = ledger.Day
		}
		switch random.IntN(4) {
		case 0:
			o.Action, o.Type, o.Limit = ledger.Buy, ledger.LimitOrder, low
		case 1:
			o.Action, o.Type, o.Limit = ledger.Sell, ledger.LimitOrder, high
		case 2:
			o.Action, o.Type, o.Stop = ledger.Buy, ledger.StopOrder, high
		default:
			o.Action, o.Type, o.Stop = ledger.Sell, ledger.StopOrder, low
		}
		submit(o)
	}
	p.setDate(t, "alice", lastDay)
}

// eachOnce counts events, and fails the test if an order ends twice or there is not much of each kind.
func eachOnce(t *testing.T, records []ledger.Record) (events int) {
	t.Helper()
	ended, kinds := map[int64]bool{}, map[ledger.Action]int{}
	for _, r := range records[:len(records)-1] {
		events++
		kinds[r.Action]++
		if r.Of != 0 && ended[r.Of] {
			t.Errorf("the order %d ends twice", r.Of)
		}
		ended[r.Of] = true
	}
	for _, kind := range []ledger.Action{ledger.Buy, ledger.Sell, ledger.Expire, ledger.Dividend} {
		if kinds[kind] < 3 {
			t.Errorf("only %d events are of the kind %s", kinds[kind], kind)
		}
	}
	return events
}

// settlingKiller kills what settles.
type settlingKiller struct {
	*place
	random          *rand.Rand
	whole           time.Duration // of an undisturbed settling
	first, last     int           // rows before it, and at its end
	killed, between int
}

// settle settles by the command or by the server, and kills it. It reports true when the server has answered its order.
func (k *settlingKiller) settle(t *testing.T) bool {
	t.Helper()
	cmd, byOrder := k.command(settleAlice...), k.random.IntN(2) == 0
	if byOrder {
		cmd = k.lastOrder()
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	err, over := k.await(t, ended)
	if !over {
		_ = cmd.Process.Kill()
		err = <-ended
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signal() == syscall.SIGKILL {
		k.killed++
		if rows := k.rows(t); rows > k.first && rows < k.last-1 {
			k.between++
		}
		return false
	}
	if err != nil || byOrder && !strings.Contains(said.String(), `"status":"filled"`) {
		t.Fatalf("after %d kills: %v\n%s", k.killed, err, said.String())
	}
	return byOrder
}

// await waits for a random moment, or until the ledger has a random number of rows and a moment more, and tells whether what is killed
// then had ended before.
func (k *settlingKiller) await(t *testing.T, ended <-chan error) (err error, over bool) {
	t.Helper()
	now := k.rows(t)
	until, rows := time.Duration(k.random.Int64N(int64(2*k.whole))), now+1+k.random.IntN(max(1, k.last-now))
	byTime, later := now == k.last || k.random.IntN(3) == 0, time.Duration(k.random.IntN(2000))*time.Microsecond
	for began := time.Now(); ; {
		if byTime && time.Since(began) >= until || !byTime && k.rows(t) >= rows {
			break
		}
		select {
		case err := <-ended:
			return err, true
		case <-time.After(100 * time.Microsecond):
		}
	}
	select {
	case err := <-ended:
		return err, true
	case <-time.After(later):
		return nil, false
	}
}

// rows counts the rows that are in the ledger by now.
func (k *settlingKiller) rows(t *testing.T) int {
	t.Helper()
	if k.redisURL != "" {
		n, _ := redisDo(t, k.redisURL, "XLEN", "ledger:{alice}").(int64)
		return int(n)
	}
	text, err := os.ReadFile(k.ledgerFile("alice"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("\n"))
}
