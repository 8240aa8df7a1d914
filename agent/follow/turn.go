// A run up to a day, and what becomes of accounts that fail.

package follow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"mcp-trade/agent"
	"mcp-trade/agent/manifest"
	"mcp-trade/agent/runner"
	"mcp-trade/internal/format"
	"mcp-trade/store"
)

// turn runs accounts up to a day, and returns those that are to be run again.
func (f *Follower) turn(ctx context.Context, t Turn, accounts []runner.Account) (again []runner.Account, err error) {
	t.Since, t.Skipped = f.began, map[string][]manifest.ForwardDay{}
	for _, a := range accounts {
		if f.stopped[a.Name] {
			continue
		}
		if err := f.join(ctx, &t, a); err != nil {
			return accounts, f.wholeFails(ctx, err)
		}
	}
	if len(t.Accounts) == 0 {
		return nil, nil
	}
	results, err := f.Run(ctx, t)
	if err != nil {
		return accounts, f.wholeFails(ctx, err)
	}
	f.ran = true
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for i, a := range t.Accounts {
		r := &results[i]
		switch {
		case r.Err != nil && f.mayPass(t, r):
			again = append(again, a)
		case r.Err == nil && t.Settles:
			f.tell(Event{Kind: EndOfDay, Account: r.Account, Date: t.To, Text: endText(t, r), Result: r})
		}
	}
	return again, nil
}

// join adds an account to a turn, with the days that it passes over, unless it has nothing to do there.
func (f *Follower) join(ctx context.Context, t *Turn, a runner.Account) error {
	to := t.To
	if own := cmp.Or(a.To, f.To); !within(to, own) {
		to = own
	}
	s, err := f.Standing(ctx, f.prices, a, to)
	if err != nil {
		return err
	}
	if to != t.To && len(s.Pending) == 0 {
		return nil // it is at its end
	}
	f.since[a.Name] = f.began
	if !s.Since.IsZero() {
		f.since[a.Name] = s.Since
	}
	a.From, a.To, a.Skip = cmp.Or(a.From, f.From), to, manifest.Skipped(s.Noted)
	for _, m := range f.missed(a, s, t.To) {
		f.tellMissed(a.Name, m)
		if m.skipped != "" {
			a.Skip = append(a.Skip, m.stamp)
			t.Skipped[a.Name] = append(t.Skipped[a.Name], manifest.ForwardDay{Date: m.stamp, Skipped: m.skipped, Clock: f.Lapse})
		}
	}
	_, err = a.Days(f.prices)
	if _, none := errors.AsType[*runner.NoDaysError](err); none {
		return nil
	}
	t.Accounts = append(t.Accounts, a)
	return err
}

// wholeFails is the error of a turn as a whole: one that does not pass, or that comes before any turn went well. Any other is told.
func (f *Follower) wholeFails(ctx context.Context, err error) error {
	if _, other := errors.AsType[*runner.OtherSettingsError](err); other || !f.ran || ctx.Err() != nil {
		return cmp.Or(ctx.Err(), err)
	}
	f.tellOnce(Event{Kind: Fault, Date: f.next.stamp, Text: err.Error(), Err: err}, err.Error())
	return nil
}

// mayPass tells of an error with which an account stopped, and whether it may do better when it is run again.
func (f *Follower) mayPass(t Turn, r *runner.Result) bool {
	why := r.Err.Error()
	e := Event{Account: r.Account, Date: t.To, Text: r.Account + ": " + why, Err: r.Err}
	var halted *agent.HaltedError
	var leased *store.LeasedError
	var other *runner.OtherSettingsError
	var permanent interface{ Permanent() bool }
	switch {
	case errors.As(r.Err, &leased):
		e.Kind, e.Text, e.Date = Standby, fmt.Sprintf("%s; this one stands by", leased), ""
		f.tellOnce(e, "")
		return true
	case errors.As(r.Err, &halted):
		e.Kind, why = Halt, "trading is halted"
		f.tellOnce(e, "")
	case errors.As(r.Err, &other), errors.As(r.Err, &permanent) && permanent.Permanent():
		e.Kind = Stopped
		f.stopped[r.Account] = true
		f.tell(e)
		return false
	default:
		e.Kind = Fault
		f.tellOnce(e, why)
	}
	f.faults[r.Account] = fault{f.next.stamp, why}
	return true
}

// endText says what an account is worth at the end of a day.
func endText(t Turn, r *runner.Result) string {
	text := fmt.Sprintf("%s, %s: ", r.Account, t.To)
	switch {
	case !r.Value.Valid:
		text += "the value at the close is not known"
	case r.Return.Valid:
		text += fmt.Sprintf("value at the close %s, return %s %%", format.Money(r.Value.Decimal), r.Return.Decimal.Shift(2).StringFixed(2))
	default:
		text += "value at the close " + format.Money(r.Value.Decimal)
	}
	text += fmt.Sprintf(", %d trades so far", r.Trades)
	if !r.Verified {
		text += fmt.Sprintf("; its ledger is %s: %s", r.Verdict, strings.Join(r.Reasons, "; "))
	}
	return text
}
