// Raw pipes to a server, for tests in which bytes and signals matter.

package integration_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// syncBuffer takes what several goroutines write.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// pipes are a server process and the ends of its streams.
type pipes struct {
	cmd    *exec.Cmd
	in     *os.File // write requests here
	unread *os.File // the server's end: what it never read can be read here once it is gone
	out    *bufio.Reader
	log    *syncBuffer
	ended  chan struct{}
}

// pipe starts the server of a model on bare pipes. The test must end it with finish or kill; if it does not get to
// that, the process is killed at its end.
func (p *place) pipe(t testing.TB, model string) *pipes {
	t.Helper()
	return pipeTo(t, p.command("stdio", "--model-id", model))
}

func pipeTo(t testing.TB, cmd *exec.Cmd) *pipes {
	t.Helper()
	s := &pipes{cmd: cmd, log: &syncBuffer{}, ended: make(chan struct{})}
	var err error
	if s.unread, s.in, err = os.Pipe(); err != nil {
		t.Fatal(err)
	}
	out, answers, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewReaderSize(out, 64<<10)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = s.unread, answers, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = answers.Close()
	go func() {
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.kill()
		for _, f := range []*os.File{s.in, s.unread, out} {
			_ = f.Close()
		}
	})
	return s
}

// kill ends the server at once, as kill -9 does, and waits until it is gone.
func (s *pipes) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// finish ends the input and returns the exit code.
func (s *pipes) finish(t testing.TB) int {
	t.Helper()
	_ = s.in.Close()
	return s.code(t)
}

// code waits for the end of the server and returns its exit code.
func (s *pipes) code(t testing.TB) int {
	t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		t.Fatalf("the server does not end\n%s", s.log)
	}
	return s.cmd.ProcessState.ExitCode()
}

// send writes lines in one go.
func (s *pipes) send(t testing.TB, lines ...string) {
	t.Helper()
	if _, err := io.WriteString(s.in, strings.Join(lines, "")); err != nil {
		t.Fatalf("send: %v\n%s", err, s.log)
	}
}

// message is a line that the server wrote.
type message struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  *struct {
		Content []struct{ Text string } `json:"content"`
		IsError bool                    `json:"isError"`
	} `json:"result"`
	Error *struct {
		Code    int
		Message string
	} `json:"error"`
}

// next reads one message. It reports false at the end of the stream; anything that is not a message fails the test.
func (s *pipes) next(t testing.TB) (message, bool) {
	t.Helper()
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return message{}, false // what was cut off in the middle of a line was never said
	}
	var m message
	if err := json.Unmarshal(line, &m); err != nil || m.JSONRPC != "2.0" || len(m.ID) == 0 || (m.Result == nil) == (m.Error == nil) {
		t.Fatalf("stdout has a line that is no answer: %q", line)
	}
	return m, true
}

// answer reads one message that must come.
func (s *pipes) answer(t testing.TB) message {
	t.Helper()
	m, ok := s.next(t)
	if !ok {
		t.Fatalf("the server is gone without an answer\n%s", s.log)
	}
	return m
}

// all reads every message up to the end of the stream, by id. Two answers to one request fail the test.
func (s *pipes) all(t testing.TB) map[string]message {
	t.Helper()
	answers := map[string]message{}
	for m, ok := s.next(t); ok; m, ok = s.next(t) {
		if _, twice := answers[string(m.ID)]; twice {
			t.Fatalf("the request %s is answered twice", m.ID)
		}
		answers[string(m.ID)] = m
	}
	return answers
}

// reply returns the answer of a tool.
func (m message) reply(t testing.TB) reply {
	t.Helper()
	if m.Result == nil || len(m.Result.Content) != 1 {
		t.Fatalf("the answer to %s is none of a tool: %+v", m.ID, m.Error)
	}
	r, err := newReply(m.Result.IsError, m.Result.Content[0].Text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// callLine is the request that calls a tool with arguments in JSON.
func callLine(id int, tool, arguments string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`+"\n", id, tool, arguments)
}

// orderLine is the request for an order; without an order id if that is "".
func orderLine(id int, tool, symbol string, amount int, orderID string) string {
	if orderID != "" {
		orderID = fmt.Sprintf(`,"order_id":%q`, orderID)
	}
	return callLine(id, tool, fmt.Sprintf(`{"symbol":%q,"amount":%d%s}`, symbol, amount, orderID))
}
