// Storms over processes, files and ledgers: servers are killed, the disk is full, locks and ledgers are removed and
// exchanged, trading is halted.

package integration_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mcp-trade/internal/testenv"
)

func TestStorm_Servers(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		weather(t, p, fault{"servers killed", 350, nothing, func(s *storm, r *rand.Rand) {
			pause(r, 60*raceSlows)
			_ = s.server(r.IntN(len(s.servers))).cmd.Process.Kill()
		}})
	})
}

func TestStorm_Disk(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	p := onFiles(t)
	full := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", p.dir)
	testenv.Require(t, "mount", full.Run() == nil, "no small file system can be mounted here")
	t.Cleanup(func() { _ = exec.Command("umount", "-l", p.dir).Run() })
	filler := filepath.Join(p.dir, "filler")
	weather(t, p, fault{"disk full", 40, nothing, func(_ *storm, r *rand.Rand) {
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

func TestStorm_Files(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	for _, f := range []fault{
		{"lock files removed", 7000, nothing, func(s *storm, _ *rand.Rand) {
			_ = os.Remove(filepath.Join(filepath.Dir(s.ledgerFile("alice")), ".position.lock"))
			_ = os.Remove(s.sessionFile("alice") + ".lock")
		}},
		{"ledger saved by an editor", 40, within, func(s *storm, r *rand.Rand) {
			text, err := os.ReadFile(s.ledgerFile("alice"))
			if err != nil {
				s.t.Fatal(err)
			}
			pause(r, 20)
			put(s.t, s.ledgerFile("alice"), string(text))
		}},
	} {
		t.Run(f.name, func(t *testing.T) { weather(t, onFiles(t), f) })
	}
}

// put puts a file in the place of another one, as editors do.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+"~", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

// The ledger goes back, or is opened anew, and others fill it up to about the number that the servers have seen.
func TestStorm_AnotherLedger(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		weather(t, p, fault{"another ledger", 40, before, func(s *storm, r *rand.Rand) {
			if r.IntN(2) == 0 {
				s.replace(r)
			} else {
				s.still(func() { s.replace(r) }) // so that servers hold what they last saw
			}
		}})
	})
}

func (s *storm) replace(r *rand.Rand) {
	const most = 300 // orders of others
	text := s.do(s.t, "ledger", "export", "alice")
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	kept := 0 // of a backup; none of a ledger that is opened anew
	if r.IntN(3) > 0 {
		kept = max(1, len(lines)-r.IntN(most))
	}
	switch {
	case kept > 0 && s.redisURL == "":
		put(s.t, s.ledgerFile("alice"), strings.TrimSuffix(strings.Join(lines[:kept], ""), "\n")+"\n")
	case kept > 0:
		s.rewind(kept)
	case s.redisURL == "":
		err := os.RemoveAll(filepath.Join(s.dir, "agent_data", "alice"))
		for again := 0; errors.Is(err, syscall.ENOTEMPTY) && again < 100; again++ { // a server made a file in the meantime
			err = os.RemoveAll(filepath.Join(s.dir, "agent_data", "alice"))
		}
		if err != nil {
			s.t.Fatal(err)
		}
	default:
		redisDo(s.t, s.redisURL, "DEL", "ledger:{alice}", "orders:{alice}")
	}
	if kept == 0 {
		s.do(s.t, "ledger", "register", "alice", "--cash", "90000000", "--date", "2025-10-02")
		kept = 1
	}
	other := s.pipe(s.t, "alice")
	wanted := min(most, max(0, len(lines)-kept-r.IntN(2))) // to the same id, or to the one before
	for i := range wanted {
		other.send(s.t, orderLine(i, "buy", "AAPL", 1, fmt.Sprintf("other-%d-%d", s.era.number, i)))
		if a := other.answer(s.t).reply(s.t); a.failed {
			s.t.Errorf("an order on the new ledger: %s", a.text)
		}
	}
	if code := other.finish(s.t); code != 0 {
		s.t.Errorf("exit %d", code)
	}
}

// rewind makes of the ledger in Redis its first so many lines, as somebody does who restores a backup. The index of order ids
// stays as it is.
func (s *storm) rewind(kept int) {
	redisDo(s.t, s.redisURL, "EVAL", `
		for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[1])) do
			redis.call('XADD', KEYS[2], entry[1], unpack(entry[2]))
		end
		return redis.call('RENAME', KEYS[2], KEYS[1])`, 2, "ledger:{alice}", "backup:{alice}", kept)
}

func TestStorm_Halts(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	for name, p := range map[string]func(testing.TB) *place{"file": onFiles, "redis": onRedis, "session in redis, ledger in file": onSession} {
		t.Run(name, func(t *testing.T) {
			weather(t, p(t), fault{"halts", 60, nothing, func(s *storm, r *rand.Rand) {
				model := []string{"*", "alice"}[r.IntN(2)]
				s.do(s.t, "session", "set", "HALT=true", "--model-id", model)
				s.turn(false)
				before := len(s.records(s.t, "alice"))
				pause(r, 100)
				s.answered(notExecuted)
				if after := len(s.records(s.t, "alice")); after != before {
					s.t.Errorf("%s was halted at %d records, and there are %d", model, before, after)
				}
				s.untraded("it was halted")
				s.do(s.t, "session", "clear", "HALT", "--model-id", model)
			}})
		})
	}
}

// onSession is a place whose sessions are in a Redis of its own, and its ledgers in files.
func onSession(t testing.TB) *place {
	p := onRedis(t)
	p.env = append(p.env, "MCP_TRADE_LEDGER=file")
	return p
}
