// How the files of a room stand to each other: they use each other in one direction, and no function outgrows a screen or two.

package integration_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
)

// uses is which files of a package use which: uses[a][b] is a name declared in b that a refers to.
type uses map[string]map[string]string

// source is a package as go list tells of it, and its files without tests.
type source struct {
	path  string
	names []string
	files []*ast.File
}

// sources parses the packages of the module. The importer knows whatever they import.
func sources(t *testing.T) (*token.FileSet, types.Importer, []source) {
	t.Helper()
	list := exec.Command("go", "list", "-export", "-deps", "-f", `{{.ImportPath}}|{{.Export}}|{{.Dir}}|{{join .GoFiles " "}}`, "./...")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	fset, compiled := token.NewFileSet(), map[string]string{}
	var all []source
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "|")
		compiled[f[0]] = f[1]
		if !strings.HasPrefix(f[0], "mcp-trade/") || f[3] == "" {
			continue
		}
		s := source{path: f[0], names: strings.Fields(f[3])}
		for _, name := range s.names {
			file, err := parser.ParseFile(fset, filepath.Join(f[2], name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			s.files = append(s.files, file)
		}
		all = append(all, s)
	}
	return fset, importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(compiled[path]) }), all
}

// usesOf finds the names and methods of a package that its files use of each other. That a method names its receiver is no use:
// a type may have methods in several files.
func usesOf(t *testing.T, fset *token.FileSet, imports types.Importer, s source) uses {
	t.Helper()
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	pkg, err := (&types.Config{Importer: imports}).Check(s.path, fset, s.files, info)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range s.files {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil {
				ast.Inspect(f.Recv, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok {
						delete(info.Uses, id)
					}
					return true
				})
			}
		}
	}
	u := uses{}
	for id, o := range info.Uses {
		f, isFunc := o.(*types.Func)
		isMethod := isFunc && f.Signature().Recv() != nil
		if o.Pkg() != pkg || o.Parent() != pkg.Scope() && !isMethod || isMethod && types.IsInterface(f.Signature().Recv().Type()) {
			continue
		}
		a, b := filepath.Base(fset.Position(id.Pos()).Filename), filepath.Base(fset.Position(o.Pos()).Filename)
		if a != b {
			if u[a] == nil {
				u[a] = map[string]string{}
			}
			u[a][b] = o.Name()
		}
	}
	return u
}

// reach is what a file uses, directly or through other files.
func (u uses) reach(file string) map[string]bool {
	seen := map[string]bool{}
	for next := []string{file}; len(next) > 0; next = next[1:] {
		for b := range u[next[0]] {
			if !seen[b] {
				seen[b] = true
				next = append(next, b)
			}
		}
	}
	return seen
}

// circles are the groups of files that use each other.
func (u uses) circles() (groups [][]string) {
	reach := map[string]map[string]bool{}
	for file := range u {
		reach[file] = u.reach(file)
	}
	done := map[string]bool{}
	for _, file := range slices.Sorted(maps.Keys(u)) {
		if done[file] || !reach[file][file] {
			continue
		}
		var group []string
		for _, other := range slices.Sorted(maps.Keys(u)) {
			if reach[file][other] && reach[other][file] {
				group, done[other] = append(group, other), true
			}
		}
		groups = append(groups, group)
	}
	return groups
}

// circle is an exception of testdata/circles.txt.
type circle struct {
	room, reason string
	files        []string
	found        bool
}

func circlesListed(t *testing.T) (all []*circle) {
	t.Helper()
	text, err := os.ReadFile("testdata/circles.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.SplitN(line, ": ", 3)
		if len(f) != 3 {
			t.Fatalf("%q is not room: files: reason", line)
		}
		all = append(all, &circle{room: f[0], files: strings.Fields(f[1]), reason: f[2]})
	}
	return all
}

func TestFiles_UseEachOtherInOneDirection(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	fset, imports, all := sources(t)
	listed := circlesListed(t)
	for _, s := range all {
		room := strings.TrimPrefix(s.path, "mcp-trade/")
		u := usesOf(t, fset, imports, s)
	group:
		for _, group := range u.circles() {
			for _, c := range listed {
				if c.room == room && !slices.ContainsFunc(group, func(f string) bool { return !slices.Contains(c.files, f) }) {
					c.found = true
					continue group
				}
			}
			t.Errorf("%s: these files use each other in a circle: %s", room, strings.Join(group, " "))
			for _, a := range group {
				for b, name := range u[a] {
					if slices.Contains(group, b) {
						t.Logf("%s uses %s of %s", a, name, b)
					}
				}
			}
		}
	}
	for _, c := range listed {
		if !c.found {
			t.Errorf("testdata/circles.txt lists a circle of %s in %s that is none any more", strings.Join(c.files, " "), c.room)
		}
	}
}

func TestFunctions_FitAScreen(t *testing.T) {
	t.Parallel()
	fset, _, all := sources(t)
	var lengths []int
	for _, s := range all {
		for _, file := range s.files {
			for _, d := range file.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				n := fset.Position(f.End()).Line - fset.Position(f.Pos()).Line + 1
				if lengths = append(lengths, n); n > 82 {
					t.Errorf("%s has %d lines: %v", f.Name.Name, n, fset.Position(f.Pos()))
				}
			}
		}
	}
	slices.Sort(lengths)
	if p95 := lengths[len(lengths)*95/100]; p95 > 34 {
		t.Errorf("one function in twenty has more than %d lines", p95)
	}
}
