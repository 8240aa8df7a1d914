// Which days were not traded in time, and what becomes of them.

package follow

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"mcp-trade/agent/manifest"
	"mcp-trade/agent/runner"
	"mcp-trade/market"
)

// missedDay is a day that an account did not trade by its deadline.
type missedDay struct {
	stamp   market.Stamp
	why     string
	skipped string // why it is not traded later either, "" if it is
}

// missed are the days before the next slot, by the calendar and in the prices, that came since following the account began, and that it has
// yet to trade, ascending. Those that were noted as skipped are none of them. A day without prices can be caught up with until a run goes to
// a later one.
func (f *Follower) missed(a runner.Account, s Standing, to market.Stamp) (list []missedDay) {
	sched := f.sched
	noted := map[market.Stamp]bool{}
	for _, d := range s.Noted {
		noted[d.Date] = true
	}
	end := a.To // which a day takes in
	days := slices.Clone(s.Pending)
	for at := sched.after(max(s.Newest, cmp.Or(a.From, f.From), f.Market.StampOf(f.since[a.Name]).AddDays(-1))); at.stamp < f.next.stamp; at = sched.after(at.stamp) {
		days = append(days, at.stamp)
	}
	slices.Sort(days)
	for _, day := range slices.Compact(days) {
		if noted[day] || day >= f.next.stamp || !within(day, end) || !f.deadline(sched.at(day)).After(f.since[a.Name]) {
			continue
		}
		m := missedDay{stamp: day, why: f.whyMissed(a.Name, day, slices.Contains(s.Pending, day))}
		if !f.CatchUp || day < to && !slices.Contains(s.Pending, day) {
			m.skipped = m.why
		}
		list = append(list, m)
	}
	return list
}

func (f *Follower) whyMissed(account string, day market.Stamp, priced bool) string {
	switch last := f.faults[account]; {
	case last.slot == day:
		return last.why
	case !priced:
		return "there are no prices of it"
	}
	return "nobody traded it by its deadline, " + f.clockTime(f.deadline(f.sched.at(day)))
}

// tellMissed tells of a missed day.
func (f *Follower) tellMissed(account string, m missedDay) {
	kind, what := MissedDay, "it is skipped"
	if m.skipped == "" {
		kind, what = CatchingUp, "it is traded as soon as its prices are there"
	}
	f.tellOnce(Event{Kind: kind, Account: account, Date: m.stamp, Text: fmt.Sprintf("%s missed %s, and %s: %s", account, m.stamp, what, m.why)}, "")
}

// Note is what the manifest says of a day of an account that was just decided, but for what the prices held; nil for one of the past. It may
// be called by several goroutines while a turn runs.
func (f *Follower) Note(account string, date market.Stamp) *manifest.ForwardDay {
	deadline := f.deadline(f.sched.at(date))
	if !deadline.After(f.since[account]) {
		return nil
	}
	now := f.Clock.Now().UTC().Truncate(time.Millisecond)
	day := &manifest.ForwardDay{Date: date, Decided: now, Clock: f.Lapse}
	if date == f.next.stamp {
		day.Missing = f.missing
	}
	day.CaughtUp = date != f.next.stamp || !now.Before(f.sched.after(date).opens)
	return day
}
