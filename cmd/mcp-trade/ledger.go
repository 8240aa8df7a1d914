// mcp-trade ledger: open, look at, prove and copy accounts.

package main

import (
	"bufio"
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/decimal"
	"mcp-trade/internal/format"
	"mcp-trade/internal/safetext"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/store"
)

func ledgerCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{Use: "ledger", Short: "Open, look at, prove and copy accounts"}
	cmd.AddCommand(registerCommand(s), listCommand(s), ledgerShowCommand(s), verifyCommand(s), repairCommand(s), archiveCommand(s), exportCommand(s), importCommand(s))
	return cmd
}

func registerCommand(s *settings) *cobra.Command {
	var cash, date string
	cmd := &cobra.Command{
		Use: "register SIGNATURE", Short: "Open an account", Args: cobra.ExactArgs(1),
		Example: "  mcp-trade ledger register gpt-5 --cash 10000 --date 2025-10-01",
		RunE: func(cmd *cobra.Command, args []string) error {
			amount, err := ledger.ParseDecimal(cash)
			if err != nil {
				return usageError{fmt.Errorf("--cash: %w", err)}
			}
			day, err := market.ReadStamp(date)
			if err != nil {
				return usageError{fmt.Errorf("--date: %w", err)}
			}
			rules, err := s.openingRules(day)
			if err != nil {
				return err
			}
			r, err := s.open()
			if err != nil {
				return err
			}
			defer r.Close()
			rec := rules.Opening(amount, day)
			if err := r.accounts.Open(cmd.Context(), args[0], rec); err != nil {
				return err
			}
			head := ledger.Hash(rec.Line())
			if s.json {
				return printJSON(cmd.OutOrStdout(), map[string]any{
					"signature": args[0], "id": rec.ID, "date": rec.Date, "cash": amount, "head": head, "ledger": r.ledgers.Name(),
				})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Opened the account %s with %s on %s (ledger in %s).\nhead %s\n", args[0], format.Money(amount), day, r.ledgers.Name(), head)
			return err
		},
	}
	cmd.Flags().StringVar(&cash, "cash", "10000", "money to begin with")
	cmd.Flags().StringVar(&date, "date", "", "day on which the account is opened")
	_ = cmd.MarkFlagRequired("date")
	s.register(cmd.Flags(), opening)
	s.register(cmd.Flags(), trading)
	return cmd
}

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
			book, err := r.accounts.Head(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			trades, _, err := r.accounts.Trades(cmd.Context(), args[0], book.Date, store.MaxID, limit)
			if err != nil {
				return err
			}
			actions, err := r.accounts.CorporateActions(cmd.Context(), args[0], limit)
			if err != nil {
				return err
			}
			unverified, err := r.accounts.Imported(cmd.Context(), args[0])
			if err != nil { // the account can be shown all the same
				s.log.Warn().Msg(fmt.Sprintf("whether rows of %s were imported unverified is not known: %s", args[0], explain(err)))
			}
			if s.json {
				return showJSON(cmd.OutOrStdout(), args[0], book, unverified, trades, actions)
			}
			showTables(cmd.OutOrStdout(), args[0], book, unverified, trades)
			for i, a := range actions {
				if i == 0 {
					fmt.Fprintln(cmd.OutOrStdout(), "\nNewest corporate actions")
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%d %s\n", a.ID, safetext.Line(a.ActionText()))
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&limit, "trades", 10, "how many trades to print")
	return cmd
}

func showJSON(w io.Writer, account string, book ledger.Book, unverified *int64, trades, actions []ledger.Record) error {
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
	for _, t := range trades {
		rows = append(rows, trade{t.ID, t.Date, t.Action, t.Symbol, t.Amount, t.Price, t.Cash()})
	}
	shown := map[string]any{
		"signature": account, "id": book.ID, "date": book.Date, "head": book.Hash, "cash": book.Cash(), "holdings": book.Positions.Holdings(), "trades": rows,
		"unverified_import": unverified,
	}
	if len(actions) > 0 {
		texts := []string{}
		for _, a := range actions {
			texts = append(texts, a.ActionText())
		}
		shown["corporate_actions"] = texts
	}
	return printJSON(w, shown)
}

func showTables(w io.Writer, account string, book ledger.Book, unverified *int64, trades []ledger.Record) {
	fmt.Fprintf(w, "%s after record %d of %s\nhead %s\n", account, book.ID, book.Date, book.Hash)
	if last, err := ledger.ParseLine(book.Line); err == nil && last.ID > 0 && last.Prev == "" {
		fmt.Fprintln(w, "which stands for that record alone, since another program wrote it; 'ledger verify' prints one for all records")
	}
	if unverified != nil && *unverified > 0 {
		fmt.Fprintf(w, "its first %d rows were imported unverified\n", *unverified)
	}
	fmt.Fprintln(w)
	t := newTable(w, "holding", ">amount")
	t.AppendRow(table.Row{ledger.Cash, format.Money(book.Cash())})
	for _, p := range book.Positions.Holdings() {
		t.AppendRow(table.Row{p.Symbol, p.Amount})
	}
	t.Render()
	if len(trades) == 0 {
		fmt.Fprintln(w, "\nNo trades.")
		return
	}
	fmt.Fprintln(w, "\nNewest trades")
	t = newTable(w, ">id", "date", "action", "symbol", ">amount", ">price", ">cash after")
	for _, r := range trades {
		price := "-"
		if r.Price.Valid {
			price = r.Price.Decimal.String()
		}
		t.AppendRow(table.Row{r.ID, r.Date, r.Action, r.Symbol, r.Amount, price, format.Money(r.Cash())})
	}
	t.Render()
}

func exportCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "export SIGNATURE", Short: "Write a ledger to standard output, one record per line", Args: cobra.ExactArgs(1),
		Example: "  mcp-trade ledger export gpt-5 --ledger file | mcp-trade ledger import gpt-5 - --ledger redis",
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := s.open()
			if err != nil {
				return err
			}
			defer r.Close()
			out := bufio.NewWriter(exact(cmd.OutOrStdout()))
			if _, err := r.accounts.Export(cmd.Context(), args[0], out); err != nil {
				return err
			}
			return out.Flush()
		},
	}
}
