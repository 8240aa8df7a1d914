// Replies that come in pieces: server-sent events.

package endpoint

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"mcp-trade/internal/bounded"
)

// Body is the body of an answer, of which the first bytes have been looked at.
type Body struct {
	*bufio.Reader
	first byte
}

// Look looks at the first byte of a body that is no space, and fails for a page, which is written for people and holds no reply.
func (c *Client) Look(r io.Reader) (*Body, error) {
	b, err := look(r)
	if err != nil || !b.page() {
		return b, err
	}
	text, err := b.ReadWhole()
	if err != nil {
		return nil, err
	}
	return nil, c.Failed("the reply is a page", string(text))
}

// look passes over the empty lines that endpoints send while a model thinks.
func look(r io.Reader) (*Body, error) {
	b := &Body{Reader: bufio.NewReader(r)}
	for {
		c, err := b.ReadByte()
		switch {
		case err != nil:
			return nil, err
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0xEF || c == 0xBB || c == 0xBF: // also a byte order mark
			continue
		}
		b.first = c
		return b, b.UnreadByte()
	}
}

// Whole tells whether a body is one JSON value, whatever was asked for.
func (b *Body) Whole() bool { return b.first == '{' || b.first == '[' }

func (b *Body) page() bool { return b.first == '<' }

// ReadWhole reads a body that is no stream.
func (b *Body) ReadWhole() ([]byte, error) {
	text, err := bounded.Read(b.Reader, MaxReply)
	if errors.Is(err, bounded.ErrTooLong) {
		err = ErrTooLong
	}
	return text, err
}

// Events calls each with the data of every event, and the event's name, "" if it has none. Comments, empty events and unknown
// fields are passed over. Each line of data is an event: no model API breaks one into lines. [io.EOF] as the error of each ends
// the reading without one.
func Events(r io.Reader, each func(name string, data []byte) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 2*MaxReply)
	name := ""
	for lines.Scan() {
		line := bytes.TrimRight(lines.Bytes(), "\r")
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case len(line) == 0:
			name = ""
		case string(field) == "event":
			name = string(value)
		case string(field) == "data" && len(value) > 0:
			if err := each(name, value); err != nil {
				if errors.Is(err, io.EOF) {
					return nil
				}
				return err
			}
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return ErrTooLong
	}
	return lines.Err()
}
