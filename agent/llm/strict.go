// The strict form of schemas.

package llm

import (
	"slices"

	"github.com/mark3labs/mcp-go/mcp"
)

// strictSchema puts the schema of an object into the form in which endpoints hold a model to it: every property is required,
// no other is allowed, and what was optional may be null. It reports false for a schema that the form cannot say.
func strictSchema(s mcp.ToolArgumentsSchema) (mcp.ToolArgumentsSchema, bool) {
	if len(s.Defs) > 0 || s.AdditionalProperties != nil && s.AdditionalProperties != false {
		return s, false
	}
	object, ok := strictValue(map[string]any{"type": "object", "properties": anyMap(s.Properties), "required": anyList(s.Required)})
	if !ok {
		return s, false
	}
	strict := object.(map[string]any)
	order := slices.DeleteFunc(slices.Clone(s.PropertyOrder), func(name string) bool { return s.Properties[name] == nil })
	return mcp.ToolArgumentsSchema{
		Type: "object", Properties: strict["properties"].(map[string]any), Required: strict["required"].([]string),
		AdditionalProperties: false, PropertyOrder: order,
	}, true
}

// strictKeys are the keywords that the strict form knows. Others that only narrow a value are dropped, since the server holds
// to them anyway; what is left over has a meaning that must not be lost.
var (
	strictKeys  = []string{"type", "description", "enum", "properties", "required", "additionalProperties", "items", "minimum", "maximum", "pattern"}
	droppedKeys = []string{"maxLength", "minLength", "default", "title", "examples", "format", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"}
	plainTypes  = []string{"string", "integer", "number", "boolean", "object", "array"}
)

func strictValue(v any) (any, bool) {
	from, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	to := map[string]any{}
	for key, value := range from {
		switch {
		case slices.Contains(strictKeys, key):
			to[key] = value
		case !slices.Contains(droppedKeys, key):
			return nil, false
		}
	}
	kind, _ := from["type"].(string)
	if !slices.Contains(plainTypes, kind) {
		return nil, false
	}
	switch kind {
	case "array":
		to["items"], ok = strictValue(from["items"])
		return to, ok
	case "object":
		return strictObject(to)
	}
	return to, true
}

func strictObject(o map[string]any) (any, bool) {
	given, ok := o["properties"].(map[string]any)
	if extra := o["additionalProperties"]; !ok || extra != nil && extra != false {
		return nil, false
	}
	wanted, _ := o["required"].([]any)
	properties, required := map[string]any{}, []string{}
	for name, p := range given {
		value, ok := strictValue(p)
		if !ok {
			return nil, false
		}
		if !slices.Contains(wanted, any(name)) {
			property := value.(map[string]any)
			if property["enum"] != nil {
				return nil, false // null would have to be one of them
			}
			property["type"] = []string{property["type"].(string), "null"}
		}
		properties[name] = value
		required = append(required, name)
	}
	slices.Sort(required)
	o["properties"], o["required"], o["additionalProperties"] = properties, required, false
	return o, true
}

func anyMap(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func anyList(names []string) []any {
	list := []any{}
	for _, n := range names {
		list = append(list, n)
	}
	return list
}
