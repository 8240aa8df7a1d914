// mcp-trade ledger archive.

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"mcp-trade/agent/runner"
)

func archiveCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "archive SIGNATURE", Short: "Put an account aside, so that another one can begin under its name", Args: cobra.ExactArgs(1),
		Long: "Put an account aside, with its checkpoint, transcripts and manifest. It is called SIGNATURE.archived-1, or -2 and so on, from then\n" +
			"on: ledger list, show, verify and export know it, report when it is named, and no run trades it. While a run has the account\n" +
			"it stays where it is.",
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := s.open()
			if err != nil {
				return err
			}
			defer r.Close()
			as, err := runner.Archive(cmd.Context(), r.runs(), r.accounts, args[0], owner(), s.log)
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(cmd.OutOrStdout(), map[string]string{"signature": args[0], "archived_as": as, "ledger": r.ledgers.Name()})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Archived the account %s as %s.\n", args[0], as)
			return err
		},
	}
}
