// mcp-trade ledger verify.

package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mcp-trade/agent/manifest"
	"mcp-trade/internal/lines"
	"mcp-trade/internal/safetext"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/store"
)

func verifyCommand(s *settings) *cobra.Command {
	var head string
	cmd := &cobra.Command{
		Use: "verify [SIGNATURE|FILE...]", Short: "Prove that each row follows from the one before it and from the prices",
		Long: "Recompute each row of a ledger as an order is executed: from the row before it, at the open of its date, by the rules that\n" +
			"the ledger was kept under; and check ids, dates, order ids, balances and the chain of hashes. Without arguments every\n" +
			"account is verified. With --limits each order of an account under limits is held against those of the file too.\n\n" +
			"verified         every row follows; a trade of nothing, as AI-Trader lets it pass, is listed and is no failure\n" +
			"partly verified  no row contradicts that, but some were written after our rows by another program, or outside of the\n" +
			"                 recorded runs, or imported unverified, or are rounded in no known way, or no price is there to hold a\n" +
			"                 trade against; it says which\n" +
			"not verified     rows do not follow\n\n" +
			"Exit 1 if anything but a trade of nothing or a rounding is found.\n\n" +
			"An account is also held against the manifest and the transcripts of its runs, where they lie in the log path: each hash\n" +
			"that they noted must be that of a row, in their order, with no trade of anybody else between the days of a run. Rows\n" +
			"between two runs and after the last are told.\n\n" +
			"What cannot be found: a ledger of which no hash was kept, as any of AI-Trader is, can be cut off at its end, and written\n" +
			"anew wholly or in part by the rules and at the opens of the prices; so can the rows of a run that is under way, or was\n" +
			"killed and not started again, after the last hash that it noted. Whoever can write a ledger can write manifest and\n" +
			"transcripts too, and a hash holds no secret: rewritten together they are not found. A head that was kept where nobody\n" +
			"could change it, given as --head, finds every change of any byte up to its row.",
		Example: "  mcp-trade ledger verify\n" +
			"  mcp-trade ledger verify gpt-5 --head 6d1f...   (all 64 digits, as verify prints them)",
		RunE: func(cmd *cobra.Command, args []string) error {
			given, err := parseHead(head)
			if err != nil {
				return usageError{err}
			}
			r, err := s.openPriced(false)
			if err != nil {
				return err
			}
			defer r.Close()
			if args, err = r.named(cmd.Context(), args); err != nil {
				return err
			}
			if len(given) > 0 && len(args) != 1 {
				return usageError{fmt.Errorf("--head proves one ledger, and there are %d: name one", len(args))}
			}
			return s.verify(cmd, r, args, given)
		},
	}
	s.register(cmd.Flags(), limiting)
	cmd.Flags().StringVar(&head, "head", "", "hash of a row that was kept elsewhere: the ledger must have that row")
	return cmd
}

// parseHead reads the hash of --head. A part of one is refused: another history whose hash begins like it could be found.
func parseHead(text string) ([]ledger.Anchor, error) {
	if text == "" {
		return nil, nil
	}
	text = strings.ToLower(strings.TrimSpace(text))
	if sum, err := hex.DecodeString(text); err != nil || len(sum) != 32 {
		return nil, fmt.Errorf("--head %.80q: use the whole hash, 64 hexadecimal digits; a part of it proves nothing", text)
	}
	return []ledger.Anchor{{Hash: text, Source: "--head"}}, nil
}

// evidence is a ledger, and where its runs may have noted something.
type evidence struct {
	lines                   iter.Seq2[[]byte, error]
	logPath, account, store string                        // logPath is "" of a file that lies in none
	faults                  func() ([]store.Fault, error) // of how it is kept; nil of a file
}

// linesOf reads the ledger of an account, or the file of that name if there is one.
func (r rooms) linesOf(ctx context.Context, name string) iter.Seq2[[]byte, error] {
	if isFile(name) {
		return lines.Of(name)
	}
	return r.accounts.Lines(ctx, name)
}

func isFile(name string) bool {
	stat, err := os.Stat(name)
	return err == nil && stat.Mode().IsRegular()
}

// evidence finds the ledger of a name, and its account: that of a file is told by its place, if it lies in a log path.
func (s *settings) evidence(ctx context.Context, r rooms, name string) evidence {
	e := evidence{lines: r.linesOf(ctx, name), logPath: s.logPath, account: name, store: r.ledgers.Name()}
	if !isFile(name) {
		e.faults = func() ([]store.Fault, error) { return r.accounts.Repair(ctx, name, false) }
		return e
	}
	e.logPath, e.store = "", r.file.Name()
	path, err := filepath.Abs(name)
	if dir := filepath.Dir(path); err == nil && filepath.Base(path) == "position.jsonl" && filepath.Base(dir) == "position" {
		e.logPath, e.account = filepath.Dir(filepath.Dir(dir)), filepath.Base(filepath.Dir(dir))
	}
	return e
}

func (e evidence) verify(prices *market.Prices, limits *ledger.Limits, given []ledger.Anchor) (ledger.Report, error) {
	if e.logPath == "" {
		v := ledger.NewVerifier(prices, given...)
		v.Under(limits)
		return v.Verify(e.lines)
	}
	return manifest.Verify(e.lines, prices, limits, e.logPath, e.account, e.store, given...)
}

// verified is what became of verifying a ledger.
type verified struct {
	Name string `json:"ledger"`
	OK   bool   `json:"ok"`

	Verdict ledger.Verdict `json:"verdict"`
	Reasons []string       `json:"reasons"`
	ledger.Report
	Faults []store.Fault `json:"faults,omitempty"` // of how it is kept, which 'ledger repair' mends
	Noted  int           `json:"noted"`            // hashes of rows in its manifest and transcripts
	Given  *givenHead    `json:"given,omitempty"`  // the hash of --head

	Forward *report.Forward `json:"forward,omitempty"` // which days it traded as they came; their heads are among those that are noted

	Error string `json:"error,omitempty"` // why the ledger could not be read to its end
}

// givenHead is where a ledger has the hash that was given.
type givenHead struct {
	Hash string `json:"hash"`
	Row  *int   `json:"row"`   // null: nowhere
	From int    `json:"from"`  // the first row that it stands for
	More int    `json:"after"` // rows after that
}

// forward are the days that the account traded as they came. That they cannot be read is a finding of verifying.
func (e evidence) forward() *report.Forward {
	if e.logPath == "" {
		return nil
	}
	m, _ := manifest.Read(e.logPath)
	return report.NewForward(forwardDays(m.Accounts[e.account], e.store))
}

func newVerified(name string, report ledger.Report, given []ledger.Anchor) verified {
	v := verified{Name: name, OK: !report.Failed(), Report: report, Noted: len(report.Anchored) - len(given)}
	v.Verdict, v.Reasons = report.Verdict()
	for i, g := range given {
		v.Given = &givenHead{Hash: g.Hash}
		if at := report.Anchored[v.Noted+i]; at.Row >= 0 {
			v.Given.Row, v.Given.From, v.Given.More = &at.Row, at.From, report.Rows-1-at.Row
			if at.From > 0 {
				v.Reasons = append(v.Reasons, fmt.Sprintf("the hash that was given stands for rows %d to %d alone, since those before carry none", at.From, at.Row))
				if v.Verdict == ledger.Verified {
					v.Verdict = ledger.Partly
				}
			}
		}
	}
	return v
}

func (s *settings) verify(cmd *cobra.Command, r rooms, names []string, given []ledger.Anchor) error {
	w := cmd.OutOrStdout()
	results, ok := []verified{}, true
	for _, name := range names {
		e := s.evidence(cmd.Context(), r, name)
		var limits *ledger.Limits
		if s.limits != "" {
			of := r.accounts.Limits(e.account)
			limits = &of
		}
		verdict, err := e.verify(r.prices, limits, given)
		if err == nil && verdict.Rows == 0 {
			err = fmt.Errorf("%s has no ledger", name)
		}
		if err != nil && (len(names) == 1 || cmd.Context().Err() != nil) {
			return err
		}
		if err != nil { // it hides no other
			results, ok = append(results, verified{Name: name, Verdict: ledger.NotVerified, Reasons: []string{}, Report: verdict, Error: explain(err)}), false
			continue
		}
		result := newVerified(name, verdict, given)
		result.Forward = e.forward()
		if e.faults != nil {
			faults, err := e.faults()
			if err != nil {
				result.Error = explain(err)
			}
			result.Faults = slices.DeleteFunc(faults, func(f store.Fault) bool { return f.Minor })
			result.OK = result.OK && err == nil && len(result.Faults) == 0
		}
		results, ok = append(results, result), ok && result.OK
	}
	if s.json {
		if err := printJSON(w, results); err != nil {
			return err
		}
	} else {
		for _, r := range results {
			printVerified(w, r)
		}
	}
	if !ok {
		return quietError(exitFailed)
	}
	return nil
}

func printVerified(w io.Writer, r verified) {
	if r.Error != "" {
		fmt.Fprintf(w, "%s: %s: %s\n", r.Name, r.Verdict, r.Error)
		return
	}
	fmt.Fprintf(w, "%s: %d rows, %d trades, %d chained: %s\n", r.Name, r.Rows, r.Trades, r.Chained, r.Verdict)
	for _, reason := range r.Reasons {
		fmt.Fprintf(w, "  %s\n", safetext.Line(reason))
	}
	fmt.Fprintf(w, "  head %s\n", r.Head)
	if g := r.Given; g != nil && g.Row != nil && g.More == 0 {
		fmt.Fprintln(w, "  it is the hash that was given")
	} else if g != nil && g.Row != nil {
		fmt.Fprintf(w, "  row %d has the hash that was given: the ledger has grown since, %d rows after it\n", *g.Row, g.More)
	}
	if r.Noted > 0 {
		fmt.Fprintf(w, "  held against %d hashes that its runs noted\n", r.Noted)
	}
	for _, line := range r.Forward.Lines() {
		fmt.Fprintf(w, "  %s\n", safetext.Line(line))
	}
	if r.Unpriced > 0 {
		fmt.Fprintln(w, "  name the price files with --prices")
	}
	for _, f := range r.Findings {
		fmt.Fprintf(w, "  %s\n", safetext.Line(f.String()))
	}
	more := -len(r.Findings)
	for _, n := range r.Counts {
		more += n
	}
	if more > 0 {
		fmt.Fprintf(w, "  and %d more findings\n", more)
	}
	printFaults(w, r.Name, r.Faults)
}
