package tools

// The table of tools in the documentation, against the table that the server is made of.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// The documented tools are those that there are.
func TestTable_Docs(t *testing.T) {
	text, err := os.ReadFile("../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for line := range strings.SplitSeq(string(text), "\n") {
		if cells := strings.Split(line, " | "); len(cells) == 5 && strings.HasPrefix(line, "| `") {
			documented = append(documented, strings.Join(cells[:4], " | "))
		}
	}
	var want []string
	for _, tool := range table() {
		want = append(want, fmt.Sprintf("| `%s` | %s | %s | %s", tool.name, tool.set, shape(t, tool.params((&Deps{}).rules().Amount())), shape(t, marshalSchema(tool.result()))))
	}
	if !slices.Equal(documented, want) {
		t.Errorf("docs/clients.md has the rows\n%s\nwant, with what each does after them,\n%s", strings.Join(documented, "\n"), strings.Join(want, "\n"))
	}
}

// shape writes what an object of a schema holds: its fields in their order, those with a mark that can be absent.
func shape(t *testing.T, schema json.RawMessage) string {
	t.Helper()
	var object struct {
		Properties json.RawMessage
		Required   []string
		Items      json.RawMessage
	}
	if err := json.Unmarshal(schema, &object); err != nil {
		t.Fatal(err)
	}
	if len(object.Properties) == 0 {
		return strings.Join(object.Required, ", ")
	}
	var fields []string
	d := json.NewDecoder(bytes.NewReader(object.Properties))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() { // in the order of the text, which a map would lose
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var of struct{ Items json.RawMessage }
		var property json.RawMessage
		if err := d.Decode(&property); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(property, &of); err != nil {
			t.Fatal(err)
		}
		field := fmt.Sprint(name)
		if !slices.Contains(object.Required, field) {
			field += "?"
		}
		switch inner := shape(t, property); {
		case inner != "":
			field += "{" + inner + "}"
		case of.Items != nil && shape(t, of.Items) != "":
			field += "[{" + shape(t, of.Items) + "}]"
		}
		fields = append(fields, field)
	}
	return strings.Join(fields, ", ")
}
