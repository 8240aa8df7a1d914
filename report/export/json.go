// report.json.

package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"slices"

	"mcp-trade/internal/safetext"
	"mcp-trade/report"
)

// Bounded is a report with no more trades of an account than report.json has: the page may have more.
func Bounded(r report.Report) report.Report {
	r.Accounts = slices.Clone(r.Accounts)
	for i := range r.Accounts {
		a := &r.Accounts[i]
		a.Trades = a.Trades[max(0, len(a.Trades)-report.DefaultTrades):]
		a.RoundTrips = a.RoundTrips[max(0, len(a.RoundTrips)-report.DefaultTrades):]
	}
	return r
}

// WriteJSON writes report.json.
func WriteJSON(w io.Writer, r report.Report) error { return writeJSON(w, Bounded(r)) }

// writeJSON writes a report, each account on a line of its own: all of them may be more than memory should hold twice.
func writeJSON(w io.Writer, r report.Report) error {
	out := bufio.NewWriter(w)
	accounts := r.Accounts
	r.Accounts = []report.Account{}
	text, err := indented(r)
	if err != nil {
		return err
	}
	const list = "\n  \"accounts\": [" // a line feed in a text is none in JSON, so this is no text
	before, after, _ := bytes.Cut(text, []byte(list))
	out.Write(before)
	out.WriteString(list)
	var line bytes.Buffer
	lines := json.NewEncoder(&line)
	lines.SetEscapeHTML(false)
	for i, a := range accounts {
		line.Reset()
		if err := lines.Encode(a); err != nil {
			return err
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		out.Write(bytes.TrimSuffix(safetext.JSON(line.Bytes()), []byte("\n")))
	}
	if len(accounts) > 0 {
		out.WriteString("\n  ")
	}
	out.Write(after)
	out.WriteByte('\n')
	return out.Flush() // tells of earlier errors too
}

// indented is a value as JSON for people.
func indented(value any) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return bytes.TrimSuffix(safetext.JSON(text.Bytes()), []byte("\n")), err
}
