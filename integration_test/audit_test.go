// The audit of a server from outside: each refused request is a line, and a kill loses none of an acknowledged call.

package integration_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcp-trade/audit"
)

func TestAudit_RefusedRequests(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "1000", plainDays[0])
	good, expired := p.token(t, "alice", "--scopes", "read"), p.token(t, "alice", "--expires", "1ms")
	dir := filepath.Join(p.dir, "kept")
	s := p.serveHTTP(t, "127.0.0.1:0", "--audit", dir)
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"buy","arguments":{"symbol":"AAPL","amount":1}}}`
	bearer := func(token string) map[string]string { return map[string]string{"Authorization": "Bearer " + token} }
	for _, c := range []struct {
		name, query, body string
		head              map[string]string
		status            int
		who               string
	}{
		{"no token", "", call, nil, 401, ""},
		{"a wrong token", "", call, bearer("mcptrade_" + strings.Repeat("A", 43)), 401, ""},
		{"an expired token", "", call, bearer(expired), 401, ""},
		{"a foreign origin", "", call, map[string]string{"Authorization": "Bearer " + good, "Origin": "http://evil.example"}, 403, ""},
		{"a name that was made to point here", "", call, map[string]string{"Authorization": "Bearer " + good, "Host": "evil.example"}, 403, ""},
		{"a token in the address", "?access_token=" + good, call, nil, 400, ""},
		{"a scope that the token lacks", "", call, bearer(good), 403, "alice"},
		{"a huge body", "", strings.Repeat(" ", 4<<20) + call, bearer(good), 413, "alice"},
		{"no JSON", "", "{", bearer(good), 400, "alice"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url("/mcp")+c.query, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		for name, value := range c.head {
			r.Header.Set(name, value)
		}
		r.Host = c.head["Host"]
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(c.name, err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != c.status {
			t.Errorf("%s: %d %s", c.name, response.StatusCode, text)
		}
		lines := auditOf(t, dir)
		if e := lines[len(lines)-1]; e.Outcome != audit.Denied || e.Status != c.status || e.Account != c.who || e.Reason == "" || !strings.HasPrefix(e.Remote, "127.0.0.1:") {
			t.Errorf("%s is kept as %+v", c.name, e)
		}
		if whole, _ := json.Marshal(lines); strings.Contains(string(whole), good) || strings.Contains(string(whole), expired) || strings.Contains(s.log.String(), good) {
			t.Errorf("%s: the token is kept, or logged", c.name)
		}
	}
	if lines := auditOf(t, dir); len(lines) != 9 {
		t.Errorf("%d lines", len(lines))
	}
	s.stop(t)
}

// auditOf reads an audit, which must be whole.
func auditOf(t *testing.T, dir string) (lines []audit.Entry) {
	t.Helper()
	chains, err := audit.Read(dir, func(e audit.Entry) { lines = append(lines, e) })
	if err != nil || len(chains) == 0 {
		t.Fatalf("%d chains, %v", len(chains), err)
	}
	for _, c := range chains {
		if len(c.Wrong) > 0 {
			t.Errorf("%+v", c)
		}
	}
	return lines
}

// A server is killed again and again under orders of several accounts: each answered one is in the audit, with its record.
func TestAudit_KilledServers(t *testing.T) {
	t.Parallel()
	const traders = 4
	p, kills := onFiles(t), scaled(t, 100, 2)
	dir := filepath.Join(p.dir, "kept")
	for n := range traders {
		p.open(t, fmt.Sprint("a", n), "100000000", plainDays[0])
	}
	random := rand.New(rand.NewPCG(uint64(settingOf(t, "MCP_TRADE_STORM_SEED", 1)), 5))
	answered := map[string]int64{} // record by order
	var mu sync.Mutex
	for round := range kills {
		s := p.serveHTTP(t, "127.0.0.1:0", "--audit", dir)
		var trading sync.WaitGroup
		var over atomic.Bool
		for n := range traders {
			tr := s.connect(t, p.token(t, fmt.Sprint("a", n)), eras[n%len(eras)])
			trading.Go(func() {
				for i := 0; !over.Load(); i++ {
					id := fmt.Sprintf("%d-%d-%d", n, round, i)
					result, err := tr.tryCall("buy", args{"symbol": "AAPL", "amount": 1, "order_id": id})
					if err != nil {
						return // the server is gone
					}
					record, err := strconv.ParseInt(fmt.Sprint(result.fields["id"]), 10, 64)
					if err != nil || result.failed {
						t.Errorf("%s: %s", id, result.text)
						return
					}
					mu.Lock()
					answered[id] = record
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Duration(50+random.IntN(150)) * time.Millisecond)
		if err := s.process.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		over.Store(true)
		trading.Wait()
		<-s.ended
	}
	kept := map[string]int64{}
	for _, e := range auditOf(t, dir) {
		if e.Outcome == audit.OK && e.OrderID != "" && e.Record != nil {
			kept[e.OrderID] = *e.Record
		}
	}
	for id, record := range answered {
		if kept[id] != record {
			t.Errorf("the order %s was answered with the record %d, and the audit has %d", id, record, kept[id])
		}
	}
	if len(answered) < kills*traders {
		t.Errorf("%d orders were answered in %d rounds", len(answered), kills)
	}
	t.Logf("%d orders were answered before %d kills", len(answered), kills)
}
