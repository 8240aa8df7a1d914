// What a user answers at a terminal, which is made as Linux makes them.

package integration_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
)

// atTerminal runs a command at a terminal where somebody types a text, and returns what stood there in the end.
func (p *place) atTerminal(t *testing.T, types string, args ...string) (said string, code int) {
	t.Helper()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	given := func() {
		t.Helper()
		testenv.Require(t, "terminal", err == nil, fmt.Sprintf("this machine gives no terminal: %v", err))
	}
	given()
	defer terminal.Close()
	err = unix.IoctlSetPointerInt(int(terminal.Fd()), unix.TIOCSPTLCK, 0)
	given()
	number, err := unix.IoctlGetUint32(int(terminal.Fd()), unix.TIOCGPTN)
	given()
	end, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	given()
	if _, err := io.WriteString(terminal, types); err != nil {
		t.Fatal(err)
	}
	cmd := p.command(args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = end, end, end
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = end.Close()
	text, _ := io.ReadAll(terminal) // which ends in an error, once nobody has the other end
	_ = cmd.Wait()
	return string(text), cmd.ProcessState.ExitCode()
}

func TestWhatAConfigurationWantsIsAskedForOnceAtATerminal(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	model := modeltest.Start(t, normalDay)
	config := p.config(t, model, firstDay, nil, "alice")
	models := func(url string) []object {
		return []object{{"signature": "alice", "basemodel": "scripted/alice", "openai_base_url": url}}
	}
	p.amend(t, config, "models", models(model.URL))
	home := filepath.Join(p.dir, "home")
	p.env = []string{"OPENAI_API_KEY=" + modelKey, "XDG_CONFIG_HOME=" + home}
	question := "send prompts, and the key in OPENAI_API_KEY, to " + model.URL
	for _, answer := range []string{"\n", "n\n", "yess\n", "\x04"} {
		said, code := p.atTerminal(t, answer, "run", config)
		if code != 1 || !strings.Contains(said, question) || !strings.Contains(said, "[y/N]") || !strings.Contains(said, "not allowed, and nothing was done") {
			t.Errorf("%q: exit %d\n%s", answer, code, said)
		}
	}
	if model.Asked() > 0 || exists(home) || exists(filepath.Join(p.dir, "agent_data")) {
		t.Error("something was sent or written")
	}
	if said, code := p.atTerminal(t, "y\n", "models", "check", config); code != 1 || !strings.Contains(said, question) { // the script calls no tool of the check
		t.Errorf("exit %d\n%s", code, said)
	}
	asked := model.Asked()
	if info, err := os.Stat(filepath.Join(home, "mcp-trade", "trusted")); asked == 0 || err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the answer is not kept, or %d were asked: %v %v", asked, info, err)
	}
	// It is remembered, for both commands, with and without a terminal, and whatever else changes.
	p.amend(t, config, "parallel", 2)
	if out := p.try(t, "run", config); out.code != 0 || strings.Contains(out.stderr, "wants") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	// What is wanted otherwise is asked again.
	p.amend(t, config, "models", models(strings.Replace(model.URL, "127.0.0.1", "localhost", 1)))
	if out := p.try(t, "run", config); out.code != 1 || !strings.Contains(out.stderr, "wants what nobody has allowed yet") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	// A flag allows it once.
	if out := p.try(t, "run", config, "--trust-config"); out.code != 0 {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	if out := p.try(t, "run", config); out.code != 1 {
		t.Errorf("a flag was remembered: exit %d\n%s", out.code, out.stderr)
	}
}

// A leaderboard is no wider than the window, says what it leaves out, and has colors unless they are not wanted.
func TestReportAtATerminal(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.do(t, "run", "--from", "2025-10-01", "--to", "2025-10-20", "--account", "steady=equal-weight")
	rich := filepath.Join(p.dir, "rich.jsonl")
	if err := os.WriteFile(rich, []byte(`{"date": "2025-10-01", "id": 0, "positions": {"CASH": 1000}}
{"date": "2025-10-03", "id": 1, "positions": {"CASH": 1500}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env     string
		colored bool
	}{{"NO_COLOR=", true}, {"NO_COLOR=1", false}} {
		p.env = []string{c.env, "COLORTERM=truecolor"}
		said, code := p.atTerminal(t, "", "report", "steady", rich, "--benchmark", "equal-weight", "--sort", "account:asc")
		board, _, _ := strings.Cut(strings.ReplaceAll(said, "\r", ""), "\n\n")
		plain := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(board, "")
		if code != 0 || (plain != board) != c.colored || !strings.Contains(plain, "Left out, as the window is 80 characters wide: ") {
			t.Errorf("%s: exit %d\n%q", c.env, code, said)
		}
		if tinted := regexp.MustCompile("\x1b\\[38;2;[0-9;]+msteady").MatchString(board); tinted != c.colored {
			t.Errorf("%s: that steady has its colour is %v\n%q", c.env, tinted, board)
		}
		lines := strings.Split(plain, "\n")
		for _, line := range lines[:4] { // below them stands prose
			if n := utf8.RuneCountInString(line); n > 80 {
				t.Errorf("%d characters: %s", n, line)
			}
		}
		if !strings.HasPrefix(lines[2], "-  rich ") {
			t.Errorf("the first row is %s", lines[2])
		}
	}
}
