package manifest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcp-trade/agent/transcript"
	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/store/filestore"
)

// at is a head with a hash of one word.
func at(id int64, hash string) *Head { return &Head{ID: id, Date: "2025-01-02", Hash: hash} }

// spell writes spans as "before..after".
func spell(spans []Span) string {
	var all []string
	for _, s := range spans {
		word := func(h *Head) string {
			if h == nil {
				return ""
			}
			return h.Hash
		}
		all = append(all, word(s.Before)+".."+word(s.After))
	}
	return strings.Join(all, " ")
}

func TestManifest_Spans(t *testing.T) {
	type step struct {
		decider       string
		before, after *Head // after nil: the run is killed
	}
	for name, c := range map[string]struct {
		steps []step
		want  []string // the spans of each record
	}{
		"one run":                       {[]step{{"a", nil, at(5, "x")}}, []string{"..x"}},
		"a run that goes on":            {[]step{{"a", nil, at(5, "x")}, {"a", at(5, "x"), at(9, "y")}}, []string{"..y"}},
		"rows of others in between":     {[]step{{"a", nil, at(5, "x")}, {"a", at(7, "o"), at(9, "y")}, {"a", at(9, "y"), at(12, "z")}}, []string{"..x o..z"}},
		"killed, and it goes on":        {[]step{{"a", nil, nil}, {"a", at(3, "k"), nil}, {"a", at(4, "l"), at(9, "y")}}, []string{"..y"}},
		"killed when it went on":        {[]step{{"a", nil, at(5, "x")}, {"a", at(5, "x"), nil}, {"a", at(6, "k"), at(9, "y")}}, []string{"..y"}},
		"killed before it opened":       {[]step{{"a", nil, nil}, {"a", nil, at(1, "x")}}, []string{"..x"}},
		"another decider goes on":       {[]step{{"a", nil, at(5, "x")}, {"b", at(5, "x"), at(9, "y")}, {"a", at(9, "y"), nil}}, []string{"..x", "x..y", "y.."}},
		"the account is opened anew":    {[]step{{"a", nil, at(5, "x")}, {"a", nil, at(2, "n")}}, []string{"..x", "..n"}},
		"an account that others opened": {[]step{{"a", at(3, "o"), at(5, "x")}}, []string{"o..x"}},
	} {
		dir := t.TempDir()
		kept := filestore.New(dir, dir)
		for i, s := range c.steps {
			run := Run{Decider: s.decider, Cash: decimal.NewFromInt(1), Started: time.Unix(int64(i), 0).UTC()}
			err := update(t.Context(), kept, 0, "alice", func(known []Run) []Run {
				return run.begin(known, s.before)
			})
			if err != nil {
				t.Fatal(err)
			}
			if s.after == nil {
				continue
			}
			if err := update(t.Context(), kept, 0, "alice", func(known []Run) []Run { return endRun(known, s.after) }); err != nil {
				t.Fatal(err)
			}
		}
		m, err := Read(dir)
		var got []string
		for _, r := range m.Accounts["alice"] {
			got = append(got, spell(r.Ledger))
		}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %q, want %q, %v", name, got, c.want, err)
		}
	}
}

func TestHashFolder(t *testing.T) {
	dir := t.TempDir()
	if h, err := HashFolder(filepath.Join(dir, "none")); h != nil || err != nil {
		t.Errorf("a folder that is not there: %v, %v", h, err)
	}
	for name, text := range map[string]string{"b.json": "bb", "a/2.json": "two", "a/1.json": "one", ".lock": ""} {
		write(t, filepath.Join(dir, name), text)
	}
	h, err := HashFolder(dir)
	if err != nil || h.Bytes != 8 {
		t.Fatalf("%+v, %v", h, err)
	}
	testenv.Programs(t, "shell", "sh", "sha256sum")
	out, err := exec.Command("sh", "-c", `cd "$0" && sha256sum a/1.json a/2.json b.json | sha256sum`, dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	if want, _, _ := strings.Cut(string(out), " "); h.SHA256 != want {
		t.Errorf("%s, want %s, as sha256sum has it", h.SHA256, want)
	}
}

func TestAnchors(t *testing.T) {
	dir := t.TempDir()
	said := func() string {
		list, err := Anchors(dir, "alice", "file")
		var all []string
		for _, w := range list {
			text := fmt.Sprintf("%s %d %d", w.Hash, w.Since, w.Trades)
			if w.Ends {
				text += " ends"
			}
			all = append(all, text)
		}
		return fmt.Sprint(strings.Join(all, ", "), "; ", err)
	}
	if got := said(); got != "; <nil>" {
		t.Errorf("where nothing is: %s", got)
	}
	write(t, File(dir), `{"accounts": {"alice": [
		{"model": {"model": "gpt-5"}, "from": "2025-01-01", "cash": 1},
		{"decider": "a", "store": "file", "ledger": [{"before": {"id": 0, "hash": "old"}, "after": {"id": 9, "hash": "older"}}]},
		{"decider": "a", "store": "redis", "ledger": [{"before": {"id": 0, "hash": "other"}}]},
		{"decider": "b", "store": "file", "ledger": [{"after": {"id": 3, "hash": "x"}}, {"before": {"id": 5, "hash": "y"}}]},
		{"decider": "c", "store": "file", "ledger": [{"before": {"id": 8, "hash": "z"}, "after": {"id": 9, "hash": "zz"}},
			{"before": {"id": 10, "hash": "i"}, "after": {"id": 11, "hash": "j"}, "intruded": true}],
			"forward": [{"date": "2025-01-02", "decided": "2025-01-02T15:00:00Z", "head": {"id": 9, "date": "2025-01-02", "hash": "f2"}},
				{"date": "2025-01-03", "skipped": "no data"},
				{"date": "2025-01-06", "decided": "2025-01-06T15:00:00Z", "head": {"id": 11, "date": "2025-01-06", "hash": "f6"}}]}]}}`)
	day := func(date, lines string) {
		write(t, transcript.File(dir, "alice", market.Stamp("2025-01-0"+date)), lines)
	}
	begin := func(hash string) string {
		return `{"time":"2025-01-01T00:00:00Z","begin":{"ledger":"` + hash + `"}}` + "\n"
	}
	order := `{"time":"2025-01-01T00:00:00Z","result":{"step":1,"call":1,"tool":"buy","content":"{\"order_id\":1}","order_id":"o","filled":true}}` + "\n"
	halted := `{"time":"2025-01-01T00:00:00Z","result":{"step":1,"call":2,"tool":"buy","content":"","code":"halted","order_id":"o"}}` + "\n"
	refused := `{"time":"2025-01-01T00:00:00Z","result":{"step":1,"call":3,"tool":"buy","content":"","code":"no_price","order_id":"o"}}` + "\n"
	end := func(hash string) string {
		return `{"time":"2025-01-01T00:00:00Z","end":{"reason":"finished","ledger":"` + hash + `"}}` + "\n"
	}
	day("2", begin("b2")+order+refused+end("e2"))
	day("3", begin("b3")+order+halted+`{"time":"2025-01-01T00:00:00Z","end":{"reason":"finished"}}`+"\n") // of an earlier version
	day("6", begin("b6")+order+`{"time":"2025-01-01T00:00:00Z","end":{"led`)
	const rows, most = ledger.Rows, ledger.AtMost
	want := fmt.Sprintf("x 0 0 ends, y %d 0, z %d 0, zz %d 0, i %d 0, j %d 0 ends, f2 0 0, f6 %d 0, b2 0 0, e2 %d 1, b3 %d 0, b6 %d 2; <nil>",
		rows, rows, rows, ledger.Nothing, rows, rows, most, most, most)
	if got := said(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	day("3", begin("b3")+`{"order_id": damaged`+"\n"+order)
	if got := said(); !strings.Contains(got, "b2 0 0") || !strings.Contains(got, ", b6 0 0; the transcript ") || !strings.Contains(got, "is damaged in line 2") {
		t.Errorf("with a damaged transcript: %s", got)
	}
	if err := os.WriteFile(File(dir), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	none := func(func([]byte, error) bool) {}
	if r, err := Verify(none, nil, nil, dir, "alice", "file"); err != nil || !strings.Contains(fmt.Sprint(r.Findings), "run-manifest.json cannot be read") {
		t.Errorf("a manifest that cannot be read: %v, %v", r.Findings, err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
