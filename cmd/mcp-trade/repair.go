// mcp-trade ledger repair.

package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"mcp-trade/internal/safetext"
	"mcp-trade/store"
)

func repairCommand(s *settings) *cobra.Command {
	var write bool
	cmd := &cobra.Command{
		Use: "repair [SIGNATURE...]", Short: "Tell what is wrong with how ledgers are kept, and mend it",
		Long: "Look for what keeps a ledger from being read or added to, such as an index of order ids that lost some. Without --write\n" +
			"nothing is changed. No row that can be read is ever changed: what 'ledger verify' finds in rows stays.\n" +
			"Without arguments every account is looked at. Exit 1 if anything is wrong and was not mended.",
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := s.open()
			if err != nil {
				return err
			}
			defer r.Close()
			if args, err = r.named(cmd.Context(), args); err != nil {
				return err
			}
			type repaired struct {
				Name   string        `json:"ledger"`
				Mended bool          `json:"mended"`
				Faults []store.Fault `json:"faults"`
				Error  string        `json:"error,omitempty"` // why it cannot be mended
			}
			results, wrong := []repaired{}, false
			for _, name := range args {
				faults, err := r.accounts.Repair(cmd.Context(), name, write)
				if err != nil && (len(args) == 1 || cmd.Context().Err() != nil) {
					return fmt.Errorf("%s: %w", name, err)
				}
				result := repaired{Name: name, Mended: write && err == nil && len(faults) > 0, Faults: append([]store.Fault{}, faults...)}
				if err != nil { // it hides no other
					result.Error = explain(err)
				}
				results = append(results, result)
				wrong = wrong || err != nil || !write && slices.ContainsFunc(faults, func(f store.Fault) bool { return !f.Minor })
			}
			if s.json {
				err = printJSON(cmd.OutOrStdout(), results)
			} else {
				for _, r := range results {
					if r.Error != "" {
						fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", r.Name, r.Error)
						continue
					}
					printRepaired(cmd.OutOrStdout(), r.Name, r.Mended, r.Faults)
				}
			}
			if err == nil && wrong {
				return quietError(exitFailed)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&write, "write", false, "mend what is wrong")
	return cmd
}

func printRepaired(w io.Writer, name string, mended bool, faults []store.Fault) {
	switch {
	case len(faults) == 0:
		fmt.Fprintf(w, "%s: nothing to mend\n", name)
	case mended:
		for _, f := range faults {
			fmt.Fprintf(w, "%s: %s\n  mended: %s\n", name, safetext.Line(f.What), f.Mend)
		}
	default:
		fmt.Fprintf(w, "%s: to be mended\n", name)
		printFaults(w, name, faults)
	}
}

func printFaults(w io.Writer, name string, faults []store.Fault) {
	for _, f := range faults {
		fmt.Fprintf(w, "  %s\n  'mcp-trade ledger repair %s --write' mends it: %s\n", safetext.Line(f.What), name, f.Mend)
	}
}
