// One account's run over the days.

package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/semaphore"

	"mcp-trade/agent"
	"mcp-trade/agent/transcript"
	"mcp-trade/decimal"
	"mcp-trade/internal/mcpclient"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store"
)

type accountRun struct {
	*Runner
	account Account
	days    []market.Stamp
	seats   *semaphore.Weighted // for those that trade at once
	barrier *barrier
	until   int // how many of the days are traded at most; 0: all

	completedDays int

	lease      store.Lease
	accounts   *ledger.Accounts // under the lease
	session    *session.Resolver
	server     *mcpclient.Client
	trader     agent.Trader // nil until the first day
	checkpoint checkpoint
	today      transcript.Spending // on the day that is not complete
	closed     *ledger.Book        // when this process closed the day before
}

// run takes the account through the days that it has not completed.
func (a *accountRun) run(ctx context.Context) (err error) {
	if a.barrier == nil {
		if err := a.seats.Acquire(ctx, 1); err != nil {
			return err
		}
		defer a.seats.Release(1)
	}
	if a.session, err = a.Session(a.account.Name); err != nil {
		return err
	}
	ctx, release, err := a.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	defer func() {
		if errors.Is(err, store.ErrLeaseLost) || errors.Is(context.Cause(ctx), store.ErrLeaseLost) {
			err = store.ErrLeaseLost // which ended what was under way, in words of its own
		}
	}()
	if err := a.Prices.Refresh(); err != nil { // whoever had the account before may have traded by prices that came meanwhile
		return err
	}
	first, err := a.resume(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			a.noteStop(context.WithoutCancel(ctx), whyStopped(err))
		}
		err = errors.Join(err, a.noteEnd(context.WithoutCancel(ctx)))
	}()
	a.pass(first)
	if first == len(a.days) {
		return a.settleEnd(ctx)
	}
	if a.until > 0 && first >= a.until {
		return nil
	}
	if a.server, err = mcpclient.Launch(ctx, a.Server(a.account.Name, a.lease.Fence()), a.Stderr); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.server.Close()) }()
	defer func() {
		if a.trader != nil {
			err = errors.Join(err, a.trader.Close())
		}
	}()
	for i := first; i < len(a.days); i++ {
		err := a.runDay(ctx, i)
		if errors.Is(err, agent.ErrRecordingEnds) {
			why := fmt.Sprintf("the recording ends on %s or before it, and the account stops there", a.days[i])
			a.Log.Info().Str("account", a.account.Name).Msg(why)
			a.noteStop(ctx, why)
			return nil
		}
		if err != nil {
			return err
		}
		if i+1 == a.until && a.until < len(a.days) {
			return nil
		}
	}
	return a.settleEnd(ctx)
}

// settleEnd commits what became of open orders by the end of the last day. What the next day begins with is not part of the run.
func (a *accountRun) settleEnd(ctx context.Context) error {
	last := a.days[len(a.days)-1]
	if last == a.Underway {
		return nil // its bars say nothing yet of what became of an order
	}
	v := a.Prices.AsOf(last.AddDays(1)).BeforeOpen()
	book, events, err := a.accounts.Due(ctx, a.account.Name, v.AsOf(), v)
	if err != nil || len(events) == 0 || book.Date < last {
		return err
	}
	s, err := a.session.Read(ctx)
	if err != nil || s.Halted {
		return err
	}
	_, err = a.accounts.Settle(ctx, a.account.Name, v)
	return err
}

// runDay trades a day when the others let it begin.
func (a *accountRun) runDay(ctx context.Context, i int) error {
	if err := a.barrier.begin(ctx, i); err != nil {
		return err
	}
	if a.barrier != nil {
		if err := a.seats.Acquire(ctx, 1); err != nil {
			return err
		}
		defer a.seats.Release(1)
	}
	if err := a.tradeDay(ctx, i); err != nil {
		return fmt.Errorf("%s: %w", a.days[i], err)
	}
	a.pass(i + 1)
	return nil
}

// pass tells that the account is through with the days before one.
func (a *accountRun) pass(day int) {
	a.barrier.end(a.completedDays, day)
	a.completedDays = day
}

// resume opens the account if it is new, reads how far it is, and returns the first day to trade.
func (a *accountRun) resume(ctx context.Context) (first int, err error) {
	head, err := a.accounts.Head(ctx, a.account.Name)
	switch {
	case isNew(err):
		return 0, a.open(ctx)
	case a.Fresh:
		as, err := archive(ctx, a.Runs, a.Accounts, a.account.Name, a.lease.Fence())
		if err != nil {
			return 0, err
		}
		a.Log.Info().Str("account", a.account.Name).Msg("the account begins anew; what there was is archived as " + as)
		return 0, a.open(ctx)
	case err != nil:
		return 0, err
	}
	if err := a.admitSettings(ctx); err != nil {
		return 0, err
	}
	if err := a.Recorder.Begin(ctx, a.lease.Fence(), a.account.Name, &head); err != nil {
		return 0, err
	}
	if head.Date > a.days[len(a.days)-1] && !a.Follows {
		a.Log.Warn().Str("account", a.account.Name).Msg(fmt.Sprintf("the account is at %s already: there is nothing to trade up to %s", head.Date, a.account.To))
	}
	guessed, err := a.readProgress(ctx, head)
	if err != nil {
		return 0, err
	}
	if guessed {
		a.Log.Warn().Str("account", a.account.Name).Msg(fmt.Sprintf("the newest record is an order of a run on %s, and no checkpoint of that day is here: whether the day was over is not known, so it is gone on with", head.Date))
	}
	if err := errors.Join(a.leaveSkipped(ctx), a.goOn(ctx)); err != nil {
		return 0, err
	}
	first, _, err = a.firstUndone(ctx, head)
	return first, err
}

// readProgress reads the checkpoint. guessed tells that the newest record is an order of a run on a day of which there is none: the day then
// counts as begun.
func (a *accountRun) readProgress(ctx context.Context, head ledger.Book) (guessed bool, err error) {
	if a.checkpoint, err = a.readCheckpoint(ctx); err != nil {
		return false, err
	}
	if guessed = a.checkpoint.Date < head.Date && ordered(head); guessed {
		a.checkpoint = a.checkpoint.next(head.Date)
	}
	return guessed, nil
}

// firstUndone is the first day that needs trading, and the date of the newest record that is no event.
func (a *accountRun) firstUndone(ctx context.Context, head ledger.Book) (first int, newest market.Stamp, err error) {
	newest, err = a.asked(ctx, head)
	for first < len(a.days) && a.done(a.days[first], newest) {
		first++
	}
	return first, newest, err
}

// leaveSkipped counts what the day cost that was begun and is passed over now.
func (a *accountRun) leaveSkipped(ctx context.Context) error {
	day := a.checkpoint.Date
	if a.checkpoint.Complete || !slices.Contains(a.account.Skip, day) {
		return nil
	}
	days, err := a.Runs.JournalDays(ctx, a.account.Name)
	if err != nil || !slices.Contains(days, string(day)) {
		return err
	}
	j, err := transcript.Open(ctx, a.Runs, a.lease.Fence(), a.account.Name, day, a.Now)
	if err != nil {
		return err
	}
	a.checkpoint.Complete = true
	a.checkpoint.Spent = a.checkpoint.Spent.Plus(transcript.SpendingOf(j.Entries))
	return errors.Join(j.Close(), a.saveCheckpoint(ctx))
}

// asked is the date of the newest record that is no event: what is due says nothing of whether a day was traded.
func (a *accountRun) asked(ctx context.Context, head ledger.Book) (market.Stamp, error) {
	if !isEvent(head) {
		return head.Date, nil
	}
	return a.accounts.LastAsked(ctx, a.account.Name)
}

// isEvent tells whether the newest record of a book is an event.
func isEvent(head ledger.Book) bool {
	r, err := ledger.ParseLine(head.Line)
	return err == nil && r.Due()
}

// open opens the account.
func (a *accountRun) open(ctx context.Context) (err error) {
	if err := a.Recorder.Begin(ctx, a.lease.Fence(), a.account.Name, nil); err != nil {
		return err
	}
	if old, err := a.Runs.Checkpoint(ctx, a.account.Name); err != nil {
		return err
	} else if old != nil { // it is of an account of this name before, and says nothing of this one's days
		if err := a.saveCheckpoint(ctx); err != nil {
			return err
		}
	}
	first := a.Rules.Opening(a.Cash, a.account.From)
	if a.account.Opening != nil {
		if first, err = a.account.Opening(first); err != nil {
			return err
		}
	}
	return a.accounts.Open(ctx, a.account.Name, first)
}

// ordered tells whether the newest record is an order of a run: its id begins with the date.
func ordered(head ledger.Book) bool {
	e, err := store.ReadEntry(head.Line)
	return err == nil && strings.HasPrefix(e.OrderID, string(head.Date)+"#")
}

// noteOthers notes which rows somebody else wrote since the day before was closed. Verifying names them.
func (a *accountRun) noteOthers(ctx context.Context) error {
	if a.closed == nil {
		return nil
	}
	book, err := a.accounts.Head(ctx, a.account.Name)
	if err != nil || book.Hash == a.closed.Hash {
		return err
	}
	a.Log.Warn().Str("account", a.account.Name).Msg(fmt.Sprintf("somebody else wrote to the ledger between two days of the run: record %d of %s was the last, now it is %d of %s",
		a.closed.ID, a.closed.Date, book.ID, book.Date))
	return a.Recorder.Split(ctx, a.lease.Fence(), a.account.Name, *a.closed, book)
}

// noteEnd notes what the head of the ledger is when the run ends, however it does.
func (a *accountRun) noteEnd(ctx context.Context) error {
	head, err := a.accounts.Head(ctx, a.account.Name)
	if err != nil {
		return fmt.Errorf("the manifest lacks the head of the ledger after the run: %w", err)
	}
	return a.Recorder.End(ctx, a.lease.Fence(), a.account.Name, head)
}

// done tells whether a day needs no more trading: it lies before the newest record, or it is that record's and not the day
// that the checkpoint left open.
func (a *accountRun) done(day, newest market.Stamp) bool {
	open := a.checkpoint.Date == day && !a.checkpoint.Complete
	return day < newest || day <= max(newest, a.checkpoint.Date) && !open
}

// result says what became of the account, whether or not it came to the end.
func (a *accountRun) result(ctx context.Context, err error) Result {
	r := Result{
		Account: a.account.Name, Refused: a.checkpoint.Before + len(a.checkpoint.Refused), RefusedBy: a.checkpoint.reasons(), Err: err, Date: a.checkpoint.Date, Caveat: a.checkpoint.Caveat,
		Verdict: ledger.NotVerified, Reasons: []string{"it cannot be read"}, Findings: []ledger.Finding{}, Failed: true,
	}
	if spent := a.checkpoint.Spent.Plus(a.today); spent.Calls > 0 {
		r.Spent = &spent
	}
	if err != nil {
		r.Error = err.Error()
	}
	if errors.Is(err, store.ErrLeaseLost) {
		r.Reasons = []string{"another run may be writing it"}
		return r
	}
	report, verifyErr := a.Recorder.Verify(a.account.Name, a.Accounts.Lines(ctx, a.account.Name), a.Prices)
	if verifyErr != nil || report.Rows == 0 {
		return r
	}
	r.Trades, r.Cash, r.Head, r.Findings = report.Trades, report.Book.Cash(), report.Head, report.Findings
	r.Verdict, r.Reasons = report.Verdict()
	r.Verified, r.Failed = r.Verdict == ledger.Verified, report.Failed()
	for r.Days < len(a.days) && a.done(a.days[r.Days], report.Book.Date) {
		r.Days++
	}
	valued := report.Book.Date
	if a.Underway != "" && valued >= a.Underway {
		return r // its close is not known
	}
	if isEvent(report.Book) { // which is known from the day after its bar on
		valued = min(valued, a.days[len(a.days)-1])
	}
	rules, err := ledger.ParseRules(report.First.Rules)
	if err != nil {
		return r // its value stays unknown
	}
	worth, err := a.afterClose(report.Book, rules, valued)
	if err != nil {
		return r // its value stays unknown
	}
	r.Value, r.Stale, r.Unpriced = worth.Total, worth.Stale(), worth.Unpriced
	if opened := report.First.Cash(); r.Value.Valid && opened.IsPositive() {
		r.Return = change(opened, r.Value)
		r.Around = a.aroundCutoff(ctx, report.First, rules, valued, r.Value)
	}
	return r
}

// aroundCutoff tells the returns up to the decider's cutoff and after it apart, nil if there is none. value is that of the last day.
func (a *accountRun) aroundCutoff(ctx context.Context, first ledger.Book, rules ledger.Rules, last market.Stamp, value decimal.NullDecimal) *AroundCutoff {
	day := a.account.Cutoff.Day()
	r := &AroundCutoff{Cutoff: day}
	switch opened := first.Cash(); {
	case day == "":
		return nil
	case last.Day() <= day:
		r.Before = change(opened, value)
	case first.Date.Day() >= day:
		r.After = change(opened, value)
	default:
		book, err := a.Accounts.Book(ctx, a.account.Name, day+" 23:59:59")
		if err != nil {
			return r // both stay unknown
		}
		worth, err := a.afterClose(book, rules, day)
		if err == nil && worth.Total.Valid {
			r.Before, r.After = change(opened, worth.Total), change(worth.Total.Decimal, value)
		}
	}
	return r
}

// change is the return from one value to another.
func change(from decimal.Decimal, to decimal.NullDecimal) decimal.NullDecimal {
	if !to.Valid || !from.IsPositive() {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(to.Decimal.DivRound(from, 12).Sub(decimal.NewFromInt(1)))
}
