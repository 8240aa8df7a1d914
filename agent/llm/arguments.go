// The arguments of a call, as models write them.

package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxArguments bounds the arguments of one call, in bytes.
const maxArguments = 64 << 10

// readArguments reads the arguments of a call. They should be a JSON object. What can mean only one is taken for it: nothing
// at all, a JSON string that holds an object, an object with words after it or in a code fence. An error is for the model.
func readArguments(text string) (map[string]json.RawMessage, error) {
	if len(text) > maxArguments {
		return nil, fmt.Errorf("they take %d bytes, %d are allowed", len(text), maxArguments)
	}
	for range 3 { // an object, in a string, in a string
		text = strings.TrimSpace(text)
		text = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(text, "```json"), "```"))
		if text == "" || text == "null" {
			return map[string]json.RawMessage{}, nil
		}
		if text[0] == '{' {
			return readObject(text)
		}
		var inner string
		if err := json.Unmarshal([]byte(text), &inner); err != nil {
			break
		}
		text = inner
	}
	return nil, errors.New("they are not a JSON object")
}

// readObject reads the object that a text begins with. What follows must not be a second one, and no name may come twice:
// there is no telling which of the two was meant.
func readObject(text string) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(strings.NewReader(text))
	var object json.RawMessage
	switch err := d.Decode(&object); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("the JSON object is cut off")
	case err != nil:
		return nil, fmt.Errorf("they are not valid JSON: %w", err)
	}
	if strings.ContainsAny(text[d.InputOffset():], "{[") {
		return nil, errors.New("there is more than one JSON value")
	}
	arguments := map[string]json.RawMessage{}
	d = json.NewDecoder(bytes.NewReader(object))
	_, _ = d.Token() // the brace
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		if _, twice := arguments[name.(string)]; twice {
			return nil, fmt.Errorf("%.40q is there twice", name)
		}
		arguments[name.(string)] = value
	}
	return arguments, nil
}
