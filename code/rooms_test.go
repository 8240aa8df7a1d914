package code_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rooms are those whose errors reach the answer of a tool.
var rooms = []string{"ledger", "market", "search", "session", "store", "tools"}

// uncoded are the exported errors of the rooms that carry no code, and why none reaches an answer.
var uncoded = map[string]string{
	"ledger.RegisteredError":    "no tool opens an account",
	"search.ProviderError":      "the searcher makes a FailedError of it",
	"search.NotConfiguredError": "the searcher makes a NoProviderError of it",
	"alphavantage.ErrNoFeed":    "it is about a file to be imported, or the reason of a ProviderError",
	"market.AdjustedError":      "it ends a command, or is the reason of a RefreshError",
	"market.ChangedError":       "it is the reason of a RefreshError",
	"session.UndecidedError":    "it is the reason of an UnreachableError",
	"session.RequiredError":     "it is the reason of an UnreachableError",
	"store.DamagedError":        "it is the reason of an UnreachableError",
	"store.ErrConflict":         "the ledger evaluates the order again",
	"store.ErrTaken":            "no tool archives an account",
	"store.UsedError":           "the ledger answers with the first result, or with a Refusal",
}

// sources parses the files of the rooms that are no tests, by package.
func sources(t *testing.T) map[string][]*ast.File {
	t.Helper()
	files := map[string][]*ast.File{}
	for _, room := range rooms {
		err := filepath.WalkDir(filepath.Join("..", room), func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err == nil {
				files[file.Name.Name] = append(files[file.Name.Name], file)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// methods are the names of a package's methods, by the type that has them.
func methods(files []*ast.File) map[string][]string {
	found := map[string][]string{}
	for _, file := range files {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil {
				continue
			}
			of := f.Recv.List[0].Type
			if pointer, ok := of.(*ast.StarExpr); ok {
				of = pointer.X
			}
			if name, ok := of.(*ast.Ident); ok {
				found[name.Name] = append(found[name.Name], f.Name.Name)
			}
		}
	}
	return found
}

// plainErrors are the exported variables of a package that hold an error without a type of its own.
func plainErrors(files []*ast.File) []string {
	var found []string
	for _, file := range files {
		for n := range ast.Preorder(file) {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Err") {
				continue
			}
			if call, ok := spec.Values[0].(*ast.CallExpr); ok && strings.HasPrefix(fmt.Sprint(call.Fun), "&{errors") {
				found = append(found, spec.Names[0].Name)
			}
		}
	}
	return found
}

func TestError_CarriesACode(t *testing.T) {
	coded, listed := 0, map[string]bool{}
	missing := func(name string) {
		if listed[name] = true; uncoded[name] == "" {
			t.Errorf("%s carries no code, and no reason is listed", name)
		}
	}
	for pkg, files := range sources(t) {
		for of, has := range methods(files) {
			switch {
			case !slices.Contains(has, "Error") || !ast.IsExported(of):
			case slices.Contains(has, "Code") && slices.Contains(has, "Details"):
				coded++
			default:
				missing(pkg + "." + of)
			}
		}
		for _, name := range plainErrors(files) {
			missing(pkg + "." + name)
		}
	}
	for name := range uncoded {
		if !listed[name] {
			t.Errorf("%s is listed, and carries a code or is not there", name)
		}
	}
	if coded < 10 {
		t.Errorf("only %d errors carry a code", coded)
	}
}

// An error has a code where a method Code returns it, or where it stands in a composite literal.
func TestCode_OfAnError(t *testing.T) {
	carried := map[string]bool{}
	note := func(n ast.Node) {
		for n := range ast.Preorder(n) {
			if s, ok := n.(*ast.SelectorExpr); ok && fmt.Sprint(s.X) == "code" {
				carried[s.Sel.Name] = true
			}
		}
	}
	for _, files := range sources(t) {
		for _, file := range files {
			for n := range ast.Preorder(file) {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if n.Recv != nil && n.Name.Name == "Code" {
						note(n.Body)
					}
				case *ast.CompositeLit:
					for _, value := range n.Elts {
						note(value)
					}
				}
			}
		}
	}
	for c, d := range declared(t) {
		if !carried[d.name] {
			t.Errorf("no error has the code %s", c)
		}
	}
}
