package testenv_test

import (
	"bufio"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
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

func TestProxy(t *testing.T) {
	p := testenv.StartProxy(t, echo(t))
	want := func(c net.Conn, line, reply string) {
		t.Helper()
		if got := ask(t, c, line); got != reply {
			t.Errorf("%s: %s, want %s", line, got, reply)
		}
	}
	c := dial(t, p.Addr())
	want(c, "hello", "hello")

	p.Set(testenv.Refuse)
	want(c, "refused", "cut")
	if c, err := net.Dial("tcp", p.Addr()); err == nil {
		_ = c.Close()
		t.Error("it listens though it refuses")
	}

	p.Set(testenv.Hang)
	c = dial(t, p.Addr())
	want(c, "hung", "nothing")

	p.Set(testenv.Pass)
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
