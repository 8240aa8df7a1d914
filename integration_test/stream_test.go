// The ends of a stream: end of input and SIGTERM lose nothing that was read.

package integration_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
)

// mixedCalls are n requests, every other one a buy of MSFT. Their ids count from 1.
func mixedCalls(n int) []string {
	others := []string{
		callLine(0, "get_price", `{"symbol":"AAPL"}`),
		callLine(0, "get_portfolio", `{}`),
		callLine(0, "get_session", `{}`),
		callLine(0, "get_trades", `{"limit":5}`),
	}
	calls := make([]string, n)
	for i := range calls {
		if i%2 == 0 {
			calls[i] = orderLine(i+1, "buy", "MSFT", 1, fmt.Sprint("order-", i+1))
		} else {
			calls[i] = strings.Replace(others[i/2%len(others)], `"id":0`, fmt.Sprintf(`"id":%d`, i+1), 1)
		}
	}
	return calls
}

// inOrder fails the test unless the answers to orders, by the order of the requests, have the record ids 1, 2, 3...
func inOrder(t *testing.T, p *place, calls int, answers map[string]message) (trades int) {
	t.Helper()
	for id := 1; id <= calls; id++ {
		m, ok := answers[fmt.Sprint(id)]
		if !ok {
			t.Fatalf("the request %d was read and is not answered", id)
		}
		r := m.reply(t)
		if r.failed {
			t.Fatalf("the request %d failed: %s", id, r.text)
		}
		if id%2 == 1 {
			trades++
			if got := r.number(t, "id").IntPart(); got != int64(trades) {
				t.Fatalf("the order %d has the record %d", trades, got)
			}
		}
	}
	if n := len(p.records(t, "alice")) - 1; n != trades {
		t.Fatalf("%d trades are answered, %d are in the ledger", trades, n)
	}
	p.verified(t, "alice")
	return trades
}

func TestEveryCallPipedBeforeTheEndOfInputIsAnsweredAndTradesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	const calls = 500
	onBothStores(t, func(t *testing.T, p *place) {
		p.open(t, "alice", "1000000", "2025-10-02")
		s := p.pipe(t, "alice")
		go func() {
			_, _ = io.WriteString(s.in, strings.Join(mixedCalls(calls), ""))
			_ = s.in.Close()
		}()
		answers := s.all(t)
		if code := s.code(t); code != 0 || len(answers) != calls {
			t.Fatalf("exit %d, %d answers\n%s", code, len(answers), s.log)
		}
		inOrder(t, p, calls, answers)
	})
}

func TestOnSIGTERMEveryRequestThatWasReadIsAnswered(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) { answeredOn(t, p, syscall.SIGTERM) })
}

func TestOnSIGHUPEveryRequestThatWasReadIsAnswered(t *testing.T) {
	t.Parallel()
	heedSignals(t)
	answeredOn(t, onFiles(t), syscall.SIGHUP)
}

// answeredOn sends a signal while the server reads and fails the test unless all that it had read is answered.
func answeredOn(t *testing.T, p *place, signal syscall.Signal) {
	p.open(t, "alice", "1000000", "2025-10-02")
	calls := mixedCalls(6000) // more than waits in any queue, so the signal comes while the server still reads
	s := p.pipe(t, "alice")
	written := make(chan struct{})
	go func() {
		_, _ = io.WriteString(s.in, strings.Join(calls, ""))
		_ = s.in.Close()
		close(written)
	}()
	first := s.answer(t)
	s.signal(t, signal)
	answers := s.all(t)
	answers[string(first.ID)] = first
	if code := s.code(t); code != 0 {
		t.Fatalf("exit %d\n%s", code, s.log)
	}
	rest, err := io.ReadAll(s.unread)
	if err != nil {
		t.Fatal(err)
	}
	<-written
	all := strings.Join(calls, "")
	read := strings.Count(all[:len(all)-len(rest)], "\n") // requests that the server took whole
	if bytes.Count(rest, []byte("\n")) == 0 {
		t.Fatal("the server had read everything before the signal came: the test proves nothing")
	}
	if len(answers) != read {
		t.Errorf("%d requests were read, %d answered", read, len(answers))
	}
	t.Logf("%d requests read, %d trades", read, inOrder(t, p, read, answers))
}
