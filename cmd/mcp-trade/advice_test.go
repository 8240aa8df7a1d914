package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mcp-trade/agent"
	"mcp-trade/agent/model/apis"
	"mcp-trade/agent/runner"
	"mcp-trade/internal/otlp"
	"mcp-trade/internal/testenv"
	"mcp-trade/search"
	"mcp-trade/search/jina"
	"mcp-trade/session"
)

func TestExplain(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&agent.HaltedError{Account: "a"}, "trading is halted; clear it with 'mcp-trade session clear HALT --model-id a' (or '*', if all are halted) to go on"},
		{&runner.NoDaysError{From: "2025-10-01", To: "2025-10-02"}, "the prices have no trading day after 2025-10-01 up to 2025-10-02; 'mcp-trade prices info' tells which they have"},
		{&session.MissingError{Name: "SIGNATURE", Model: "m"}, `SIGNATURE environment variable is not set, and neither is the value in the session "m". Set it with: mcp-trade session set SIGNATURE=VALUE --model-id m`},
		{&search.NotConfiguredError{Provider: jina.Name, Lacks: "key"}, "not set up: set JINA_API_KEY"},
		{errors.New("something else"), "something else"},
		{errors.New("of two lines\nmcp-trade: forged\n\tindented\n\n"), "of two lines\n  mcp-trade: forged\n\tindented\n\n"},
	} {
		if got := explain(c.err); got != c.want {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}

// commandLine is what only commands and tools say: a subcommand, a flag, a variable of the program.
var commandLine = regexp.MustCompile(`mcp-trade [a-z]|(^|[^a-z-])--[a-z]|MCP_TRADE_[A-Z]`)

// namedBelow are texts of the rooms below that look like the command line, by what they hold, and why they stay.
var namedBelow = map[string]string{
	"mcp-trade run": "the name by which the runner's client greets an MCP server",
	"%s The whole conversation of a day: mcp-trade show %s DAY.": "a page that is written lies far from any command, and says by which one its reader gets the rest",
}

// variablesBelow are variables that rooms below name as theirs, and why.
var variablesBelow = map[string]string{
	"INIT_DATE":       "AI-Trader's configuration is read with the variables that AI-Trader reads",
	"END_DATE":        "AI-Trader's configuration is read with the variables that AI-Trader reads",
	session.Signature: "a value of the session, whose name it is",
	session.TodayDate: "a value of the session, whose name it is",
	session.IfTrade:   "a value of the session, whose name it is",
	session.Halt:      "a value of the session, whose name it is",
}

// ownKey tells whether an API of models or a provider of news names its own key, or what speaks OpenTelemetry its variables, which the table of
// settings has from there.
func ownKey(place, name string) bool {
	in := func(folder string) bool {
		return strings.HasPrefix(place, filepath.Join("../..", folder)+string(filepath.Separator))
	}
	for _, api := range apis.All() {
		if in("agent/model/"+api.Name) && (name == api.KeyVariable || name == api.BaseVariable) {
			return true
		}
	}
	if in("internal/otlp") {
		return slices.Contains(otlp.Variables(), name)
	}
	return slices.ContainsFunc(providers, func(row providerRow) bool {
		return slices.Contains(row.key.names, name) && in("search/"+row.name)
	})
}

// texts calls visit with every string literal of the rooms below commands and tools, tests and what only they use left out.
func texts(t *testing.T, visit func(place, text string)) {
	t.Helper()
	for _, room := range []string{"agent", "code", "decimal", "internal", "ledger", "market", "report", "search", "session", "store"} {
		err := filepath.WalkDir(filepath.Join("../..", room), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (strings.HasSuffix(d.Name(), "test") || d.Name() == "testenv"):
				return fs.SkipDir
			case filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for n := range ast.Preorder(file) {
				if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					if text, err := strconv.Unquote(literal.Value); err == nil {
						visit(files.Position(literal.Pos()).String(), text)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestExplain_LowerRoomsNameNoFlag(t *testing.T) {
	testenv.Slow(t)
	read, used := 0, map[string]bool{}
	texts(t, func(place, text string) {
		read++
		if found := commandLine.FindString(text); found != "" {
			if namedBelow[text] == "" {
				t.Errorf("%s: %q belongs into the advice of commands and tools: %s", place, found, text)
			}
			used[text] = true
		}
		for _, row := range settingsTable {
			if name := row.variable; name != "" && regexp.MustCompile(`\b`+name+`\b`).MatchString(text) {
				if variablesBelow[name] == "" && !ownKey(place, name) {
					t.Errorf("%s: %s is a setting of this program: %s", place, name, text)
				}
				used[name] = true
			}
		}
	})
	if read < 1000 {
		t.Errorf("only %d texts were read", read)
	}
	for _, exceptions := range []map[string]string{namedBelow, variablesBelow} {
		for name := range exceptions {
			if !used[name] {
				t.Errorf("the exception %q is of no use", name)
			}
		}
	}
}
