// mcp-trade settle: what is due of orders that wait.

package main

import (
	"context"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store"
)

func settleCommand(s *settings) *cobra.Command {
	var date string
	cmd := &cobra.Command{
		Use: "settle [SIGNATURE...]", Short: "Fill and end the orders that are due",
		Long: "Fill the orders that wait and that a bar proves to be filled, and end those whose time is over, as of TODAY_DATE of the\n" +
			"session: of its account, or of those that are named. An order, and a run, do the same before anything else; each is\n" +
			"done once, whoever comes first. While HALT is set nothing is done.",
		Example: "  mcp-trade settle\n  mcp-trade settle gpt-5 --date 2025-10-07",
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := s.openPriced(true)
			if err != nil {
				return err
			}
			defer r.Close()
			settled, err := s.settle(cmd.Context(), r, args, date)
			if err != nil {
				return err
			}
			return printSettled(cmd, s, settled)
		},
	}
	cmd.Flags().StringVar(&date, "date", "", "as of this date or moment, and not as of the session's")
	s.register(cmd.Flags(), limiting, trading)
	return cmd
}

// settledAccount is what was done of an account.
type settledAccount struct {
	Signature string       `json:"signature"`
	Date      market.Stamp `json:"date"` // as of which
	Events    []settled    `json:"events"`
	Open      int          `json:"open"` // orders that still wait
	Error     string       `json:"error,omitempty"`
}

// settled is an event.
type settled struct {
	ID     int64               `json:"id"`    // of its record
	Order  int64               `json:"order"` // the number of the order
	Date   market.Stamp        `json:"date"`
	At     market.Stamp        `json:"at,omitempty"` // the bar in which it happened, known from date on
	Action ledger.Action       `json:"action"`       // buy, sell or expire
	Symbol string              `json:"symbol"`
	Amount decimal.Decimal     `json:"amount"`
	Price  decimal.NullDecimal `json:"price"`
	Why    string              `json:"why,omitempty"`
	text   string
}

// settle settles the accounts that are named, or that of the session. One that fails keeps no other from being settled.
func (s *settings) settle(ctx context.Context, r rooms, names []string, date string) ([]settledAccount, error) {
	l, err := s.session(r, s.modelID)
	if err != nil {
		return nil, err
	}
	at, err := s.settlingSession(ctx, l, len(names) > 0 && date != "")
	if err != nil {
		return nil, err
	}
	if at.Halted {
		return nil, fmt.Errorf("HALT is set for the session %q or for all: nothing is filled until it is cleared", s.modelID)
	}
	today := at.Today
	if date != "" {
		if today, err = market.ReadStamp(date); err != nil {
			return nil, usageError{fmt.Errorf("--date: %w", err)}
		}
	}
	if len(names) == 0 {
		names = []string{at.Signature}
	}
	var all []settledAccount
	for _, name := range names {
		var guards []store.Guard
		if name == at.Signature && today == at.Today { // else the session is of another account, or day
			guards = at.Guards()
		}
		all = append(all, s.settleAccount(ctx, r, name, today, guards))
	}
	return all, nil
}

// settlingSession reads the session. One that names no account and date will do where both are given.
func (s *settings) settlingSession(ctx context.Context, l *session.Resolver, given bool) (session.Session, error) {
	at, err := l.Read(ctx)
	if err == nil || !given {
		return at, err
	}
	values, valuesErr := l.Values(ctx, session.Halt)
	if valuesErr != nil {
		return session.Session{}, valuesErr
	}
	return session.Session{Halted: len(values) > 0 && values[0].Text == "true"}, nil
}

func (s *settings) settleAccount(ctx context.Context, r rooms, name string, today market.Stamp, guards []store.Guard) settledAccount {
	a := settledAccount{Signature: name, Date: today, Events: []settled{}}
	records, err := r.accounts.Settle(ctx, name, r.prices.AsOf(today), guards...)
	for _, rec := range records {
		a.Events = append(a.Events, settled{rec.ID, rec.Of, rec.Date, rec.At, rec.Action, rec.Symbol, rec.Amount, rec.Price, rec.Why, rec.Event()})
	}
	if err == nil {
		var book ledger.Book
		book, err = r.accounts.Book(ctx, name, today)
		a.Open = len(book.Orders)
	}
	if err != nil {
		a.Error = explain(err)
	}
	return a
}

func printSettled(cmd *cobra.Command, s *settings, all []settledAccount) error {
	w, failed := cmd.OutOrStdout(), false
	if s.json {
		if err := printJSON(w, all); err != nil {
			return err
		}
	} else {
		t := newTable(w, "account", ">row", "known from", "what was done")
		for _, a := range all {
			for _, e := range a.Events {
				t.AppendRow(table.Row{a.Signature, e.ID, e.Date, e.text})
			}
		}
		if t.Length() > 0 {
			t.Render()
		}
		for _, a := range all {
			if a.Error == "" {
				fmt.Fprintf(w, "%s as of %s: %s done, %s open.\n", a.Signature, a.Date, count(len(a.Events), "event"), count(a.Open, "order"))
			}
		}
	}
	for _, a := range all {
		if a.Error != "" {
			fmt.Fprintf(cmd.ErrOrStderr(), "mcp-trade: %s: %s\n", a.Signature, a.Error)
			failed = true
		}
	}
	if failed {
		return quietError(exitFailed)
	}
	return nil
}

// count writes a number of things.
func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
