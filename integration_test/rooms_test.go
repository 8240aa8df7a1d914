// The arrows between packages, as .golangci.yml has them, held by go list: so they hold where no linter is installed.

package integration_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// room is a rule of depguard: which files it is about, and what they must not import.
type room struct {
	name           string
	files, without []*regexp.Regexp
	denied         []string
}

var (
	ruleLine  = regexp.MustCompile(`^        (\w[\w-]*):$`)
	filesLine = regexp.MustCompile(`^          files: \[(.*)\]$`)
	denyLine  = regexp.MustCompile(`^            - \{pkg: ([^,]+), desc: .+\}$`)
)

func rooms(t *testing.T) (rules []*room) {
	t.Helper()
	text, err := os.ReadFile("../.golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if m := ruleLine.FindStringSubmatch(line); m != nil {
			rules = append(rules, &room{name: m[1]})
		} else if m := filesLine.FindStringSubmatch(line); m != nil {
			r := rules[len(rules)-1]
			for pattern := range strings.SplitSeq(m[1], ", ") {
				pattern = strings.Trim(pattern, `"`)
				positive, isNegative := strings.CutPrefix(pattern, "!")
				switch {
				case positive == "$test": // go list tells what tests import apart
				case isNegative:
					r.without = append(r.without, glob(positive))
				default:
					r.files = append(r.files, glob(positive))
				}
			}
		} else if m := denyLine.FindStringSubmatch(line); m != nil {
			r := rules[len(rules)-1]
			r.denied = append(r.denied, m[1])
		}
	}
	return rules
}

func glob(pattern string) *regexp.Regexp {
	text := regexp.QuoteMeta(pattern)
	text = strings.ReplaceAll(text, `\*\*/`, `(.*/)?`)
	text = strings.ReplaceAll(text, `\*\*`, `.*`)
	return regexp.MustCompile("^" + strings.ReplaceAll(text, `\*`, `[^/]*`) + "$")
}

func matches(patterns []*regexp.Regexp, file string) bool {
	for _, p := range patterns {
		if p.MatchString(file) {
			return true
		}
	}
	return false
}

func TestImportsPointDownward(t *testing.T) {
	t.Parallel()
	list := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	rules := rooms(t)
	if len(rules) < 10 {
		t.Fatalf("%d rules were read in .golangci.yml", len(rules))
	}
	about := map[string]int{}
	for line := range strings.Lines(string(out)) {
		pkg, imports, _ := strings.Cut(strings.TrimSpace(line), " ")
		file := strings.TrimPrefix(pkg, "mcp-trade/") + "/file.go"
		for _, r := range rules {
			if !matches(r.files, file) || matches(r.without, file) {
				continue
			}
			about[r.name]++
			for _, imported := range strings.Fields(imports) {
				for _, denied := range r.denied {
					if strings.HasPrefix(imported, denied) {
						t.Errorf("%s imports %s, which the rule %q denies", pkg, imported, r.name)
					}
				}
			}
		}
	}
	for _, r := range rules {
		if about[r.name] == 0 || len(r.denied) == 0 {
			t.Errorf("the rule %q is about %d packages and denies %d", r.name, about[r.name], len(r.denied))
		}
	}
}
