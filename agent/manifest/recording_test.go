package manifest

import (
	"path/filepath"
	"testing"

	"mcp-trade/ledger"
)

func TestRecording_Compare(t *testing.T) {
	const line, other = `{"date": "2025-10-01", "id": 0, "positions": {"CASH": 100}}` + "\n", `{"date": "2025-10-01", "id": 0, "positions": {"CASH": 101}}` + "\n"
	for name, c := range map[string]struct {
		recorded, repeated, head string // "" is not there
		want                     Likeness
	}{
		"the same":                         {line, line, "", Same},
		"another":                          {line, other, ledger.HeadOf([]byte(other)), Different},
		"a row more":                       {line, line + line, "", Different},
		"in no file, by its head":          {"", line, ledger.HeadOf([]byte(line)), Same},
		"in no file, by its head, another": {"", other, ledger.HeadOf([]byte(line)), Different},
		"in no file, and no head":          {"", line, "", Elsewhere},
	} {
		recorded, repeated := t.TempDir(), t.TempDir()
		for dir, text := range map[string]string{recorded: c.recorded, repeated: c.repeated} {
			if text != "" {
				write(t, filepath.Join(dir, "alice", "position", "position.jsonl"), text)
			}
		}
		run := Run{}
		if c.head != "" {
			run.Ledger = []Span{{After: &Head{Hash: c.head}}}
		}
		size, got, err := Recording{Runs: map[string]Run{"alice": run}}.Compare(recorded, repeated, "alice")
		if err != nil || got != c.want || size != len(c.repeated) {
			t.Errorf("%s: %s of %d bytes, %v, want %s", name, got, size, err, c.want)
		}
	}
	if _, _, err := (Recording{}).Compare(t.TempDir(), t.TempDir(), "alice"); err == nil {
		t.Error("a ledger that was not repeated is compared")
	}
}
