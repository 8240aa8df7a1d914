// Package agent is the trader: it walks accounts through the trading days, each through an MCP server of its own that it
// launches as a subprocess, and lets a decider trade there.
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
package agent

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"

	"mcp-trade/internal/files"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
)

// Account is one account to run.
type Account struct {
	Name    string // its signature, and the model id of its session
	Decider Decider
	Spec    string // of the decider, as DECIDER[:ARG], or [LLMDecider]
}

// ParseAccount reads an account written as NAME=DECIDER or NAME=DECIDER:ARG.
func ParseAccount(text string) (Account, error) {
	name, spec, ok := strings.Cut(text, "=")
	if !ok {
		return Account{}, fmt.Errorf("%q is not NAME=DECIDER[:ARG]", text)
	}
	d, err := NewDecider(spec)
	return Account{name, d, spec}, err
}

// Runner runs accounts over the trading days of the prices.
type Runner struct {
	Prices   *market.Prices
	Accounts *ledger.Accounts
	Session  func(model string) (*session.Layers, error)
	Server   func(model string) Command // how to launch the MCP server of a model
	Stderr   io.Writer                  // takes what the servers log
	LogPath  string                     // folder of the checkpoints: {LogPath}/{account}/run.json
	Files    files.Access               // who may use what is written there
	Runs     map[string]RunRecord       // what the manifest is to say of each account; none of those that are not in it

	From, To market.Stamp    // accounts are opened on From; trading begins on the next trading day and ends with To
	Cash     decimal.Decimal // to open accounts with

	Parallel int  // how many accounts trade at once; 0: 16
	Lockstep bool // no account begins a day before all have ended the day before

	Progress func(Progress) // is told of each day that an account completed; may be called from several goroutines
	Steps    func(StepDone) // is told of each turn of a language model, likewise
	Log      zerolog.Logger
}

// Command launches a subprocess. Its arguments and environment may hold secrets.
type Command struct {
	Path string   `json:"path"`
	Args []string `json:"-"`
	Env  []string `json:"-"` // in addition to that of this process
}

// Progress is how far an account is.
type Progress struct {
	Account  string
	Done, Of int // trading days
	Date     market.Stamp
	Trades   int // on that day
	Refused  int // on that day

	Value decimal.NullDecimal // after the close of that day, before it at the hour's opens; null if a holding has no price
}

// StepDone is how far a language model is on a day.
type StepDone struct {
	Account string
	Date    market.Stamp
	Step    int
	Action  string // what it did last
	Tokens  int    // on that day
	Cost    *decimal.Decimal
}

// Result is what became of an account.
type Result struct {
	Account  string              `json:"account"`
	Days     int                 `json:"days"`    // completed
	Trades   int                 `json:"trades"`  // in the ledger
	Refused  int                 `json:"refused"` // orders
	Cash     decimal.Decimal     `json:"cash"`
	Value    decimal.NullDecimal `json:"value"`    // after the close of its last day; null if a holding never had a close
	Return   decimal.NullDecimal `json:"return"`   // value over the money that the account was opened with, less 1
	Stale    ledger.StaleCloses  `json:"stale"`    // holdings that the value counts at a close of an earlier trading day
	Unpriced []string            `json:"unpriced"` // holdings that never had a close
	Head     string              `json:"head"`     // of the ledger, see [ledger.Report]
	Verified bool                `json:"verified"`
	Verdict  ledger.Verdict      `json:"verdict"`
	Reasons  []string            `json:"reasons"`         // unless it is verified
	Findings []ledger.Finding    `json:"findings"`        // the first ones
	Spent    *Spending           `json:"spent,omitempty"` // by a language model
	Error    string              `json:"error,omitempty"` // why the account did not come to the end

	Failed bool  `json:"-"` // the ledger cannot be read, or has what it must not have
	Err    error `json:"-"`
}

// defaultParallel bounds how many accounts trade side by side. In lockstep the others wait with their servers running.
const defaultParallel = 16

// Run runs the accounts side by side and returns one result for each. Accounts that exist go on after their last complete
// day. When ctx is done no further order is sent; the one under way is awaited.
func (r *Runner) Run(ctx context.Context, accounts []Account) ([]Result, error) {
	days, err := r.days()
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, a := range accounts {
		if names[a.Name] {
			return nil, fmt.Errorf("the account %s is named twice", a.Name)
		}
		names[a.Name] = true
	}
	results := make([]Result, len(accounts))
	seats := make(seats, cmp.Or(r.Parallel, defaultParallel))
	var pace *lockstep
	if r.Lockstep {
		pace = newLockstep(len(accounts), len(days))
	}
	var wait sync.WaitGroup
	for i, a := range accounts {
		wait.Go(func() {
			w := walk{Runner: r, account: a, days: days, seats: seats, pace: pace}
			err := w.run(ctx)
			pace.end(w.through, len(days))
			results[i] = w.result(context.WithoutCancel(ctx), err)
		})
	}
	wait.Wait()
	return results, nil
}

// days are the trading days of the run: those after From, up to To.
func (r *Runner) days() ([]market.Stamp, error) {
	days, err := r.Prices.Stamps(r.From, r.To)
	if err != nil {
		return nil, err
	}
	days = slices.DeleteFunc(days, func(d market.Stamp) bool { return d.Day() <= r.From.Day() })
	if len(days) == 0 {
		return nil, fmt.Errorf("the prices have no trading day after %s up to %s; 'mcp-trade prices info' tells which they have", r.From, r.To)
	}
	return days, nil
}
