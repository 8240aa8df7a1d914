// An earlier version and this one at work on one account at the same time, as while machines are upgraded one after the
// other: in files and in Redis they agree on every order.

package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/redis/go-redis/v9"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
)

// buyer buys one AAPL for alice under an order id.
type buyer func(orderID string) (id int64, replayed bool, err error)

var errHalted = errors.New("halted")

// buyer is a server as a buyer.
func (tr *trader) buyer() buyer {
	return func(orderID string) (int64, bool, error) {
		r, err := tr.tryCall("buy", args{"symbol": "AAPL", "amount": 1, "order_id": orderID})
		if err != nil {
			return 0, false, err
		}
		if r.str("code") == "halted" {
			return 0, false, errHalted
		}
		number, ok := r.fields["id"].(json.Number)
		if r.failed || !ok {
			return 0, false, errors.New(r.text)
		}
		id, err := number.Int64()
		return id, r.fields["replayed"] == true, err
	}
}

// wherever runs a test on files, in Redis, and with the session in Redis and the ledgers in files.
func wherever(t *testing.T, test func(t *testing.T, p *place)) {
	onBothStores(t, test)
	t.Run("session in redis, ledgers in files", func(t *testing.T) {
		p := onRedis(t)
		p.env = append(p.env, "MCP_TRADE_LEDGER=file")
		test(t, p)
	})
}

func TestUpgrade_ServersOfBothVersionsAgree(t *testing.T) {
	t.Parallel()
	old := oldProgram(t)
	wherever(t, func(t *testing.T, p *place) {
		before := *p
		before.program = old
		p.open(t, "alice", "1000000", plainDays[0])
		agree(t, p, &before, before.trade(t, "alice").buyer(), p.trade(t, "alice").buyer(), before.trade(t, "alice").buyer(), p.trade(t, "alice").buyer())
		before.do(t, "ledger", "verify", "alice")
	})
}

func TestUpgrade_ServersAgreeWithTheEarlierProtocol(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	wherever(t, func(t *testing.T, p *place) {
		p.open(t, "alice", "1000000", plainDays[0])
		agree(t, p, p, p.earlierBuyer(t), p.trade(t, "alice").buyer(), p.earlierBuyer(t), p.trade(t, "alice").buyer())
	})
}

// agree has all buyers buy at once on several days, some orders at two of them, and holds what they were told against the
// ledger. The date and halts are set by one version and by the other.
func agree(t *testing.T, p, before *place, buyers ...buyer) {
	t.Helper()
	const orders = 120 // on each day
	acknowledged := map[string]int64{}
	for i, day := range plainDays[1:4] {
		setter := []*place{before, p}[i%2]
		setter.setDate(t, "alice", day)
		buyDay(t, fmt.Sprint(day, "#"), orders, acknowledged, buyers)
		setter.do(t, "session", "set", "HALT=true", "--model-id", []string{"alice", "*"}[i%2])
		for n, buy := range buyers {
			if _, _, err := buy(fmt.Sprint(day, "#halted")); !errors.Is(err, errHalted) {
				t.Errorf("buyer %d trades under a halt: %v", n, err)
			}
		}
		setter.do(t, "session", "clear", "HALT", "--model-id", []string{"alice", "*"}[i%2])
	}
	records := p.records(t, "alice")
	if len(records) != 1+len(acknowledged) {
		t.Errorf("%d records of %d orders", len(records), len(acknowledged))
	}
	for i, r := range records {
		if r.ID != int64(i) || i > 0 && acknowledged[r.OrderID] != r.ID {
			t.Fatalf("record %d has the id %d; its order %q was acknowledged as %d", i, r.ID, r.OrderID, acknowledged[r.OrderID])
		}
	}
	p.verified(t, "alice")
}

// buyDay has the buyers buy under the ids of a day, each at one or two of them, in an order of its own.
func buyDay(t *testing.T, prefix string, orders int, acknowledged map[string]int64, buyers []buyer) {
	t.Helper()
	lists := make([][]string, len(buyers))
	for n := range orders {
		one := rand.IntN(len(buyers))
		for _, at := range []int{one, rand.IntN(len(buyers))} {
			lists[at] = append(lists[at], fmt.Sprint(prefix, n))
		}
	}
	var mu sync.Mutex
	filled := map[string]int{} // how often an order was not a replay
	var wait sync.WaitGroup
	for n, buy := range buyers {
		rand.Shuffle(len(lists[n]), func(i, j int) { lists[n][i], lists[n][j] = lists[n][j], lists[n][i] })
		wait.Go(func() {
			for _, order := range lists[n] {
				id, replayed, err := buy(order)
				mu.Lock()
				if first, again := acknowledged[order]; err != nil || again && first != id {
					t.Errorf("buyer %d, order %s: id %d, %v; before %d", n, order, id, err, first)
				}
				acknowledged[order] = id
				if !replayed {
					filled[order]++
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	for order, times := range filled {
		if times != 1 {
			t.Errorf("the order %s was filled %d times", order, times)
		}
	}
	if len(filled) != orders {
		t.Errorf("%d orders were filled, want %d", len(filled), orders)
	}
}

// earlierBuyer plays the protocol of the earlier version: the lines that it wrote, the keys and fields in Redis, the locks
// on files.
func (p *place) earlierBuyer(t *testing.T) buyer {
	t.Helper()
	if p.redisURL == "" {
		return func(orderID string) (int64, bool, error) {
			return p.earlierFiles(orderID, p.earlierSession, p.earlierTold)
		}
	}
	o, err := redis.ParseURL(p.redisURL)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { c.Close() })
	if slices.Contains(p.env, "MCP_TRADE_LEDGER=file") {
		session := func() (map[string]string, error) { return earlierSessionInRedis(c) }
		told := func(map[string]string) error {
			return c.Set(context.Background(), earlierSession+"IF_TRADE", "true", time.Hour).Err()
		}
		return func(orderID string) (int64, bool, error) { return p.earlierFiles(orderID, session, told) }
	}
	mark := 0
	player := rand.Int64()
	return func(orderID string) (id int64, replayed bool, err error) {
		mark++
		for { // its script was one step; here whatever changes a key that was read has it begin anew
			id, replayed, err = earlierRedis(context.Background(), c, orderID, fmt.Sprint("player-", player, "-", mark))
			if !errors.Is(err, redis.TxFailedErr) {
				return id, replayed, err
			}
		}
	}
}

const earlierLedger, earlierOrders, earlierSession = "ledger:{alice}", "orders:{alice}", "config:alice:"

func earlierRedis(ctx context.Context, c *redis.Client, orderID, mark string) (id int64, replayed bool, err error) {
	session := []string{earlierSession + "SIGNATURE", earlierSession + "TODAY_DATE", earlierSession + "HALT", "config:*:HALT"}
	err = c.Watch(ctx, func(tx *redis.Tx) error {
		if id, err = tx.HGet(ctx, earlierOrders, orderID).Int64(); err == nil {
			replayed = true
			return nil
		}
		values, err := tx.MGet(ctx, session...).Result()
		if err != nil {
			return err
		}
		newest, err := tx.XRevRangeN(ctx, earlierLedger, "+", "-", 1).Result()
		if err != nil {
			return err
		}
		if values[2] != nil || values[3] != nil {
			return errHalted
		}
		date, _ := values[1].(string)
		line, next, err := earlierLine(newest[0].Values["line"].(string), date, orderID)
		if err != nil {
			return err
		}
		id = next
		_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.XAdd(ctx, &redis.XAddArgs{Stream: earlierLedger, ID: fmt.Sprint(id, "-1"), Values: []any{"line", line, "mark", mark}})
			p.HSet(ctx, earlierOrders, orderID, id)
			p.PExpire(ctx, session[0], time.Hour)
			p.PExpire(ctx, session[1], time.Hour)
			p.Set(ctx, earlierSession+"IF_TRADE", "true", time.Hour)
			return nil
		})
		return err
	}, append(session, earlierLedger, earlierOrders)...)
	return id, replayed, err
}

// earlierSessionInRedis reads the session; HALT is that of the model or of all.
func earlierSessionInRedis(c *redis.Client) (map[string]string, error) {
	session := map[string]string{}
	values, err := c.MGet(context.Background(), earlierSession+"TODAY_DATE", earlierSession+"HALT", "config:*:HALT").Result()
	for i, v := range values {
		if text, ok := v.(string); ok {
			session[[]string{"TODAY_DATE", "HALT", "HALT"}[i]] = text
		}
	}
	return session, err
}

// earlierSession reads the session from its files in the same way.
func (p *place) earlierSession() (map[string]string, error) {
	session := map[string]string{}
	for _, model := range []string{"alice", "@all"} {
		var values map[string]json.RawMessage
		text, err := os.ReadFile(p.sessionFile(model))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(text, &values)
		}
		if err != nil {
			return nil, err
		}
		for name, raw := range values {
			session[name] = string(raw)
		}
	}
	return session, nil
}

// earlierTold sets IF_TRADE in the session's file, if it is not set.
func (p *place) earlierTold(session map[string]string) error {
	if session["IF_TRADE"] == "true" {
		return nil
	}
	var values map[string]json.RawMessage
	path := p.sessionFile("alice")
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &values)
	}
	if err != nil {
		return err
	}
	values["IF_TRADE"] = json.RawMessage("true")
	if text, err = json.MarshalIndent(values, "", "    "); err == nil {
		err = os.WriteFile(path+".new", text, 0o644)
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	return err
}

// earlierFiles plays it on ledgers in files, under the locks of the ledger and of the session's file.
func (p *place) earlierFiles(orderID string, session func() (map[string]string, error), told func(map[string]string) error) (id int64, replayed bool, err error) {
	path := p.ledgerFile("alice")
	for _, name := range []string{filepath.Join(filepath.Dir(path), ".position.lock"), p.sessionFile("alice") + ".lock"} {
		lock := flock.New(name)
		if err := lock.Lock(); err != nil {
			return 0, false, err
		}
		defer func() { err = errors.Join(err, lock.Unlock()) }()
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false, err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, line := range lines {
		if r, err := ledger.ParseLine([]byte(line)); err != nil || r.OrderID == orderID {
			return r.ID, true, err
		}
	}
	values, err := session()
	if err != nil {
		return 0, false, err
	}
	if values["HALT"] != "" {
		return 0, false, errHalted
	}
	line, id, err := earlierLine(lines[len(lines)-1], values["TODAY_DATE"], orderID)
	if err != nil {
		return 0, false, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return 0, false, err
	}
	_, err = f.WriteString(line + "\n")
	return id, false, errors.Join(err, f.Sync(), f.Close(), told(values))
}

// earlierLine is the line that the earlier version wrote when it bought one AAPL at 100.5 after a head. The date is as it
// stands in the session.
func earlierLine(head, date, orderID string) (line string, id int64, err error) {
	r, err := ledger.ParseLine([]byte(head))
	if err != nil {
		return "", 0, err
	}
	var positions bytes.Buffer
	held := r.Positions.Amount("AAPL").Add(decimal.NewFromInt(1))
	fmt.Fprintf(&positions, `"CASH": %s, "AAPL": %s`, r.Cash().Sub(decimal.RequireFromString("100.5")), held)
	line = fmt.Sprintf(`{"date": %s, "id": %d, "this_action": {"action": "buy", "symbol": "AAPL", "amount": 1, "price": 100.5}, "positions": {%s}, "order_id": "%s", "prev": "%s"}`,
		date, r.ID+1, positions.String(), orderID, ledger.Hash([]byte(head)))
	return line, r.ID + 1, nil
}
