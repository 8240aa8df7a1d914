// kill -9 of the server at random moments: what was acknowledged is there once, and what was not can be asked again.

package integration_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
)

func TestKilledServersLoseNothingThatTheyAcknowledged(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const window = 24
	kills := scaled(t, 200, 60/raceSlows)
	onBothStores(t, func(t *testing.T, p *place) {
		p.open(t, "alice", "100000000", "2025-10-02")
		c := crashing{place: p, open: map[int]bool{}, acknowledged: map[string]int64{}}
		for range kills {
			s := c.start(t, window)
			answers := rand.IntN(window) // after which it is killed
			if answers == 0 {
				time.AfterFunc(rand.N(30*time.Millisecond), s.kill) // while it starts
			}
			c.take(t, s, answers)
			s.kill()
			c.take(t, s, window)
		}
		s := c.start(t, 0) // settles what is open
		_ = s.in.Close()
		c.take(t, s, window)
		if code := s.code(t); code != 0 {
			t.Errorf("exit %d", code)
		}
		if len(c.open) > 0 {
			t.Fatalf("%d orders have no answer from a server that nobody killed", len(c.open))
		}
		t.Logf("%d kills, %d orders, %d of them replayed", kills, c.orders, c.replayed)
		if c.replayed == 0 {
			t.Error("no kill fell between a commit and its answer")
		}
		records := p.records(t, "alice")[1:]
		if len(records) != c.orders || len(c.acknowledged) != c.orders {
			t.Fatalf("%d orders, %d acknowledged, %d in the ledger", c.orders, len(c.acknowledged), len(records))
		}
		for i, r := range records {
			if r.ID != int64(i+1) || c.acknowledged[r.OrderID] != r.ID {
				t.Fatalf("the record %d is of the order %q, which was acknowledged as %d", r.ID, r.OrderID, c.acknowledged[r.OrderID])
			}
		}
		p.verified(t, "alice")
	})
}

// crashing is a client whose server dies again and again. It repeats each order, under its order id, until it is answered.
type crashing struct {
	*place
	orders       int              // sent so far
	open         map[int]bool     // orders without an answer, by number
	acknowledged map[string]int64 // record ids by order id
	replayed     int              // orders whose first answer was lost
}

// start starts a server and sends it what is open, and new orders up to a window.
func (c *crashing) start(t *testing.T, window int) *pipes {
	s := c.pipe(t, "alice")
	for len(c.open) < window {
		c.orders++
		c.open[c.orders] = true
	}
	for _, n := range slices.Sorted(maps.Keys(c.open)) {
		s.send(t, orderLine(n, "buy", "MSFT", 1, fmt.Sprint("order-", n)))
	}
	return s
}

// take takes up to so many answers of a server that may be gone.
func (c *crashing) take(t *testing.T, s *pipes, most int) {
	for range most {
		m, ok := s.next(t)
		if !ok {
			return
		}
		r := m.reply(t)
		if r.failed {
			t.Fatalf("order %s: %s", m.ID, r.text)
		}
		if r.fields["replayed"] == true {
			c.replayed++
		}
		id, order := r.number(t, "id").IntPart(), r.str("order_id")
		if before, twice := c.acknowledged[order]; twice && before != id {
			t.Fatalf("%s is acknowledged as %d and as %d", order, before, id)
		}
		c.acknowledged[order] = id
		var n int
		if _, err := fmt.Sscanf(order, "order-%d", &n); err != nil || !c.open[n] {
			t.Fatalf("an answer to %q, which is not open: %v", order, err)
		}
		delete(c.open, n)
	}
}
