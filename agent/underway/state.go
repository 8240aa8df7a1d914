// What follows from what is known of an account.

package underway

import (
	"fmt"
	"strings"

	"mcp-trade/agent/follow"
	"mcp-trade/internal/clip"
	"mcp-trade/internal/safetext"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/store"
)

// stands tells how the run of an account stands; shown is false of one that is at its end, or was never run.
func (w *Watch) stands(name string, a *account) (row Account, shown bool) {
	q, queued := w.queue.of[name]
	row = a.row(name)
	if queued && q.run.State != store.RunEnded {
		row.Run = q.run.ID
		if !a.ran || a.noted.Date == "" {
			row.Day, row.Days = q.Done, q.Days
		}
	}
	switch {
	case a.damaged != nil:
		row.State, row.Why = Stopped, a.damaged.Error()
	case a.holder.Nonce != "":
		row.State = Trading
	case queued && q.run.State != store.RunEnded:
		row.State, row.Why = w.inQueue(q)
	case !a.ran && queued && q.State == "stopped":
		row.State, row.Why = Stopped, q.why()
	case !a.ran || a.ended():
		return row, false
	case a.run.Follows != nil && a.noted.Complete:
		w.follows(&row, a)
	default:
		row.State, row.Why = Stopped, a.noted.Stopped
		if row.Why == "" && queued {
			row.Why = q.why()
		}
		if row.Why == "" {
			row.Why = "nobody trades it: its process was killed, or waits for its turn"
		}
	}
	row.Why = safetext.Replaced(row.Why, "\n")
	return row, row.State != ""
}

// inQueue is how an account stands that has its place in the queue, and is in nobody's hands.
func (w *Watch) inQueue(q place) (State, string) {
	switch {
	case q.State == "ended":
		return "", ""
	case q.State == "stopped":
		return Stopped, q.why()
	case q.run.State == store.RunPaused:
		return Paused, "its run was paused"
	case q.run.State == store.RunStopped:
		return Stopped, "its run was stopped"
	case q.State == "trading":
		return Waiting, "worker " + q.Worker + " has taken it"
	case w.queue.workers == 0:
		return Waiting, "it waits for a worker, and none is there"
	}
	return Waiting, "it waits for a worker"
}

// row has what is told of an account whatever its state is.
func (a *account) row(name string) Account {
	row := Account{
		Account: name, Date: a.noted.Date, Trader: safetext.Replaced(a.holder.Name, ""), Since: a.holder.Since,
		Tool: safetext.Replaced(clip.Bytes(a.day.Tool, 100), ""), Turn: a.day.Turn,
	}
	row.RefusedToday, row.Refused = a.refused()
	for _, day := range a.days {
		if day <= a.noted.Date {
			row.Day++
		}
	}
	if a.run.Follows == nil {
		row.Days = len(a.days)
	}
	if a.ran && a.run.OfModel() {
		row.Cost, row.Budget, row.DayBudget = a.spent().Cost, a.run.Model.RunBudget, a.run.Model.DayBudget
		if !a.noted.Complete {
			row.CostToday = a.day.Spent().Cost
		}
	}
	a.tellOfDays(&row)
	return row
}

// tellOfDays tells without which prices the day is traded, and what became of the newest days that came while the run followed the market.
func (a *account) tellOfDays(row *Account) {
	if t := a.run.Turn; t != nil && t.Day == a.noted.Date && !a.noted.Complete {
		row.Without = t.Missing
	}
	const newest = 5
	for _, d := range a.forward[max(0, len(a.forward)-newest):] {
		text := ""
		switch {
		case d.Skipped != "":
			text = fmt.Sprintf("%s was missed: %s.", d.Date, d.Skipped)
		case len(d.Missing) > 0:
			text = fmt.Sprintf("%s was traded without the prices of %s.", d.Date, clip.List(d.Missing, 10, ", "))
		case d.CaughtUp:
			text = fmt.Sprintf("%s was traded after its deadline.", d.Date)
		default:
			continue
		}
		row.Notes = append(row.Notes, safetext.Replaced(text, ""))
	}
}

// ended tells whether an account is through with the last day of its run.
func (a *account) ended() bool {
	last := a.run.To
	switch {
	case a.run.Follows != nil && a.run.Turn != nil:
		last = a.run.Turn.Until
		if last.IsDay() {
			return a.noted.Complete && last != "" && a.noted.Date.Day() >= last
		}
	case len(a.days) > 0:
		last = a.days[len(a.days)-1]
	}
	return a.noted.Complete && last != "" && a.noted.Date >= last
}

// follows tells for which day an account waits that follows the market. Between two days nobody has it, so that whether a process waits is
// known when the day comes.
func (w *Watch) follows(row *Account, a *account) {
	row.State = Waiting
	rules, err := ledger.ParseRules(a.run.Rules)
	if err != nil {
		return
	}
	next, opens, closes := follow.Next(rules.Market, w.newestStamps(), a.noted.Date)
	row.Next, row.Opens = next, opens.UTC()
	at := func() string {
		return opens.In(rules.Market.Zone()).Format("2006-01-02 15:04") + " " + rules.Market.ZoneName
	}
	row.Why = fmt.Sprintf("it waits for %s, which opens at %s", next, at())
	if t := a.run.Turn; t != nil && t.Clock != "" {
		row.Why += ", by the clock " + strings.ReplaceAll(t.Clock, "\n", " ")
		return
	}
	switch now := w.Now(); {
	case now.After(closes):
		row.State, row.Why = Stopped, fmt.Sprintf("nobody traded %s, which opened at %s and is over", next, at())
	case now.After(opens):
		row.Why = fmt.Sprintf("%s opened at %s, and is traded once its prices are there", next, at())
	}
}

// newestStamps are those of the end of the prices.
func (w *Watch) newestStamps() []market.Stamp {
	const lookBack = 14
	info, err := w.Prices.Info()
	if err != nil || info.Last == "" {
		return nil
	}
	stamps, _ := w.Prices.Stamps(info.Last.AddDays(-lookBack), "") // without them a day is a day
	return stamps
}
