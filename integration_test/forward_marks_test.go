// The days that a run traded as they came are told apart: by ledger show, ledger verify, and each form of a report.

package integration_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/ledger"
	"mcp-trade/report/page/pagetest"
)

func TestForwardDaysAreToldApart(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.prices = synthetic
	p.do(t, "run", "--from", "2025-01-01", "--to", fiveDays, "--fill", "next-open", "--account", "alice=equal-weight", "--account", "past=random")
	heads := map[string]object{}
	for line := range strings.Lines(p.do(t, "ledger", "export", "alice")) {
		r, err := ledger.ParseLine([]byte(strings.TrimSpace(line)))
		if err != nil {
			t.Fatal(err)
		}
		heads[string(r.Date)] = object{"id": r.ID, "date": r.Date, "hash": ledger.Hash([]byte(strings.TrimSpace(line)))}
	}
	day := func(date string, more object) object {
		d := object{"date": date, "decided": date + "T15:00:00Z", "head": heads[date]}
		for name, value := range more {
			d[name] = value
		}
		return d
	}
	forward := []object{
		day("2025-01-03", nil), {"date": "2025-01-06", "skipped": "no price came"}, day("2025-01-07", object{"caught_up": true}), day("2025-01-08", object{"clock": "lapse", "missing": []string{"SYN02"}}),
	}
	p.noteForward(t, "alice", forward)

	says := []string{
		"Traded as the days came, by the real clock: 3 days, 2025-01-03 to 2025-01-07: 1 decided before their deadline; 1 caught up after it: 2025-01-07; 1 not traded: 2025-01-06 (no price came)",
		"By a simulated clock, which proves nothing of when a day was decided: 1 day, 2025-01-08: 1 decided before their deadline; 1 decided without all prices: 2025-01-08 (SYN02)",
	}
	parts := []string{"Before the first day that was decided so, 2025-01-03, as a backtest: 1 trading day, total return ", "Since that day, 2025-01-03: 4 trading days, total return "}
	dir := filepath.Join(p.dir, "results")
	shown := map[string]string{
		"ledger show": p.do(t, "ledger", "show", "alice"), "ledger verify": p.do(t, "ledger", "verify", "alice"), "report": p.do(t, "report", "alice", "past", "--out", dir),
	}
	shown["page"] = pagetest.Text(t, readText(t, filepath.Join(dir, "report.html")))
	for where, text := range shown {
		for i, want := range append(says, parts...) {
			if figures := where == "report" || where == "page"; (figures || i < len(says)) && !strings.Contains(text, want) {
				t.Errorf("%s does not say %q:\n%.5000s", where, want, text)
			}
		}
	}
	if csv := readText(t, filepath.Join(dir, "forward.csv")); strings.Count(csv, "\n") != 5 || !strings.Contains(csv, "alice,2025-01-07,caught up,2025-01-07T15:00:00Z,,,,") {
		t.Errorf("forward.csv:\n%s", csv)
	}
	if want := "forward.csv, leaderboard.tex"; !strings.Contains(shown["report"], want) {
		t.Errorf("the report does not say that it wrote %s", want)
	}
	p.valid(t, readText(t, filepath.Join(dir, "report.json")))
	var all struct {
		Accounts []struct {
			Signature string
			Forward   *struct {
				Began string
				Days  []object
			}
		}
	}
	if err := json.Unmarshal([]byte(readText(t, filepath.Join(dir, "report.json"))), &all); err != nil || len(all.Accounts) != 2 {
		t.Fatal(err)
	}
	for _, a := range all.Accounts {
		if is := a.Signature == "alice"; (a.Forward != nil) != is || is && (a.Forward.Began != "2025-01-03" || len(a.Forward.Days) != 4) {
			t.Errorf("%+v", a)
		}
	}
	for _, command := range [][]string{{"ledger", "show", "alice", "--json"}, {"ledger", "verify", "alice", "--json"}} {
		if out := p.do(t, command...); !strings.Contains(out, `"began": "2025-01-03"`) {
			t.Errorf("%v: %s", command, out)
		}
	}

	// A time of decision is bound to what the ledger was then.
	forward[0]["head"] = object{"id": 1, "date": "2025-01-03", "hash": strings.Repeat("ab", 32)}
	p.noteForward(t, "alice", forward)
	out := p.try(t, "ledger", "verify", "alice")
	if want := "the forward day 2025-01-03 that was decided 2025-01-03 15:00:00Z"; out.code != 1 || !strings.Contains(out.stdout, want) || !strings.Contains(out.stdout, "not verified") {
		t.Errorf("exit %d, want 1 and %q:\n%s%s", out.code, want, out.stdout, out.stderr)
	}
}

// noteForward has the manifest say which days the newest run of an account traded as they came.
func (p *place) noteForward(t *testing.T, account string, days []object) {
	t.Helper()
	path := filepath.Join(p.logPath(), "run-manifest.json")
	var m struct {
		Accounts map[string][]map[string]any `json:"accounts"`
	}
	if err := json.Unmarshal([]byte(readText(t, path)), &m); err != nil || len(m.Accounts[account]) == 0 {
		t.Fatal(err)
	}
	runs := m.Accounts[account]
	runs[len(runs)-1]["forward"] = days
	text, err := json.Marshal(m)
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
