package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The files of deploy name settings and commands that there are.
func TestDeploy_Settings(t *testing.T) {
	root, _ := newRoot(&screen{})
	flagForm, variableForm := regexp.MustCompile(`[a-z ](--[a-z][a-z-]+)`), regexp.MustCompile(`\b(MCP_TRADE_[A-Z_]+|REDIS_URL|CURRENT_MODEL_ID)\b`)
	commandForm := regexp.MustCompile(`(?:run --rm server|mcp-trade) ((?:token|ledger|audit|session) [a-z]+|http)\b`)
	files := []string{"../../deploy/Dockerfile", "../../deploy/compose.yaml", "../../deploy/mcp-trade.service"}
	named := 0
	for _, path := range append(files, "../../docs/deploy.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			for _, m := range variableForm.FindAllStringSubmatch(line, -1) {
				named++
				if !slices.ContainsFunc(settingsTable, func(s setting) bool { return s.variable == m[1] }) {
					t.Errorf("%s: there is no setting %s: %s", path, m[1], line)
				}
			}
			for _, m := range commandForm.FindAllStringSubmatch(line, -1) {
				named++
				if found, _, err := root.Find(strings.Fields(m[1])); err != nil || "mcp-trade "+m[1] != found.CommandPath() {
					t.Errorf("%s: there is no command %s, %v: %s", path, m[1], err, line)
				}
			}
			if strings.Contains(line, "ExecStart=") {
				for _, m := range flagForm.FindAllStringSubmatch(line, -1) {
					named++
					if !slices.ContainsFunc(settingsTable, func(s setting) bool { return "--"+s.flag == m[1] }) {
						t.Errorf("%s: there is no flag %s: %s", path, m[1], line)
					}
				}
			}
		}
	}
	if named < 15 {
		t.Errorf("the files name %d settings and commands", named)
	}
}

func TestDeploy_Unit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("this machine lacks systemd-analyze")
	}
	text, err := os.ReadFile("../../deploy/mcp-trade.service")
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "mcp-trade.service")
	here := strings.ReplaceAll(string(text), "/usr/local/bin/mcp-trade", "/bin/true") // which is there
	if err := os.WriteFile(unit, []byte(here), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", unit).CombinedOutput()
	if err != nil || strings.Contains(string(out), "mcp-trade.service") {
		t.Errorf("%v\n%s", err, out)
	}
}
