// What a transcript tells of the ledger, to hold the ledger against.

package transcript

import (
	"bytes"
	"encoding/json"
	"fmt"

	"mcp-trade/code"
	"mcp-trade/internal/files"
)

// Marks are what a transcript says of the ledger.
type Marks struct {
	Begin, End string // hashes of the head; "" if it does not say
	Trades     int    // how many orders of the day can be in the ledger
}

// ReadMarks reads the marks of a transcript. Of its lines only those are decoded that can hold one.
func ReadMarks(path string) (m Marks, err error) {
	text, err := files.Read(path, maxBytes)
	if err != nil {
		return m, err
	}
	number := 0
	for line := range bytes.Lines(text) {
		if number++; err != nil {
			return m, err
		}
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // it is being written, or was torn
		}
		if number > 1 && !bytes.Contains(line, []byte(`"order_id":`)) && !bytes.Contains(line, []byte(`"end":`)) {
			continue
		}
		var e Entry
		if err = json.Unmarshal(line, &e); err != nil {
			err = fmt.Errorf("the transcript %s is damaged in line %d: %w", path, number, err)
			continue // the last line is one that a run which goes on will cut off
		}
		switch {
		case e.Begin != nil:
			m.Begin = e.Begin.Ledger
		case e.Result != nil && e.Result.OrderID != "" && (e.Result.Filled || e.Result.Placed || e.Result.Code == code.Halted):
			m.Trades++ // an order that came while trading was halted may have been filled before an interruption
		case e.End != nil:
			m.End = e.End.Ledger
		}
	}
	return m, nil
}
