// Package rawjson writes JSON that people and models read: without the escapes that JSON needs within HTML.
package rawjson

import (
	"bytes"
	"encoding/json"
)

// Marshal is [json.Marshal] without escapes for HTML.
func Marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}
