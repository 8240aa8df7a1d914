// A trading day of an account: the session is set, the decider decides, the day is closed.

package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"mcp-trade/agent"
	"mcp-trade/agent/transcript"
	"mcp-trade/code"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store"
)

// tradeDay trades one day.
func (a *accountRun) tradeDay(ctx context.Context, i int) error {
	date := a.days[i]
	if err := a.Prices.Refresh(); err != nil {
		return err
	}
	if a.checkpoint.Date != date {
		a.checkpoint = a.checkpoint.next(date)
		if err := a.saveCheckpoint(ctx); err != nil {
			return err
		}
	}
	if err := a.noteOthers(ctx); err != nil {
		return err
	}
	d, err := a.openDay(ctx, i)
	if err != nil {
		return err
	}
	if d.day.Halted && a.Follows {
		return &agent.HaltedError{Account: a.account.Name} // what is due was not settled: the decider would see another book
	}
	err = a.decide(ctx, d)
	var stop *agent.HaltedError
	if err != nil && (!errors.As(err, &stop) || !stop.Ended) {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	refused := a.checkpoint.today()
	if err := a.close(ctx, i); err != nil {
		return err
	}
	return errors.Join(a.report(ctx, d, refused), err) // the day is over; if there is an error, it was the last one
}

// openDay sets the session and returns the day as the decider is to see it.
func (a *accountRun) openDay(ctx context.Context, i int) (*broker, error) {
	date := a.days[i]
	// A day that is gone on with may have had trades.
	traded, err := a.traded(ctx, date)
	if err != nil {
		return nil, err
	}
	err = a.session.Set(ctx, map[string]any{session.Signature: a.account.Name, session.TodayDate: string(date), session.IfTrade: traded})
	if err != nil {
		return nil, err
	}
	halted, err := a.turnTo(ctx, date)
	if err != nil {
		return nil, err
	}
	before, err := a.accounts.Book(ctx, a.account.Name, a.before(i))
	if err != nil {
		return nil, err
	}
	book, events, err := a.accounts.Due(ctx, a.account.Name, a.before(i), a.Prices.AsOf(date))
	if err == nil && halted {
		book, events = before, nil // a halt fills nothing
	}
	if err == nil && len(events) > 0 {
		err = a.settle(ctx, date)
	}
	if err != nil {
		return nil, err
	}
	rules, err := a.accounts.Rules(ctx, a.account.Name)
	if err != nil {
		return nil, err
	}
	b := &broker{run: a, filled: map[string]bool{}, settled: trades(events)}
	b.day = agent.Day{
		Account: a.account.Name, Date: date, Number: i, Before: before.Hash, Book: book, Rules: rules, Market: a.Prices.AsOf(date), Halted: halted,
		Log: a.Log.With().Str("account", a.account.Name).Str("date", string(date)).Logger(), Broker: b,
	}
	return b, nil
}

// settle commits what is due when a day begins. The session has its date; a trade of the day before it is none of the day.
func (a *accountRun) settle(ctx context.Context, date market.Stamp) error {
	s, err := a.session.Read(ctx)
	if err != nil || s.Halted {
		return err
	}
	events, err := a.accounts.Settle(ctx, a.account.Name, a.Prices.AsOf(date), s.Guards()...)
	if err != nil || trades(events) == 0 {
		return err
	}
	traded, err := a.traded(ctx, date)
	if err != nil {
		return err
	}
	return a.session.Set(ctx, map[string]any{session.IfTrade: traded})
}

// trades counts the records that bought or sold.
func trades(records []ledger.Record) int {
	return len(slices.DeleteFunc(slices.Clone(records), func(r ledger.Record) bool { return !r.Traded() }))
}

// before is the trading day before one of the run, or the day on which the account was opened.
func (a *accountRun) before(i int) market.Stamp {
	if i > 0 {
		return a.days[i-1]
	}
	return a.account.From
}

// decide has the decider trade the day. Whether it came to the end or not, what it did is counted.
func (a *accountRun) decide(ctx context.Context, b *broker) (err error) {
	a.today = transcript.Spending{}
	if a.trader == nil {
		trader, err := a.account.Decider.Open(ctx, a.account.Name, a.server)
		if err != nil {
			return err
		}
		a.trader = trader
		if err := a.Recorder.Opened(ctx, a.lease.Fence(), a.account.Name); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, b.settle()) }()
	return a.trader.Decide(ctx, &b.day)
}

// turnTo makes sure that the server trades the account on a date, and from now on means that session in every call. It tells
// whether trading is halted.
func (a *accountRun) turnTo(ctx context.Context, date market.Stamp) (halted bool, err error) {
	a.server.SetMeta(nil)
	text, failed, err := a.server.Call(ctx, "get_session", nil)
	var at struct {
		session.Meant
		Halted  bool                      `json:"halted"`
		Sources map[string]session.Source `json:"sources"`
	}
	switch {
	case err != nil:
		return false, fmt.Errorf("the MCP server does not say whose session it has: %w", err)
	case failed:
		return false, fmt.Errorf("the MCP server cannot tell whose session it has: %w", readAnswer(text).fault())
	}
	if err := json.Unmarshal([]byte(text), &at); err != nil {
		return false, fmt.Errorf("the MCP server's session cannot be read: %w", err)
	}
	meant := session.Meant{Signature: a.account.Name, Today: date}
	if at.Meant != meant {
		return false, fmt.Errorf("the MCP server trades %s on %s (SIGNATURE from: %s, TODAY_DATE from: %s), not %s on %s, though the session was set to that; nothing was ordered",
			at.Signature, at.Today, at.Sources[session.Signature], at.Sources[session.TodayDate], meant.Signature, date)
	}
	a.server.SetMeta(map[string]any{session.MetaKey: meant})
	return at.Halted, nil
}

// report tells of a completed day.
func (a *accountRun) report(ctx context.Context, b *broker, refused code.Reasons) error {
	has, err := b.Standing(ctx)
	if err != nil {
		return err
	}
	a.Progress(Progress{
		Account: a.account.Name, Done: b.day.Number + 1, Of: len(a.days), Date: b.day.Date, Trades: len(b.filled) + b.settled, Refused: refused, Value: has.Value.Total,
	})
	return nil
}

// traded tells whether the account has a trade of a date.
func (a *accountRun) traded(ctx context.Context, date market.Stamp) (bool, error) {
	trades, _, err := a.accounts.Trades(ctx, a.account.Name, date, store.MaxID, 1)
	return len(trades) > 0 && trades[0].Date == date, err
}

// close ends a day: the ledger says whether it had a trade, the flag should say the same.
func (a *accountRun) close(ctx context.Context, i int) error {
	date := a.days[i]
	if err := a.accounts.CloseDay(ctx, a.account.Name, a.Prices.AsOf(date)); err != nil {
		return err
	}
	book, err := a.accounts.Head(ctx, a.account.Name)
	if err != nil {
		return err
	}
	a.closed = &book
	traded, err := a.traded(ctx, date)
	if err != nil {
		return err
	}
	s, err := a.session.Read(ctx)
	if err != nil {
		return err
	}
	if traded != s.IfTrade {
		a.Log.Warn().Str("account", a.account.Name).Str("date", string(date)).Bool("if_trade", s.IfTrade).Bool("traded", traded).
			Msg("IF_TRADE disagrees with the ledger; the ledger counts")
	}
	if s.IfTrade {
		if err := a.session.Set(ctx, map[string]any{session.IfTrade: false}); err != nil {
			return err
		}
	}
	if err := a.Recorder.DayOver(ctx, a.lease.Fence(), a.account.Name, date, book); err != nil {
		return err
	}
	a.checkpoint.Complete = true
	a.checkpoint.Spent, a.today = a.checkpoint.Spent.Plus(a.today), transcript.Spending{}
	if i+1 < len(a.days) {
		a.checkpoint = a.checkpoint.next(a.days[i+1]) // which says of this one that it is complete, in the same write
	}
	return a.saveCheckpoint(ctx)
}

// worth values a book at the end of a day: after its close, as a report does, or inside it while it is under way or hours of it are to come.
func (a *accountRun) worth(book ledger.Book, rules ledger.Rules, day int) (ledger.Valuation, error) {
	date := a.days[day]
	if date == a.Underway || day+1 < len(a.days) && a.days[day+1].Day() == date.Day() {
		return book.Positions.InDay(rules.Valuing(a.Prices.AsOf(date)))
	}
	return a.afterClose(book, rules, date)
}

func (a *accountRun) afterClose(book ledger.Book, rules ledger.Rules, day market.Stamp) (ledger.Valuation, error) {
	return book.Positions.AtClose(rules.Valuing(a.Prices.AsOf(day.AddDays(1))), day)
}
