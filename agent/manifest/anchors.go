// What the manifest and the transcripts of a log path know of a ledger.

package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"mcp-trade/agent/transcript"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// Verify verifies the ledger of an account, also against what the manifest and the transcripts of a log path noted of it, and
// against limits, if some are given, and more anchors. See [ledger.Verify] and [Anchors].
func Verify(lines iter.Seq2[[]byte, error], prices *market.Prices, limits *ledger.Limits, logPath, account, store string, more ...ledger.Anchor) (ledger.Report, error) {
	anchors, unread := Anchors(logPath, account, store)
	v := ledger.NewVerifier(prices, append(anchors, more...)...)
	v.Under(limits)
	report, err := v.Verify(lines)
	if unread != nil {
		report.Add(Unread(unread))
	}
	return report, err
}

// Unread is what it means for a ledger that an anchor of it cannot be read.
func Unread(err error) ledger.Finding {
	return ledger.Finding{
		Row: -1, ID: -1, Class: ledger.Unreadable, Expected: "a manifest and transcripts to hold the ledger against", Found: err.Error(),
	}
}

// Anchors returns what was noted of an account's ledger, kept in a store ("file" or "redis"), in the manifest and the
// transcripts of a log path: the heads before and after its runs, those by which its forward days were decided, and those at the beginning
// and the end of its days. An error
// says that one of them cannot be read; the rest is returned all the same.
func Anchors(logPath, account, store string) ([]ledger.Anchor, error) {
	m, err := Read(logPath)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	anchors := runAnchors(File(logPath), m.Accounts[account], store)
	anchors = append(anchors, forwardAnchors(File(logPath), Forward(m.Accounts[account], store))...)
	days, daysErr := transcript.Days(logPath, account)
	errs := []error{err, daysErr}
	since, trades := ledger.Unknown, 0
	for _, day := range days {
		marks, err := transcript.ReadMarks(day.Path)
		if err != nil || marks.Begin == "" {
			errs, since = append(errs, err), ledger.Unknown
			continue
		}
		anchors = append(anchors, ledger.Anchor{
			Hash: marks.Begin, Source: "the begin of " + day.Path, Before: day.Date, Since: since, Trades: trades,
		})
		since, trades = ledger.AtMost, marks.Trades
		if marks.End != "" {
			anchors = append(anchors, ledger.Anchor{Hash: marks.End, Source: "the end of " + day.Path, Until: day.Date, Since: since, Trades: trades})
			trades = 0
		}
	}
	return anchors, errors.Join(errs...)
}

// runAnchors are the heads that runs noted, from the one on that opened the account: what was before it is no more.
func runAnchors(file string, runs []Run, store string) []ledger.Anchor {
	var list []ledger.Anchor
	add := func(h *Head, run Run, when string, since ledger.Since, ends bool) {
		if len(list) == 0 {
			since = ledger.Unknown
		}
		list = append(list, ledger.Anchor{
			Hash: h.Hash, Until: h.Date, Since: since, Ends: ends,
			Source: fmt.Sprintf("%s, %s the run to %s that was started %s", file, when, run.To, run.Started.Format("2006-01-02 15:04:05Z")),
		})
	}
	for _, run := range runs {
		if run.Store != store {
			continue
		}
		for _, span := range run.Ledger {
			switch last := len(list) - 1; {
			case span.Before == nil:
				list = nil
			case last >= 0 && span.Intruded:
				list[last].Ends = false // what follows it is nobody's to write
				add(span.Before, run, "before", ledger.Nothing, false)
			default:
				add(span.Before, run, "before", ledger.Rows, false)
			}
			if span.After != nil { // else it is not known how far the run came
				add(span.After, run, "after", ledger.Rows, true)
			}
		}
	}
	return list
}

// forwardAnchors are the heads after the decisions of forward days: what was decided when it says so is in the ledger since then.
func forwardAnchors(file string, days []ForwardDay) (list []ledger.Anchor) {
	since := ledger.Unknown
	for _, day := range days {
		if day.Head == nil {
			continue
		}
		list = append(list, ledger.Anchor{
			Hash: day.Head.Hash, Until: day.Date, Since: since,
			Source: fmt.Sprintf("%s, the forward day %s that was decided %s", file, day.Date, day.Decided.Format("2006-01-02 15:04:05Z")),
		})
		since = ledger.Rows
	}
	return list
}
