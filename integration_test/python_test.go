// Python programs work on the same files while the server trades: they rewrite the session in place, and append rows
// under the lock of the ledger.

package integration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
)

// until runs do again and again until stop is called, which waits for the last one.
func until(do func() error) (stop func() error) {
	done, result := make(chan struct{}), make(chan error)
	go func() {
		for {
			if err := do(); err != nil {
				<-done
				result <- err
				return
			}
			select {
			case <-done:
				result <- nil
				return
			case <-time.After(3 * time.Millisecond):
			}
		}
	}()
	return func() error { close(done); return <-result }
}

// rewriteInPlace writes a file as Python's open(path, "w") does: it is empty for a moment, then cut short, then whole.
func rewriteInPlace(path, text string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, part := range []string{text[:len(text)/2], text[len(text)/2:]} {
		if _, err := f.WriteString(part); err != nil {
			return err
		}
	}
	return nil
}

func TestASessionFileThatIsRewrittenInPlaceStopsNoTrade(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const trades = 300
	p := onFiles(t)
	p.open(t, "alice", "100000", "2025-10-02")
	// The writer of AI-Trader knows of no HALT and stores strings and flags as JSON with an indent of 4.
	stop := until(func() error {
		return rewriteInPlace(p.sessionFile("alice"), "{\n    \"SIGNATURE\": \"alice\",\n    \"TODAY_DATE\": \"2025-10-02\",\n    \"IF_TRADE\": false\n}")
	})
	tr := p.trade(t, "alice")
	for i := range trades {
		if r := tr.filled(t, "buy", "AAPL", 1); r.number(t, "id").IntPart() != int64(i+1) {
			t.Fatalf("trade %d: %s", i+1, r.text)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := len(p.records(t, "alice")); n != trades+1 {
		t.Fatalf("%d records of %d trades", n, trades)
	}
	if got := p.do(t, "session", "get", "SIGNATURE", "--model-id", "alice"); got != "alice\n" {
		t.Fatalf("the session has the signature %q", got)
	}
	p.verified(t, "alice")
}

// noTradeRow appends a no_trade row as AI-Trader's runner does: copy the newest positions under the lock.
func noTradeRow(file string) error {
	lock := flock.New(filepath.Join(filepath.Dir(file), ".position.lock"))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer lock.Unlock()
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var newest struct {
		Date      string
		ID        int64
		Positions json.RawMessage
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &newest); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, `{"date": "%s", "id": %d, "this_action": {"action": "no_trade", "symbol": "", "amount": 0}, "positions": %s}`+"\n", newest.Date, newest.ID+1, newest.Positions)
	return err
}

func TestRowsThatPythonAppendsUnderTheLockStandBetweenOurTrades(t *testing.T) {
	t.Parallel()
	const trades = 300
	p := onFiles(t)
	p.open(t, "alice", "100000", "2025-10-02")
	stop := until(func() error { return noTradeRow(p.ledgerFile("alice")) })
	tr := p.trade(t, "alice")
	acknowledged := map[int64]bool{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			for range trades / 3 {
				r, err := tr.tryCall("buy", args{"symbol": "AAPL", "amount": 1})
				if err != nil || r.failed {
					t.Errorf("%v %s", err, r.text)
					return
				}
				mu.Lock()
				acknowledged[r.number(t, "id").IntPart()] = true
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	records := p.records(t, "alice")
	bought := slices.DeleteFunc(slices.Clone(records), func(r ledger.Record) bool { return !r.Traded() })
	if len(bought) != trades || len(records) < trades+10 {
		t.Fatalf("%d records, %d of them trades", len(records), len(bought))
	}
	for i, r := range records {
		if r.ID != int64(i) || r.Traded() != acknowledged[r.ID] {
			t.Fatalf("row %d has the id %d; a trade: %v, acknowledged: %v", i, r.ID, r.Traded(), acknowledged[r.ID])
		}
	}
	// The rows of Python carry no hash, which is told of each; everything else must follow.
	var reports []struct {
		Findings []struct{ Class string }
	}
	out := p.try(t, "ledger", "verify", "alice", "--json")
	if err := json.Unmarshal([]byte(out.stdout), &reports); err != nil || len(reports) != 1 || out.code != 1 || len(reports[0].Findings) == 0 {
		t.Fatalf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	for _, f := range reports[0].Findings {
		if f.Class != "not chained" {
			t.Errorf("a row does not follow: %+v", f)
		}
	}
}
