package storetest_test

import (
	"bufio"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"mcp-trade/store/storetest"
)

// echo starts a server that sends every line back.
func echo(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				lines := bufio.NewReader(c)
				for {
					line, err := lines.ReadString('\n')
					if _, errWrite := c.Write([]byte(line)); err != nil || errWrite != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// ask sends a line on a connection and tells what came back: the line, "cut", or "nothing" for a while.
func ask(t *testing.T, c net.Conn, line string) string {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(100 * time.Millisecond))
	_, _ = c.Write([]byte(line + "\n")) // one that was cut shows in the answer
	reply, err := bufio.NewReader(c).ReadString('\n')
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		return "nothing"
	} else if err != nil {
		return "cut"
	}
	return reply[:len(reply)-1]
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestAProxyDoesWhatItIsTold(t *testing.T) {
	p := storetest.StartProxy(t, echo(t))
	want := func(c net.Conn, line, reply string) {
		t.Helper()
		if got := ask(t, c, line); got != reply {
			t.Errorf("%s: %s, want %s", line, got, reply)
		}
	}
	c := dial(t, p.Addr())
	want(c, "hello", "hello")

	p.Set(storetest.Refuse)
	want(c, "refused", "cut")
	if c, err := net.Dial("tcp", p.Addr()); err == nil {
		_ = c.Close()
		t.Error("it listens though it refuses")
	}

	p.Set(storetest.Hang)
	c = dial(t, p.Addr())
	want(c, "hung", "nothing")

	p.Set(storetest.Pass)
	want(c, "hung before", "cut")
	c = dial(t, p.Addr())
	want(c, "again", "again")

	var then atomic.Bool // set by the proxy's goroutine
	p.DropReply("COMMIT", func() { then.Store(true) })
	want(c, "other", "other")
	want(c, "a commit", "cut")
	c = dial(t, p.Addr())
	want(c, "commit", "commit") // only one is dropped
	p.Delay(50 * time.Millisecond)
	since := time.Now()
	want(c, "later", "later")
	if took := time.Since(since); took < 50*time.Millisecond {
		t.Errorf("delayed by %v", took)
	}
	p.Delay(0)
	if p.Drops() != 1 || !then.Load() {
		t.Errorf("%d drops, then %t", p.Drops(), then.Load())
	}
}

func TestTestDataCountsFromTheRootOfTheModule(t *testing.T) {
	t.Setenv("MCP_TRADE_TESTDATA", "store/storetest")
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	if got := storetest.TestData(t); got != here {
		t.Errorf("it is %s, want %s", got, here)
	}
	t.Setenv("MCP_TRADE_TESTDATA", here)
	if got := storetest.TestData(t); got != here {
		t.Errorf("it is %s, want %s", got, here)
	}
}

// What is missing skips a test where it was not promised.
func TestWhatIsMissingSkips(t *testing.T) {
	t.Setenv("MCP_TRADE_REQUIRE", "inspector, testdata")
	skipped := false
	t.Run("redis", func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		storetest.Require(t, "redis", false, "it is not here")
		t.Error("it went on")
	})
	if !skipped {
		t.Error("it was not skipped")
	}
	storetest.Require(t, "testdata", true, "")
}
