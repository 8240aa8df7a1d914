// mcp-trade audit: what callers did, and the proof that nothing of it was changed. And the audit of a server.

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/audit"
)

// keptAudit is the audit of a server; with a log of nil it keeps none.
type keptAudit struct{ log *audit.Log }

// openAudit opens the audit that --audit asks for.
func (s *settings) openAudit() (keptAudit, error) {
	if s.auditDir == "" {
		return keptAudit{}, nil
	}
	log, err := audit.Open(s.auditDir, s.access(), time.Now(), func(err error) { s.log.Error().Msg(err.Error()) })
	if err != nil {
		return keptAudit{}, fmt.Errorf("--audit: %w", err)
	}
	return keptAudit{log}, nil
}

// keep returns what keeps a line for each call that came by a transport, nil if none is kept.
func (k keptAudit) keep(transport string) func(context.Context, audit.Call) {
	if k.log == nil {
		return nil
	}
	return k.log.Keep(transport)
}

func (k keptAudit) denied(r *http.Request, began time.Time, status int, reason string) {
	if k.log != nil {
		k.log.Denied(r, began, status, reason)
	}
}

func (k keptAudit) Close() error {
	if k.log == nil {
		return nil
	}
	return k.log.Close()
}

func auditCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show the calls that servers answered and refused, and prove that nothing of it was changed",
		Long:  "Show the calls that servers answered and refused, which 'mcp-trade http --audit DIR' and 'mcp-trade stdio --audit DIR' keep.",
	}
	cmd.AddCommand(showAuditCommand(s), verifyAuditCommand(s))
	return cmd
}

// auditFilter says which lines are shown.
type auditFilter struct {
	account, tool, outcome, since string
	from                          time.Time
	last                          int
}

func showAuditCommand(s *settings) *cobra.Command {
	var f auditFilter
	cmd := &cobra.Command{
		Use: "show DIR", Short: "Print the newest lines of an audit", Args: cobra.ExactArgs(1),
		Example: "  mcp-trade audit show audit --account gpt-5 --outcome refused --since 2025-10-02T13:30:00Z",
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.since != "" {
				from, err := time.Parse(time.RFC3339, f.since)
				if err != nil {
					return usageError{fmt.Errorf("--since %.40q: use a time such as 2025-10-02T13:30:00Z", f.since)}
				}
				f.from = from
			}
			if f.last < 1 {
				return usageError{fmt.Errorf("--last %d: use 1 or more", f.last)}
			}
			return s.showAudit(cmd.OutOrStdout(), args[0], f)
		},
	}
	cmd.Flags().StringVar(&f.account, "account", "", "of this account alone")
	cmd.Flags().StringVar(&f.tool, "tool", "", "of this tool or prompt alone")
	cmd.Flags().StringVar(&f.outcome, "outcome", "", "ok, refused, failed or denied")
	cmd.Flags().StringVar(&f.since, "since", "", "from this time on")
	cmd.Flags().IntVar(&f.last, "last", 50, "how many, the newest")
	return cmd
}

func (f auditFilter) matches(e audit.Entry) bool {
	return (f.account == "" || f.account == e.Account) && (f.tool == "" || f.tool == e.Name) && (f.outcome == "" || f.outcome == e.Outcome) && !e.Time.Before(f.from)
}

func (s *settings) showAudit(w io.Writer, dir string, f auditFilter) error {
	entries := []audit.Entry{}
	chains, err := audit.Read(dir, func(e audit.Entry) {
		if f.matches(e) {
			entries = append(entries, e)
		}
	})
	if err != nil {
		return err
	}
	if len(chains) == 0 {
		return fmt.Errorf("there is no audit in %s", dir)
	}
	for _, c := range chains {
		if len(c.Wrong) > 0 {
			s.log.Warn().Msgf("this audit was changed: mcp-trade audit verify %s says where", dir)
			break
		}
	}
	slices.SortStableFunc(entries, func(a, b audit.Entry) int { return a.Time.Compare(b.Time) })
	entries = entries[max(0, len(entries)-f.last):]
	if s.json {
		return printJSON(w, entries)
	}
	t := newTable(w, "time", "account", "token", "call", "outcome", ">ms", ">record", "from")
	for _, e := range entries {
		record := ""
		if e.Record != nil {
			record = fmt.Sprint(*e.Record)
		}
		t.AppendRow(table.Row{
			e.Time.Format("2006-01-02 15:04:05.000"), cmp.Or(e.Account, e.Model), e.Token, cmp.Or(e.Name, e.Method, e.Reason), outcomeText(e), fmt.Sprintf("%.1f", e.MS), record, cmp.Or(e.Remote, e.Transport),
		})
	}
	t.Render()
	return nil
}

// outcomeText says what became of a call, and why.
func outcomeText(e audit.Entry) string {
	switch {
	case e.Status != 0:
		return fmt.Sprintf("%s: %d", e.Outcome, e.Status)
	case e.Code != "":
		return e.Outcome + ": " + e.Code
	}
	return e.Outcome
}

func verifyAuditCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use: "verify DIR", Short: "Prove that no line of an audit was changed, moved or taken out", Args: cobra.ExactArgs(1),
		Long: "Prove that no line of an audit was changed, moved or taken out between others. Of each process the head is printed, the hash of its\n" +
			"newest line: what was cut off at the end, or changed in that line, is found by a head that was kept elsewhere. Exit 1 if anything is wrong.",
		RunE: func(cmd *cobra.Command, args []string) error {
			chains, err := audit.Read(args[0], func(audit.Entry) {})
			if err != nil {
				return err
			}
			if len(chains) == 0 {
				return fmt.Errorf("there is no audit in %s", args[0])
			}
			return s.printChains(cmd.OutOrStdout(), chains)
		},
	}
}

func (s *settings) printChains(w io.Writer, chains []audit.Chain) error {
	broken := false
	for _, c := range chains {
		broken = broken || len(c.Wrong) > 0
	}
	if s.json {
		if err := printJSON(w, chains); err != nil {
			return err
		}
	} else {
		for _, c := range chains {
			printChain(w, c)
		}
	}
	if broken {
		return quietError(exitFailed)
	}
	return nil
}

func printChain(w io.Writer, c audit.Chain) {
	verdict := "whole"
	if len(c.Wrong) > 0 {
		verdict = "not whole"
	}
	fmt.Fprintf(w, "%s: %s; lines: %d, files: %d\n  head %s\n", c.Name, verdict, c.Lines, c.Files, c.Head)
	if c.First > 1 {
		fmt.Fprintf(w, "  the lines before %d were removed with their files\n", c.First)
	}
	if c.Torn != "" {
		fmt.Fprintf(w, "  %s\n", c.Torn)
	}
	for _, f := range c.Wrong {
		fmt.Fprintf(w, "  %s:%d: %s\n", f.File, f.Line, f.What)
	}
}
