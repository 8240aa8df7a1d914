// Storms: servers trade on one account while faults of one kind strike again and again, and in the end the ledger is held
// against what the servers answered.
//
// A storm runs a hundredth of its faults, unless MCP_TRADE_STORM says another part of them in percent, and so do the tests that
// kill again and again; its faults are drawn from MCP_TRADE_STORM_SEED. All of it, in about two hours:
//
//	MCP_TRADE_STORM=100 go test ./integration_test -run Storm -timeout 5h -v

package integration_test

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// fault is something that goes wrong, and is well again when strike returns.
type fault struct {
	name   string
	full   int // how often it strikes in a whole storm
	loses  loss
	strike func(s *storm, r *rand.Rand)
}

// loss is what a fault may take away of what was acknowledged.
type loss int

const (
	nothing loss = iota
	within       // what was sent or answered while it struck
	before       // whatever was sent before it was over
)

// outcome is what a server said of an order in the end.
type outcome string

const (
	acknowledged outcome = "acknowledged"
	notExecuted  outcome = "not executed"
	unknown      outcome = "unknown" // the server said so, and the order was not repeated
)

// era is a part of a storm.
type era struct {
	number int
	calm   bool // nothing strikes
}

// order is what is known of one.
type order struct {
	outcome     outcome
	record      int64 // its id, if acknowledged
	first, sent era   // when it was sent for the first time, and for the last
	answered    era
	trader      int
}

// storm is servers that trade on the account "alice", and what they answered.
type storm struct {
	*place
	t        *testing.T
	fault    fault
	stop     chan struct{}
	accounts []string
	gate     sync.RWMutex // a trader holds it for reading while it waits for an answer
	mu       sync.Mutex
	servers  []*pipes // one for each trader
	orders   map[string]order
	era      era
	heard    map[outcome]map[int]bool // the traders with such an answer to an order that they sent in this era
}

// settingOf reads a number from the environment.
func settingOf(t *testing.T, name string, otherwise int) int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv(name), strconv.Itoa(otherwise)))
	if err != nil || n < 0 {
		t.Fatalf("%s=%q is not a number", name, os.Getenv(name))
	}
	return n
}

// scaled is the part of a whole storm that is asked for, and at least so much.
func scaled(t *testing.T, full, least int) int {
	return max(least, full*settingOf(t, "MCP_TRADE_STORM", 1)/100)
}

// weather has three servers trade on "alice" while the fault strikes, and then judges the ledger, and those of accounts that
// the fault has them trade on.
func weather(t *testing.T, p *place, f fault, others ...string) {
	const traders = 3
	p.open(t, "alice", "100000000", "2025-10-02")
	s := &storm{place: p, t: t, fault: f, stop: make(chan struct{}), servers: make([]*pipes, traders), accounts: append(others, "alice"), orders: map[string]order{}}
	s.turn(true)
	var wait sync.WaitGroup
	over := sync.OnceFunc(func() { close(s.stop); wait.Wait() })
	defer over()
	for i := range traders {
		s.servers[i] = p.pipe(t, "alice")
		wait.Go(func() { s.trader(i) })
	}
	seed := settingOf(t, "MCP_TRADE_STORM_SEED", 1)
	r := rand.New(rand.NewPCG(uint64(seed), uint64(len(f.name))))
	strikes := scaled(t, f.full, 2)
	for range strikes {
		s.answered(acknowledged)
		pause(r, 40)
		if f.loses == before {
			s.compare() // before it is lost
		}
		s.turn(false)
		f.strike(s, r)
		s.turn(true)
	}
	s.answered(acknowledged)
	over()
	s.judge(strikes)
}

// turn begins a part of the storm.
func (s *storm) turn(calm bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.era, s.heard = era{s.era.number + 1, calm}, map[outcome]map[int]bool{acknowledged: {}, notExecuted: {}, unknown: {}}
}

// trader trades until the storm is over, and then settles what is open.
func (s *storm) trader(i int) {
	r := rand.New(rand.NewPCG(uint64(i), 7))
	open := map[int]string{} // order ids that have no answer, by number
	for n, settling := 0, 0; ; {
		select {
		case <-s.stop:
			if settling++; len(open) == 0 || settling > 200 {
				if len(open) > 0 {
					s.t.Errorf("trader %d: %d orders have no answer after the storm", i, len(open))
				}
				return
			}
		default:
			for range 1 + r.IntN(4) {
				n++
				open[n] = fmt.Sprintf("t%d-%d", i, n)
			}
		}
		if !s.exchange(i, open, r) {
			time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
		}
	}
}

// exchange sends the open orders to the trader's server and takes its answers, and tells whether all were executed. A server
// that is gone is started again.
func (s *storm) exchange(i int, open map[int]string, r *rand.Rand) bool {
	s.gate.RLock()
	defer s.gate.RUnlock()
	server := s.server(i)
	var lines string
	s.mu.Lock()
	for n, id := range open {
		o, again := s.orders[id]
		if !again {
			o.first = s.era
		}
		o.sent, o.trader = s.era, i
		s.orders[id] = o
		lines += orderLine(n, "buy", "MSFT", 1, id)
	}
	s.mu.Unlock()
	if _, err := io.WriteString(server.in, lines); err != nil {
		s.restart(i, server)
		return false
	}
	executed := true
	for range len(open) {
		m, ok := server.next(s.t)
		if !ok {
			s.restart(i, server)
			return false
		}
		n, err := strconv.Atoi(string(m.ID))
		if err != nil || open[n] == "" || m.Result == nil {
			s.t.Errorf("an answer to nothing: %+v", m)
			return false
		}
		a := m.reply(s.t)
		executed = executed && !a.failed
		if s.take(open[n], a, r) {
			delete(open, n)
		}
	}
	return executed
}

// take notes an answer, and tells whether it settles the order. Half of the orders of which a server says that it does not
// know, or that they were not executed, are repeated, as agents do.
func (s *storm) take(id string, a reply, r *rand.Rand) (settled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orders[id]
	o.answered = s.era
	defer func() {
		s.orders[id] = o
		if o.sent == s.era && o.outcome != "" {
			s.heard[o.outcome][o.trader] = true
		}
	}()
	switch {
	case !a.failed:
		o.outcome, o.record = acknowledged, a.number(s.t, "id").IntPart()
		return true
	case a.fields["executed"] == "unknown":
		o.outcome = unknown
		return r.IntN(2) == 0
	case a.str("class") == "fault":
		if o.outcome != unknown { // an earlier try of which nothing is known may be in
			o.outcome = notExecuted
		}
		return r.IntN(2) == 0
	}
	s.t.Errorf("%s: %s", id, a.text)
	return true
}

func (s *storm) server(i int) *pipes {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.servers[i]
}

func (s *storm) restart(i int, gone *pipes) {
	gone.kill()
	fresh := s.pipe(s.t, "alice")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.servers[i] = fresh
}

// still keeps the traders from trading for a while. Their servers go on.
func (s *storm) still(do func()) {
	s.gate.Lock()
	defer s.gate.Unlock()
	do()
}

// answered waits until each trader has an answer of this kind to an order that it sent in this part of the storm.
func (s *storm) answered(wanted outcome) {
	s.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		s.mu.Lock()
		n := len(s.heard[wanted])
		s.mu.Unlock()
		if n == len(s.servers) {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("%s: after %v only %d servers have an order %s", s.fault.name, patience, n, wanted)
		}
	}
}

// untraded fails the test if an order that was not sent before this part of the storm is in a ledger.
func (s *storm) untraded(why string) {
	s.t.Helper()
	var found []string
	for id := range s.there() {
		if o := s.orderOf(id); o.sent != (era{}) && o.first == s.era {
			found = append(found, id)
		}
	}
	if len(found) > 0 {
		s.t.Errorf("%s, and %d orders are in the ledger, %s among them", why, len(found), slices.Min(found))
	}
}

// demanded tells whether an order that was acknowledged must be in the ledger.
func (s *storm) demanded(o order) bool {
	switch s.fault.loses {
	case within:
		return o.sent.calm && o.sent == o.answered
	case before:
		return o.sent == s.era && o.answered == s.era
	}
	return true
}

// there returns the record ids of the orders that are in the ledgers, by order id.
func (s *storm) there() map[string][]int64 {
	s.t.Helper()
	there := map[string][]int64{}
	for _, account := range s.accounts {
		for _, r := range s.place.records(s.t, account)[1:] {
			there[r.OrderID] = append(there[r.OrderID], r.ID)
		}
	}
	return there
}

// compare checks that what was acknowledged up to now, and must be there, is there.
func (s *storm) compare() {
	s.t.Helper()
	s.mu.Lock()
	var ids []string
	for id, o := range s.orders {
		if o.outcome == acknowledged && s.demanded(o) {
			ids = append(ids, id)
		}
	}
	s.mu.Unlock()
	there := s.there()
	for _, id := range ids {
		if !slices.Equal(there[id], []int64{s.orderOf(id).record}) {
			s.t.Errorf("%s was acknowledged as %d and is in the ledger as %v, before the next fault struck", id, s.orderOf(id).record, there[id])
		}
	}
}

func (s *storm) orderOf(id string) order {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.orders[id]
}

// judge holds the ledger against the answers: what was acknowledged is there, once, under its id; what was not executed
// is not there; nothing is there twice; and every row follows.
func (s *storm) judge(strikes int) {
	s.t.Helper()
	there := s.there()
	doubled := 0
	for id, ids := range there {
		if id != "" && len(ids) > 1 {
			doubled++
			s.t.Errorf("%s is in the ledger as %v", id, ids)
		}
	}
	count := map[outcome]int{}
	unknownIn, lost := 0, 0
	for id, o := range s.orders {
		count[o.outcome]++
		switch ids := there[id]; {
		case o.outcome == acknowledged && !slices.Equal(ids, []int64{o.record}):
			lost++
			if s.demanded(o) || len(ids) > 0 {
				s.t.Errorf("%s was acknowledged as %d and is in the ledger as %v", id, o.record, ids)
			}
		case o.outcome == notExecuted && len(ids) > 0:
			s.t.Errorf("%s was not executed, and is in the ledger as %v", id, ids)
		case o.outcome == unknown:
			unknownIn += len(ids)
		}
	}
	for _, account := range s.accounts {
		s.verified(s.t, account)
	}
	s.t.Logf("%s: struck %d times; %d orders acknowledged, %d lost, %d doubled, %d not executed, %d unknown (%d of them in the ledger)",
		s.fault.name, strikes, count[acknowledged], lost, doubled, count[notExecuted], count[unknown], unknownIn)
}

// pause is a time below so many milliseconds.
func pause(r *rand.Rand, below int) { time.Sleep(time.Duration(r.IntN(below)) * time.Millisecond) }
