// mcp-trade ledger list: which accounts there are.

package main

import (
	"context"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/decimal"
	"mcp-trade/internal/format"
	"mcp-trade/market"
)

// listed is an account. Where its ledger cannot be read all but its name is null.
type listed struct {
	Signature string           `json:"signature"`
	ID        *int64           `json:"id"`   // of the newest row
	Date      *market.Stamp    `json:"date"` // of the newest row
	Cash      *decimal.Decimal `json:"cash"`
	Holdings  *int             `json:"holdings"` // symbols
	Error     string           `json:"error,omitempty"`
}

func listCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Print which accounts there are", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := s.open()
			if err != nil {
				return err
			}
			defer r.Close()
			accounts, err := r.list(cmd.Context())
			if err != nil {
				return err
			}
			return printList(cmd, s, r.ledgers.Name(), accounts)
		},
	}
}

// list reads the newest row of every account. One that cannot be read hides no other.
func (r rooms) list(ctx context.Context) ([]listed, error) {
	names, err := r.accounts.Names(ctx)
	if err != nil {
		return nil, err
	}
	accounts := []listed{}
	for _, name := range names {
		book, err := r.accounts.Head(ctx, name)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			accounts = append(accounts, listed{Signature: name, Error: explain(err)})
		default:
			cash, holdings := book.Cash(), len(book.Positions.Holdings())
			accounts = append(accounts, listed{Signature: name, ID: &book.ID, Date: &book.Date, Cash: &cash, Holdings: &holdings})
		}
	}
	return accounts, nil
}

func printList(cmd *cobra.Command, s *settings, where string, accounts []listed) error {
	w := cmd.OutOrStdout()
	switch {
	case s.json:
		if err := printJSON(w, accounts); err != nil {
			return err
		}
	case len(accounts) == 0:
		fmt.Fprintf(w, "There is no account in %s. Open one with: mcp-trade ledger register SIGNATURE --date YYYY-MM-DD\n", where)
	default:
		t := newTable(w, "account", ">newest row", "of", ">cash", ">holdings")
		for _, a := range accounts {
			if a.Error == "" {
				t.AppendRow(table.Row{a.Signature, *a.ID, *a.Date, format.Money(*a.Cash), *a.Holdings})
			} else {
				t.AppendRow(table.Row{a.Signature, "-", "-", "-", "-"})
			}
		}
		t.Render()
	}
	code := 0
	for _, a := range accounts {
		if a.Error != "" {
			fmt.Fprintf(cmd.ErrOrStderr(), "mcp-trade: %s: %s\n", a.Signature, a.Error)
			code = exitFailed
		}
	}
	if code > 0 {
		return quietError(code)
	}
	return nil
}
