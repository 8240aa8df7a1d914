// Answers of tools, and arguments of calls: JSON, in which the keys say what a text is.

package mask

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"mcp-trade/code"
	"mcp-trade/market"
)

// Names of tools whose answers or arguments are of a kind of their own.
const (
	Search      = "search"
	ListSymbols = "list_symbols"
)

// Withholds tells whether a model does not see a tool of its server.
func (m *Mask) Withholds(tool string) bool { return m != nil && tool == Search && !m.News }

// Schema is the schema of a tool as the model may see it.
func (m *Mask) Schema(schema json.RawMessage) json.RawMessage {
	if m == nil {
		return schema
	}
	return json.RawMessage(m.Answer("", string(schema)))
}

// Answer is what a tool answered, as the model may see it. Members and lists whose order is that of the true symbols stand in that of
// the masked ones. Symbols like one that does not exist are left out: they are like a true one.
func (m *Mask) Answer(tool, text string) string {
	if m == nil {
		return text
	}
	if v := jsontext.Value(text); !v.IsValid() || v.Kind() != '{' {
		return m.text(text, m.swap, m.Weeks)
	}
	w := walk{m, tool == Search}
	d := jsontext.NewDecoder(strings.NewReader(text))
	return string(w.value(d, ""))
}

// walk conceals a JSON value. It was found to be valid, so that reading it does not fail.
type walk struct {
	*Mask
	news bool
}

type member struct {
	name  string
	value []byte
}

func (w walk) value(d *jsontext.Decoder, key string) []byte {
	switch d.PeekKind() {
	case '{':
		return w.object(d)
	case '[':
		return w.list(d, key)
	case '"':
		token, _ := d.ReadToken()
		text, _ := jsontext.AppendQuote(nil, w.string(key, token.String()))
		return text
	}
	value, _ := d.ReadValue()
	return bytes.Clone(value)
}

func (w walk) object(d *jsontext.Decoder) []byte {
	var members []member
	renamed, unknown := false, false
	_, _ = d.ReadToken()
	for d.PeekKind() == '"' {
		token, _ := d.ReadToken()
		key := token.String()
		name := w.text(key, w.swap, w.Weeks)
		renamed = renamed || name != key
		value := w.value(d, key)
		unknown = unknown || key == "code" && string(value) == `"`+string(code.UnknownSymbol)+`"`
		members = append(members, member{name, value})
	}
	_, _ = d.ReadToken()
	if renamed {
		slices.SortStableFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	}
	out := []byte{'{'}
	for _, m := range members {
		if unknown && m.name == "did_you_mean" {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out, _ = jsontext.AppendQuote(out, m.name)
		out = append(append(out, ':'), m.value...)
	}
	return append(out, '}')
}

// inOrder are the lists whose order is that of their symbols.
var inOrder = []string{"holdings", "unpriced"}

func (w walk) list(d *jsontext.Decoder, key string) []byte {
	var all [][]byte
	_, _ = d.ReadToken()
	for k := d.PeekKind(); k != ']' && k != 0; k = d.PeekKind() {
		all = append(all, w.value(d, key))
	}
	_, _ = d.ReadToken()
	if slices.Contains(inOrder, key) {
		slices.SortFunc(all, bytes.Compare) // each begins with its symbol
	}
	return slices.Concat([]byte{'['}, bytes.Join(all, []byte{','}), []byte{']'})
}

// string is a text of an answer. Of an article the words stay, without what is known to give its company or its day away; where it
// stood is left out, since addresses hold both.
func (w walk) string(key, text string) string {
	if !w.news {
		return w.text(text, w.swap, w.Weeks)
	}
	switch key {
	case "url":
		return ""
	case "title", "summary", "content", "source":
		return w.dated(text, w.Weeks, func(part string) string { return w.undated(w.conceal.replace(part, false)) })
	}
	return w.text(text, w.swap, w.Weeks)
}

// Keys of arguments.
var (
	symbolKeys = []string{"symbol", "symbols", "tickers"}
	dateKeys   = []string{"date", "start", "end"}
)

// Arguments changes the arguments of a call as the model wrote them into those that the server is sent.
func (m *Mask) Arguments(tool string, arguments map[string]json.RawMessage) {
	if m == nil || tool == ListSymbols { // whose answer is made for the model, see List
		return
	}
	for key, value := range arguments {
		arguments[key] = m.argument(key, value)
	}
}

func (m *Mask) argument(key string, value json.RawMessage) json.RawMessage {
	var text string
	var list []json.RawMessage
	switch {
	case json.Unmarshal(value, &text) == nil && string(value) != "null":
		return quoted(m.asked(key, text))
	case slices.Contains(dateKeys, key) && len(value) == len("20251002"):
		return quoted(m.asked(key, string(value))) // a date as a number
	case json.Unmarshal(value, &list) == nil:
		for i := range list {
			list[i] = m.argument(key, list[i])
		}
		value, _ = json.Marshal(list) // whose parts are JSON
	}
	return value
}

func quoted(text string) json.RawMessage {
	quoted, _ := json.Marshal(text) // a string always encodes
	return quoted
}

// asked is a text of a call as the server is sent it.
func (m *Mask) asked(key, text string) string {
	switch {
	case slices.Contains(symbolKeys, key):
		return m.swap.replace(text, true)
	case slices.Contains(dateKeys, key):
		if date, err := market.ReadStamp(text); err == nil {
			text = string(date)
		}
	case key == "query":
		return m.names.replace(m.text(text, m.swap, -m.Weeks), true)
	}
	return m.text(text, m.swap, -m.Weeks)
}
