package code_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mcp-trade/code"
)

var classes = []code.Class{code.Refusal, code.Caller, code.Fault}

// declaration is a constant of the type Code.
type declaration struct{ name, comment string }

// declared returns the constants of the type Code.
func declared(t *testing.T) map[code.Code]declaration {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	found := map[code.Code]declaration{}
	for n := range ast.Preorder(file) {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			continue
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Code" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if _, twice := found[code.Code(text)]; err != nil || twice {
				t.Errorf("%s stands for %q, as another constant does: %v", spec.Names[0], text, err)
			}
			found[code.Code(text)] = declaration{spec.Names[0].Name, strings.TrimSpace(spec.Comment.Text())}
		}
	}
	return found
}

// Every code is documented and has one class.
func TestClass_Codes(t *testing.T) {
	codes := declared(t)
	if len(codes) < 10 {
		t.Fatalf("only %d codes were found", len(codes))
	}
	classed := map[code.Code]code.Class{}
	for _, class := range classes {
		for _, c := range class.Codes() {
			if before, twice := classed[c]; twice {
				t.Errorf("%s is a %s and a %s", c, before, class)
			}
			classed[c] = class
			if c.Class() != class {
				t.Errorf("%s is a %s, and a %s when it is asked for", c, class, c.Class())
			}
		}
	}
	for c, d := range codes {
		if classed[c] == "" {
			t.Errorf("%s is in no class", c)
		}
		if d.comment == "" {
			t.Errorf("%s is not documented", c)
		}
		delete(classed, c)
	}
	if len(classed) > 0 {
		t.Errorf("these are no constants: %v", classed)
	}
}

// A code that nobody knows is a fault.
func TestCode_Class_Unknown(t *testing.T) {
	for _, c := range []code.Code{"", "eclipse", "Halted"} {
		if c.Class() != code.Fault {
			t.Errorf("%q is a %s", c, c.Class())
		}
	}
}

func TestCodes_Docs(t *testing.T) {
	page, err := os.ReadFile("../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile("`([a-z0-9_]+)`")
	for _, class := range classes {
		row := regexp.MustCompile("(?m)^\\| `" + string(class) + "` \\|.*$").FindString(string(page))
		var listed []code.Code
		for _, match := range quoted.FindAllStringSubmatch(row, -1)[min(1, len(row)):] {
			listed = append(listed, code.Code(match[1]))
		}
		if !slices.Equal(listed, class.Codes()) {
			t.Errorf("docs/clients.md lists of the class %s %v, the table has %v", class, listed, class.Codes())
		}
	}
}
