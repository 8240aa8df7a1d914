// The days that a run traded as they came, and not from prices of the past.

package manifest

import (
	"slices"
	"strings"
	"time"

	"mcp-trade/market"
)

// ForwardDay is a trading day that came while a run followed the market, traded or not.
type ForwardDay struct {
	Date     market.Stamp `json:"date"`
	Decided  time.Time    `json:"decided,omitzero"`    // when its decisions were complete, by the run's clock, UTC; zero if it was skipped
	CaughtUp bool         `json:"caught_up,omitempty"` // its decisions were begun after its deadline, or were not complete when the next day opened
	Missing  []string     `json:"missing,omitempty"`   // symbols whose prices were not there when it was decided
	Skipped  string       `json:"skipped,omitempty"`   // why it was not traded, "" if it was
	Clock    string       `json:"clock,omitempty"`     // by which the run went, as --clock had it; "": the real one
	Known    *Known       `json:"known,omitempty"`     // what the prices held when it was decided; nil if it was skipped
	Head     *Head        `json:"head,omitempty"`      // of the ledger when its decisions were complete; nil if it was skipped
}

// Turn is a day, or several, that a run which follows the market trades at once, as it stands when the turn begins.
type Turn struct {
	Until   market.Stamp `json:"until,omitempty"`   // the last day that the run is to follow to; "": without end
	Day     market.Stamp `json:"day"`               // up to which the turn trades
	Missing []string     `json:"missing,omitempty"` // symbols without which that day is traded
	Clock   string       `json:"clock,omitempty"`   // by which the run goes, as --clock had it; "": the real one
}

// Skipped are the dates of those days that were not traded.
func Skipped(days []ForwardDay) (skipped []market.Stamp) {
	for _, d := range days {
		if d.Skipped != "" {
			skipped = append(skipped, d.Date)
		}
	}
	return skipped
}

// Forward lists the forward days of an account's runs in a store ("file" or "redis"), ascending, since the account was opened.
func Forward(runs []Run, store string) []ForwardDay {
	var all []ForwardDay
	for _, run := range runs {
		if run.Store != store {
			continue
		}
		if len(run.Ledger) > 0 && run.Ledger[0].Before == nil {
			all = nil // what was before it is no more
		}
		for _, day := range run.Forward {
			all = withDay(all, day)
		}
	}
	return all
}

// FollowedSince is since when an account's runs in a store take the days as they come, the zero time if none does.
func FollowedSince(runs []Run, store string) (since time.Time) {
	for _, run := range runs {
		if run.Store == store && len(run.Ledger) > 0 && run.Ledger[0].Before == nil {
			since = time.Time{}
		}
		if run.Store == store && run.Follows != nil && since.IsZero() {
			since = *run.Follows
		}
	}
	return since
}

// follow has a run that follows the market go on with the days, and the prices, that another start of it has.
func (run *Run) follow(next Run) {
	if run.Follows == nil {
		return
	}
	run.Turn = next.Turn
	run.To, run.Prices, run.Known, run.Actions, run.News, run.Answers = next.To, next.Prices, next.Known, next.Actions, next.News, next.Answers
	for _, day := range next.Forward {
		run.Forward = withDay(run.Forward, day)
	}
}

// knownBefore is what the prices held that a run follows: those by which its newest day up to one was decided, nil unless all of them were
// there. A bar that came late is no change, and later days are those of another process that is ahead: this one need not have their prices.
func (run Run) knownBefore(to market.Stamp) *Known {
	for _, day := range slices.Backward(run.Forward) {
		if day.Skipped != "" || day.Date > to {
			continue
		}
		if len(day.Missing) == 0 {
			return day.Known
		}
		break
	}
	return nil
}

// withDay adds a day in its place. A day that was traded is not replaced by one that was skipped.
func withDay(days []ForwardDay, day ForwardDay) []ForwardDay {
	i, known := slices.BinarySearchFunc(days, day.Date, func(d ForwardDay, date market.Stamp) int { return strings.Compare(string(d.Date), string(date)) })
	switch {
	case !known:
		return slices.Insert(days, i, day)
	case day.Skipped == "":
		days[i] = day
	}
	return days
}
