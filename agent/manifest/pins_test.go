package manifest

import (
	"maps"
	"testing"

	"mcp-trade/agent/llm"
	"mcp-trade/ledger"
	"mcp-trade/store/filestore"
)

// The tools that an account met are known to the run that resumes it, also if the one before was killed, unless it goes on with other
// settings or begins anew.
func TestRecorder_Opened(t *testing.T) {
	dir := t.TempDir()
	begin := func(changed bool, before *ledger.Book) (*Recorder, *llm.Pins) {
		t.Helper()
		pins := &llm.Pins{}
		r := &Recorder{Store: filestore.New(dir, dir), LogPath: dir, Changed: changed, Runs: map[string]Run{"alice": {Decider: LLMDecider, Model: llm.Options{Pins: pins}}}}
		if err := r.Begin(t.Context(), 0, "alice", before); err != nil {
			t.Fatal(err)
		}
		return r, pins
	}
	tools := map[string]llm.Pin{"desk_ask": {Description: "d", Arguments: "a"}}
	first, met := begin(false, nil)
	if err := first.Opened(t.Context(), 0, "alice"); err != nil || met.All() != nil {
		t.Fatal(err, met.All())
	}
	met.Recall(tools)
	if err := first.Opened(t.Context(), 0, "alice"); err != nil { // and then it is killed
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		changed bool
		before  *ledger.Book
		want    map[string]llm.Pin
	}{
		{"resumed", false, &ledger.Book{ID: 1}, tools},
		{"with other settings", true, &ledger.Book{ID: 1}, nil},
		{"resumed once more", false, &ledger.Book{ID: 1}, tools},
		{"anew", false, nil, nil},
	} {
		if _, pins := begin(c.changed, c.before); !maps.Equal(pins.All(), c.want) {
			t.Errorf("%s: %v", c.name, pins.All())
		}
	}
}
