// Package follow has accounts trade the days of a market as they come. A day is an ordinary run that ends with it, on prices that end with
// its open; the clock is the only difference to a run over the past.
//
//	follower.go  who follows, and what it is given
//	follow.go    the loop: settle the day before, wait for the next, wait for its prices, trade
//	turn.go      a run up to a day, and what becomes of accounts that fail
//	missed.go    which days were not traded in time
//	schedule.go  when days come
//	ready.go     whether the prices of a day are there
//	clock.go     the clocks
//	event.go     what is told
package follow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"mcp-trade/agent/runner"
	"mcp-trade/internal/clip"
	"mcp-trade/market"
)

// Follow goes on until the last day is over, and then returns nil. When ctx is done it returns nil if it waited, and the error of ctx if a
// day was under way. Errors of its first turn, and settings that are not those of an account, end it.
func (f *Follower) Follow(ctx context.Context) error {
	if err := f.follow(ctx); !errors.Is(err, errWaited) {
		return err
	}
	return nil
}

func (f *Follower) follow(ctx context.Context) error {
	f.began = f.Clock.Now()
	f.since, f.told, f.stopped, f.faults = map[string]time.Time{}, map[string]bool{}, map[string]bool{}, map[string]fault{}
	for {
		if err := f.refresh(ctx); err != nil {
			return whileWaiting(ctx, err)
		}
		f.turnTo(f.upcoming())
		if f.allStopped() {
			return ErrStopped
		}
		if err := f.settle(ctx); err != nil {
			return err
		}
		if f.over() {
			return nil
		}
		f.tellWaiting(f.next)
		if err := f.Clock.Wait(ctx, f.next.opens); err != nil {
			return whileWaiting(ctx, err)
		}
		if err := f.trade(ctx); err != nil {
			return err
		}
		f.traded = f.next.stamp
	}
}

// upcoming is the first slot whose deadline is to come, and that this process has not been through.
func (f *Follower) upcoming() slot {
	now := f.Clock.Now()
	first := f.Market.StampOf(now.Add(-f.Deadline)).AddDays(-2)
	for next := f.sched.after(max(first, f.From)); ; next = f.sched.after(next.stamp) {
		if f.deadline(next).After(now) && next.stamp > f.traded {
			return next
		}
	}
}

// turnTo makes a slot the next one. What was told of others may be told again.
func (f *Follower) turnTo(s slot) {
	f.next = s
	for key := range f.told {
		if !isStandby(key) {
			delete(f.told, key)
		}
	}
}

// over tells whether all accounts are at their ends before the next slot.
func (f *Follower) over() bool {
	for _, a := range f.Accounts {
		if within(f.next.stamp, cmp.Or(a.To, f.To)) {
			return false
		}
	}
	return true
}

// isStandby tells whether a key of what was told is of a standby, which is said once.
func isStandby(key string) bool { return strings.HasPrefix(key, string(Standby)+"\n") }

func (f *Follower) allStopped() bool {
	for _, a := range f.Accounts {
		if !f.stopped[a.Name] {
			return false
		}
	}
	return true
}

// refresh looks at the prices. Once they were there, prices that cannot be read, or that changed, are told, and nothing is run until they
// are right again.
func (f *Follower) refresh(ctx context.Context) error {
	prices, err := f.Prices(ctx)
	if err == nil {
		f.prices = prices
		f.sched, err = f.scheduleNow()
	}
	if f.stale = err; err == nil || ctx.Err() != nil || f.prices == nil {
		return cmp.Or(ctx.Err(), err)
	}
	e := Event{Kind: Fault, Date: f.next.stamp, Text: "the prices: " + err.Error(), Err: err}
	if changed, ok := errors.AsType[*market.ChangedError](err); ok {
		e.Kind, e.Date = Revision, changed.Stamp
	}
	f.tellOnce(e, err.Error())
	return nil
}

// scheduleNow is made of the prices, which grow.
func (f *Follower) scheduleNow() (schedule, error) {
	info, err := f.prices.Info()
	if err != nil || info.Last == "" {
		return scheduleOf(f.Market, nil), err
	}
	stamps, err := f.prices.Stamps(info.Last.AddDays(-lookBack), "")
	return scheduleOf(f.Market, stamps), err
}

// poll waits for the next look at the prices, until a time at most, and looks.
func (f *Follower) poll(ctx context.Context, until time.Time) error {
	if err := f.Clock.Wait(ctx, earlier(f.Clock.Now().Add(f.Poll), until)); err != nil {
		return err
	}
	return f.refresh(ctx)
}

// settle runs the accounts up to the newest day of the prices before the next one: what they have yet to trade of it, and what is due at its
// end. It waits until the day is over and its bars are whole, but not longer than until the next day opens.
func (f *Follower) settle(ctx context.Context) error {
	for {
		last, err := f.newestBefore(f.next.stamp)
		if err != nil || last == "" || last == f.settled || last == f.traded && last.Day() == f.next.stamp.Day() {
			return err
		}
		over := earlier(f.sched.at(last).closes, f.next.opens)
		if f.Clock.Now().Before(over) {
			f.tellOnce(Event{Kind: Waiting, Date: last, Text: fmt.Sprintf("waiting for the close of %s at %s, in %s", last, f.clockTime(over), span(over.Sub(f.Clock.Now())))}, "close")
			if err := f.Clock.Wait(ctx, over); err != nil {
				return whileWaiting(ctx, err)
			}
			if err := f.refresh(ctx); err != nil {
				return whileWaiting(ctx, err)
			}
		}
		late, err := f.lateAtClose(last)
		if err != nil {
			return err
		}
		early := f.Clock.Now().Before(f.next.opens)
		if f.stale != nil && !early {
			return nil
		}
		if (late || f.stale != nil) && early {
			if err := f.poll(ctx, f.next.opens); err != nil {
				return whileWaiting(ctx, err)
			}
			continue
		}
		again, err := f.turn(ctx, Turn{To: last, Underway: late, Settles: true}, f.Accounts)
		if err != nil {
			return err
		}
		if len(again) == 0 || !early {
			f.settled = last
			return nil
		}
		if err := f.poll(ctx, f.next.opens); err != nil {
			return whileWaiting(ctx, err)
		}
	}
}

// newestBefore is the newest stamp of the prices before one that accounts trade, "" if there is none.
func (f *Follower) newestBefore(before market.Stamp) (market.Stamp, error) {
	to := f.To
	for _, a := range f.Accounts {
		if to != "" && (a.To == "" || a.To > to) {
			to = cmp.Or(a.To, f.To)
		}
	}
	stamps, err := runner.Days(f.prices, f.From, to)
	var none *runner.NoDaysError
	if errors.As(err, &none) {
		return "", nil
	}
	for i := len(stamps) - 1; i >= 0; i-- {
		if stamps[i] < before {
			return stamps[i], nil
		}
	}
	return "", err
}

// lateAtClose tells whether the bars of a day that is over are not whole yet. One that was missing when the day was traded is not awaited.
func (f *Follower) lateAtClose(last market.Stamp) (bool, error) {
	p, err := closeOf(f.prices, f.Market, last)
	late := without(p.missing, f.missing)
	return len(late) > 0, err
}

func without(names, others []string) (rest []string) {
	known := map[string]bool{}
	for _, name := range others {
		known[name] = true
	}
	for _, name := range names {
		if !known[name] {
			rest = append(rest, name)
		}
	}
	return rest
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// trade trades the next slot, once its prices are there. At its deadline it is traded with those that are there; without any it is missed.
func (f *Follower) trade(ctx context.Context) error {
	deadline := f.deadline(f.next)
	f.missing = nil
	for {
		if err := f.refresh(ctx); err != nil {
			return whileWaiting(ctx, err)
		}
		p, err := openOf(f.prices, f.Market, f.next.stamp)
		if err != nil {
			return err
		}
		due := !f.Clock.Now().Before(deadline)
		if f.stale != nil {
			p = presence{}
			f.blame("the prices: " + f.stale.Error())
		}
		if p.open && (len(p.missing) == 0 || due) {
			f.missing = p.missing
			break
		}
		if due {
			return nil // the day is missed, and is told as one when the next is turned to
		}
		f.tellOnce(Event{Kind: Waiting, Date: f.next.stamp, Missing: p.missing,
			Text: fmt.Sprintf("waiting for prices of %s until %s%s", f.next.stamp, f.clockTime(deadline), ofSymbols(p))}, "prices")
		if err := f.poll(ctx, deadline); err != nil {
			return whileWaiting(ctx, err)
		}
	}
	if len(f.missing) > 0 {
		f.tell(Event{Kind: LateData, Date: f.next.stamp, Missing: f.missing,
			Text: fmt.Sprintf("%s is traded at its deadline without the prices of %s", f.next.stamp, clip.List(f.missing, named, ", "))})
	}
	for left := f.Accounts; ; {
		var err error
		if left, err = f.turn(ctx, Turn{To: f.next.stamp, Underway: true, Missing: f.missing}, left); err != nil || len(left) == 0 {
			return err
		}
		if !f.Clock.Now().Before(deadline) {
			return nil
		}
		if err := f.poll(ctx, deadline); err != nil {
			return whileWaiting(ctx, err)
		}
	}
}

// blame notes why no account can trade the next slot.
func (f *Follower) blame(why string) {
	for _, a := range f.Accounts {
		f.faults[a.Name] = fault{f.next.stamp, why}
	}
}

// named is how many symbols without prices are named.
const named = 10

func ofSymbols(p presence) string {
	if !p.open || len(p.missing) == 0 {
		return ""
	}
	return ": " + clip.List(p.missing, named, ", ")
}
