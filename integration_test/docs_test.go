// README.md and the pages of docs: their shell blocks run, and what they name exists.

package integration_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
	"mcp-trade/market/markettest"
)

// readmeSize bounds the README, in characters: it is one page.
const readmeSize = 14000

// page is README.md, or a page of docs.
type page struct{ path, text string }

func pages(t *testing.T) []page {
	t.Helper()
	paths, err := filepath.Glob("../docs/*.md")
	if err != nil || len(paths) == 0 {
		t.Fatalf("docs has no pages: %v", err)
	}
	var all []page
	for _, path := range append([]string{"../README.md"}, paths...) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page{path, string(text)})
	}
	return all
}

// block is a fenced block: its language, what stands behind that on the opening line, and its text.
type block struct{ language, tag, text string }

var fence = regexp.MustCompile("(?ms)^```(\\S*) ?([^\\n]*)\\n(.*?)^```$")

func (p page) blocks() []block {
	var all []block
	for _, m := range fence.FindAllStringSubmatch(p.text, -1) {
		all = append(all, block{m[1], m[2], m[3]})
	}
	return all
}

// What stands behind sh, and why a block is run in another way than as it is, in a folder that has prices.
const (
	tagRepo  = "repo"   // in a clone of the repository
	tagKey   = "key"    // it asks a language model, whose place a scripted one takes
	tagNoRun = "no-run" // it wants a network, another program, or all tests, or does not end: its syntax is checked
)

func TestDocs_Blocks(t *testing.T) {
	t.Parallel()
	testenv.Programs(t, "shell", shell...)
	for _, p := range pages(t) {
		t.Run(filepath.Base(p.path), func(t *testing.T) {
			t.Parallel()
			r := newReader(t)
			for _, b := range p.blocks() {
				r.take(t, b)
			}
		})
	}
}

// reader is somebody who pastes the blocks of a page, one after the other.
type reader struct {
	dir string   // that of the reader, with data/merged.jsonl
	env []string // with the program on the PATH
	key []string // of a language model
}

func newReader(t *testing.T) *reader {
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if r.Turn == 0 && slices.Contains(r.Tools, "ready") {
			return modeltest.Do(modeltest.To("ready", map[string]any{"word": "yes"})) // to models check
		}
		if r.Turn == 0 {
			return modeltest.Do(modeltest.To("get_portfolio", nil))
		}
		return modeltest.Say("Nothing is to be done on %s. <FINISH_SIGNAL>", r.Date)
	})
	r := &reader{dir: t.TempDir(), key: []string{"OPENAI_API_BASE=" + model.URL, "OPENAI_API_KEY=a-key"}}
	bin, tmp := t.TempDir(), t.TempDir()
	r.env = append(os.Environ(), "GOBIN="+bin, "TMPDIR="+tmp, "PATH="+strings.Join([]string{bin, filepath.Dir(binary), os.Getenv("PATH")}, ":"))
	if err := os.Mkdir(filepath.Join(r.dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	var prices bytes.Buffer
	if err := markettest.Write(&prices, 1, 3, 60, "2025-09-01"); err != nil {
		t.Fatal(err)
	}
	named := strings.NewReplacer("SYN01", "AAPL", "SYN02", "MSFT", "SYN03", "NVDA").Replace(prices.String())
	if err := os.WriteFile(filepath.Join(r.dir, "data", "merged.jsonl"), []byte(named), 0o644); err != nil {
		t.Fatal(err)
	}
	return r
}

// take does what a block is for.
func (r *reader) take(t *testing.T, b block) {
	t.Helper()
	switch {
	case b.language == "json" && b.tag != "":
		if err := os.WriteFile(filepath.Join(r.dir, b.tag), []byte(b.text), 0o644); err != nil {
			t.Fatal(err)
		}
	case b.language != "sh":
	case b.tag == tagNoRun:
		r.paste(t, b, r.dir, r.env, "-n")
	case b.tag == tagRepo && testing.Short():
	case b.tag == tagRepo:
		r.paste(t, b, "..", r.env)
	case b.tag == tagKey:
		r.paste(t, b, r.dir, append(slices.Clone(r.env), r.key...))
	case b.tag == "":
		r.paste(t, b, r.dir, r.env)
	default:
		t.Errorf("no block of sh is %q", b.tag)
	}
}

func (r *reader) paste(t *testing.T, b block, dir string, env []string, options ...string) {
	t.Helper()
	cmd := exec.Command("bash", append(options, "-euo", "pipefail", "-c", b.text)...)
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, b.text, out)
	}
}

func TestDocs_Readme(t *testing.T) {
	readme := pages(t)[0]
	if n := utf8.RuneCountInString(readme.text); n > readmeSize {
		t.Errorf("%d characters, more than %d", n, readmeSize)
	}
}

// A link within the repository leads somewhere.
func TestDocs_Links(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]+)`)
	for _, p := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(p.text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(p.path), m[1])); err != nil {
				t.Errorf("%s: %v", p.path, err)
			}
		}
	}
}

// Each command, flag and variable that a page names is one of the program, or of a program that is named here.
func TestDocs_Names(t *testing.T) {
	t.Parallel()
	commands, flags := commandTree(t)
	for _, foreign := range []string{"--cli"} { // the Inspector's
		flags[foreign] = true
	}
	read := variables(t)
	command := regexp.MustCompile(`mcp-trade((?: [a-z]+)+)`)
	flag := regexp.MustCompile("(?:^|[\\s`\"'(])(--[a-z][a-z-]*)")
	variable := regexp.MustCompile(`\bMCP_TRADE_[A-Z_]+\b`)
	for _, p := range pages(t) {
		for _, code := range codes(p.text) {
			for _, m := range command.FindAllStringSubmatch(code, -1) {
				if name := known(commands, m[1]); name != "" {
					t.Errorf("%s: there is no command%s, in: %s", p.path, name, code)
				}
			}
			for _, m := range flag.FindAllStringSubmatch(code, -1) {
				if !flags[m[1]] {
					t.Errorf("%s: there is no flag %s, in: %s", p.path, m[1], code)
				}
			}
		}
		for _, name := range variable.FindAllString(p.text, -1) {
			if !read[name] {
				t.Errorf("%s: nothing reads %s", p.path, name)
			}
		}
	}
}

// codes are the lines of a page's blocks, without comments, and what stands between backticks elsewhere.
func codes(text string) []string {
	comment := regexp.MustCompile(` #.*`)
	var all []string
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if m[1] != "sh" {
			continue
		}
		for line := range strings.Lines(m[3]) {
			all = append(all, comment.ReplaceAllString(strings.TrimSpace(line), ""))
		}
	}
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		all = append(all, m[1])
	}
	return all
}

// known returns what of words, which stand behind the program's name, is no command; "" if all is well. The words that
// follow a command without commands of its own are its arguments.
func known(commands map[string]bool, words string) string {
	name := ""
	for _, word := range strings.Fields(words) {
		if holds, ok := commands[name]; ok && !holds {
			return ""
		}
		name += " " + word
		if _, ok := commands[name]; !ok {
			return name
		}
	}
	return ""
}

// commandTree asks the program for its commands, which tell whether they hold others, and for all flags.
func commandTree(t *testing.T) (commands, flags map[string]bool) {
	t.Helper()
	commands, flags = map[string]bool{}, map[string]bool{}
	sub := regexp.MustCompile(`(?m)^  ([a-z]+) {2,}`)
	flag := regexp.MustCompile(`(?m)^ {2,}(?:-\w, |    )(--[a-z-]+)`)
	var ask func(path string)
	ask = func(path string) {
		out, err := exec.Command(binary, append(strings.Fields(path), "--help")...).Output()
		if err != nil {
			t.Fatalf("mcp-trade%s --help: %v", path, err)
		}
		for _, m := range flag.FindAllSubmatch(out, -1) {
			flags[string(m[1])] = true
		}
		_, list, holds := strings.Cut(string(out), "Available Commands:\n")
		list, _, _ = strings.Cut(list, "\n\n")
		commands[path] = holds
		for _, m := range sub.FindAllStringSubmatch(list, -1) {
			ask(path + " " + m[1])
		}
	}
	ask("")
	if len(commands) < 10 || len(flags) < 10 {
		t.Fatalf("%d commands and %d flags", len(commands), len(flags))
	}
	return commands, flags
}

// variables are those that the program or its tests read.
func variables(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	quoted := regexp.MustCompile(`"(MCP_TRADE_[A-Z_]+)"`)
	for _, path := range goFiles(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quoted.FindAllSubmatch(text, -1) {
			all[string(m[1])] = true
		}
	}
	return all
}

func goFiles(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("git", "-C", "..", "ls-files", "*.go").Output()
	testenv.Require(t, "shell", err == nil, fmt.Sprintf("git does not list the files: %v", err))
	var all []string
	for _, path := range strings.Fields(string(out)) {
		all = append(all, filepath.Join("..", path))
	}
	return all
}

// Each test that a page names is there: `go test ./PACKAGE... -run PATTERN`.
func TestDocs_Tests(t *testing.T) {
	named := regexp.MustCompile(`go test ((?:\./\S+ )+)-run '?([^'\s]+)'?`)
	found := 0
	for _, p := range pages(t) {
		for _, code := range codes(strings.ReplaceAll(p.text, `\|`, "|")) {
			m := named.FindStringSubmatch(code)
			if m == nil || m[2] == "NONE" {
				continue
			}
			found++
			for _, dir := range strings.Fields(m[1]) {
				for alternative := range strings.SplitSeq(m[2], "|") {
					if err := hasTest(dir, alternative); err != nil {
						t.Errorf("%s: %s: %v", p.path, code, err)
					}
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("%d commands that run tests", found)
	}
}

// hasTest reports an error unless a test in the folder matches the pattern, of which subtests are left out.
func hasTest(dir, pattern string) error {
	pattern, _, _ = strings.Cut(pattern, "/")
	test := regexp.MustCompile(`(?m)^func (Test\w*` + strings.TrimPrefix(pattern, "Test") + `\w*)\(`)
	files, err := filepath.Glob(filepath.Join("..", dir, "*_test.go"))
	if err != nil {
		return err
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if test.Match(text) {
			return nil
		}
	}
	return fmt.Errorf("%s has no test that matches %s", dir, pattern)
}
