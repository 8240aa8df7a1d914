// How a server ends while something hangs, and what a second signal does.

package integration_test

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// endings are the ways to end a server: signals, and the end of its input.
var endings = map[string]func(*testing.T, *pipes){
	"SIGTERM":      func(t *testing.T, s *pipes) { s.signal(t, syscall.SIGTERM) },
	"SIGHUP":       func(t *testing.T, s *pipes) { s.signal(t, syscall.SIGHUP) },
	"SIGINT":       func(t *testing.T, s *pipes) { s.signal(t, syscall.SIGINT) },
	"end of input": func(_ *testing.T, s *pipes) { _ = s.in.Close() },
}

func (s *pipes) signal(t testing.TB, what os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(what); err != nil {
		t.Fatal(err)
	}
}

// heedSignals has the processes that the test starts not ignore SIGHUP, even if the test was started by nohup.
func heedSignals(t *testing.T) {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP, syscall.SIGINT)
	t.Cleanup(func() { signal.Stop(heard) })
}

// Left alone, the search would be told after some seconds that its provider did not answer in time. That it is told that
// it was cancelled proves that the server did not wait for that.
func TestAServerThatEndsGivesUpASearchThatHangs(t *testing.T) {
	t.Parallel()
	heedSignals(t)
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := onFiles(t)
			p.open(t, "alice", "10000", "2025-10-02")
			asked := make(chan struct{}, 2)
			services(t, p, func(_ http.ResponseWriter, r *http.Request) {
				asked <- struct{}{}
				<-r.Context().Done()
			})
			s := p.pipe(t, "alice")
			s.send(t, callLine(1, "search", `{"query":"chips"}`))
			<-asked
			s.send(t, orderLine(2, "buy", "AAPL", 1, ""), callLine(3, "get_session", `{}`))
			answers := map[string]message{}
			for range 2 {
				m := s.answer(t)
				answers[string(m.ID)] = m
			}
			began := time.Now()
			end(t, s)
			m := s.answer(t)
			if code := s.code(t); code != 0 {
				t.Errorf("exit %d\n%s", code, s.log)
			}
			t.Logf("the end took %v", time.Since(began).Round(10*time.Millisecond))
			if answers["2"].reply(t).failed || answers["3"].reply(t).failed {
				t.Errorf("what does not hang is answered %v", answers)
			}
			if r := m.reply(t); string(m.ID) != "1" || r.str("code") != "search_failed" || !strings.Contains(r.str("error"), "the search was cancelled") {
				t.Errorf("the search is answered %s %s", m.ID, r.text)
			}
		})
	}
}

// endBySignals sends one signal after the other until the process has ended, and fails the test unless a signal ended it.
func endBySignals(t *testing.T, cmd *exec.Cmd, ended <-chan struct{}, what syscall.Signal) {
	t.Helper()
	late := time.After(patience)
	for {
		_ = cmd.Process.Signal(what)
		select {
		case <-ended:
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != what {
				t.Errorf("it ended by itself: %v", cmd.ProcessState)
			}
			return
		case <-late:
			t.Fatal("it does not end")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func TestASecondSignalEndsTheProgramWhateverBlocks(t *testing.T) {
	t.Parallel()
	heedSignals(t)
	for _, what := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		t.Run("a server whose client does not read, "+what.String(), func(t *testing.T) {
			t.Parallel()
			p := onFiles(t)
			p.open(t, "alice", "10000", "2025-10-02")
			s := p.pipe(t, "alice")
			s.send(t, callLine(0, "get_session", `{}`))
			s.answer(t) // so the server has begun
			for i := range 1000 {
				s.send(t, callLine(i, "get_session", `{}`))
			}
			endBySignals(t, s.cmd, s.ended, what)
		})
		t.Run("a command that waits for its input, "+what.String(), func(t *testing.T) {
			t.Parallel()
			cmd := onFiles(t).command("ledger", "import", "alice", "-")
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				_ = cmd.Wait()
				close(ended)
			}()
			t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
			// It is more than fits into a pipe, so the command has begun to read.
			if _, err := io.WriteString(in, strings.Repeat(" ", 1<<20)); err != nil {
				t.Fatal(err)
			}
			endBySignals(t, cmd, ended, what)
		})
	}
}

func TestAServerThatWasStartedByNohupOutlivesTheTerminal(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "10000", "2025-10-02")
	cmd := p.command()
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `trap "" HUP; exec "$0" stdio --model-id alice`, binary}
	s := pipeTo(t, cmd)
	for id := range 3 {
		s.send(t, callLine(id, "buy", `{"symbol":"AAPL","amount":1}`))
		if r := s.answer(t).reply(t); r.failed {
			t.Fatal(r.text)
		}
		s.signal(t, syscall.SIGHUP)
	}
	if code := s.finish(t); code != 0 {
		t.Errorf("exit %d\n%s", code, s.log)
	}
}

// A resource that is not there is found out before anything is done with its uri: it costs little more than a ping of the same length.
func TestALongURICostsLittle(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "10000", "2025-10-02")
	spent := func(line string) time.Duration {
		s := p.pipe(t, "alice")
		go func() { _, _ = io.WriteString(s.in, line+"\n"); _ = s.in.Close() }()
		if m := s.answer(t); string(m.ID) != "1" {
			t.Fatalf("%+v", m)
		}
		if code := s.code(t); code != 0 {
			t.Fatalf("exit %d\n%s", code, s.log)
		}
		return s.cmd.ProcessState.UserTime()
	}
	long := strings.Repeat("x", 3_900_000)
	ping := spent(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + long + `"}}`)
	read := spent(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"ledger://` + long + `/latest"}}`)
	if read > 10*ping+time.Second {
		t.Errorf("a ping takes %v of the processor, a resource of that length %v", ping, read)
	}
}
