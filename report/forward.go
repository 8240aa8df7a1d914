// The days that an account traded as they came: when each was decided, and figures of the days before them and since.

package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mcp-trade/internal/clip"
	"mcp-trade/market"
)

// ForwardDay is a trading day, or an hour of one, that came while a run followed the market, as the run noted it.
type ForwardDay struct {
	Date     market.Stamp `json:"date"`
	Decided  time.Time    `json:"decided,omitzero"`    // when its decisions were complete, by the run's clock, UTC; zero if it was skipped
	CaughtUp bool         `json:"caught_up,omitempty"` // decided after its deadline
	Missing  []string     `json:"missing,omitempty"`   // symbols whose prices were not there when it was decided
	Skipped  string       `json:"skipped,omitempty"`   // why it was not traded, "" if it was
	Clock    string       `json:"clock,omitempty"`     // the simulated one of the run; "": it was the real one
	Row      int64        `json:"row,omitempty"`       // of the ledger, the newest when it was decided
	Head     string       `json:"head,omitempty"`      // the hash of that row
}

// ForwardMark says how a day was decided.
type ForwardMark string

// The marks.
const (
	InTime   ForwardMark = "forward"    // before its deadline
	CaughtUp ForwardMark = "caught up"  // after it
	Skipped  ForwardMark = "not traded" // at all
)

// Mark says how the day was decided, by whichever clock.
func (d ForwardDay) Mark() ForwardMark {
	switch {
	case d.Skipped != "":
		return Skipped
	case d.CaughtUp:
		return CaughtUp
	}
	return InTime
}

// real tells whether the day was decided before its deadline, by the real clock: with knowledge of nothing that followed.
func (d ForwardDay) real() bool { return d.Mark() == InTime && d.Clock == "" }

// Forward tells the days that an account traded as they came from those before them, which are a backtest.
type Forward struct {
	Began  market.Stamp `json:"began,omitempty"`  // the first day that was decided before its deadline by the real clock, in the range or before it; "": none was
	Days   []ForwardDay `json:"days"`             // in the range, ascending
	Before *Stretch     `json:"before,omitempty"` // the days before it began; nil if there are none
	Since  *Stretch     `json:"since,omitempty"`  // the day on which it began and those that followed, caught up and not traded ones too; likewise
}

// NewForward is what is known without figures, nil if an account has no such days.
func NewForward(days []ForwardDay) *Forward {
	if len(days) == 0 {
		return nil
	}
	f := &Forward{Days: slices.Clone(days)}
	for i := range f.Days { // a manifest may hold anything
		d := &f.Days[i]
		d.Skipped, d.Clock, d.Head, d.Missing = plain(d.Skipped), plain(d.Clock), plain(d.Head), slices.Clone(d.Missing)
		for i, symbol := range d.Missing {
			d.Missing[i] = plain(symbol)
		}
	}
	if i := slices.IndexFunc(days, ForwardDay.real); i >= 0 {
		f.Began = days[i].Date.Day()
	}
	return f
}

// forward fills in which days of the account were forward, and the figures on both sides of their begin.
func (b builder) forward(a *Account, days []ForwardDay) {
	f := NewForward(days)
	if f == nil {
		return
	}
	f.Days = slices.DeleteFunc(f.Days, func(d ForwardDay) bool {
		return d.Date.Day() < b.From || b.To != "" && d.Date.Day() > b.To
	})
	if a.Forward = f; f.Began != "" {
		f.Before, f.Since = b.splitAt(a, func(p Period) bool { return p.Date.Day() < f.Began })
	}
}

// Lines tells it in sentences.
func (f *Forward) Lines() []string {
	if f == nil {
		return nil
	}
	var lines []string
	var days, simulated []ForwardDay
	for _, d := range f.Days {
		if d.Clock == "" {
			days = append(days, d)
		} else {
			simulated = append(simulated, d)
		}
	}
	if len(days) > 0 {
		lines = append(lines, fmt.Sprintf("Traded as the days came, by the real clock: %s: %s.", spanOf(days), manners(days)))
	}
	if len(simulated) > 0 {
		lines = append(lines, fmt.Sprintf("By a simulated clock, which proves nothing of when a day was decided: %s: %s.", spanOf(simulated), manners(simulated)))
	}
	if f.Before != nil {
		lines = append(lines, fmt.Sprintf("Before the first day that was decided so, %s, as a backtest: %s.", f.Began, f.Before))
	}
	if f.Since != nil {
		lines = append(lines, fmt.Sprintf("Since that day, %s: %s.", f.Began, f.Since))
	}
	return lines
}

// spanOf is how many days they are, and from when to when.
func spanOf(days []ForwardDay) string {
	first, last := days[0].Date, days[len(days)-1].Date
	if first == last {
		return count(1, "day") + ", " + string(first)
	}
	return fmt.Sprintf("%s, %s to %s", count(len(days), "day"), first, last)
}

// maxNamed bounds the days that are named one by one.
const maxNamed = 5

// manners counts the days by how they were decided, and names those that were not as they should be.
func manners(days []ForwardDay) string {
	var latest time.Time
	var inTime int
	var late, skipped, missing []string
	for _, d := range days {
		if d.Decided.After(latest) {
			latest = d.Decided
		}
		switch d.Mark() {
		case InTime:
			inTime++
		case CaughtUp:
			late = append(late, string(d.Date))
		case Skipped:
			skipped = append(skipped, fmt.Sprintf("%s (%s)", d.Date, d.Skipped))
		}
		if len(d.Missing) > 0 {
			missing = append(missing, fmt.Sprintf("%s (%s)", d.Date, clip.List(d.Missing, maxNamed, ", ")))
		}
	}
	parts := []string{fmt.Sprintf("%d decided before their deadline", inTime)}
	for _, some := range []struct {
		what string
		days []string
	}{{"caught up after it", late}, {"not traded", skipped}, {"decided without all prices", missing}} {
		if len(some.days) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s: %s", len(some.days), some.what, clip.List(some.days, maxNamed, ", ")))
		}
	}
	if !latest.IsZero() {
		parts = append(parts, "the newest decision is of "+latest.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return strings.Join(parts, "; ")
}
