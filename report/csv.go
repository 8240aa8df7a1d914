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

// rows writes a table, whose rows are those that a function gives for each account.
func rows(w io.Writer, r Report, header string, of func(a Account, add func(cells ...string))) error {
	c := csv.NewWriter(w)
	_ = c.Write(append([]string{"account"}, strings.Fields(header)...)) // Error tells
	for _, a := range r.Accounts {
		of(a, func(cells ...string) { _ = c.Write(append([]string{Cell(a.Signature)}, cells...)) })
	}
	c.Flush()
	return c.Error()
}

// WriteEquity writes one row for the opening and each period of each account. What is unknown is an empty cell; oldest_close
// is empty where every holding counts at a close of the day.
func WriteEquity(w io.Writer, r Report) error {
	return rows(w, r, "date value cash return drawdown trades traded fees oldest_close", func(a Account, add func(...string)) {
		add(string(a.Opening.Date), a.Opening.Value.cell(), "", "", "", "", "", "", "")
		for _, p := range a.Periods {
			add(string(p.Date), p.Value.cell(), p.Cash.cell(), p.Return.cell(), p.Drawdown.cell(), strconv.Itoa(p.Trades), number(p.TradedValue), number(p.Fees), oldestClose(p))
		}
	})
}

// WriteMonths writes a row for each month of each account.
func WriteMonths(w io.Writer, r Report) error {
	return rows(w, r, "month return benchmark returns", func(a Account, add func(...string)) {
		for _, m := range a.Months {
			add(m.Name, m.Return.cell(), m.Benchmark.cell(), strconv.Itoa(m.Returns))
		}
	})
}

// WriteSymbols writes a row for what each symbol added to each account.
func WriteSymbols(w io.Writer, r Report) error {
	return rows(w, r, "symbol trades bought sold fees slippage dividends realized unrealized gain weight", func(a Account, add func(...string)) {
		for _, p := range a.Symbols {
			add(Cell(p.Symbol), strconv.Itoa(p.Trades), number(p.Bought), number(p.Sold), number(p.Fees), p.Slippage.cell(), number(p.Dividends), p.Realized.cell(), p.Unrealized.cell(), p.Gain.cell(), number(p.Weight))
		}
	})
}

// WriteClosed writes a row for each closed trade that the report holds of each account.
func WriteClosed(w io.Writer, r Report) error {
	return rows(w, r, "id opened closed days symbol amount cost income gain return", func(a Account, add func(...string)) {
		for _, t := range a.RoundTrips {
			add(strconv.FormatInt(t.ID, 10), string(t.Opened), string(t.Closed), strconv.Itoa(t.Days), Cell(t.Symbol), number(t.Amount), number(t.Cost), number(t.Income), number(t.Gain), t.Return.cell())
		}
	})
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
	return rows(w, r, "id date action symbol amount ratio to price cash", func(a Account, add func(...string)) {
		for _, x := range a.Actions {
			add(strconv.FormatInt(x.ID, 10), string(x.Date), Cell(string(x.Action)), Cell(x.Symbol), number(x.Amount), Cell(x.Ratio), Cell(x.To), x.Price.cell(), number(x.Cash))
		}
	})
}

// WriteForward writes a row for each forward day of each account.
func WriteForward(w io.Writer, r Report) error {
	return rows(w, r, "date mark decided missing skipped clock row head", func(a Account, add func(...string)) {
		if a.Forward == nil {
			return
		}
		for _, d := range a.Forward.Days {
			row, decided := "", ""
			if d.Head != "" {
				row = strconv.FormatInt(d.Row, 10)
			}
			if !d.Decided.IsZero() {
				decided = d.Decided.UTC().Format(time.RFC3339)
			}
			add(string(d.Date), string(d.Mark()), decided, Cell(strings.Join(d.Missing, " ")), Cell(d.Skipped), Cell(d.Clock), row, d.Head)
		}
	})
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
