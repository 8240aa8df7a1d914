// mcp-trade ledger import.

package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"mcp-trade/agent/manifest"
	"mcp-trade/internal/lines"
	"mcp-trade/ledger"
)

func importCommand(s *settings) *cobra.Command {
	var unverified bool
	cmd := &cobra.Command{
		Use: "import SIGNATURE FILE", Short: "Read a ledger from a file, or from standard input (-), into an account that has none", Args: cobra.ExactArgs(2),
		Long: "Read a ledger from a file, or from standard input (-), byte for byte into an account that has none. What 'ledger verify'\n" +
			"would find in the file, or in the account, is printed, and nothing is imported (exit 1).\n\n" +
			"With --unverified such a ledger is imported all the same, and one row is added that marks all others as imported\n" +
			"unverified. The mark is part of the chain of hashes and goes with every copy. It makes no verdict better: an account\n" +
			"with rows that do not follow stays 'not verified' and has no rank in a report, and one in which nothing is found any\n" +
			"more is 'partly verified'.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.importLedger(cmd, args[0], args[1], unverified)
		},
	}
	cmd.Flags().BoolVar(&unverified, "unverified", false, "import what does not verify too; the account stays marked")
	return cmd
}

// importedLedger is what became of an import.
type importedLedger struct {
	Signature string   `json:"signature"`
	Added     int      `json:"added"` // rows, a mark included
	Ledger    string   `json:"ledger"`
	Marked    bool     `json:"marked"`   // a row was added that marks the others as imported unverified
	Verified  verified `json:"verified"` // what verifying said of it before
}

// importLedger verifies a ledger as it will stand in its account, and imports it.
func (s *settings) importLedger(cmd *cobra.Command, account, path string, unverified bool) error {
	r, err := s.openPriced(false)
	if err != nil {
		return err
	}
	defer r.Close()
	copied, err := ledger.ReadCopy(lines.Of(path))
	if err != nil {
		return err
	}
	report, err := s.verifyCopy(cmd, r, account, path, copied)
	if err != nil {
		return err
	}
	result := importedLedger{Signature: account, Ledger: r.ledgers.Name(), Verified: newVerified(path, report, nil)}
	unkept := copied.Check()
	if report.Failed() && (!unverified || unkept != nil) {
		err := errors.New("nothing was imported: mend the ledger, or import it as it is with --unverified, and the account stays marked")
		if unkept != nil {
			err = fmt.Errorf("nothing was imported: %w", unkept)
		}
		return errors.Join(s.printImported(cmd.OutOrStdout(), result), err)
	}
	if result.Marked = report.FailedUnmarked(); result.Marked {
		if copied, err = copied.Marked(); err != nil {
			return err
		}
	}
	if result.Added, err = r.accounts.Import(cmd.Context(), account, copied); err != nil {
		return err
	}
	return s.printImported(cmd.OutOrStdout(), result)
}

// verifyCopy holds a ledger also against what the runs of the account noted, and those under the log path that its file is in.
func (s *settings) verifyCopy(cmd *cobra.Command, r rooms, account, path string, copied ledger.Copy) (ledger.Report, error) {
	e := evidence{lines: copied.Lines(), logPath: s.logPath, account: account, store: r.ledgers.Name()}
	var noted []ledger.Anchor
	var unread error
	if from := s.evidence(cmd.Context(), r, path); isFile(path) && from.logPath != "" {
		noted, unread = manifest.Anchors(from.logPath, from.account, from.store)
	}
	report, err := e.verify(r.prices, nil, noted)
	if unread != nil {
		report.Add(manifest.Unread(unread))
	}
	if err == nil && report.Rows == 0 {
		err = fmt.Errorf("%s has no row of a ledger", path)
	}
	return report, err
}

func (s *settings) printImported(w io.Writer, r importedLedger) error {
	if s.json {
		return printJSON(w, r)
	}
	if r.Verified.Verdict != ledger.Verified {
		printVerified(w, r.Verified)
	}
	if r.Verified.OK || r.Marked || r.Added > 0 {
		fmt.Fprintf(w, "Added %d rows to the account %s (ledger in %s).\n", r.Added, r.Signature, r.Ledger)
	}
	if r.Marked {
		fmt.Fprintf(w, "The newest one marks the others as imported unverified.\n")
	}
	return nil
}
