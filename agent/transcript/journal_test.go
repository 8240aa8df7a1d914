package transcript

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcp-trade/agent/model"
	"mcp-trade/store/filestore"
)

func noon() time.Time { return time.Date(2025, 11, 1, 12, 0, 0, 0, time.UTC) }

// open opens the journal of a day.
func open(t *testing.T, logPath string) *Journal {
	t.Helper()
	j, err := Open(t.Context(), filestore.New(logPath, logPath), 0, "alice", "2025-10-01", noon)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	j, path := open(t, dir), File(dir, "alice", "2025-10-01")
	for _, e := range []Entry{
		{Begin: &Begin{Account: "alice", Messages: []model.Message{{Role: "user", Content: "<today> & now"}}}},
		{Reply: &Reply{Step: 1, Message: model.Message{Role: "assistant", Content: "I buy.", Calls: []model.Call{{ID: "a", Tool: "buy"}}}}},
		{Result: &Outcome{Step: 1, Call: 1, Tool: "buy", Content: "filled", OrderID: "o", Filled: true}},
	} {
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil || strings.Count(string(whole), "\n") != 3 || !strings.Contains(string(whole), "<today> & now") {
		t.Fatalf("%v: %s", err, whole)
	}
	if err := os.WriteFile(path, append(whole, `{"time":"2025-11-01T12:00:00Z","end":{"rea`...), 0o644); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	if o, known := again.Outcome(1, 1); len(again.Entries) != 3 || !known || o.OrderID != "o" {
		t.Errorf("%d entries, %+v", len(again.Entries), o)
	}
	if _, known := again.Outcome(1, 2); known {
		t.Error("a call that was not made has an outcome")
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != string(whole) {
		t.Errorf("the torn line is there: %s, %v", text, err)
	}
	if err := again.End(End{Reason: EndFinished, Ledger: "h"}); err != nil {
		t.Fatal(err)
	}
	marks, err := ReadMarks(path)
	if want := (Marks{End: "h", Trades: 1}); err != nil || marks != want {
		t.Errorf("%+v, %v", marks, err)
	}
	log, err := os.ReadFile(filepath.Join(filepath.Dir(path), "log.jsonl"))
	if want := `{"signature":"alice","new_messages":[{"role":"user","content":"Tool result of buy: filled"}]}` + "\n"; err != nil || !strings.HasSuffix(string(log), want) {
		t.Errorf("AI-Trader's log is %s, %v", log, err)
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "transcript.jsonl")
	if entries, err := Read(path); entries != nil || err != nil {
		t.Errorf("of a file that is not there: %v, %v", entries, err)
	}
	if err := os.WriteFile(path, []byte("{\"begin\":{}}\n{\n{\"end\":{}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), "is damaged in line 2") {
		t.Errorf("a damaged line: %v", err)
	}
	for _, result := range []string{`{"step":1,"call":0}`, `{"step":1,"call":-1}`, `{"step":1,"call":2}`, `{"step":2,"call":1}`} {
		text := `{"begin":{}}` + "\n" + `{"reply":{"step":1,"message":{"calls":[{"id":"a"}]}}}` + "\n" + `{"result":` + result + "}\n{\"end\":{}}\n"
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), "is damaged in line 3: it has a result of call") {
			t.Errorf("%s: %v", result, err)
		}
	}
}
