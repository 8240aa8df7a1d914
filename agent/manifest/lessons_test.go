package manifest

import (
	"slices"
	"testing"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model"
	"mcp-trade/ledger"
	"mcp-trade/store/filestore"
)

// A lesson of one run is known to the next one of the same model at the same address, and to no other.
func TestRecorder_Lessons(t *testing.T) {
	dir := t.TempDir()
	run := func(name, address string, refusals ...string) (known []string) {
		t.Helper()
		lessons := &model.Lessons{}
		o := llm.Options{Settings: model.Settings{Model: name, BaseURL: address, Lessons: lessons}}
		r := Recorder{Store: filestore.New(dir, dir), LogPath: dir, Runs: map[string]Run{"alice": {Decider: LLMDecider, Model: o}}}
		if err := r.Begin(t.Context(), 0, "alice", nil); err != nil {
			t.Fatal(err)
		}
		known = lessons.All()
		for _, refused := range refusals {
			lessons.Learn(refused, "refused")
		}
		if err := r.End(t.Context(), 0, "alice", ledger.Book{}); err != nil {
			t.Fatal(err)
		}
		return known
	}
	for i, c := range []struct {
		name, address string
		learns        string
		want          []string
	}{
		{"gpt", "http://a/v1?key=secret", "without temperature", nil},
		{"gpt", "http://a/v1?key=secret", "streamed", []string{"without temperature"}},
		{"other", "http://a/v1", "without seed", nil},
		{"gpt", "http://b/v1", "without seed", nil},
		{"gpt", "http://a/v1", "streamed", []string{"without temperature", "streamed"}},
	} {
		if got := run(c.name, c.address, c.learns); !slices.Equal(got, c.want) {
			t.Errorf("run %d of %s knows %q, want %q", i, c.name, got, c.want)
		}
	}
	m, err := Read(dir)
	if runs := m.Accounts["alice"]; err != nil || !slices.Equal(runs[len(runs)-1].Learned, []string{"without temperature", "streamed"}) {
		t.Errorf("%+v, %v", m, err)
	}
}
