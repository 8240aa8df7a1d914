package transcript

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mcp-trade/store/filestore"
)

// fuzzSeeds are transcripts of a day with everything in it, and of what is none.
func fuzzSeeds(f *testing.F) {
	f.Add([]byte(`{"time":"2025-11-01T12:00:00Z","begin":{"account":"alice","date":"2025-01-02","model":"m","ledger":"h","tools":["buy"],"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}]}}
{"time":"2025-11-01T12:00:00Z","ask":{"step":1,"worst":0.5}}
{"time":"2025-11-01T12:00:00Z","retry":{"step":1,"error":"429\u001b[31m","wait":1,"seconds":1,"cost":0.1}}
{"time":"2025-11-01T12:00:00Z","reply":{"step":1,"message":{"role":"assistant","content":"I buy.","reasoning":"r","calls":[{"id":"a","tool":"buy","arguments":"{\"symbol\":\"SYN01\"}"}]},"finish":"stop","sent":9,"usage":{"in":1,"cached":0,"out":1},"cost":0.2,"seconds":1}}
{"time":"2025-11-01T12:00:00Z","result":{"step":1,"call":1,"tool":"buy","arguments":{"symbol":"SYN01"},"content":"{\"action\":\"buy\",\"price\":1,\"cash\":2}","order_id":"o","filled":true,"seconds":1}}
{"time":"2025-11-01T12:00:00Z","nudge":{"role":"user","content":"go on"}}
{"time":"2025-11-01T12:00:00Z","end":{"reason":"finished","ledger":"h2","steps":1,"spent":{"calls":1,"in":1,"cached":0,"out":1,"seconds":1},"cash":1,"holdings":{"SYN01":1},"value":2,"stale":[{"symbol":"A","date":"2025-01-02","days":1}],"differs":["x"]}}
`))
	f.Add([]byte("{\"begin\":null}\n{\"result\":{\"call\":-1,\"content\":\"\"}}\n{\"ask\":{}}\n{\"end\":{}}\n{"))
	f.Add([]byte("null\n[]\n"))
}

// Whatever a transcript holds: it is read or refused, read as often as it is, and shown without what acts on a terminal.
func FuzzTranscript(f *testing.F) {
	fuzzSeeds(f)
	dir := f.TempDir()
	path := File(dir, "alice", "2025-01-02")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		entries, err := Read(path)
		_, _ = ReadMarks(path)
		if err != nil {
			return
		}
		_ = SpendingOf(entries)
		var shown bytes.Buffer
		(&Printer{W: &shown, Ask: "--full"}).Day("alice", "2025-01-02", entries)
		(&Printer{W: &shown, Full: true}).Day("alice", "2025-01-02", entries)
		if strings.ContainsAny(shown.String(), "\x1b\x00\x07\u009b\u202e") {
			t.Fatalf("it acts on a terminal: %q", shown.String())
		}
		j, err := Open(t.Context(), filestore.New(dir, dir), 0, "alice", "2025-01-02", noon)
		if err != nil {
			return
		}
		defer j.Close()
		for _, e := range j.Entries {
			if e.Reply != nil {
				j.Outcome(e.Reply.Step, 1)
			}
		}
		if err := j.Append(Entry{Nudge: nil}); err != nil {
			t.Fatal(err)
		}
		again, err := Read(path)
		if err != nil || len(again) != len(j.Entries) || len(again) > 1 && !reflect.DeepEqual(again[:len(again)-1], j.Entries[:len(j.Entries)-1]) {
			t.Fatalf("%v: what was opened and added to is read as %+v, not %+v", err, again, j.Entries)
		}
	})
}
