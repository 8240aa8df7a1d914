// One account's run over the days.

package runner

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/shopspring/decimal"
	"golang.org/x/sync/semaphore"

	"mcp-trade/agent"
	"mcp-trade/agent/transcript"
	"mcp-trade/code"
	"mcp-trade/internal/mcpclient"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
)

type accountRun struct {
	*Runner
	account Account
	days    []market.Stamp
	seats   *semaphore.Weighted // for those that trade at once
	pace    *barrier

	completedDays int

	session    *session.Layers
	server     *mcpclient.Client
	trader     agent.Trader // nil until the first day
	checkpoint checkpoint
	today      transcript.Spending // on the day that is not complete
	closed     *ledger.Book        // when this process closed the day before
}

// run takes the account through the days that it has not completed.
func (w *accountRun) run(ctx context.Context) (err error) {
	if w.pace == nil {
		if err := w.seats.Acquire(ctx, 1); err != nil {
			return err
		}
		defer w.seats.Release(1)
	}
	if w.session, err = w.Session(w.account.Name); err != nil {
		return err
	}
	unlock, err := w.lock()
	if err != nil {
		return err
	}
	defer unlock()
	first, err := w.resume(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.noteEnd(context.WithoutCancel(ctx))) }()
	if first == len(w.days) {
		return nil
	}
	w.pass(first)
	if w.server, err = mcpclient.Launch(ctx, w.Server(w.account.Name), w.Stderr); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.server.Close()) }()
	defer func() {
		if w.trader != nil {
			err = errors.Join(err, w.trader.Close())
		}
	}()
	for i := first; i < len(w.days); i++ {
		err := w.runDay(ctx, i)
		if errors.Is(err, agent.ErrRecordingEnds) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// runDay trades a day when the others let it begin.
func (w *accountRun) runDay(ctx context.Context, i int) error {
	if err := w.pace.begin(ctx, i); err != nil {
		return err
	}
	if w.pace != nil {
		if err := w.seats.Acquire(ctx, 1); err != nil {
			return err
		}
		defer w.seats.Release(1)
	}
	if err := w.tradeDay(ctx, i); err != nil {
		return fmt.Errorf("%s: %w", w.days[i], err)
	}
	w.pass(i + 1)
	return nil
}

// pass tells that the account is through with the days before one.
func (w *accountRun) pass(day int) {
	w.pace.end(w.completedDays, day)
	w.completedDays = day
}

// lock keeps a second run off the account: the two would set each other's date. It ends with the process, however that ends.
func (w *accountRun) lock() (unlock func(), err error) {
	path := filepath.Join(w.LogPath, w.account.Name, ".run.lock")
	if err := w.Files.MkdirAll(filepath.Dir(path)); err != nil {
		return nil, err
	}
	lock := w.Files.Lock(path)
	ok, err := lock.Try()
	if err == nil && !ok {
		err = errors.New("another run trades this account; wait for it, or end it")
	}
	return lock.Release, err
}

// resume opens the account if it is new, reads how far it is, and returns the first day to trade.
func (w *accountRun) resume(ctx context.Context) (first int, err error) {
	head, err := w.Accounts.Head(ctx, w.account.Name)
	var refusal *ledger.Refusal
	if errors.As(err, &refusal) && refusal.Code() == code.NotRegistered {
		if err := w.note(nil); err != nil {
			return 0, err
		}
		w.checkpoint = checkpoint{}
		first := ledger.Opening(w.Cash, w.From)
		if w.account.Opening != nil {
			if first, err = w.account.Opening(first); err != nil {
				return 0, err
			}
		}
		return 0, w.Accounts.Open(ctx, w.account.Name, first)
	}
	if err != nil {
		return 0, err
	}
	if err := w.note(&head); err != nil {
		return 0, err
	}
	if w.checkpoint, err = readCheckpoint(w.checkpointFile()); err != nil {
		return 0, err
	}
	for first < len(w.days) && w.done(w.days[first], head.Date) {
		first++
	}
	return first, nil
}

// note notes what the account is run with, before it trades. before is the head of its ledger, nil if it
// is to be opened.
func (w *accountRun) note(before *ledger.Book) error {
	differs, err := w.Recorder.Begin(w.account.Name, before)
	if len(differs) > 0 {
		w.Log.Warn().Str("account", w.account.Name).Msg("the account is open and goes on under other settings: " + strings.Join(differs, "; "))
	}
	return err
}

// noteOthers notes which rows somebody else wrote since the day before was closed. Verifying names them.
func (w *accountRun) noteOthers(ctx context.Context) error {
	if w.closed == nil {
		return nil
	}
	book, err := w.Accounts.Head(ctx, w.account.Name)
	if err != nil || book.Hash == w.closed.Hash {
		return err
	}
	w.Log.Warn().Str("account", w.account.Name).Msg(fmt.Sprintf("somebody else wrote to the ledger between two days of the run: record %d of %s was the last, now it is %d of %s",
		w.closed.ID, w.closed.Date, book.ID, book.Date))
	return w.Recorder.Split(w.account.Name, *w.closed, book)
}

// noteEnd notes what the head of the ledger is when the run ends, however it does.
func (w *accountRun) noteEnd(ctx context.Context) error {
	head, err := w.Accounts.Head(ctx, w.account.Name)
	if err != nil {
		return fmt.Errorf("the manifest lacks the head of the ledger after the run: %w", err)
	}
	return w.Recorder.End(w.account.Name, head)
}

// done tells whether a day needs no more trading: it lies before the newest record, or it is that record's and not the day
// that the checkpoint left open.
func (w *accountRun) done(day, newest market.Stamp) bool {
	open := w.checkpoint.Date == day && !w.checkpoint.Complete
	return day < newest || day <= max(newest, w.checkpoint.Date) && !open
}

// result says what became of the account, whether or not it came to the end.
func (w *accountRun) result(ctx context.Context, err error) Result {
	r := Result{
		Account: w.account.Name, Refused: w.checkpoint.Before + len(w.checkpoint.Refused), Err: err,
		Verdict: ledger.NotVerified, Reasons: []string{"it cannot be read"}, Findings: []ledger.Finding{}, Failed: true,
	}
	if spent := w.checkpoint.Spent.Plus(w.today); spent.Calls > 0 {
		r.Spent = &spent
	}
	if err != nil {
		r.Error = err.Error()
	}
	report, verifyErr := w.Recorder.Verify(w.account.Name, w.Accounts.Lines(ctx, w.account.Name), w.Prices)
	if verifyErr != nil || report.Rows == 0 {
		return r
	}
	r.Trades, r.Cash, r.Head, r.Findings = report.Trades, report.Book.Cash(), report.Head, report.Findings
	r.Verdict, r.Reasons = report.Verdict()
	r.Verified, r.Failed = r.Verdict == ledger.Verified, report.Failed()
	for r.Days < len(w.days) && w.done(w.days[r.Days], report.Book.Date) {
		r.Days++
	}
	worth, err := w.afterClose(report.Book, report.Book.Date)
	if err != nil {
		return r // its value stays unknown
	}
	r.Value, r.Stale, r.Unpriced = worth.Total, worth.Stale(), worth.Unpriced
	if opened := report.First.Cash(); r.Value.Valid && opened.IsPositive() {
		r.Return = decimal.NewNullDecimal(r.Value.Decimal.DivRound(opened, 12).Sub(decimal.NewFromInt(1)))
	}
	return r
}
