// Several Redis servers that belong together: a master with its replica and sentinel, a cluster.

package testenv

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Eventually repeats a check until it succeeds, and fails the test with its last error when that takes longer than anything
// should.
func Eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

// Ask sends a server words of a command and returns the first line of its reply, or its first bulk.
func Ask(addr string, words ...string) (string, error) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := c.Write([]byte(b.String())); err != nil {
		return "", err
	}
	r := bufio.NewReader(c)
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "-") {
		return "", fmt.Errorf("%v: %s", words, line)
	}
	var n int
	if _, err := fmt.Sscanf(line, "$%d", &n); err != nil || n < 0 {
		return line, nil
	}
	bulk := make([]byte, n)
	if _, err := io.ReadFull(r, bulk); err != nil {
		return "", err
	}
	return string(bulk), nil
}

func must(t testing.TB, addr string, words ...string) string {
	t.Helper()
	reply, err := Ask(addr, words...)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// Sentinels are a master, its replica, and sentinels that put the replica in the master's place when that dies.
type Sentinels struct {
	Master, Replica *Redis
	Sentinels       []*Redis
}

// replicationUser may replicate and nothing else, so that a test can cut replication without cutting clients.
const replicationUser = "--user replica on >replica +psync +replconf +ping ~* &*"

// StartSentinels starts a master with a replica that is in step, and so many sentinels.
func StartSentinels(t testing.TB, sentinels int) *Sentinels {
	t.Helper()
	args := append(strings.Fields(replicationUser), "--masteruser", "replica", "--masterauth", "replica", "--repl-diskless-sync-delay", "0")
	g := &Sentinels{Master: NewRedis(t, args...)}
	host, port, _ := net.SplitHostPort(g.Master.Addr)
	g.Replica = NewRedis(t, append(slices.Clone(args), "--replicaof", host, port)...)
	Eventually(t, "the replica is in step", func() error { return inStep(g.Replica.Addr) })
	for range sentinels {
		g.Sentinels = append(g.Sentinels, NewSentinel(t, "main", g.Master.Addr, "sentinel failover-timeout main 2000"))
	}
	g.patience(t, alive)
	g.WaitForSentinels(t)
	return g
}

// Address is that of the group, for a client.
func (g *Sentinels) Address() string {
	var addrs []string
	for _, s := range g.Sentinels {
		addrs = append(addrs, s.Addr)
	}
	return "redis://" + strings.Join(addrs, ",") + "?master_name=main"
}

// How many milliseconds of silence the sentinels take for a death. A master that is only slow, on a busy machine, is to keep
// its place.
const alive, dead = "60000", "500"

func (g *Sentinels) patience(t testing.TB, milliseconds string) {
	t.Helper()
	for _, s := range g.Sentinels {
		must(t, s.Addr, "SENTINEL", "SET", "main", "down-after-milliseconds", milliseconds)
	}
}

// WaitForSentinels waits until each knows the master, the replica and the others.
func (g *Sentinels) WaitForSentinels(t testing.TB) {
	t.Helper()
	wanted := fmt.Sprintf("status=ok,address=%s,slaves=1,sentinels=%d", g.Master.Addr, len(g.Sentinels))
	for _, s := range g.Sentinels {
		Eventually(t, "the sentinels know each other, master and replica", func() error {
			info, err := Ask(s.Addr, "INFO", "sentinel")
			if err == nil && !strings.Contains(info, wanted) {
				err = fmt.Errorf("%s", info)
			}
			return err
		})
	}
}

func inStep(replica string) error {
	info, err := Ask(replica, "INFO", "replication")
	if err == nil && !strings.Contains(info, "master_link_status:up") {
		err = fmt.Errorf("%s", info)
	}
	return err
}

// CutReplication keeps from the replica whatever the master takes from now on.
func (g *Sentinels) CutReplication(t testing.TB) {
	t.Helper()
	must(t, g.Master.Addr, "ACL", "SETUSER", "replica", "off")
	must(t, g.Master.Addr, "CLIENT", "KILL", "TYPE", "replica")
}

// FailOver kills the master and waits until the replica is in its place. The dead one is the replica then.
func (g *Sentinels) FailOver(t testing.TB) {
	t.Helper()
	g.Master.Kill()
	g.patience(t, dead)
	Eventually(t, "the replica becomes the master", func() error {
		role, err := Ask(g.Replica.Addr, "INFO", "replication")
		if err == nil && !strings.Contains(role, "role:master") {
			err = fmt.Errorf("%s", role)
		}
		return err
	})
	g.patience(t, alive)
	g.Master, g.Replica = g.Replica, g.Master
}

// NewSentinel starts a real sentinel that watches a server under a name. More lines of its configuration may follow.
func NewSentinel(t testing.TB, name, master string, more ...string) *Redis {
	t.Helper()
	Program(t, "redis", "redis-server")
	host, port, err := net.SplitHostPort(master)
	if err != nil {
		t.Fatal(err)
	}
	r := &Redis{Dir: t.TempDir()}
	conf := filepath.Join(r.Dir, "sentinel.conf") // a sentinel writes what it learns into its file
	text := fmt.Sprintf("bind 127.0.0.1\ndir %s\nsentinel monitor %s %s %s 1\n%s\n", r.Dir, name, host, port, strings.Join(more, "\n"))
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r.argv = func(port string) []string { return []string{conf, "--sentinel", "--port", port} }
	r.startAnywhere(t)
	return r
}

// Cluster is a Redis Cluster of three masters, of which the first has a replica.
type Cluster struct {
	Masters [3]*Redis
	Replica *Redis
}

const slots = 16384 // of any cluster

// clusterNode starts a server that is in no cluster yet.
func clusterNode(t testing.TB) *Redis {
	return NewRedis(t, "--cluster-enabled", "yes", "--cluster-port", FreePort(t), "--cluster-node-timeout", "1000",
		"--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0")
}

// StartCluster starts a cluster that notices a dead master within a second or two.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{Replica: clusterNode(t)}
	for i := range c.Masters {
		c.Masters[i] = clusterNode(t)
		must(t, c.Masters[i].Addr, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		must(t, c.Masters[i].Addr, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(slots*i/3), strconv.Itoa(slots*(i+1)/3-1))
	}
	for _, other := range append(c.Masters[1:3:3], c.Replica) {
		host, port, _ := net.SplitHostPort(other.Addr)
		must(t, c.Masters[0].Addr, "CLUSTER", "MEET", host, port, clusterPort(t, other.Addr))
	}
	Eventually(t, "the replica follows", func() error {
		_, err := Ask(c.Replica.Addr, "CLUSTER", "REPLICATE", must(t, c.Masters[0].Addr, "CLUSTER", "MYID"))
		return err
	})
	Eventually(t, "the cluster is whole", func() error {
		for _, n := range append(c.Masters[:3:3], c.Replica) {
			info, err := Ask(n.Addr, "CLUSTER", "INFO")
			if err == nil && (!strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:4")) {
				err = errors.New(info)
			}
			if err != nil {
				return err
			}
		}
		return inStep(c.Replica.Addr)
	})
	return c
}

// StartClusterOfSix starts a cluster in which each master has a replica, and returns the three pairs.
func StartClusterOfSix(t testing.TB) (pairs [3][2]*Redis) {
	t.Helper()
	c := StartCluster(t)
	for i, master := range c.Masters {
		replica := c.Replica
		if i > 0 {
			replica = clusterNode(t)
			host, port, _ := net.SplitHostPort(replica.Addr)
			must(t, master.Addr, "CLUSTER", "MEET", host, port, clusterPort(t, replica.Addr))
			Eventually(t, "a replica more follows", func() error {
				_, err := Ask(replica.Addr, "CLUSTER", "REPLICATE", must(t, master.Addr, "CLUSTER", "MYID"))
				return err
			})
		}
		pairs[i] = [2]*Redis{master, replica}
	}
	for _, pair := range pairs {
		WholeCluster(t, pair[0], 6)
		Eventually(t, "each replica is in step", func() error { return inStep(pair[1].Addr) })
	}
	return pairs
}

// WholeCluster waits until a node sees so many, and all slots served.
func WholeCluster(t testing.TB, node *Redis, nodes int) {
	t.Helper()
	Eventually(t, "the cluster is whole", func() error {
		info, err := Ask(node.Addr, "CLUSTER", "INFO")
		if err == nil && (!strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d", nodes))) {
			err = errors.New(info)
		}
		return err
	})
}

// FailOverIn kills the master of a pair of a cluster, waits until its replica is in its place, and starts the dead one as the replica.
func FailOverIn(t testing.TB, pair *[2]*Redis) {
	t.Helper()
	pair[0].Kill()
	Eventually(t, "the replica becomes a master", func() error {
		role, err := Ask(pair[1].Addr, "INFO", "replication")
		if err == nil && !strings.Contains(role, "role:master") {
			err = errors.New(role)
		}
		return err
	})
	pair[0], pair[1] = pair[1], pair[0]
	pair[1].Start(t)
	Eventually(t, "the dead one follows", func() error { return inStep(pair[1].Addr) })
	WholeCluster(t, pair[0], 6)
}

func clusterPort(t testing.TB, addr string) string {
	t.Helper()
	self := strings.Fields(must(t, addr, "CLUSTER", "NODES")) // id ip:port@busport ...
	_, port, _ := strings.Cut(strings.Split(self[1], ",")[0], "@")
	return port
}

// Accounts returns the name of an account on each master.
func (c *Cluster) Accounts(t testing.TB) []string {
	t.Helper()
	names := make([]string, len(c.Masters))
	for found, n := 0, 0; found < len(names); n++ {
		name := "a" + strconv.Itoa(n)
		slot, err := strconv.Atoi(strings.TrimPrefix(must(t, c.Masters[0].Addr, "CLUSTER", "KEYSLOT", "{"+name+"}"), ":"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range names {
			if names[i] == "" && slots*i/3 <= slot && slot < slots*(i+1)/3 {
				names[i], found = name, found+1
			}
		}
	}
	return names
}
