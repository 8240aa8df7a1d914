package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/internal/files"
	"mcp-trade/internal/jsonrpc"
)

// open opens a log in a folder of its own.
func open(t testing.TB, failed func(error)) *Log {
	t.Helper()
	l, err := Open(t.TempDir(), files.Owner, time.Date(2025, 10, 2, 0, 0, 0, 0, time.UTC), failed)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func failing(t testing.TB) func(error) { return func(err error) { t.Error(err) } }

// fill appends lines of each kind.
func fill(l *Log, n int) {
	id := int64(7)
	for i := range n {
		e := Entry{Transport: "http", Method: "tools/call", Name: "buy", Arguments: hashOf([]byte(`{"amount":1}`)), Result: Result{Outcome: OK, OrderID: "o", Record: &id}, MS: 1.25, Request: fmt.Sprint(i), Time: time.Unix(int64(i), 5)}
		if i%3 == 1 {
			e = Entry{Transport: "http", Result: Result{Outcome: Denied}, Status: 401, Reason: `no "token" <here>`, Time: time.Unix(int64(i), 0), Caller: Caller{Remote: "127.0.0.1:1"}}
		}
		l.Append(e)
	}
}

// written is the folder and the files of a log of six lines, some to a file.
func written(t *testing.T) (dir string, paths []string) {
	t.Helper()
	l := open(t, failing(t))
	l.maxFile = 500
	fill(l, 6)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(l.dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return l.dir, paths
}

func read(t *testing.T, dir string) (entries []Entry, chains []Chain) {
	t.Helper()
	chains, err := Read(dir, func(e Entry) { entries = append(entries, e) })
	if err != nil {
		t.Fatal(err)
	}
	return entries, chains
}

// Lines that several goroutines append are one chain over several files.
func TestLog_Append(t *testing.T) {
	l := open(t, failing(t))
	l.maxFile = 2000
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() { fill(l, 20) })
	}
	wait.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	entries, chains := read(t, l.dir)
	if len(chains) != 1 || len(entries) != 160 || len(chains[0].Wrong) > 0 || chains[0].Files < 5 || chains[0].Head != l.prev || chains[0].Lines != 160 || chains[0].First != 1 || chains[0].Torn != "" {
		t.Fatalf("%d entries, %+v", len(entries), chains)
	}
	for i, e := range entries {
		if e.Number != int64(i+1) {
			t.Errorf("entry %d has the number %d", i, e.Number)
		}
	}
}

// Whatever is changed before the newest line is found, and that line by its head.
func TestRead_Changed(t *testing.T) {
	dir, paths := written(t)
	_, good := read(t, dir)
	if len(paths) < 3 || len(good[0].Wrong) > 0 {
		t.Fatalf("%v, %+v", paths, good)
	}
	changes := 0
	try := func(path, what string, text []byte) {
		t.Helper()
		was, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(was, text) {
			return
		}
		changes++
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, chains := read(t, dir); len(chains) == 1 && len(chains[0].Wrong) == 0 && chains[0].Head == good[0].Head {
			t.Errorf("%s: %s is not found", path, what)
		}
		if err := os.WriteFile(path, was, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(text); i += 3 {
			for _, c := range []byte{text[i] ^ 1, '\n'} {
				try(path, fmt.Sprintf("byte %d as %q", i, c), append(append(bytes.Clone(text[:i]), c), text[i+1:]...))
			}
		}
		lines := bytes.SplitAfter(text, []byte{'\n'})
		for i := range lines {
			try(path, fmt.Sprintf("line %d taken out", i), bytes.Join(append(append([][]byte{}, lines[:i]...), lines[i+1:]...), nil))
			try(path, fmt.Sprintf("line %d twice", i), bytes.Join(append(append([][]byte{}, lines[:i+1]...), lines[i:]...), nil))
		}
	}
	for _, path := range paths[1 : len(paths)-1] {
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
		if _, chains := read(t, dir); len(chains[0].Wrong) == 0 {
			t.Errorf("without %s nothing is wrong", path)
		}
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d changes", changes)
}

// A process that is killed leaves a line that was not finished, which is no forgery; the oldest files may be removed.
func TestRead_Torn(t *testing.T) {
	dir, paths := written(t)
	newest := paths[len(paths)-1]
	text, err := os.ReadFile(newest)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(newest, text[:len(text)-5], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(paths[0]); err != nil {
		t.Fatal(err)
	}
	_, chains := read(t, dir)
	if c := chains[0]; len(c.Wrong) > 0 || !strings.Contains(c.Torn, newest) || c.First == 1 {
		t.Errorf("%+v", c)
	}
}

// A folder that can be written no more is told once, and calls go on; once it can be written again, the lines go on in the next file.
func TestLog_CannotWrite(t *testing.T) {
	var told []error
	l := open(t, func(err error) { told = append(told, err) })
	fill(l, 2)
	l.file.Close()
	fill(l, 2)
	if len(told) != 1 || l.Err() != nil { // the second of them began a new file
		t.Errorf("it told %v, and now %v", told, l.Err())
	}
	if err := os.RemoveAll(l.dir); err != nil {
		t.Fatal(err)
	}
	l.file.Close()
	fill(l, 3)
	if len(told) != 2 || l.Err() == nil {
		t.Errorf("it told %v, and now %v", told, l.Err())
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	fill(l, 1)
	if l.Err() != nil {
		t.Error(l.Err())
	}
	close(l.closing)
}

// answering is a handler that gives one answer.
type answering struct{ answer any }

func (a answering) Handle(context.Context, *jsonrpc.Request) any { return a.answer }

func (a answering) Lane(context.Context, *jsonrpc.Message) (string, bool) { return "", false }

func TestLog_Keep(t *testing.T) {
	record := int64(3)
	tool := func(isError bool, text string) json.RawMessage {
		quoted, _ := json.Marshal(text)
		if isError {
			return json.RawMessage(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":%s}],"isError":true}}`, quoted))
		}
		return json.RawMessage(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":%s}],"structuredContent":%s}}`, quoted, text))
	}
	for _, c := range []struct {
		answer        any
		outcome, code string
		record        *int64
		orderID       string
	}{
		{tool(false, `{"id":3,"order_id":"o-1","symbol":"AAPL"}`), OK, "", &record, "o-1"},
		{tool(false, `{"price":1}`), OK, "", nil, ""},
		{tool(true, `{"error":"no cash","code":"insufficient_cash","class":"refusal"}`), Refused, "insufficient_cash", nil, ""},
		{tool(false, `{"error":"no cash","code":"insufficient_cash","class":"refusal"}`), Refused, "insufficient_cash", nil, ""},
		{tool(true, `{"error":"what?","code":"invalid_argument","class":"caller"}`), Refused, "invalid_argument", nil, ""},
		{tool(true, `{"error":"gone","code":"ledger_unreachable","class":"fault"}`), Failed, "ledger_unreachable", nil, ""},
		{tool(true, `no JSON`), Failed, "", nil, ""},
		{jsonrpc.ErrorMessage(json.RawMessage("1"), mcp.INVALID_PARAMS, "no such tool"), Refused, "-32602", nil, ""},
		{jsonrpc.ErrorMessage(json.RawMessage("1"), mcp.INTERNAL_ERROR, "fault"), Failed, "-32603", nil, ""},
		{mcp.NewJSONRPCResultResponse(mcp.NewRequestId(1), mcp.ListToolsResult{}), OK, "", nil, ""},
		{nil, OK, "", nil, ""},
	} {
		l := open(t, failing(t))
		ctx := WithCaller(t.Context(), Caller{"id", "alice", "m", "127.0.0.1:5"})
		r := &jsonrpc.Request{Message: jsonrpc.Message{Method: "tools/call", Name: "buy", Args: json.RawMessage(`{"b": 1.0, "a":"secret"}`), ID: json.RawMessage(`"x"`)}}
		if got := Watch(answering{c.answer}, l.Keep("http"), nil).Handle(ctx, r); fmt.Sprint(got) != fmt.Sprint(c.answer) {
			t.Errorf("the answer is %v, want %v", got, c.answer)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		entries, _ := read(t, l.dir)
		e := entries[0]
		same := (e.Record == nil) == (c.record == nil) && (e.Record == nil || *e.Record == *c.record)
		if e.Outcome != c.outcome || e.Code != c.code || !same || e.OrderID != c.orderID || e.Account != "alice" || e.Token != "id" || e.Name != "buy" || e.Request != `"x"` || e.Arguments != hashOf([]byte(`{"a":"secret","b":1.0}`)) {
			t.Errorf("%s is kept as %+v", c.answer, e)
		}
		text, err := os.ReadFile(filepath.Join(l.dir, l.name+"-0001.jsonl"))
		if err != nil || strings.Contains(string(text), "secret") {
			t.Errorf("%s, %v", text, err)
		}
	}
}

func BenchmarkLog_Append(b *testing.B) {
	l := open(b, failing(b))
	for b.Loop() {
		fill(l, 1)
	}
	b.StopTimer()
	if err := errors.Join(l.Err(), l.Close()); err != nil {
		b.Fatal(err)
	}
}

// What a call costs more.
func BenchmarkLog_Keep(b *testing.B) {
	l := open(b, failing(b))
	answer := json.RawMessage(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"id\":3,\"order_id\":\"o-1\",\"symbol\":\"AAPL\"}"}],"structuredContent":{"id":3,"order_id":"o-1","symbol":"AAPL"}}}`)
	r := &jsonrpc.Request{Message: jsonrpc.Message{Method: "tools/call", Name: "buy", Args: json.RawMessage(`{"symbol":"AAPL","amount":1}`), ID: json.RawMessage(`1`)}}
	h := Watch(answering{answer}, l.Keep("http"))
	for b.Loop() {
		h.Handle(b.Context(), r)
	}
	b.StopTimer()
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
}
