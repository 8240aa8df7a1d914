// Replay: a run again, from its transcripts, without a model.

package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/shopspring/decimal"

	"mcp-trade/code"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// replay sends the orders of the transcripts under a log path. Each is made anew from what the model replied, and must come
// to what it came to.
type replay struct{ logPath string }

// NewReplay returns a decider that repeats what an account of the same name did under another log path.
func NewReplay(logPath string) Decider { return replay{logPath} }

// errRecordingEnds says that the recorded run was not finished: it stopped in the middle of the day, or before it.
var errRecordingEnds = errors.New("the recording ends here")

// opening is the record that an account is opened with: as the recorded one was. Those of earlier versions state no rules.
func (r replay) opening(account string, first ledger.Record) (ledger.Record, error) {
	days, err := Transcripts(r.logPath, account)
	if err != nil || len(days) == 0 {
		return first, err
	}
	marks, err := readMarks(days[0].Path)
	earlier := first
	earlier.Rules = ""
	if marks.begin == ledger.Hash(earlier.Line()) {
		return earlier, err
	}
	return first, err
}

func (r replay) Decide(ctx context.Context, d *Day) (err error) {
	w := d.walk
	if w.box == nil {
		if w.box, err = openToolbox(ctx, w.desk, nil, false); err != nil {
			return err
		}
	}
	path := TranscriptFile(r.logPath, w.account.Name, d.Date)
	entries, err := ReadTranscript(path)
	if err != nil {
		return err
	}
	var reply Reply
	for _, e := range entries {
		switch {
		case e.Begin != nil && e.Begin.Ledger != d.Book.Hash:
			return fmt.Errorf("the ledger before the day is not the one in %s", path)
		case e.Reply != nil:
			reply = *e.Reply
		case e.Result != nil:
			if err := r.repeat(ctx, d, reply, *e.Result); err != nil {
				return err
			}
		case e.End != nil:
			return nil
		}
	}
	return errRecordingEnds
}

// repeat sends an order once more. Calls that ordered nothing, or came while trading was halted, are passed over.
func (r replay) repeat(ctx context.Context, d *Day, reply Reply, was Outcome) error {
	if was.OrderID == "" || was.Code == code.Halted || was.Step != reply.Step || was.Call > len(reply.Message.Calls) {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	t, arguments, problem := d.walk.box.prepare(reply.Message.Calls[was.Call-1], was.OrderID)
	if problem != "" || !t.order {
		return fmt.Errorf("the order %s cannot be repeated: %s", was.OrderID, problem)
	}
	text, failed, err := t.server.Call(context.WithoutCancel(ctx), t.name, arguments)
	if err != nil {
		return err
	}
	is, err := Outcome{}.with(text, failed, t, d.Date)
	if err != nil {
		return err
	}
	if is.Filled != was.Filled || is.Code != was.Code {
		return fmt.Errorf("the order %s came to %s, and now to %s", was.OrderID, bounded(was.Content, 300), bounded(text, 300))
	}
	d.count(was)
	return nil
}

// Recording is a run of language models as its manifest tells it.
type Recording struct {
	Runs     map[string]RunRecord // the newest of each account
	Left     []string             // accounts of other deciders, which have no transcripts
	From, To market.Stamp
	Cash     decimal.Decimal
	Prices   []FileHash
}

// Recording puts the accounts of a manifest that language models traded together. They must have been opened alike, and trade on the same prices.
func (m Manifest) Recording() (Recording, error) {
	r := Recording{Runs: map[string]RunRecord{}}
	for _, account := range slices.Sorted(maps.Keys(m.Accounts)) {
		for _, run := range m.Accounts[account] {
			if run.Decider != LLMDecider && run.Decider != "" {
				if !slices.Contains(r.Left, account) {
					r.Left = append(r.Left, account)
				}
				continue
			}
			if r.From == "" {
				r.From, r.Cash, r.Prices = run.From, run.Cash, run.Prices
			}
			switch {
			case run.From != r.From || !run.Cash.Equal(r.Cash):
				return r, fmt.Errorf("the accounts were not opened alike: %s on %s with %s, another on %s with %s", account, run.From, run.Cash, r.From, r.Cash)
			case !sameFiles(run.Prices, r.Prices):
				return r, fmt.Errorf("the prices changed in the course of the run: %s", account)
			}
			r.To, r.Runs[account] = max(r.To, run.To), run
		}
	}
	if len(r.Runs) == 0 {
		return r, errors.New("the manifest lists no account that a language model traded; other deciders do the same again when they are run again")
	}
	return r, nil
}

// Head is the hash of an account's newest row when the run ended; "" if it is not known.
func (r Recording) Head(account string) string {
	parts := r.Runs[account].Ledger
	if n := len(parts); n > 0 && parts[n-1].After != nil {
		return parts[n-1].After.Hash
	}
	return ""
}

// SamePrices is an error unless files hold what they held when the run was recorded.
func (r Recording) SamePrices(files []string) error {
	now, err := HashFiles(files)
	if err == nil && !sameFiles(now, r.Prices) {
		err = errors.New("the price files are not those of the recorded run: their SHA-256 differ from the manifest's")
	}
	return err
}

func sameFiles(a, b []FileHash) bool {
	return slices.EqualFunc(a, b, func(x, y FileHash) bool { return x.SHA256 == y.SHA256 })
}
