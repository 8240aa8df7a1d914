// mcp-trade ledger show.

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/agent/manifest"
	"mcp-trade/decimal"
	"mcp-trade/internal/format"
	"mcp-trade/internal/safetext"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/store"
)

func ledgerShowCommand(s *settings) *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "show SIGNATURE", Short: "Print an account and its newest trades", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := s.open()
			if err != nil {
				return err
			}
			defer r.Close()
			shown, err := s.shownAccount(cmd.Context(), r, args[0], limit)
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(cmd.OutOrStdout(), shown.json())
			}
			shown.print(cmd.OutOrStdout())
			return nil
		},
	}
	cmd.Flags().IntVar(&limit, "trades", 10, "how many trades to print, and records of orders that waited")
	return cmd
}

// shownAccount is an account as it is shown.
type shownAccount struct {
	name       string
	book       ledger.Book
	unverified *int64 // rows that were imported unverified; nil: not known
	trades     []ledger.Record
	orders     []shownOrder // records of orders that waited, the newest first
	actions    []ledger.Record
	forward    *report.Forward // nil: it never followed the market
}

func (s *settings) shownAccount(ctx context.Context, r rooms, name string, limit int) (a shownAccount, err error) {
	a.name = name
	if a.book, err = r.accounts.Head(ctx, name); err != nil {
		return a, err
	}
	if a.trades, _, err = r.accounts.Trades(ctx, name, a.book.Date, store.MaxID, limit); err != nil {
		return a, err
	}
	if a.actions, err = r.accounts.CorporateActions(ctx, name, limit); err != nil {
		return a, err
	}
	orders, err := r.accounts.OrderRecords(ctx, name, math.MaxInt) // more than are shown: with the record that placed an order come its terms
	if err != nil {
		return a, err
	}
	a.orders = shownOrders(orders, a.book.Orders)
	a.orders = a.orders[:min(len(a.orders), max(limit, 0))]
	if a.unverified, err = r.accounts.Imported(ctx, name); err != nil { // the account can be shown all the same
		s.log.Warn().Msg(fmt.Sprintf("whether rows of %s were imported unverified is not known: %s", name, explain(err)))
	}
	ran, err := manifest.Of(ctx, r.runs(), name)
	if err != nil { // likewise
		s.log.Warn().Msg(fmt.Sprintf("which days %s traded as they came is not known: %s", name, explain(err)))
	}
	a.forward = report.NewForward(forwardDays(ran, r.ledgers.Name()))
	return a, nil
}

// shownOrder is a record that placed, filled, cancelled or ended an order that waited.
type shownOrder struct {
	ID     int64               `json:"id"`    // of the record
	Order  int64               `json:"order"` // of the record that placed it
	Date   market.Stamp        `json:"date"`
	At     market.Stamp        `json:"at,omitempty"` // the bar in which it happened, known from date on
	Status ledger.Status       `json:"status"`
	Side   ledger.Action       `json:"side"`
	Symbol string              `json:"symbol"`
	Amount decimal.Decimal     `json:"amount"`
	Price  decimal.NullDecimal `json:"price,omitzero"`       // of a fill
	Type   ledger.OrderType    `json:"type,omitempty"`       // "": the record that placed it is none of the newest 2,000
	Limit  decimal.Decimal     `json:"limit_price,omitzero"` // of a limit order
	Stop   decimal.Decimal     `json:"stop_price,omitzero"`  // of a stop order
	Until  ledger.Until        `json:"until,omitempty"`
	Why    string              `json:"why,omitempty"` // it ended
}

// shownOrders are the records with the terms of their orders, as far as these are among the records or still open.
func shownOrders(records []ledger.Record, open ledger.OpenOrders) (all []shownOrder) {
	terms := map[int64]ledger.Terms{}
	for _, o := range open {
		terms[o.ID] = o.Terms
	}
	for _, r := range records {
		if r.Action == ledger.Place {
			terms[r.ID] = ledger.Terms{Type: cmp.Or(r.Type, ledger.MarketOrder), Limit: r.Limit, Stop: r.Stop, Until: cmp.Or(r.Until, ledger.Day)}
		}
	}
	for _, r := range records {
		o := shownOrder{ID: r.ID, Order: cmp.Or(r.Of, r.ID), Date: r.Date, At: r.At, Status: r.OrderStatus(), Side: r.Side, Symbol: r.Symbol, Amount: r.Amount, Why: r.Why}
		if r.Traded() {
			o.Side, o.Price = r.Action, r.Price
		}
		t := terms[o.Order]
		o.Type, o.Limit, o.Stop, o.Until = t.Type, t.Limit, t.Stop, t.Until
		all = append(all, o)
	}
	return all
}

// terms are what kind of order it is, in a few words: "limit 100.5, gtc".
func (o shownOrder) terms() string {
	text := string(cmp.Or(o.Type, "-"))
	for _, price := range []decimal.Decimal{o.Limit, o.Stop} {
		if !price.IsZero() {
			text += " " + price.String()
		}
	}
	if o.Until != "" {
		text += ", " + string(o.Until)
	}
	return text
}

func (a shownAccount) json() map[string]any {
	type trade struct {
		ID     int64               `json:"id"`
		Date   market.Stamp        `json:"date"`
		Action ledger.Action       `json:"action"`
		Symbol string              `json:"symbol"`
		Amount decimal.Decimal     `json:"amount"`
		Price  decimal.NullDecimal `json:"price"`
		Cash   decimal.Decimal     `json:"cash"`
	}
	rows := []trade{}
	for _, t := range a.trades {
		rows = append(rows, trade{t.ID, t.Date, t.Action, t.Symbol, t.Amount, t.Price, t.Cash()})
	}
	shown := map[string]any{
		"signature": a.name, "id": a.book.ID, "date": a.book.Date, "head": a.book.Hash, "cash": a.book.Cash(), "holdings": a.book.Positions.Holdings(), "trades": rows,
		"unverified_import": a.unverified,
	}
	if len(a.orders) > 0 {
		shown["orders"] = a.orders
	}
	if len(a.actions) > 0 {
		texts := []string{}
		for _, action := range a.actions {
			texts = append(texts, action.ActionText())
		}
		shown["corporate_actions"] = texts
	}
	if a.forward != nil {
		shown["forward"] = a.forward
	}
	return shown
}

func (a shownAccount) print(w io.Writer) {
	fmt.Fprintf(w, "%s after record %d of %s\nhead %s\n", a.name, a.book.ID, a.book.Date, a.book.Hash)
	if last, err := ledger.ParseLine(a.book.Line); err == nil && last.ID > 0 && last.Prev == "" {
		fmt.Fprintln(w, "which stands for that record alone, since another program wrote it; 'ledger verify' prints one for all records")
	}
	if a.unverified != nil && *a.unverified > 0 {
		fmt.Fprintf(w, "its first %d rows were imported unverified\n", *a.unverified)
	}
	for _, line := range a.forward.Lines() {
		fmt.Fprintln(w, safetext.Line(line))
	}
	fmt.Fprintln(w)
	t := newTable(w, "holding", ">amount")
	t.AppendRow(table.Row{ledger.Cash, format.Money(a.book.Cash())})
	for _, p := range a.book.Positions.Holdings() {
		t.AppendRow(table.Row{p.Symbol, p.Amount})
	}
	t.Render()
	a.printTrades(w)
	a.printOrders(w)
	for i, action := range a.actions {
		if i == 0 {
			fmt.Fprintln(w, "\nNewest corporate actions")
		}
		fmt.Fprintf(w, "%d %s\n", action.ID, safetext.Line(action.ActionText()))
	}
}

func (a shownAccount) printTrades(w io.Writer) {
	if len(a.trades) == 0 {
		fmt.Fprintln(w, "\nNo trades.")
		return
	}
	fmt.Fprintln(w, "\nNewest trades")
	t := newTable(w, ">id", "date", "action", "symbol", ">amount", ">price", ">cash after")
	for _, r := range a.trades {
		t.AppendRow(table.Row{r.ID, r.Date, r.Action, r.Symbol, r.Amount, priceOf(r.Price), format.Money(r.Cash())})
	}
	t.Render()
}

func (a shownAccount) printOrders(w io.Writer) {
	if len(a.orders) == 0 {
		return
	}
	fmt.Fprintln(w, "\nNewest of orders that waited")
	t := newTable(w, ">id", "date", ">order", "status", "side", "symbol", ">amount", ">price", "kind", "why")
	for _, o := range a.orders {
		t.AppendRow(table.Row{o.ID, o.Date, o.Order, o.Status, o.Side, o.Symbol, o.Amount, priceOf(o.Price), o.terms(), o.Why})
	}
	t.Render()
}

func priceOf(p decimal.NullDecimal) string {
	if !p.Valid {
		return "-"
	}
	return p.Decimal.String()
}
