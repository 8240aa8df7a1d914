// Storms: servers trade on one account while faults of one kind strike again and again, and in the end the ledger is held
// against what the servers answered.
//
// A storm runs a hundredth of its faults, unless MCP_TRADE_STORM says another part of them in percent; its faults are
// drawn from MCP_TRADE_STORM_SEED. All of it, in about an hour:
//
//	MCP_TRADE_STORM=100 go test ./integration_test -run Storm -timeout 3h -v

package integration_test

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"mcp-trade/store/storetest"
)

// fault is something that goes wrong, and is well again when strike returns.
type fault struct {
	name   string
	full   int // how often it strikes in a whole storm
	strike func(s *storm, r *rand.Rand)
}

// outcome is what a server said of an order in the end.
type outcome string

const (
	acknowledged outcome = "acknowledged"
	notExecuted  outcome = "not executed"
	unknown      outcome = "unknown" // the server said so, and the order was not repeated
)

// storm is servers that trade on the account "alice", and what they answered.
type storm struct {
	*place
	t       *testing.T
	stop    chan struct{}
	mu      sync.Mutex
	servers []*pipes // one for each trader
	orders  map[string]outcome
	records map[string]int64 // of acknowledged orders, by order id
}

// settingOf reads a number from the environment.
func settingOf(t *testing.T, name string, otherwise int) int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv(name), strconv.Itoa(otherwise)))
	if err != nil || n < 0 {
		t.Fatalf("%s=%q is not a number", name, os.Getenv(name))
	}
	return n
}

// weather has so many traders trade while the fault strikes, and judges the ledger after it.
func weather(t *testing.T, p *place, traders int, f fault) *storm {
	p.open(t, "alice", "100000000", "2025-10-02")
	s := &storm{place: p, t: t, stop: make(chan struct{}), servers: make([]*pipes, traders), orders: map[string]outcome{}, records: map[string]int64{}}
	var wait sync.WaitGroup
	for i := range traders {
		s.servers[i] = p.pipe(t, "alice")
		wait.Go(func() { s.trader(i) })
	}
	seed := settingOf(t, "MCP_TRADE_STORM_SEED", 1)
	r := rand.New(rand.NewPCG(uint64(seed), uint64(len(f.name))))
	strikes := max(2, f.full*settingOf(t, "MCP_TRADE_STORM", 1)/100)
	for range strikes {
		f.strike(s, r)
		time.Sleep(time.Duration(r.IntN(40)) * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond) // something after the last one, too
	close(s.stop)
	wait.Wait()
	s.judge(f.name, strikes)
	return s
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
		s.exchange(i, open, r)
	}
}

// exchange sends the open orders to the trader's server and takes its answers; a server that is gone is started again.
func (s *storm) exchange(i int, open map[int]string, r *rand.Rand) {
	server := s.server(i)
	var lines string
	for n, id := range open {
		lines += orderLine(n, "buy", "MSFT", 1, id)
	}
	if _, err := io.WriteString(server.in, lines); err != nil {
		s.restart(i, server)
		return
	}
	for range len(open) {
		m, ok := server.next(s.t)
		if !ok {
			s.restart(i, server)
			return
		}
		n, err := strconv.Atoi(string(m.ID))
		if err != nil || open[n] == "" || m.Result == nil {
			s.t.Errorf("an answer to nothing: %+v", m)
			return
		}
		if s.take(open[n], m.reply(s.t), r) {
			delete(open, n)
		}
	}
}

// take notes an answer, and tells whether it settles the order. Half of the orders of which a server says that it does not
// know are repeated, as agents do.
func (s *storm) take(id string, a reply, r *rand.Rand) (settled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !a.failed:
		record := a.number(s.t, "id").IntPart()
		if before, twice := s.records[id]; twice && before != record {
			s.t.Errorf("%s is acknowledged as %d and as %d", id, before, record)
		}
		s.orders[id], s.records[id] = acknowledged, record
		return true
	case a.fields["executed"] == "unknown":
		s.orders[id] = unknown
		return r.IntN(2) == 0
	case a.str("class") == "fault":
		if s.orders[id] != unknown { // an earlier try of which nothing is known may be in
			s.orders[id] = notExecuted
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

// judge holds the ledger against the answers: what was acknowledged is there, once, under its id; what was not executed
// is not there; nothing is there twice; and every row follows.
func (s *storm) judge(name string, strikes int) {
	s.t.Helper()
	there := map[string][]int64{}
	for _, r := range s.place.records(s.t, "alice")[1:] {
		there[r.OrderID] = append(there[r.OrderID], r.ID)
	}
	count := map[outcome]int{}
	unknownIn, lost, doubled := 0, 0, 0
	for id, o := range s.orders {
		count[o]++
		switch ids := there[id]; {
		case len(ids) > 1:
			doubled++
			s.t.Errorf("%s is in the ledger %d times", id, len(ids))
		case o == acknowledged && !slices.Equal(ids, []int64{s.records[id]}):
			lost++
			s.t.Errorf("%s was acknowledged as %d and is in the ledger as %v", id, s.records[id], ids)
		case o == notExecuted && len(ids) > 0:
			s.t.Errorf("%s was not executed, and is in the ledger as %v", id, ids)
		case o == unknown:
			unknownIn += len(ids)
		}
	}
	s.verified(s.t, "alice")
	if count[acknowledged] == 0 {
		s.t.Error("nothing was traded")
	}
	s.t.Logf("%s: struck %d times; %d orders acknowledged, %d lost, %d doubled, %d not executed, %d unknown (%d of them in the ledger)",
		name, strikes, count[acknowledged], lost, doubled, count[notExecuted], count[unknown], unknownIn)
}

// pause is a time below so many milliseconds.
func pause(r *rand.Rand, below int) { time.Sleep(time.Duration(r.IntN(below)) * time.Millisecond) }

func TestStorm_Servers(t *testing.T) {
	onBothStores(t, func(t *testing.T, p *place) {
		weather(t, p, 3, fault{"servers killed", 350, func(s *storm, r *rand.Rand) {
			pause(r, 60*pace)
			_ = s.server(r.IntN(len(s.servers))).cmd.Process.Kill()
		}})
	})
}

func TestStorm_Redis(t *testing.T) {
	type redisStorm struct {
		fault
		args []string // of the server
	}
	var server *storetest.Redis
	var proxy *storetest.Proxy
	do := func(words ...any) { redisDo(t, "redis://"+server.Addr, words...) }
	everysec, always := []string{"--appendonly", "yes", "--appendfsync", "everysec"}, []string{"--appendonly", "yes", "--appendfsync", "always"}
	restart := func(_ *storm, r *rand.Rand) {
		pause(r, 300)
		server.Kill()
		pause(r, 200)
		server.Start(t)
	}
	network := func(mode storetest.Mode, below int) func(*storm, *rand.Rand) {
		return func(_ *storm, r *rand.Rand) {
			proxy.Set(mode)
			pause(r, below)
			proxy.Set(storetest.Pass)
		}
	}
	for _, c := range []redisStorm{
		{fault{"Redis killed, synced every second", 15, restart}, everysec},
		{fault{"Redis killed, synced always", 15, restart}, always},
		{fault{"Redis hangs", 6, func(_ *storm, r *rand.Rand) {
			server.Hang(t)
			time.Sleep(500 * time.Millisecond)
			pause(r, 5500)
			server.Wake(t)
		}}, nil},
		{fault{"scripts flushed", 200, func(*storm, *rand.Rand) { do("SCRIPT", "FLUSH") }}, nil},
		{fault{"clients killed", 150, func(*storm, *rand.Rand) { do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes") }}, nil},
		{fault{"memory full", 30, func(_ *storm, r *rand.Rand) {
			do("CONFIG", "SET", "maxmemory", "1")
			pause(r, 100)
			do("CONFIG", "SET", "maxmemory", "0")
		}}, []string{"--maxmemory-policy", "noeviction"}},
		{fault{"a replica for a while", 30, func(_ *storm, r *rand.Rand) {
			do("REPLICAOF", "127.0.0.1", "1")
			pause(r, 100)
			do("REPLICAOF", "NO", "ONE")
		}}, nil},
		{fault{"answers lost", 1400, func(*storm, *rand.Rand) {
			before := proxy.Drops()
			proxy.DropReply("evalsha", nil)
			for end := time.Now().Add(patience); proxy.Drops() == before && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
		}}, nil},
		{fault{"connections cut", 880, network(storetest.Refuse, 30)}, nil},
		{fault{"the network hangs", 60, network(storetest.Hang, 3000)}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			server = storetest.NewRedis(t, c.args...)
			proxy = storetest.StartProxy(t, server.Addr)
			p := onFiles(t)
			p.redisURL = "redis://" + proxy.Addr()
			weather(t, p, 3, c.fault)
		})
	}
}

func TestStorm_Disk(t *testing.T) {
	p := onFiles(t)
	full := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", p.dir)
	storetest.Require(t, "tmpfs", full.Run() == nil, "no small file system can be mounted here")
	t.Cleanup(func() { _ = exec.Command("umount", "-l", p.dir).Run() })
	filler := filepath.Join(p.dir, "filler")
	weather(t, p, 3, fault{"disk full", 40, func(_ *storm, r *rand.Rand) {
		f, err := os.Create(filler)
		if err != nil {
			return // there is not even room for a name
		}
		_, _ = io.Copy(f, io.LimitReader(zeros{}, 16<<20)) // as much as there is room for
		_ = f.Close()
		pause(r, 200)
		_ = os.Remove(filler)
	}})
}

// zeros is an endless file.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
