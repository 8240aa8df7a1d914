// A trading day of an account: the session is set, the decider decides, the day is closed.

package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"mcp-trade/agent"
	"mcp-trade/agent/transcript"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
)

// tradeDay trades one day.
func (w *accountRun) tradeDay(ctx context.Context, i int) error {
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
	d, err := w.openDay(ctx, i)
	if err != nil {
		return err
	}
	err = w.decide(ctx, d)
	var stop *agent.HaltedError
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

// openDay sets the session and returns the day as the decider is to see it.
func (w *accountRun) openDay(ctx context.Context, i int) (*broker, error) {
	date := w.days[i]
	// A day that is gone on with may have had trades.
	traded, err := w.traded(ctx, date)
	if err != nil {
		return nil, err
	}
	err = w.session.Set(ctx, map[string]any{session.Signature: w.account.Name, session.TodayDate: string(date), session.IfTrade: traded})
	if err != nil {
		return nil, err
	}
	halted, err := w.turnTo(ctx, date)
	if err != nil {
		return nil, err
	}
	before := w.From
	if i > 0 {
		before = w.days[i-1]
	}
	book, err := w.Accounts.Book(ctx, w.account.Name, before)
	if err != nil {
		return nil, err
	}
	b := &broker{run: w, filled: map[string]bool{}}
	b.day = agent.Day{
		Account: w.account.Name, Date: date, Number: i, Book: book, Market: w.Prices.AsOf(date), Halted: halted,
		Log: w.Log.With().Str("account", w.account.Name).Str("date", string(date)).Logger(), Broker: b,
	}
	return b, nil
}

// decide has the decider trade the day. Whether it came to the end or not, what it did is counted.
func (w *accountRun) decide(ctx context.Context, b *broker) (err error) {
	w.today = transcript.Spending{}
	if w.trader == nil {
		trader, err := w.account.Decider.Open(ctx, w.account.Name, w.server)
		if err != nil {
			return err
		}
		w.trader = trader
	}
	defer func() { err = errors.Join(err, b.settle()) }()
	return w.trader.Decide(ctx, &b.day)
}

// turnTo makes sure that the server trades the account on a date, and from now on means that session in every call. It tells
// whether trading is halted.
func (w *accountRun) turnTo(ctx context.Context, date market.Stamp) (halted bool, err error) {
	w.server.SetMeta(nil)
	text, failed, err := w.server.Call(ctx, "get_session", nil)
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
	meant := session.Meant{Signature: w.account.Name, Today: date}
	if at.Meant != meant {
		return false, fmt.Errorf("the MCP server trades %s on %s (SIGNATURE from: %s, TODAY_DATE from: %s), not %s on %s, though the session was set to that; nothing was ordered",
			at.Signature, at.Today, at.Sources[session.Signature], at.Sources[session.TodayDate], meant.Signature, date)
	}
	w.server.SetMeta(map[string]any{session.MetaKey: meant})
	return at.Halted, nil
}

// report tells of a completed day.
func (w *accountRun) report(ctx context.Context, b *broker, refused int) error {
	has, err := b.Standing(ctx)
	if err != nil {
		return err
	}
	w.Progress(Progress{
		Account: w.account.Name, Done: b.day.Number + 1, Of: len(w.days), Date: b.day.Date, Trades: len(b.filled), Refused: refused, Value: has.Value.Total,
	})
	return nil
}

// traded tells whether the account has a trade of a date.
func (w *accountRun) traded(ctx context.Context, date market.Stamp) (bool, error) {
	trades, _, err := w.Accounts.Trades(ctx, w.account.Name, date, newest, 1)
	return len(trades) > 0 && trades[0].Date == date, err
}

// close ends a day: the ledger says whether it had a trade, the flag should say the same.
func (w *accountRun) close(ctx context.Context, i int) error {
	date := w.days[i]
	if err := w.Accounts.CloseDay(ctx, w.account.Name, date); err != nil {
		return err
	}
	book, err := w.Accounts.Head(ctx, w.account.Name)
	if err != nil {
		return err
	}
	w.closed = &book
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
	w.checkpoint.Spent, w.today = w.checkpoint.Spent.Plus(w.today), transcript.Spending{}
	if i+1 < len(w.days) {
		w.checkpoint = w.checkpoint.next(w.days[i+1]) // which says of this one that it is complete, in the same write
	}
	return w.saveCheckpoint()
}

// worth values a book at the end of a day: after its close, as a report does, or inside it while hours of it are to come.
func (w *accountRun) worth(book ledger.Book, day int) (ledger.Valuation, error) {
	date := w.days[day]
	if day+1 < len(w.days) && w.days[day+1].Day() == date.Day() {
		return book.Positions.InDay(w.Prices.AsOf(date))
	}
	return w.afterClose(book, date)
}

func (w *accountRun) afterClose(book ledger.Book, day market.Stamp) (ledger.Valuation, error) {
	return book.Positions.AtClose(w.Prices.AsOf(day.AddDays(1)), day)
}
