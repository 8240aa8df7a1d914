// The trades of all accounts, as columns: the script searches and shows them.

package page

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mcp-trade/market"
	"mcp-trade/report"
)

// trades are those of one account, oldest first, a column for each field. What repeats stands once, and columns have its place.
type trades struct {
	Key     string          `json:"key"` // in ids of the page
	Name    string          `json:"name"`
	Symbols []string        `json:"symbols"`
	Dates   []market.Stamp  `json:"dates"`
	ID      []int64         `json:"id"`   // the difference to the one before
	Date    []int           `json:"date"` // likewise
	Symbol  []int           `json:"symbol"`
	Amount  []float64       `json:"amount"` // below 0 for a sale
	Price   []report.Number `json:"price"`
	Fees    []float64       `json:"fees,omitempty"` // absent if there are none
	Gain    []report.Number `json:"gain"`
	Notes   map[int]string  `json:"notes,omitempty"` // untrusted text
}

// tradesOf are the trades that a report holds of its accounts, in the order of their names: by rank, a change of ranks would be told as
// one of all trades of two accounts.
func tradesOf(r report.Report) []trades {
	all := []trades{}
	for _, a := range r.Accounts {
		all = append(all, newTrades(a))
	}
	slices.SortFunc(all, func(a, b trades) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func newTrades(a report.Account) trades {
	t := trades{
		Key: elementID(a.Signature), Name: inert(a.Signature), Symbols: []string{}, Dates: []market.Stamp{}, ID: []int64{}, Date: []int{}, Symbol: []int{},
		Amount: []float64{}, Price: []report.Number{}, Gain: []report.Number{}, Notes: map[int]string{},
	}
	symbols, before, day := map[string]int{}, int64(0), 0
	paid := slices.ContainsFunc(a.Trades, func(x report.Trade) bool { return x.Fees != 0 })
	for i, x := range a.Trades {
		place, ok := symbols[x.Symbol]
		if !ok {
			place = len(t.Symbols)
			symbols[x.Symbol], t.Symbols = place, append(t.Symbols, inert(x.Symbol))
		}
		if n := len(t.Dates); n == 0 || t.Dates[n-1] != x.Date {
			t.Dates = append(t.Dates, x.Date)
		}
		t.ID, before = append(t.ID, x.ID-before), x.ID
		t.Date, day = append(t.Date, len(t.Dates)-1-day), len(t.Dates)-1
		t.Symbol, t.Price, t.Gain = append(t.Symbol, place), append(t.Price, x.Price), append(t.Gain, cents(x.Gain))
		amount := x.Amount
		if x.Action == "sell" {
			amount = -amount
		}
		if t.Amount = append(t.Amount, amount); paid {
			t.Fees = append(t.Fees, x.Fees)
		}
		if note := orderOf(x) + x.Note; note != "" {
			t.Notes[i] = inert(note)
		}
	}
	return t
}

// cents rounds money as the page shows it.
func cents(n report.Number) report.Number {
	if !n.Known() {
		return n
	}
	value, _ := strconv.ParseFloat(n.Text(2), 64) // a text of digits
	return report.Known(value)
}

// orderOf says which order that waited a trade filled, before the note of the trade.
func orderOf(t report.Trade) string {
	if t.Order == 0 {
		return ""
	}
	return fmt.Sprintf("(%s) ", strings.TrimSpace(fmt.Sprintf("%s order %d", t.Type, t.Order)))
}
