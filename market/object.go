package market

// This file reads JSON objects member by member, in the order of the text and with every name that is there twice: a map
// would keep the last of them without a word.

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// objectReader reads a text that holds one JSON object.
type objectReader struct{ *jsontext.Decoder }

func newObjectReader(text []byte) objectReader {
	return objectReader{jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// members calls member with the name of each member of the object that comes next; member reads the value. The name is valid
// until then.
func (r objectReader) members(member func(name []byte) error) error {
	switch kind := r.PeekKind(); kind {
	case '{', 0: // of 0, the next line tells the error
	default:
		return fmt.Errorf("a value of kind %s is there instead of an object", kind)
	}
	if _, err := r.ReadToken(); err != nil {
		return err
	}
	for r.PeekKind() == '"' {
		quoted, err := r.ReadValue()
		if err != nil {
			return err
		}
		if err := member(unquoted(quoted)); err != nil {
			return err
		}
	}
	_, err := r.ReadToken()
	return err
}

// end is an error if anything follows.
func (r objectReader) end() error {
	switch _, err := r.ReadToken(); err {
	case io.EOF:
		return nil
	case nil:
		return errors.New("something follows the object")
	default:
		return err
	}
}

// unquoted is the text of a JSON string. Without escapes, as nearly all are, it lies in the quoted one.
func unquoted(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	text, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return nil // the decoder has read it
	}
	return text
}
