// What a model is offered to call, and how a call of it reaches a server.

package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
)

// orderID is the argument by which an order is known again. It is ours to give: a model does not see it.
const orderID = "order_id"

// toolbox is everything that a model can call on an account.
type toolbox struct {
	tools   []tool // in the order in which they are offered
	servers []ToolServer
}

// tool is a tool as a model sees it.
type tool struct {
	name, description string
	schema            json.RawMessage // of its arguments
	strict            bool            // the schema is in the strict form

	server   ToolServer
	order    bool // of the account's server, and it trades: a call gets an order id
	required []string
}

// openToolbox lists the tools of the account's server and of the further ones.
func openToolbox(ctx context.Context, own *desk, further []ToolServer, strict bool) (*toolbox, error) {
	b := &toolbox{servers: further}
	for _, server := range append([]ToolServer{own}, further...) {
		list, err := server.Tools(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			if _, twice := b.find(t.Name); twice {
				return nil, fmt.Errorf("two servers offer a tool %s; give one of them another name", t.Name)
			}
			b.tools = append(b.tools, newTool(t, server, server == ToolServer(own), strict))
		}
	}
	return b, nil
}

func newTool(t mcp.Tool, server ToolServer, own, strict bool) tool {
	schema := mcp.ToolArgumentsSchema(t.InputSchema)
	made := tool{name: t.Name, description: t.Description, server: server, required: schema.Required}
	if _, takesID := schema.Properties[orderID]; own && takesID {
		made.order = true
		schema.Properties = without(schema.Properties, orderID)
	}
	if strict {
		if s, ok := strictSchema(schema); ok {
			schema, made.strict = s, true
		}
	}
	made.schema, _ = json.Marshal(schema) // it came as JSON
	return made
}

func without(m map[string]any, name string) map[string]any {
	rest := map[string]any{}
	for k, v := range m {
		if k != name {
			rest[k] = v
		}
	}
	return rest
}

func (b *toolbox) find(name string) (tool, bool) {
	i := slices.IndexFunc(b.tools, func(t tool) bool { return t.name == name })
	if i < 0 {
		return tool{}, false
	}
	return b.tools[i], true
}

func (b *toolbox) names() []string {
	var names []string
	for _, t := range b.tools {
		names = append(names, t.name)
	}
	return names
}

func (b *toolbox) close() error {
	var errs []error
	for _, s := range b.servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// prepare turns a call of the model into one that can be sent. Otherwise it says what is wrong, to the model.
func (b *toolbox) prepare(c Call, id string) (t tool, arguments map[string]json.RawMessage, problem string) {
	t, ok := b.find(c.Tool)
	if !ok {
		return t, nil, fmt.Sprintf("There is no tool %.64q. The tools are: %s.", c.Tool, strings.Join(b.names(), ", "))
	}
	arguments, err := readArguments(c.Arguments)
	if err != nil {
		return t, nil, fmt.Sprintf("The arguments of %s cannot be understood: %v. Nothing was done. Send one JSON object, such as %s.", t.name, err, t.example())
	}
	for name, value := range arguments {
		// The strict form asks for every argument; null is the word for one that is left out.
		if string(value) == "null" && !slices.Contains(t.required, name) {
			delete(arguments, name)
		}
	}
	if t.order {
		arguments[orderID] = quoted(id)
	}
	return t, arguments, ""
}

func (t tool) example() string {
	if t.order {
		return `{"symbol": "AAPL", "amount": 10}`
	}
	var names []string
	for _, name := range t.required {
		names = append(names, fmt.Sprintf("%q: ...", name))
	}
	return "{" + strings.Join(names, ", ") + "}"
}

// maxResult bounds what of a result the model sees, in bytes.
const maxResult = 32 << 10

// bounded cuts a text that is too long, between characters, and says so.
func bounded(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%s\n[cut: %d of %d bytes]", text[:end], end, len(text))
}

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
