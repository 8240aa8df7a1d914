// What a run that follows the market tells of.

package follow

import (
	"fmt"
	"strings"
	"time"

	"mcp-trade/agent/runner"
	"mcp-trade/market"
)

// Kind says what an event is about.
type Kind string

const (
	Waiting    Kind = "waiting"     // for a day, or its prices
	EndOfDay   Kind = "end_of_day"  // of an account: what it is worth at the close
	Standby    Kind = "standby"     // another run has an account
	Fault      Kind = "fault"       // an account, or the prices, fail for a reason that may pass
	Halt       Kind = "halt"        // trading is halted
	Stopped    Kind = "stopped"     // an account does not go on by itself
	LateData   Kind = "late_data"   // a day is traded without the prices of some symbols
	Revision   Kind = "revision"    // a price that was shown is another now
	MissedDay  Kind = "missed_day"  // a day was not traded in time
	CatchingUp Kind = "catching_up" // a day is traded after its deadline
)

// Event is something that happened.
type Event struct {
	Kind    Kind           `json:"event"`
	Account string         `json:"account,omitempty"`
	Date    market.Stamp   `json:"date,omitempty"`
	At      time.Time      `json:"at"` // by the run's clock, UTC
	Text    string         `json:"text"`
	Missing []string       `json:"missing,omitempty"` // symbols
	Result  *runner.Result `json:"result,omitempty"`  // of the end of a day
	Err     error          `json:"-"`
}

// tell tells of an event.
func (f *Follower) tell(e Event) {
	e.At = f.Clock.Now().UTC()
	f.Tell(e)
}

// tellOnce tells of an event unless it told of the same before.
func (f *Follower) tellOnce(e Event, of string) {
	key := strings.Join([]string{string(e.Kind), e.Account, string(e.Date), of}, "\n")
	if !f.told[key] {
		f.told[key] = true
		f.tell(e)
	}
}

// tellWaiting tells for which day it waits, and how long.
func (f *Follower) tellWaiting(s slot) {
	zone := f.Market.Zone()
	left := s.opens.Sub(f.Clock.Now())
	if left <= 0 {
		return
	}
	f.tellOnce(Event{Kind: Waiting, Date: s.stamp, Text: fmt.Sprintf("waiting for %s, which opens at %s %s, in %s", s.stamp, s.opens.In(zone).Format("15:04"), f.Market.ZoneName, span(left))}, "open")
}

// span writes a duration as people do.
func span(d time.Duration) string {
	d = d.Round(time.Minute)
	days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	}
	return fmt.Sprintf("%d min", minutes)
}

// clockTime writes a moment in the zone of the market.
func (f *Follower) clockTime(t time.Time) string {
	return t.In(f.Market.Zone()).Format("2006-01-02 15:04") + " " + f.Market.ZoneName
}
