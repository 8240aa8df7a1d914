// Package runner takes accounts through the trading days, each through an MCP server of its own that it launches as a
// subprocess, and lets a decider trade there. It knows nothing of how a decider decides.
//
// A day of an account:
//
//	session: SIGNATURE, TODAY_DATE, IF_TRADE=false
//	server: says that it has that account and date; every later call is refused in another session
//	decider: orders, each with an id made of the date and its number
//	session: IF_TRADE, and the ledger: trades of the day reset the flag, a day without one gets a no_trade record
//	checkpoint: the day is complete
//
// A run that ends in the middle of a day, however it ends, goes on with the same order of the same day: what was committed
// is known by its order id, what was refused by the checkpoint.
package runner

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/semaphore"

	"mcp-trade/agent"
	"mcp-trade/agent/transcript"
	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/internal/mcpclient"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store"
)

// Account is one account to run.
type Account struct {
	Name    string // its signature, and the model id of its session
	Decider agent.Decider
	Cutoff  market.Stamp // the last day that the decider may know of beforehand; the returns up to it and after it are told apart. "": not known

	From, To market.Stamp   // its own dates; "": those of the runner
	Skip     []market.Stamp // trading days that it passes over, ascending; what is due on them is settled all the same

	// Opening changes the record that the account is opened with, if it is not nil.
	Opening func(ledger.Record) (ledger.Record, error)
}

// Recorder notes what a run does with ledgers, so that they can be held against it later.
type Recorder interface {
	// Differs lists in which settings the account's run before was another one.
	Differs(ctx context.Context, account string) ([]string, error)
	// Begin notes that a run begins, and what the ledger's head is; nil if the run opens the account.
	Begin(ctx context.Context, lease store.Fence, account string, before *ledger.Book) error
	// Opened notes what the account's decider met when it was opened. Nothing was traded yet by this process.
	Opened(ctx context.Context, lease store.Fence, account string) error
	// Split notes that rows of others stand between two heads.
	Split(ctx context.Context, lease store.Fence, account string, after, before ledger.Book) error
	// DayOver notes the head when a day of an account was decided, before the day counts as complete.
	DayOver(ctx context.Context, lease store.Fence, account string, date market.Stamp, head ledger.Book) error
	// End notes the head when the run ends.
	End(ctx context.Context, lease store.Fence, account string, after ledger.Book) error
	// Verify verifies a ledger, also against what was noted of it.
	Verify(account string, lines iter.Seq2[[]byte, error], prices *market.Prices) (ledger.Report, error)
}

// Runner runs accounts over the trading days of the prices.
type Runner struct {
	Prices   *market.Prices
	Accounts *ledger.Accounts
	Session  func(model string) (*session.Resolver, error)
	Server   func(model string, lease store.Fence) mcpclient.Command // how to launch the MCP server of a model
	Stderr   io.Writer                                               // takes what the servers log
	Runs     store.Runs                                              // keeps leases, checkpoints and transcripts, beside the ledgers
	Owner    store.Owner                                             // of the leases
	Recorder Recorder
	Now      func() time.Time // for transcripts

	From, To market.Stamp    // accounts are opened on From; trading begins with the next of [Days] and ends with To
	Cash     decimal.Decimal // to open accounts with
	Rules    ledger.Rules    // to open them under

	Underway market.Stamp // the last day of the run, if it is not over: of its bars the opens alone are there. "": all days are over

	// Follows has the run follow the market: an account does not begin a day while trading is halted, whoever decides for it, but stops
	// before; and one that is ahead of the run's days is no oddity, but was ended within a day that the next turn goes on with.
	Follows bool

	Changed bool // go on with accounts under other settings than they had
	Fresh   bool // put accounts that exist aside, and open them anew

	Parallel int  // how many accounts trade at once; 0: 16
	Lockstep bool // no account begins a day before all have ended the day before

	Progress func(Progress)   // is told of each day that an account completed; may be called from several goroutines
	Steps    func(agent.Step) // is told of each step of a decider that takes steps, likewise
	Ended    func(Result)     // is told at once what became of an account, likewise; nil if nobody listens
	Log      zerolog.Logger
}

// Progress is how far an account is.
type Progress struct {
	Account  string
	Done, Of int // trading days
	Date     market.Stamp
	Trades   int          // on that day
	Refused  code.Reasons // on that day

	Value decimal.NullDecimal // after the close of that day, before it at the hour's opens; null if a holding has no price
}

// Result is what became of an account.
type Result struct {
	Account   string               `json:"account"`
	Days      int                  `json:"days"`                 // completed
	Trades    int                  `json:"trades"`               // in the ledger
	Refused   int                  `json:"refused"`              // orders
	RefusedBy code.Reasons         `json:"refused_by,omitempty"` // why, as far as it is known
	Cash      decimal.Decimal      `json:"cash"`
	Value     decimal.NullDecimal  `json:"value"`                   // after the close of its last day; null if that is under way, or a holding never had a close
	Return    decimal.NullDecimal  `json:"return"`                  // value over the money that the account was opened with, less 1
	Around    *AroundCutoff        `json:"around_cutoff,omitempty"` // nil: no cutoff is known
	Stale     ledger.StaleCloses   `json:"stale"`                   // holdings that the value counts at a close of an earlier trading day
	Unpriced  []string             `json:"unpriced"`                // holdings that never had a close
	Caveat    string               `json:"caveat,omitempty"`        // what its decider could not do
	Head      string               `json:"head"`                    // of the ledger, see [ledger.Report]
	Verified  bool                 `json:"verified"`
	Verdict   ledger.Verdict       `json:"verdict"`
	Reasons   []string             `json:"reasons"`         // unless it is verified
	Findings  []ledger.Finding     `json:"findings"`        // the first ones
	Spent     *transcript.Spending `json:"spent,omitempty"` // by a language model
	Error     string               `json:"error,omitempty"` // why the account did not come to the end

	Date   market.Stamp `json:"-"` // the newest day that it began
	Failed bool         `json:"-"` // the ledger cannot be read, or has what it must not have
	Err    error        `json:"-"`
}

// AroundCutoff is the return of an account whose decider may know some of its days beforehand, in two parts.
type AroundCutoff struct {
	Cutoff market.Stamp        `json:"knowledge_cutoff"`
	Before decimal.NullDecimal `json:"before"` // return of the days up to the cutoff; null if there are none, or a value is unknown
	After  decimal.NullDecimal `json:"after"`  // of those after it; likewise
}

// defaultParallel bounds how many accounts trade side by side. In lockstep the others wait with their servers running.
const defaultParallel = 16

// Run runs the accounts side by side and returns one result for each. Accounts that exist go on after their last complete
// day. When ctx is done no further order is sent; the one under way is awaited.
func (r *Runner) Run(ctx context.Context, accounts []Account) ([]Result, error) {
	names, periods := map[string]bool{}, map[period]*days{}
	accounts = slices.Clone(accounts)
	for i := range accounts {
		a := &accounts[i]
		a.From, a.To = cmp.Or(a.From, r.From), cmp.Or(a.To, r.To)
		if names[a.Name] {
			return nil, fmt.Errorf("the account %s is named twice", a.Name)
		}
		if store.IsArchive(a.Name) {
			return nil, fmt.Errorf("the account %s is an archive, and is not traded", a.Name)
		}
		names[a.Name] = true
		if err := r.addDays(periods, a); err != nil {
			return nil, err
		}
	}
	if err := r.checkSettings(ctx, accounts); err != nil {
		return nil, err
	}
	results := make([]Result, len(accounts))
	seats := semaphore.NewWeighted(int64(cmp.Or(r.Parallel, defaultParallel)))
	if r.Lockstep {
		for _, d := range periods {
			d.barrier = newBarrier(d.accounts, len(d.stamps))
		}
	}
	var wait sync.WaitGroup
	for i, a := range accounts {
		wait.Go(func() {
			d := periods[periodOf(a)]
			run := accountRun{Runner: r, account: a, days: d.stamps, seats: seats, barrier: d.barrier}
			err := run.run(ctx)
			d.barrier.end(run.completedDays, len(d.stamps))
			results[i] = run.result(context.WithoutCancel(ctx), err)
			if r.Ended != nil {
				r.Ended(results[i])
			}
		})
	}
	wait.Wait()
	return results, nil
}

// Turn takes one account on, up to and with its day of a number from 1 on, or with 0 to the end. done is how many days it is through
// with. ended tells that it came to its end; the result is then there, as it is with an error.
func (r *Runner) Turn(ctx context.Context, a Account, until int) (done int, ended bool, result Result, err error) {
	a.From, a.To = cmp.Or(a.From, r.From), cmp.Or(a.To, r.To)
	days, err := a.Days(r.Prices)
	run := accountRun{Runner: r, account: a, days: days, seats: semaphore.NewWeighted(1), until: until}
	if err == nil {
		err = run.run(ctx)
	}
	if err == nil && run.completedDays < len(days) && (until == 0 || run.completedDays < until) {
		run.completedDays = len(days) // a recording that ended
	}
	if ended = err == nil && run.completedDays == len(days); ended || err != nil {
		result = run.result(context.WithoutCancel(ctx), err)
	}
	return run.completedDays, ended, result, err
}

// NoDaysError says that the prices have no trading day for a run.
type NoDaysError struct{ From, To market.Stamp }

func (e *NoDaysError) Error() string {
	return fmt.Sprintf("the prices have no trading day after %s up to %s", e.From, e.To)
}

// period is the dates of an account.
type period struct {
	from, to market.Stamp
	skipped  string // days, one behind another
}

func periodOf(a Account) period { return period{a.From, a.To, fmt.Sprint(a.Skip)} }

// days are the trading days of the accounts of a period, which are in lockstep with each other alone.
type days struct {
	stamps   []market.Stamp
	accounts int
	barrier  *barrier // nil unless they are in lockstep
}

// addDays counts an account of a period.
func (r *Runner) addDays(periods map[period]*days, a *Account) error {
	p := periodOf(*a)
	if periods[p] == nil {
		stamps, err := a.Days(r.Prices)
		if err != nil {
			return err
		}
		periods[p] = &days{stamps: stamps}
	}
	periods[p].accounts++
	return nil
}

// Days are the trading days of an account, without those that it passes over. Without any it is a *[NoDaysError].
func (a Account) Days(prices *market.Prices) ([]market.Stamp, error) {
	stamps, err := Days(prices, a.From, a.To)
	if err != nil || len(a.Skip) == 0 {
		return stamps, err
	}
	stamps = slices.DeleteFunc(stamps, func(d market.Stamp) bool { return slices.Contains(a.Skip, d) })
	if len(stamps) == 0 {
		return nil, &NoDaysError{a.From, a.To}
	}
	return stamps, nil
}

// Days are the trading days of a run, or the hours where the prices have hours: those after from, up to to. From a day on, that is from the
// next day on; from a moment on, from the next stamp on.
func Days(prices *market.Prices, from, to market.Stamp) ([]market.Stamp, error) {
	stamps, err := prices.Stamps(from, to)
	if err != nil {
		return nil, err
	}
	stamps = slices.DeleteFunc(stamps, func(d market.Stamp) bool { return d <= from || from.IsDay() && d.Day() == from })
	if len(stamps) == 0 {
		return nil, &NoDaysError{from, to}
	}
	return stamps, nil
}
