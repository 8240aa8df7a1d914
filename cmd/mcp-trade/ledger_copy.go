// mcp-trade ledger copy: accounts from one store to another.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/agent/manifest"
	"mcp-trade/agent/runner"
	"mcp-trade/ledger"
)

func copyCommand(s *settings) *cobra.Command {
	var from, to string
	var all bool
	cmd := &cobra.Command{
		Use: "copy [SIGNATURE...]", Short: "Copy accounts from one store to another, with all that their runs left",
		Long: "Copy accounts byte for byte from one store to another: ledger, transcripts, manifest and checkpoint, so that a run goes on there.\n" +
			"The heads of both ledgers are compared. No run may have an account meanwhile. A copy that was interrupted goes on when the\n" +
			"command is given again; an account that has another ledger there is left as it is (exit 1). Sessions are not copied, and the\n" +
			"accounts stay where they were: trade them in one store alone.",
		Example: "  mcp-trade ledger copy --all --from file --to redis",
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case all == (len(args) > 0):
				return usageError{errors.New("name the accounts to copy, or use --all")}
			case from == to:
				return usageError{errors.New("--from and --to name the same store")}
			}
			return s.copyAccounts(cmd, args, from, to)
		},
	}
	names := strings.Join(ledgerNames(), " or ")
	cmd.Flags().StringVar(&from, "from", "", "where the accounts are: "+names)
	cmd.Flags().StringVar(&to, "to", "", "where they are to be: "+names)
	cmd.Flags().BoolVar(&all, "all", false, "all accounts, also those that were put aside")
	_, _ = cmd.MarkFlagRequired("from"), cmd.MarkFlagRequired("to")
	return cmd
}

// copiedAccount is what became of an account.
type copiedAccount struct {
	Signature string `json:"signature"`
	runner.Copied
	Error string `json:"error,omitempty"`
}

func (s *settings) copyAccounts(cmd *cobra.Command, accounts []string, from, to string) error {
	r, err := s.open()
	if err != nil {
		return err
	}
	defer r.Close()
	source, err := sideOf(r, from)
	if err != nil {
		return err
	}
	target, err := sideOf(r, to)
	if err != nil {
		return err
	}
	if len(accounts) == 0 {
		if accounts, err = source.Accounts.Names(cmd.Context()); err != nil {
			return err
		}
	}
	copied, failed := []copiedAccount{}, false
	for _, account := range accounts {
		c := copiedAccount{Signature: account}
		noted := func(text []byte) ([]byte, error) { return manifest.InStore(account, text, to) }
		c.Copied, err = runner.Copy(cmd.Context(), source, target, account, owner(), s.log, noted)
		if errors.Is(err, context.Canceled) {
			return err
		}
		if err != nil {
			c.Error, failed = explain(err), true
		}
		copied = append(copied, c)
	}
	if err := s.printCopied(cmd.OutOrStdout(), copied, from, to); err != nil {
		return err
	}
	if failed {
		return quietError(exitFailed)
	}
	return nil
}

// sideOf is a store by its name, as --ledger has it.
func sideOf(r rooms, name string) (runner.Side, error) {
	l, err := ledgersIn(name, r.file, r.shared)
	if err != nil {
		return runner.Side{}, usageError{err}
	}
	return runner.Side{Accounts: ledger.NewAccounts(l), Runs: l}, nil
}

func (s *settings) printCopied(w io.Writer, copied []copiedAccount, from, to string) error {
	if s.json {
		return printJSON(w, copied)
	}
	if len(copied) == 0 {
		_, err := fmt.Fprintf(w, "There is no account in %s.\n", from)
		return err
	}
	t := newTable(w, "account", ">rows", ">added", ">days", "head in "+from+" and "+to)
	for _, c := range copied {
		if c.Error != "" {
			t.AppendRow(table.Row{c.Signature, "", "", "", "not copied: " + c.Error})
			continue
		}
		t.AppendRow(table.Row{c.Signature, c.Rows, c.Added, c.Days, c.Head})
	}
	t.Render()
	return nil
}
