// What a model is offered to call, and how a call of it reaches a server.

package llm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/agent"
	"mcp-trade/agent/mask"
	"mcp-trade/agent/model"
)

// orderID is the argument by which an order is known again. It is ours to give: a model does not see it.
const orderID = "order_id"

// toolCatalog is everything that a model can call on an account.
type toolCatalog struct {
	tools    []tool // in the order in which they are offered
	external []ToolServer
	mask     *mask.Mask // between the model and the account's own server
}

// tool is a tool as a model sees it.
type tool struct {
	model.Tool
	server   ToolServer // nil: the account's own
	order    bool       // of the account's server, and it trades: a call gets an order id
	required []string
}

// openCatalog lists the tools of the account's server and of the external ones.
func openCatalog(ctx context.Context, own agent.Server, external []ToolServer, strict bool, m *mask.Mask) (*toolCatalog, error) {
	c := &toolCatalog{external: external, mask: m}
	list, err := own.Tools(ctx)
	if err == nil {
		err = c.add(list, nil, strict)
	}
	for _, server := range external {
		if err != nil {
			break
		}
		if list, err = server.Tools(ctx); err == nil {
			err = c.add(list, server, strict)
		}
	}
	return c, err
}

// add adds the tools of a server.
func (c *toolCatalog) add(list []mcp.Tool, server ToolServer, strict bool) error {
	for _, t := range list {
		if server == nil && c.mask.Withholds(t.Name) {
			continue
		}
		if _, twice := c.find(t.Name); twice {
			return fmt.Errorf("two servers offer a tool %s; give one of them another name", t.Name)
		}
		c.tools = append(c.tools, newTool(t, server, strict).masked(c.mask))
	}
	return nil
}

// offered are the tools as the model is told of them.
func (c *toolCatalog) offered() []model.Tool {
	tools := make([]model.Tool, len(c.tools))
	for i, t := range c.tools {
		tools[i] = t.Tool
	}
	return tools
}

func newTool(t mcp.Tool, server ToolServer, strict bool) tool {
	schema := mcp.ToolArgumentsSchema(t.InputSchema)
	made := tool{Tool: model.Tool{Name: t.Name, Description: t.Description}, server: server, required: schema.Required}
	if _, takesID := schema.Properties[orderID]; server == nil && takesID {
		made.order = true
		schema.Properties = without(schema.Properties, orderID)
	}
	made.Plain, _ = json.Marshal(schema) // it came as JSON
	made.Schema = made.Plain
	if strict {
		if s, ok := strictSchema(schema); ok {
			made.Schema, _ = json.Marshal(s)
			made.Strict = true
		}
	}
	return made
}

// masked is a tool whose description names what the model may see.
func (t tool) masked(m *mask.Mask) tool {
	t.Description, t.Schema, t.Plain = m.Conceal(t.Description), m.Schema(t.Schema), m.Schema(t.Plain)
	return t
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

// find is the tool of a name, as a model writes it.
func (c *toolCatalog) find(name string) (tool, bool) {
	for _, form := range append([]string{name}, undecorated(name)...) {
		if i := slices.IndexFunc(c.tools, func(t tool) bool { return t.Name == form }); i >= 0 {
			return c.tools[i], true
		}
	}
	return tool{}, false
}

// undecorated are the names that a decorated one can mean. Servers leave in it what a model's template puts around names: the
// space that its tools are in, control tokens, the number of the call.
func undecorated(name string) []string {
	var forms []string
	for part := range strings.SplitSeq(name, "<|") {
		if _, behind, isToken := strings.Cut(part, "|>"); isToken {
			part = behind
		}
		part = strings.Trim(part, " \t\r\n\"'`()")
		if head, number, numbered := strings.Cut(part, ":"); numbered && number != "" && strings.Trim(number, "0123456789") == "" {
			part = head
		}
		for _, space := range []string{"functions.", "function.", "tools.", "tool.", "default_api.", "default_api:"} {
			part = strings.TrimPrefix(part, space)
		}
		if part != "" {
			forms = append(forms, part)
		}
	}
	return forms
}

func (c *toolCatalog) names() []string {
	var names []string
	for _, t := range c.tools {
		names = append(names, t.Name)
	}
	return names
}

// Close ends the external servers.
func (c *toolCatalog) Close() error {
	var errs []error
	for _, s := range c.external {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// prepare turns a call of the model into one that can be sent. Otherwise it says what is wrong, to the model.
func (c *toolCatalog) prepare(call model.Call, id string) (t tool, arguments map[string]json.RawMessage, problem string) {
	t, ok := c.find(call.Tool)
	if !ok {
		return t, nil, fmt.Sprintf("There is no tool %.64q. The tools are: %s.", call.Tool, strings.Join(c.names(), ", "))
	}
	arguments, err := readArguments(call.Arguments)
	if err != nil {
		return t, nil, fmt.Sprintf("The arguments of %s cannot be understood: %v. Nothing was done. Send one JSON object, such as %s.", t.Name, err, c.mask.Conceal(t.example()))
	}
	for name, value := range arguments {
		// The strict form asks for every argument; null is the word for one that is left out.
		if string(value) == "null" && !slices.Contains(t.required, name) {
			delete(arguments, name)
		}
	}
	if t.server == nil {
		c.mask.Arguments(t.Name, arguments)
	}
	if t.order {
		arguments[orderID], _ = json.Marshal(id) // a string always encodes
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

// pins are the tools of the external servers. An account without such servers has none.
func (c *toolCatalog) pins() map[string]Pin {
	all := map[string]Pin{}
	for _, t := range c.tools {
		if t.server != nil {
			all[t.Name] = Pin{hashOf([]byte(t.Description)), hashOf(t.Plain)}
		}
	}
	return all
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// hold fails unless the external servers list the tools that the account began with.
func (c *toolCatalog) hold(p *Pins) error {
	if len(c.external) == 0 && p.All() == nil {
		return nil
	}
	return p.hold(c.pins())
}
