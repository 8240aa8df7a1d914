package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/agent"
	"mcp-trade/agent/runner"
	"mcp-trade/market"
)

// streams are the files that may name a standard stream, and why.
var streams = map[string]string{
	"main.go":  "it makes the screens",
	"stdio.go": "standard output is protocol there",
}

func TestScreen_EveryCommand(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	if err != nil || len(paths) < 20 {
		t.Fatal(len(paths), err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") || streams[path] != "" {
			continue
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for n := range ast.Preorder(file) {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				continue
			}
			pkg, _ := s.X.(*ast.Ident)
			switch {
			case pkg == nil:
			case pkg.Name == "os" && (s.Sel.Name == "Stdout" || s.Sel.Name == "Stderr"),
				pkg.Name == "fmt" && strings.HasPrefix(s.Sel.Name, "Print"):
				t.Errorf("%s: %s.%s: print on the command's streams", files.Position(s.Pos()), pkg.Name, s.Sel.Name)
			}
		}
	}
}

func TestRelay(t *testing.T) {
	for format, want := range map[string]string{
		"console": `owned\x1b[31m\u202e\nFORGED`,
		"json":    `owned\u001b[31m\u202e\nFORGED`,
	} {
		path := filepath.Join(t.TempDir(), "stderr")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		log := newLog(&switchWriter{screen: newScreen(file)}, format)
		log.Warn().Str("field", "\x1b[31m\u202e\n").Msg("owned\x1b[31m\u202e\nFORGED")
		_ = file.Close()
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(got), want) || strings.Count(string(got), "\n") != 1 || bytes.ContainsAny(got, "\x1b\u202e") {
			t.Errorf("%s: %q does not say %s", format, got, want)
		}
	}
}

func TestProgressView_HostileModel(t *testing.T) {
	v := newProgressView(new(bytes.Buffer), []runner.Account{{Name: "model"}})
	v.step(agent.Step{Account: "model", Date: market.Stamp("2025-10-02"), Step: 1, Action: "buy\x1b[2J\n"})
	if got := v.message("model", v.accounts["model"]); strings.ContainsAny(got, "\x1b\n") || !strings.Contains(got, `buy\x1b[2J\n`) {
		t.Errorf("%q", got)
	}
}
