// The tables for spreadsheets.

package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
)

// Cell is a text as a spreadsheet shows it. One that begins like a formula is a formula to a spreadsheet, which would work
// it out, so it gets an apostrophe in front.
func Cell(text string) string {
	if strings.HasPrefix(text, "'") || strings.ContainsRune("=+-@\t\r\n", firstRune(text)) {
		return "'" + text
	}
	return text
}

func firstRune(text string) rune {
	for _, r := range strings.TrimLeft(text, " ") {
		return r
	}
	return 'a' // no text is no formula
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func (n Number) cell() string {
	if !n.known {
		return ""
	}
	return number(n.value)
}

// WriteEquity writes one row for the opening and each period of each account. What is unknown is an empty cell; oldest_close
// is empty where every holding counts at a close of the day.
func WriteEquity(w io.Writer, r Report) error {
	c := csv.NewWriter(w)
	_ = c.Write([]string{"account", "date", "value", "cash", "return", "drawdown", "trades", "traded", "fees", "oldest_close"}) // Error tells
	for _, a := range r.Accounts {
		_ = c.Write([]string{Cell(a.Signature), string(a.Opening.Date), a.Opening.Value.cell(), "", "", "", "", "", "", ""})
		for _, p := range a.Periods {
			_ = c.Write([]string{
				Cell(a.Signature), string(p.Date), p.Value.cell(), p.Cash.cell(), p.Return.cell(), p.Drawdown.cell(),
				strconv.Itoa(p.Trades), number(p.TradedValue), number(p.Fees), oldestClose(p),
			})
		}
	}
	c.Flush()
	return c.Error()
}

// oldestClose returns the date of the oldest close that a period's value counts, "" if all closes are of the day.
func oldestClose(p Period) string {
	if oldest := p.Stale.Oldest(); oldest != nil {
		return string(oldest.Date)
	}
	return ""
}

// WriteActions writes a row for each corporate action of each account.
func WriteActions(w io.Writer, r Report) error {
	c := csv.NewWriter(w)
	_ = c.Write([]string{"account", "id", "date", "action", "symbol", "amount", "ratio", "to", "price", "cash"}) // Error tells
	for _, a := range r.Accounts {
		for _, x := range a.Actions {
			_ = c.Write([]string{
				Cell(a.Signature), strconv.FormatInt(x.ID, 10), string(x.Date), Cell(string(x.Action)), Cell(x.Symbol), number(x.Amount), Cell(x.Ratio), Cell(x.To), x.Price.cell(), number(x.Cash),
			})
		}
	}
	c.Flush()
	return c.Error()
}

// WriteForward writes a row for each forward day of each account.
func WriteForward(w io.Writer, r Report) error {
	c := csv.NewWriter(w)
	_ = c.Write([]string{"account", "date", "mark", "decided", "missing", "skipped", "clock", "row", "head"}) // Error tells
	for _, a := range r.Accounts {
		if a.Forward == nil {
			continue
		}
		for _, d := range a.Forward.Days {
			row, decided := "", ""
			if d.Head != "" {
				row = strconv.FormatInt(d.Row, 10)
			}
			if !d.Decided.IsZero() {
				decided = d.Decided.UTC().Format(time.RFC3339)
			}
			_ = c.Write([]string{Cell(a.Signature), string(d.Date), string(d.Mark()), decided, Cell(strings.Join(d.Missing, " ")), Cell(d.Skipped), Cell(d.Clock), row, d.Head})
		}
	}
	c.Flush()
	return c.Error()
}

// TradeColumns are the names of the columns that [WriteTrade] fills.
func TradeColumns() []string {
	return []string{"account", "id", "date", "action", "symbol", "amount", "price", "value", "fees", "slippage", "gain", "order_id", "note", "fee_items", "order", "type"}
}

// WriteTrade writes a row for a trade of an account.
func WriteTrade(c *csv.Writer, signature string, t Trade) error {
	items := ""
	if len(t.FeeItems) > 0 {
		items = t.FeeItems.String()
	}
	order := ""
	if t.Order > 0 {
		order = strconv.FormatInt(t.Order, 10)
	}
	return c.Write([]string{
		Cell(signature), strconv.FormatInt(t.ID, 10), string(t.Date), t.Action, Cell(t.Symbol), number(t.Amount), t.Price.cell(),
		t.Value.cell(), number(t.Fees), t.Slippage.cell(), t.Gain.cell(), Cell(t.OrderID), Cell(t.Note), items, order, t.Type,
	})
}
