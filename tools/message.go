// Reading a JSON-RPC message: the fields that the loop uses, and the faults for which a message is refused.
//
// mcp-go reads the same text again as encoding/json does: it ignores the case of keys, and of a key that occurs twice the last one
// counts. Another program, such as a gateway in front of this server, may read it otherwise. So a text with two readings is
// refused here, and the rest means the same to every reader.

package tools

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

// message is a JSON-RPC message as far as the loop needs to know it.
type message struct {
	text    json.RawMessage
	id      json.RawMessage // as it was written; empty without one, and if it is null or none that MCP allows
	method  string
	name    string          // of a tool or a prompt: params.name
	args    json.RawMessage // of a tool: params.arguments, if it is an object
	meta    json.RawMessage // params._meta, if it is an object
	more    bool            // params has more than a name, such arguments and such a _meta
	uri     string          // of a resource: params.uri
	request json.RawMessage // that is cancelled: params.requestId
	reply   bool            // it answers a request, and we send none
	waits   bool            // somebody may wait for an answer to it
	fault   string          // why it is refused, "" if it is not
}

// readMessage reads an object. It returns an error if the text is not JSON; whatever else is wrong is a fault of the message.
func readMessage(text json.RawMessage) (message, error) {
	m := message{text: text}
	var version string
	ids := 0
	r := newJSONReader(text)
	err := r.object(true, func(key string) (err error) {
		m.waits = m.waits || fold(key) == "id"
		switch key {
		case "jsonrpc":
			version, err = r.string(key)
		case "id":
			ids++
			m.id, err = r.raw()
		case "method":
			m.method, err = r.string(key)
		case "params":
			err = r.params(&m)
		case "result", "error":
			m.reply = true
			err = r.decoder.SkipValue()
		default:
			err = r.value(true)
		}
		return err
	})
	if err == nil {
		err = r.end()
	}
	m.judge(version, r.flaw)
	if ids > 1 {
		m.id = nil
	}
	return m, err
}

// params reads the params of a message.
func (r *jsonReader) params(m *message) error {
	switch r.decoder.PeekKind() {
	case '{':
	case 'n':
		return r.decoder.SkipValue()
	default:
		r.blame("params", "must be an object")
		return r.decoder.SkipValue()
	}
	return r.object(true, func(key string) (err error) {
		switch key {
		case "name":
			m.name, err = r.string(key)
			return err
		case "arguments":
			if r.decoder.PeekKind() == '{' {
				m.args, err = r.raw() // the tool reads them, as strictly
				return err
			}
			err = r.decoder.SkipValue()
		case "_meta":
			begin, isObject := r.decoder.InputOffset(), r.decoder.PeekKind() == '{'
			err = r.value(false)
			if isObject {
				m.meta = bytes.TrimLeft(r.text[begin:r.decoder.InputOffset()], ": \t\r\n")
				return err
			}
		case "uri":
			m.uri, err = r.string(key)
		case "requestId":
			m.request, err = r.raw()
		case "capabilities":
			err = r.value(false)
		default:
			err = r.value(true)
		}
		m.more = true
		return err
	})
}

// judge says what is wrong with a message that was read.
func (m *message) judge(version string, f *flaw) {
	id, kind := m.id, jsontext.Value(m.id).Kind()
	if kind != '"' && kind != '0' {
		m.id = nil
	}
	m.waits = m.waits && kind != 'n' || m.method == ""
	switch {
	case m.reply && m.method == "":
		m.waits = false
	case f != nil:
		m.fault = f.sentence("key")
	case version != mcp.JSONRPC_VERSION:
		m.fault = `The message is none of JSON-RPC 2.0. Its key "jsonrpc" must be "2.0".`
	case m.method == "":
		m.fault = `The message is neither a request nor an answer. Its key "method" must name what is asked.`
	case m.reply:
		m.fault = "The message is a request and an answer at once. Send one or the other."
	case !slices.Contains([]jsontext.Kind{'"', '0', 'n', 0}, kind):
		m.fault = "The id must be a string or a number."
	case !utf8.Valid(id):
		m.id, m.fault = nil, "The id is not text in UTF-8."
	}
}

// jsonReader reads a JSON text and notes the first key that is not allowed.
type jsonReader struct {
	text    []byte
	decoder *jsontext.Decoder
	flaw    *flaw
}

// flaw is what is wrong with the value of a key, or with the key.
type flaw struct{ key, problem string }

// sentence tells the flaw of a thing that is called a key or an argument.
func (f flaw) sentence(thing string) string {
	return fmt.Sprintf("The %s %q %s.", thing, cut(f.key), f.problem)
}

// decoders are those that have read a text, and can read another one.
var decoders = sync.Pool{New: func() any { return new(jsontext.Decoder) }}

func newJSONReader(text []byte) *jsonReader {
	d := decoders.Get().(*jsontext.Decoder)
	d.Reset(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return &jsonReader{text: text, decoder: d}
}

func (r *jsonReader) blame(key, problem string) {
	if r.flaw == nil {
		r.flaw = &flaw{key, problem}
	}
}

// object reads an object and has visit read the value of each key. A strict one may have no key that differs only in case from
// one that MCP knows.
func (r *jsonReader) object(strict bool, visit func(key string) error) error {
	if start, err := r.decoder.ReadToken(); err != nil || start.Kind() != '{' {
		return errors.Join(err, errors.New("no object"))
	}
	seen := map[string]string{}
	for r.decoder.PeekKind() == '"' {
		raw, err := r.raw()
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
func (r *jsonReader) compare(seen map[string]string, key string, strict bool) {
	folded := fold(key)
	before, again := seen[folded]
	known := spelling(folded)
	switch {
	case again && before == key:
		r.blame(key, "is there twice")
	case again:
		r.blame(key, fmt.Sprintf("is there twice, as %q too", cut(before)))
	case strict && known != "" && known != key:
		r.blame(key, fmt.Sprintf("must be written %q", known))
	}
	seen[folded] = key
}

// value reads any value.
func (r *jsonReader) value(strict bool) error {
	switch r.decoder.PeekKind() {
	case '{':
		return r.object(strict, func(string) error { return r.value(strict) })
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

// raw reads a value as it is written.
func (r *jsonReader) raw() ([]byte, error) {
	value, err := r.decoder.ReadValue()
	end := int(r.decoder.InputOffset())
	return r.text[end-len(value) : end : end], err
}

// string reads the value of a key, which must be a string.
func (r *jsonReader) string(key string) (string, error) {
	raw, err := r.raw()
	if err != nil || raw[0] != '"' {
		r.blame(key, "must be a string")
		return "", err
	}
	return unquote(raw), nil
}

// end reads the end of the text, after which nothing more can be read.
func (r *jsonReader) end() error {
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

// cut shortens a text of the client to maxEcho characters.
func cut(text string) string {
	n := 0
	for i := range text {
		if n++; n > maxEcho {
			return text[:i] + "..."
		}
	}
	return text
}
