// Who follows a market, and what it is given to do so.

package follow

import (
	"context"
	"errors"
	"time"

	"mcp-trade/agent/manifest"
	"mcp-trade/agent/runner"
	"mcp-trade/market"
)

// Follower has accounts follow a market. Its methods but [Follower.Note] are for one goroutine.
type Follower struct {
	Clock    Clock
	Lapse    string // the clock, as --clock has it; "": the real one
	Market   *market.Market
	From, To market.Stamp // of accounts without dates of their own; To may be ""
	Accounts []runner.Account
	CatchUp  bool          // trade days that were missed; else they are skipped
	Deadline time.Duration // after the open of a day; 0: its close
	Poll     time.Duration // between two looks at prices that are not there, by the clock

	// Prices fetches what is new, and returns the prices as they are now.
	Prices func(ctx context.Context) (*market.Prices, error)
	// Standing tells how far an account is. The skipped days that were noted are none of the pending ones.
	Standing func(ctx context.Context, prices *market.Prices, account runner.Account, to market.Stamp) (Standing, error)
	// Run runs accounts.
	Run func(ctx context.Context, t Turn) ([]runner.Result, error)
	// Tell hears what happens.
	Tell func(Event)

	began   time.Time
	prices  *market.Prices
	sched   schedule
	next    slot
	traded  market.Stamp         // the newest slot that is over for this process
	settled market.Stamp         // the newest one that was settled
	stale   error                // why the prices are those of an earlier look, nil if they are not
	missing []string             // symbols whose prices are not there on the day that is traded
	since   map[string]time.Time // when following an account began
	told    map[string]bool      // events
	stopped map[string]bool      // accounts that do not go on
	faults  map[string]fault     // of accounts, the newest one
	ran     bool                 // a turn went well
}

// Standing is how far an account is.
type Standing struct {
	Pending []market.Stamp // days of the prices that it has yet to trade
	Newest  market.Stamp   // of its newest record that is no event, "" if it is not open
	Noted   []manifest.ForwardDay
	Since   time.Time // when its runs began to take the days as they come; zero: they have not
}

// Turn is a run up to a day.
type Turn struct {
	To       market.Stamp
	Underway bool                             // the day is not over
	Missing  []string                         // symbols without which it is traded
	Accounts []runner.Account                 // each with its end, and the days that it passes over
	Skipped  map[string][]manifest.ForwardDay // of accounts: to be noted
	Since    time.Time                        // when this process began to follow
	Settles  bool                             // the day is one before that which is awaited; else it is that one
}

// ErrStopped says that no account goes on by itself.
var ErrStopped = errors.New("no account goes on by itself")

// fault is why an account could not trade a day.
type fault struct {
	slot market.Stamp
	why  string
}

// errWaited is the end of a run that waited: nothing is cut off by it.
var errWaited = errors.New("ended while it waited")

func whileWaiting(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errWaited
	}
	return err
}

// deadline is until when a day can be traded.
func (f *Follower) deadline(s slot) time.Time {
	if f.Deadline > 0 {
		return s.opens.Add(f.Deadline)
	}
	return s.closes
}

// within tells whether a stamp lies in a range up to a day, all of which counts, or a moment.
func within(at, to market.Stamp) bool {
	if to.IsDay() {
		at = at.Day()
	}
	return to == "" || at <= to
}
