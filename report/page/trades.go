// The table of trades.

package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mcp-trade/report"
)

// maxTrades bounds the table of trades.
const maxTrades = 2000

// trades is the section of the table.
type trades struct {
	Rows     []trade
	All      int
	Note     string
	Accounts []string
	Fees     bool
	Notes    bool
}

// trade is a row of the table.
type trade struct {
	ID                             string // unique on the page
	Account                        string
	Date                           string
	Action, Verb                   string
	Symbol                         string
	Amount, Price, Value, Fees     string
	Gain, Sign                     string
	AmountV, PriceV, ValueV, GainV string // to sort by
	FeesV                          string
	Note                           string // untrusted text
}

// newTrades lists the newest trades of all accounts, the newest first.
func newTrades(r report.Report, rest string) trades {
	type dealt struct {
		account string
		trade   report.Trade
	}
	var all []dealt
	var t trades
	for _, a := range r.Accounts {
		t.All += a.TradeCount
		t.Accounts = append(t.Accounts, a.Signature)
		for _, x := range a.Trades {
			all = append(all, dealt{a.Signature, x})
		}
	}
	slices.SortStableFunc(all, func(x, y dealt) int {
		return cmp.Or(strings.Compare(string(y.trade.Date), string(x.trade.Date)), cmp.Compare(y.trade.ID, x.trade.ID), strings.Compare(x.account, y.account))
	})
	ids := map[string]int{}
	for _, x := range all[:min(len(all), maxTrades)] {
		row := newTrade(x.account, x.trade)
		if ids[row.ID]++; ids[row.ID] > 1 { // a ledger of another program may use an id again
			row.ID = fmt.Sprintf("%s-%d", row.ID, ids[row.ID])
		}
		t.Rows = append(t.Rows, row)
		t.Fees = t.Fees || x.trade.Fees != 0
		t.Notes = t.Notes || row.Note != ""
	}
	switch n := len(t.Rows); {
	case n == 0:
		t.Note = "There are no trades."
	case n < t.All:
		t.Note = strings.TrimSpace(fmt.Sprintf("The newest %s of %s. %s", count(n), plural(t.All, "trade"), rest))
	default:
		t.Note = "All " + plural(n, "trade") + "."
	}
	return t
}

// orderOf says which order that waited a trade filled, before the note of the trade.
func orderOf(t report.Trade) string {
	if t.Order == 0 {
		return ""
	}
	return fmt.Sprintf("(%s) ", strings.TrimSpace(fmt.Sprintf("%s order %d", t.Type, t.Order)))
}

func newTrade(account string, t report.Trade) trade {
	return trade{
		ID: fmt.Sprintf("t-%s-%d", elementID(account), t.ID), Account: account, Date: string(t.Date), Action: t.Action, Verb: verb(t.Action), Symbol: t.Symbol,
		Amount: amount(t.Amount), Price: price(t.Price), Value: money(t.Value), Fees: money(report.Known(t.Fees)), Gain: signedMoney(t.Gain), Sign: sign(t.Gain),
		AmountV: sortKey(report.Known(t.Amount)), PriceV: sortKey(t.Price), ValueV: sortKey(t.Value), GainV: sortKey(t.Gain), FeesV: sortKey(report.Known(t.Fees)),
		Note: orderOf(t) + t.Note,
	}
}
