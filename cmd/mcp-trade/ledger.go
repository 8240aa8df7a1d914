// mcp-trade ledger: open, look at, prove and copy accounts.

package main

import (
	"bufio"
	"fmt"

	"github.com/spf13/cobra"

	"mcp-trade/internal/format"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

func ledgerCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{Use: "ledger", Short: "Open, look at, prove and copy accounts"}
	cmd.AddCommand(registerCommand(s), listCommand(s), ledgerShowCommand(s), verifyCommand(s), repairCommand(s), archiveCommand(s), exportCommand(s), importCommand(s), copyCommand(s))
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
	s.register(cmd.Flags(), opening, trading)
	return cmd
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
