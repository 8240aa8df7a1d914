// What the account's server says to a call, and what that means.

package runner

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"mcp-trade/code"
	"mcp-trade/internal/clip"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// toolAnswer is what a tool of the account's server says. Of another text all fields are empty.
type toolAnswer struct {
	Status ledger.Status `json:"status"` // of an order, with the id and the date of its record
	ID     int64         `json:"id"`
	Date   market.Stamp  `json:"date"`
	Error  string        `json:"error"`
	Code   code.Code     `json:"code"`
	Limit  string        `json:"limit"` // that was exceeded

	text string
}

func readAnswer(text string) toolAnswer {
	a := toolAnswer{text: text}
	if json.Unmarshal([]byte(text), &a) != nil {
		return toolAnswer{text: text}
	}
	return a
}

// judged tells whether a failure is the answer to what was asked. Any other is a fault. The id of an order is given by the
// runner: if it belongs to another order, whoever decided has made no mistake.
func (a toolAnswer) judged() bool {
	switch a.Code.Class() {
	case code.Refusal:
		return true
	case code.Caller:
		return a.Code != code.OrderIDReused
	}
	return false
}

// fault is the error of an answer that says nothing about what was asked.
func (a toolAnswer) fault() error {
	return errors.New(cmp.Or(a.Error, "the answer cannot be understood: "+clip.Bytes(a.text, 300)))
}

// checkFill is an error unless the order was filled on a date.
func (a toolAnswer) checkFill(date market.Stamp) error {
	if a.Date != date {
		return fmt.Errorf("the order was filled on %s, as record %d, and not on %s", a.Date, a.ID, date)
	}
	return nil
}

// firstTime returns the answer to an order as it was when the order was filled: "replayed" is false. After an interruption
// the order may be there already; to the model it makes no difference. Every other byte stays.
func firstTime(text string) string {
	d := jsontext.NewDecoder(strings.NewReader(text))
	if open, err := d.ReadToken(); err != nil || open.Kind() != '{' {
		return text
	}
	for d.PeekKind() == '"' {
		name, _ := d.ReadToken() // it was peeked at
		found := name.String() == "replayed"
		value, err := d.ReadValue()
		if err != nil {
			break
		}
		if end := d.InputOffset(); found {
			return text[:end-int64(len(value))] + "false" + text[end:]
		}
	}
	return text
}
