// Package jsonrpc reads a JSON-RPC message of MCP: the fields by which a server finds its way, and the faults for which a message is
// refused.
//
// mcp-go reads the same text again as encoding/json does: it ignores the case of keys, and of a key that occurs twice the last one
// counts. Another program, such as a gateway in front of this server, may read it otherwise. So a text with two readings is
// refused here, and the rest means the same to every reader.
package jsonrpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"
)

// Message is a JSON-RPC message as far as a server needs to know it.
type Message struct {
	Text    json.RawMessage
	ID      json.RawMessage // as it was written; empty without one, and if it is null or none that MCP allows
	Method  string
	Name    string          // of a tool or a prompt: params.name
	Args    json.RawMessage // of a tool: params.arguments, if it is an object
	Meta    json.RawMessage // params._meta, if it is an object
	More    bool            // params has more than a name, such arguments and such a _meta
	URI     string          // of a resource: params.uri
	Cancels json.RawMessage // that is cancelled: params.requestId
	Reply   bool            // it answers a request, and we send none
	Waits   bool            // somebody may wait for an answer to it
	Fault   string          // why it is refused, "" if it is not
}

// Read reads an object. It returns an error if the text is not JSON; whatever else is wrong is a fault of the message.
func Read(text json.RawMessage) (Message, error) {
	m := Message{Text: text}
	var version string
	ids := 0
	r := NewReader(text)
	err := r.Object(true, func(key string) (err error) {
		m.Waits = m.Waits || fold(key) == "id"
		switch key {
		case "jsonrpc":
			version, err = r.string(key)
		case "id":
			ids++
			m.ID, err = r.Raw()
		case "method":
			m.Method, err = r.string(key)
		case "params":
			err = r.params(&m)
		case "result", "error":
			m.Reply = true
			err = r.decoder.SkipValue()
		default:
			err = r.value(true)
		}
		return err
	})
	if err == nil {
		err = r.End()
	}
	m.judge(version, r.Flaw)
	if ids > 1 {
		m.ID = nil
	}
	return m, err
}

// params reads the params of a message.
func (r *Reader) params(m *Message) error {
	switch r.decoder.PeekKind() {
	case '{':
	case 'n':
		return r.decoder.SkipValue()
	default:
		r.blame("params", "must be an object")
		return r.decoder.SkipValue()
	}
	return r.Object(true, func(key string) (err error) {
		switch key {
		case "name":
			m.Name, err = r.string(key)
			return err
		case "arguments":
			if r.decoder.PeekKind() == '{' {
				m.Args, err = r.Raw() // the tool reads them, as strictly
				return err
			}
			err = r.decoder.SkipValue()
		case "_meta":
			begin, isObject := r.decoder.InputOffset(), r.decoder.PeekKind() == '{'
			err = r.value(false)
			if isObject {
				m.Meta = bytes.TrimLeft(r.text[begin:r.decoder.InputOffset()], ": \t\r\n")
				return err
			}
		case "uri":
			m.URI, err = r.string(key)
		case "requestId":
			m.Cancels, err = r.Raw()
		case "capabilities":
			err = r.value(false)
		default:
			err = r.value(true)
		}
		m.More = true
		return err
	})
}

// judge says what is wrong with a message that was read.
func (m *Message) judge(version string, f *Flaw) {
	id, kind := m.ID, jsontext.Value(m.ID).Kind()
	if kind != '"' && kind != '0' {
		m.ID = nil
	}
	m.Waits = m.Waits && kind != 'n' || m.Method == ""
	switch {
	case m.Reply && m.Method == "":
		m.Waits = false
	case f != nil:
		m.Fault = f.Sentence("key")
	case version != mcp.JSONRPC_VERSION:
		m.Fault = `The message is none of JSON-RPC 2.0. Its key "jsonrpc" must be "2.0".`
	case m.Method == "":
		m.Fault = `The message is neither a request nor an answer. Its key "method" must name what is asked.`
	case m.Reply:
		m.Fault = "The message is a request and an answer at once. Send one or the other."
	case !slices.Contains([]jsontext.Kind{'"', '0', 'n', 0}, kind):
		m.Fault = "The id must be a string or a number."
	case !utf8.Valid(id):
		m.ID, m.Fault = nil, "The id is not text in UTF-8."
	}
}

// Reader reads a JSON text as strictly, whatever it says.
type Reader struct {
	text    []byte
	decoder *jsontext.Decoder
	Flaw    *Flaw // of the first key that is not allowed; nil without one
}

// Flaw is what is wrong with the value of a key, or with the key.
type Flaw struct{ Key, Problem string }

// Sentence tells the flaw of a thing that is called a key or an argument.
func (f Flaw) Sentence(thing string) string {
	return fmt.Sprintf("The %s %q %s.", thing, Cut(f.Key), f.Problem)
}

// decoders are those that have read a text, and can read another one.
var decoders = sync.Pool{New: func() any { return new(jsontext.Decoder) }}

// NewReader returns a reader of a text. Its End must be called.
func NewReader(text []byte) *Reader {
	d := decoders.Get().(*jsontext.Decoder)
	d.Reset(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return &Reader{text: text, decoder: d}
}

func (r *Reader) blame(key, problem string) {
	if r.Flaw == nil {
		r.Flaw = &Flaw{key, problem}
	}
}

// Object reads an object and has visit read the value of each key. A strict one may have no key that differs only in case from
// one that MCP knows.
func (r *Reader) Object(strict bool, visit func(key string) error) error {
	if start, err := r.decoder.ReadToken(); err != nil || start.Kind() != '{' {
		return errors.Join(err, errors.New("no object"))
	}
	seen := map[string]string{}
	for r.decoder.PeekKind() == '"' {
		raw, err := r.Raw()
		if err != nil {
			return err
		}
		key := unquote(raw)
		r.compare(seen, key, strict)
		if err := visit(key); err != nil {
			return err
		}
	}
	_, err := r.decoder.ReadToken() // the end of the object, else the error
	return err
}

// compare compares a key with those that were seen in the same object, by their folded form, and with those that MCP knows.
func (r *Reader) compare(seen map[string]string, key string, strict bool) {
	folded := fold(key)
	before, again := seen[folded]
	known := spelling(folded)
	switch {
	case again && before == key:
		r.blame(key, "is there twice")
	case again:
		r.blame(key, fmt.Sprintf("is there twice, as %q too", Cut(before)))
	case strict && known != "" && known != key:
		r.blame(key, fmt.Sprintf("must be written %q", known))
	}
	seen[folded] = key
}

// value reads any value.
func (r *Reader) value(strict bool) error {
	switch r.decoder.PeekKind() {
	case '{':
		return r.Object(strict, func(string) error { return r.value(strict) })
	case '[':
		_, err := r.decoder.ReadToken()
		for err == nil && r.decoder.PeekKind() != ']' {
			err = r.value(strict)
		}
		if err == nil {
			_, err = r.decoder.ReadToken()
		}
		return err
	}
	return r.decoder.SkipValue()
}

// Raw reads a value as it is written.
func (r *Reader) Raw() ([]byte, error) {
	value, err := r.decoder.ReadValue()
	end := int(r.decoder.InputOffset())
	return r.text[end-len(value) : end : end], err
}

// string reads the value of a key, which must be a string.
func (r *Reader) string(key string) (string, error) {
	raw, err := r.Raw()
	if err != nil || raw[0] != '"' {
		r.blame(key, "must be a string")
		return "", err
	}
	return unquote(raw), nil
}

// End reads the end of the text, after which nothing more can be read.
func (r *Reader) End() error {
	defer func() {
		r.decoder.Reset(new(bytes.Buffer)) // it holds the text no longer
		decoders.Put(r.decoder)
	}()
	if _, err := r.decoder.ReadToken(); err == nil {
		return fmt.Errorf("a second value after %d bytes", r.decoder.InputOffset())
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// unquote returns what a JSON string says. What is not UTF-8 in it becomes U+FFFD, as for mcp-go.
func unquote(raw []byte) string {
	if inner := raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	text, _ := jsontext.AppendUnquote(nil, raw)
	return string(text)
}

// fold returns a form that is the same for all keys that differ only in case, as encoding/json compares them.
func fold(key string) string {
	plain := func(r rune) bool { return r >= utf8.RuneSelf || 'A' <= r && r <= 'Z' }
	if strings.IndexFunc(key, plain) < 0 {
		return key
	}
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return unicode.ToLower(least)
	}, key)
}

// spelling returns the key of MCP that has this folded form, "" if there is none.
func spelling(folded string) string {
	switch folded {
	case "jsonrpc", "id", "method", "params", "result", "error",
		"name", "arguments", "uri", "cursor", "task", "capabilities", "version", "_meta":
		return folded
	case "requestid":
		return "requestId"
	case "protocolversion":
		return "protocolVersion"
	case "clientinfo":
		return "clientInfo"
	case "inputresponses":
		return "inputResponses"
	case "requeststate":
		return "requestState"
	}
	return ""
}

const maxEcho = 40 // characters of what a client sent that stand in an answer

// Cut shortens a text of the client to maxEcho characters.
func Cut(text string) string {
	n := 0
	for i := range text {
		if n++; n > maxEcho {
			return text[:i] + "..."
		}
	}
	return text
}

// ErrorMessage returns the answer that a request failed. A request whose id is unknown has none.
func ErrorMessage(id json.RawMessage, code int, message string) any {
	return ErrorData(id, code, message, nil)
}

// ErrorData is an [ErrorMessage] with what programs may read of the failure; nil is nothing.
func ErrorData(id json.RawMessage, code int, message string, data map[string]any) any {
	if len(id) == 0 {
		id = json.RawMessage("null")
	}
	return failure{mcp.JSONRPC_VERSION, id, failureReason{code, message, data}}
}

type failure struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Error   failureReason   `json:"error"`
}

type failureReason struct {
	Code    int            `json:"code"`
	Message string         `json:"message"`
	Data    map[string]any `json:"data,omitempty"`
}

// ErrorCode returns the code of an answer that a request failed; 0 for any other answer.
func ErrorCode(answer any) int {
	switch a := answer.(type) {
	case failure:
		return a.Error.Code
	case mcp.JSONRPCError:
		return a.Error.Code
	}
	return 0
}

// ErrorText is the message of an answer that is an error, "" of any other.
func ErrorText(answer any) string {
	switch a := answer.(type) {
	case failure:
		return a.Error.Message
	case mcp.JSONRPCError:
		return a.Error.Message
	}
	return ""
}

// Request is a message that wants an answer. An order has its turn among others; the functions of any other request are nil.
type Request struct {
	Message
	Begin  func() bool          // waits for the turn; false if the client has cancelled the order by then
	Placed func() (waiting int) // ends the turn before the answer: the next order may trade. It returns how many wait to trade
}
