package llm

import (
	"encoding/json"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

func TestStrictSchema(t *testing.T) {
	for _, c := range []struct{ name, schema, want string }{
		{"required and optional", `{"type":"object","properties":{"symbol":{"type":"string","maxLength":40},"limit":{"type":"integer","minimum":1}},"required":["symbol"],"additionalProperties":false}`,
			`{"type":"object","properties":{"symbol":{"type":"string"},"limit":{"minimum":1,"type":["integer","null"]}},"required":["limit","symbol"],"additionalProperties":false}`},
		{"nothing", `{"type":"object","properties":{}}`, `{"type":"object","properties":{},"required":[],"additionalProperties":false}`},
		{"lists and objects", `{"type":"object","properties":{"a":{"type":"array","items":{"type":"object","properties":{"b":{"type":"string"}}}}},"required":["a"]}`,
			`{"type":"object","properties":{"a":{"items":{"additionalProperties":false,"properties":{"b":{"type":["string","null"]}},"required":["b"],"type":"object"},"type":"array"}},"required":["a"],"additionalProperties":false}`},
		{"any further property", `{"type":"object","properties":{},"additionalProperties":true}`, ""},
		{"an object of anything", `{"type":"object","properties":{"a":{"type":"object"}}}`, ""},
		{"several types", `{"type":"object","properties":{"a":{"type":["string","null"]}}}`, ""},
		{"a choice", `{"type":"object","properties":{"a":{"anyOf":[{"type":"string"}]}}}`, ""},
		{"an optional choice of values", `{"type":"object","properties":{"a":{"type":"string","enum":["x"]}}}`, ""},
		{"a list of anything", `{"type":"object","properties":{"a":{"type":"array"}}}`, ""},
		{"definitions", `{"type":"object","properties":{},"$defs":{"x":{"type":"string"}}}`, ""},
	} {
		var schema mcp.ToolArgumentsSchema
		if err := json.Unmarshal([]byte(c.schema), &schema); err != nil {
			t.Fatal(err)
		}
		strict, ok := strictSchema(schema)
		text, err := json.Marshal(strict)
		if err != nil {
			t.Fatal(err)
		}
		if ok != (c.want != "") || ok && !sameJSON(t, string(text), c.want) {
			t.Errorf("%s: %v, %s; want %s", c.name, ok, text, c.want)
		}
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	plain := func(text string) string {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		again, _ := json.Marshal(v)
		return string(again)
	}
	return plain(a) == plain(b)
}
