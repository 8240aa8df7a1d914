// Types of fields that endpoints fill in as they like. Whatever stands there is read as far as it can be: a field that is not
// used is never the reason why a reply is not.

package endpoint

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// Text is a string. A number is its digits; anything else is "".
type Text string

// UnmarshalJSON never fails.
func (t *Text) UnmarshalJSON(raw []byte) error {
	*t = ""
	switch {
	case len(raw) == 0:
	case raw[0] == '"':
		var text string
		if json.Unmarshal(raw, &text) == nil {
			*t = Text(text)
		}
	case raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9':
		*t = Text(raw)
	}
	return nil
}

// Count is a number of things, which may be written as a fraction or in a string. What is negative or none is 0.
type Count int

// UnmarshalJSON never fails.
func (c *Count) UnmarshalJSON(raw []byte) error {
	n, err := strconv.ParseFloat(string(bytes.Trim(raw, `"`)), 64)
	*c = 0
	if err == nil && n > 0 && n <= math.MaxInt32 { // NaN is not above 0
		*c = Count(n)
	}
	return nil
}

// List holds what can be read of a list. One element in place of a list is a list of it.
type List[T any] []T

// UnmarshalJSON never fails.
func (l *List[T]) UnmarshalJSON(raw []byte) error {
	*l = nil
	elements := []json.RawMessage{raw}
	if len(raw) > 0 && raw[0] == '[' && json.Unmarshal(raw, &elements) != nil {
		return nil
	}
	for _, e := range elements {
		var v T
		if !IsNull(e) && json.Unmarshal(e, &v) == nil {
			*l = append(*l, v)
		}
	}
	return nil
}

// Object holds what can be read of an object.
type Object[T any] struct{ V T }

// UnmarshalJSON never fails.
func (o *Object[T]) UnmarshalJSON(raw []byte) error {
	var v T
	if json.Unmarshal(raw, &v) == nil {
		o.V = v
	}
	return nil
}

// IsNull tells whether a field is not there, or null.
func IsNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// TextOrJSON is the text of a value that may come as a text or as the JSON itself, such as the arguments of a call; "" for none.
func TextOrJSON(raw json.RawMessage) string {
	switch {
	case IsNull(raw):
		return ""
	case raw[0] == '"':
		return TextOf(raw)
	}
	return string(raw)
}

// TextOf is the string that a value is, "" if it is none.
func TextOf(raw json.RawMessage) string {
	var t Text
	_ = t.UnmarshalJSON(raw) // never fails
	return string(t)
}
