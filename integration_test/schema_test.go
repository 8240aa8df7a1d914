// Reports against the schema that the program prints.

package integration_test

import (
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// valid checks a report.json against the schema of the program.
func (p *place) valid(t *testing.T, report string) {
	t.Helper()
	read := func(text string) any {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("report.json", read(p.do(t, "report", "--schema"))); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	value := read(report)
	if err := schema.Validate(value); err != nil {
		t.Errorf("a report does not have the form of its schema: %v", err)
	}
	delete(value.(map[string]any), "accounts")
	if schema.Validate(value) == nil {
		t.Error("the schema takes a report without accounts")
	}
}
