// Storms over Redis servers that belong together: masters die and their replicas take over, slots move to other masters.

package integration_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
)

// says waits until a server's answer to words holds all that is wanted.
func says(t *testing.T, r *testenv.Redis, words string, wanted ...string) {
	t.Helper()
	testenv.Eventually(t, r.Addr+" "+words, func() error {
		answer, err := testenv.Ask(r.Addr, strings.Fields(words)...)
		for _, w := range wanted {
			if err == nil && !strings.Contains(answer, w) {
				err = fmt.Errorf("it does not say %s:\n%s", w, answer)
			}
		}
		return err
	})
}

func ask(t *testing.T, r *testenv.Redis, words ...string) string {
	t.Helper()
	answer, err := testenv.Ask(r.Addr, words...)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// replicated is a place on replicated servers, with a trade acknowledged at once, or once a replica has it. What may be lost
// is what doctor says beforehand.
func replicated(t *testing.T, url string, wait int) (*place, loss) {
	p := onFiles(t)
	p.redisURL, p.env = url, []string{"MCP_TRADE_REDIS_WAIT=" + strconv.Itoa(wait)}
	doctor := p.try(t, "doctor").stdout
	loses := before
	if wait > 0 {
		loses = nothing
	}
	if warns := strings.Contains(doctor, "loses whatever acknowledged trades the replica that takes over lacks"); warns != (loses == before) {
		t.Errorf("doctor says:\n%s", doctor)
	}
	return p, loses
}

func TestStorm_Sentinels(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	for _, wait := range []int{0, 1} {
		for _, cut := range []bool{false, true} {
			name := fmt.Sprintf("master killed, replication cut before %v, redis-wait %d", cut, wait)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				g := testenv.StartSentinels(t, 3)
				p, loses := replicated(t, g.Address(), wait)
				weather(t, p, fault{name, 8, loses, func(_ *storm, r *rand.Rand) {
					pause(r, 300)
					if cut {
						g.CutReplication(t)
						pause(r, 1500)
					}
					g.FailOver(t)
					g.Replica.Start(t)
					host, port, _ := net.SplitHostPort(g.Master.Addr)
					ask(t, g.Replica, "REPLICAOF", host, port)
					says(t, g.Replica, "INFO replication", "master_link_status:up")
					g.WaitForSentinels(t)
				}})
			})
		}
	}
}

func TestStorm_Cluster(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	for _, wait := range []int{0, 1} {
		t.Run(fmt.Sprintf("master killed, redis-wait %d", wait), func(t *testing.T) {
			t.Parallel()
			c := testenv.StartCluster(t)
			slotOf(t, c, "alice") // is the first master's
			p, loses := replicated(t, "redis://"+c.Masters[1].Addr, wait)
			weather(t, p, fault{"master of a cluster killed, redis-wait " + strconv.Itoa(wait), 8, loses, func(_ *storm, r *rand.Rand) {
				pause(r, 300)
				c.Masters[0].Kill()
				says(t, c.Replica, "CLUSTER NODES", "myself,master")
				c.Masters[0], c.Replica = c.Replica, c.Masters[0]
				c.Replica.Start(t)
				says(t, c.Replica, "INFO replication", "role:slave", "master_link_status:up")
				for _, n := range append(c.Masters[:], c.Replica) {
					says(t, n, "CLUSTER INFO", "cluster_state:ok")
				}
			}})
		})
	}
	for _, f := range []struct {
		name        string
		full, slots int
	}{{"a slot moved", 12, 1}, {"slots moved", 4, scaled(t, 3000, 100)}} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			c := testenv.StartCluster(t)
			slot := slotOf(t, c, "alice")
			p := onFiles(t)
			p.redisURL = "redis://" + c.Masters[1].Addr
			owner := 0
			weather(t, p, fault{f.name, f.full, nothing, func(_ *storm, r *rand.Rand) {
				next := (owner + 1) % len(c.Masters)
				moveSlots(t, c, slot, f.slots, owner, next)
				owner = next
			}})
		})
	}
}

// slotOf is the slot of an account, which is to be one of the first master, as those behind it are.
func slotOf(t *testing.T, c *testenv.Cluster, account string) int {
	t.Helper()
	slot, err := strconv.Atoi(strings.TrimPrefix(ask(t, c.Masters[0], "CLUSTER", "KEYSLOT", "{"+account+"}"), ":"))
	if err != nil {
		t.Fatal(err)
	}
	if slot+3000 > 16384/3 {
		t.Fatalf("%s is in the slot %d, which is not far within those of the first master", account, slot)
	}
	return slot
}

// moveSlots moves so many slots from one master to another, as redis-cli does: key by key, while both masters know of it.
func moveSlots(t *testing.T, c *testenv.Cluster, first, n, from, to int) {
	t.Helper()
	id := func(m *testenv.Redis) string { return ask(t, m, "CLUSTER", "MYID") }
	host, port, _ := net.SplitHostPort(c.Masters[to].Addr)
	for slot := first; slot < first+n; slot++ {
		s := strconv.Itoa(slot)
		ask(t, c.Masters[to], "CLUSTER", "SETSLOT", s, "IMPORTING", id(c.Masters[from]))
		ask(t, c.Masters[from], "CLUSTER", "SETSLOT", s, "MIGRATING", id(c.Masters[to]))
		for {
			keys, _ := redisDo(t, "redis://"+c.Masters[from].Addr, "CLUSTER", "GETKEYSINSLOT", slot, 1).([]any)
			if len(keys) == 0 {
				break
			}
			redisDo(t, "redis://"+c.Masters[from].Addr, "MIGRATE", host, port, keys[0], 0, 5000)
		}
		for _, m := range []int{to, from} {
			ask(t, c.Masters[m], "CLUSTER", "SETSLOT", s, "NODE", id(c.Masters[to]))
		}
	}
}
