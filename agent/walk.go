// One account's way through the days.

package agent

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/shopspring/decimal"

	"mcp-trade/code"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
)

type walk struct {
	*Runner
	account Account
	days    []market.Stamp
	seats   seats
	pace    *lockstep
	through int // days that the account is through with

	session    *session.Layers
	desk       *desk
	box        *toolbox // what a language model is offered; nil until one asks for it
	checkpoint checkpoint
	today      Spending // on the day that is not complete
	closed     *Head    // of the ledger, when this process closed the day before
}

// run walks the account through the days that it has not completed.
func (w *walk) run(ctx context.Context) (err error) {
	if w.pace == nil {
		if err := w.seats.take(ctx); err != nil {
			return err
		}
		defer w.seats.leave()
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
	if w.desk, err = openDesk(ctx, w.Server(w.account.Name), w.Stderr); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.desk.Close()) }()
	defer func() {
		if w.box != nil {
			err = errors.Join(err, w.box.close())
		}
	}()
	for i := first; i < len(w.days); i++ {
		err := w.turn(ctx, i)
		if errors.Is(err, errRecordingEnds) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// turn trades a day when the others let it begin.
func (w *walk) turn(ctx context.Context, i int) error {
	if err := w.pace.begin(ctx, i); err != nil {
		return err
	}
	if w.pace != nil {
		if err := w.seats.take(ctx); err != nil {
			return err
		}
		defer w.seats.leave()
	}
	if err := w.day(ctx, i); err != nil {
		return fmt.Errorf("%s: %w", w.days[i], err)
	}
	w.pass(i + 1)
	return nil
}

// pass tells that the account is through with the days before one.
func (w *walk) pass(day int) {
	w.pace.end(w.through, day)
	w.through = day
}

// lock keeps a second run off the account: the two would set each other's date. It ends with the process, however that ends.
func (w *walk) lock() (unlock func(), err error) {
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
func (w *walk) resume(ctx context.Context) (first int, err error) {
	head, err := w.Accounts.Head(ctx, w.account.Name)
	var refusal *ledger.Refusal
	if errors.As(err, &refusal) && refusal.Code() == code.NotRegistered {
		if err := w.note(nil); err != nil {
			return 0, err
		}
		w.checkpoint = checkpoint{}
		first := ledger.Opening(w.Cash, w.From)
		if r, ok := w.account.Decider.(replay); ok {
			if first, err = r.opening(w.account.Name, first); err != nil {
				return 0, err
			}
		}
		return 0, w.Accounts.Open(ctx, w.account.Name, first)
	}
	if err != nil {
		return 0, err
	}
	if err := w.note(headOf(head)); err != nil {
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

// note writes into the manifest what the account is run with, before it trades. before is the head of its ledger, nil if it
// is to be opened.
func (w *walk) note(before *Head) error {
	run, ok := w.Runs[w.account.Name]
	if !ok {
		return nil
	}
	differs, err := run.begin(w.Files, w.LogPath, w.account.Name, before)
	if len(differs) > 0 {
		w.Log.Warn().Str("account", w.account.Name).Msg("the account is open and goes on under other settings: " + strings.Join(differs, "; "))
	}
	return err
}

// noteOthers writes into the manifest which rows somebody else wrote since the day before was closed. Verifying names them.
func (w *walk) noteOthers(ctx context.Context) error {
	if w.closed == nil {
		return nil
	}
	book, err := w.Accounts.Head(ctx, w.account.Name)
	if err != nil || book.Hash == w.closed.Hash {
		return err
	}
	w.Log.Warn().Str("account", w.account.Name).Msg(fmt.Sprintf("somebody else wrote to the ledger between two days of the run: record %d of %s was the last, now it is %d of %s",
		w.closed.ID, w.closed.Date, book.ID, book.Date))
	if _, ok := w.Runs[w.account.Name]; !ok {
		return nil
	}
	return splitRun(w.Files, w.LogPath, w.account.Name, w.closed, headOf(book))
}

// noteEnd writes into the manifest what the head of the ledger is when the run ends, however it does.
func (w *walk) noteEnd(ctx context.Context) error {
	if _, ok := w.Runs[w.account.Name]; !ok {
		return nil
	}
	head, err := w.Accounts.Head(ctx, w.account.Name)
	if err != nil {
		return fmt.Errorf("the manifest lacks the head of the ledger after the run: %w", err)
	}
	return endRun(w.Files, w.LogPath, w.account.Name, headOf(head))
}

// done tells whether a day needs no more trading: it lies before the newest record, or it is that record's and not the day
// that the checkpoint left open.
func (w *walk) done(day, newest market.Stamp) bool {
	open := w.checkpoint.Date == day && !w.checkpoint.Complete
	return day < newest || day <= max(newest, w.checkpoint.Date) && !open
}

// day trades one day.
func (w *walk) day(ctx context.Context, i int) error {
	date := w.days[i]
	if w.checkpoint.Date != date {
		w.checkpoint = w.checkpoint.next(date)
		if err := w.saveCheckpoint(); err != nil {
			return err
		}
	}
	if err := w.noteOthers(ctx); err != nil {
		return err
	}
	// A day that is gone on with may have had trades.
	traded, err := w.traded(ctx, date)
	if err != nil {
		return err
	}
	err = w.session.Set(ctx, map[string]any{session.Signature: w.account.Name, session.TodayDate: string(date), session.IfTrade: traded})
	if err != nil {
		return err
	}
	if err := w.desk.turnTo(ctx, w.account.Name, date); err != nil {
		return err
	}
	before := w.From
	if i > 0 {
		before = w.days[i-1]
	}
	book, err := w.Accounts.Book(ctx, w.account.Name, before)
	if err != nil {
		return err
	}
	d := &Day{Date: date, Number: i, Book: book, Market: w.Prices.AsOf(date), walk: w}
	w.today = Spending{}
	err = w.account.Decider.Decide(ctx, d)
	var stop *HaltedError
	if err != nil && (!errors.As(err, &stop) || !stop.Ended) {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	refused := len(w.checkpoint.Refused)
	if err := w.close(ctx, i); err != nil {
		return err
	}
	return errors.Join(w.report(ctx, d, refused), err) // the day is over; if there is an error, it was the last one
}

// report tells of a completed day.
func (w *walk) report(ctx context.Context, d *Day, refused int) error {
	book, err := w.Accounts.Book(ctx, w.account.Name, d.Date)
	if err != nil {
		return err
	}
	worth, err := w.worth(book, d.Number)
	if err != nil {
		return err
	}
	w.Progress(Progress{
		Account: w.account.Name, Done: d.Number + 1, Of: len(w.days), Date: d.Date, Trades: d.filled, Refused: refused, Value: worth.Total,
	})
	return nil
}

// traded tells whether the account has a trade of a date.
func (w *walk) traded(ctx context.Context, date market.Stamp) (bool, error) {
	trades, _, err := w.Accounts.Trades(ctx, w.account.Name, date, newest, 1)
	return len(trades) > 0 && trades[0].Date == date, err
}

// close ends a day: the ledger says whether it had a trade, the flag should say the same.
func (w *walk) close(ctx context.Context, i int) error {
	date := w.days[i]
	if err := w.Accounts.CloseDay(ctx, w.account.Name, date); err != nil {
		return err
	}
	book, err := w.Accounts.Head(ctx, w.account.Name)
	if err != nil {
		return err
	}
	w.closed = headOf(book)
	traded, err := w.traded(ctx, date)
	if err != nil {
		return err
	}
	s, err := w.session.Read(ctx)
	if err != nil {
		return err
	}
	if traded != s.IfTrade {
		w.Log.Warn().Str("account", w.account.Name).Str("date", string(date)).Bool("if_trade", s.IfTrade).Bool("traded", traded).
			Msg("IF_TRADE disagrees with the ledger; the ledger counts")
	}
	if s.IfTrade {
		if err := w.session.Set(ctx, map[string]any{session.IfTrade: false}); err != nil {
			return err
		}
	}
	w.checkpoint.Complete = true
	w.checkpoint.Spent, w.today = w.checkpoint.Spent.Plus(w.today), Spending{}
	if i+1 < len(w.days) {
		w.checkpoint = w.checkpoint.next(w.days[i+1]) // which says of this one that it is complete, in the same write
	}
	return w.saveCheckpoint()
}

// Day is a trading day as a decider sees it.
type Day struct {
	Date   market.Stamp
	Number int         // of trading days before it in this run
	Book   ledger.Book // as it was before the day
	Market market.View // as of the day

	walk   *walk
	step   int
	filled int
}

// Order sends an order and reports whether it was filled. A refusal is no error; what keeps orders from being judged is.
// Calling it in the same way after an interruption sends nothing twice.
func (d *Day) Order(ctx context.Context, action ledger.Action, symbol string, amount decimal.Decimal) (filled bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	d.step++
	id := fmt.Sprintf("%s#%d", d.Date, d.step)
	if _, refused := d.walk.checkpoint.Refused[id]; refused {
		return false, nil
	}
	refusal, err := d.walk.desk.order(context.WithoutCancel(ctx), d.Date, action, symbol, amount, id)
	if err != nil {
		return false, err
	}
	if refusal == "" {
		d.filled++
		return true, nil
	}
	d.walk.checkpoint.refuse(id, refusal)
	return false, d.walk.saveCheckpoint()
}

// result says what became of the account, whether or not it came to the end.
func (w *walk) result(ctx context.Context, err error) Result {
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
	name := w.account.Name
	report, verifyErr := Verify(w.Accounts.Lines(ctx, name), w.Prices, w.LogPath, name, w.Runs[name].Store)
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

// worth values a book at the end of a day: after its close, as a report does, or inside it while hours of it are to come.
func (w *walk) worth(book ledger.Book, day int) (ledger.Valuation, error) {
	date := w.days[day]
	if day+1 < len(w.days) && w.days[day+1].Day() == date.Day() {
		return book.Positions.InDay(w.Prices.AsOf(date))
	}
	return w.afterClose(book, date)
}

func (w *walk) afterClose(book ledger.Book, day market.Stamp) (ledger.Valuation, error) {
	return book.Positions.AtClose(w.Prices.AsOf(day.AddDays(1)), day)
}
