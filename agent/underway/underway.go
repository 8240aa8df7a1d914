// Package underway tells how runs stand, from outside: who trades an account, how far it is, what it cost, what it waits for, why it
// stopped. It reads what runs leave in the store, so that it knows those on other machines too, and writes nothing. Its files:
//
//	underway.go  what is told
//	watch.go     looking at all accounts, again and again
//	queue.go     where accounts are in the queue of runs
//	account.go   what is known of one account
//	state.go     what follows from it
package underway

import (
	"time"

	"mcp-trade/decimal"
	"mcp-trade/market"
)

// State is what is done with an account.
type State string

const (
	Trading State = "trading" // a run has it
	Waiting State = "waiting" // for a worker, or for the next day of the market
	Paused  State = "paused"  // its run in the queue is
	Stopped State = "stopped" // nobody has it, and it has days to come
)

// Runs are the accounts whose runs are under way, or ended before their last day.
type Runs struct {
	Halted   bool      `json:"halted"`           // trading is halted for all models
	Accounts []Account `json:"accounts"`         // by name
	Unread   string    `json:"unread,omitempty"` // why it is not known what waits in the queue, or what is halted: untrusted text
}

// Account is how the run of an account stands. Money is in the currency of the prices of tokens.
type Account struct {
	Account string       `json:"account"`
	State   State        `json:"state"`
	Why     string       `json:"why,omitempty"`  // why it stopped, or what it waits for, in a sentence: untrusted text
	Day     int          `json:"day"`            // of the trading days of the run, from 1 on; 0: none has begun
	Days    int          `json:"days,omitempty"` // 0: nobody knows, since the run follows the market
	Date    market.Stamp `json:"date,omitempty"` // of that day

	Turn int    `json:"turn,omitempty"` // of the model on that day, from 1 on; 0 without a model, and before the first
	Tool string `json:"tool,omitempty"` // that it called last on that day

	Refused      int `json:"refused"`       // orders, on all days
	RefusedToday int `json:"refused_today"` // of them, on that day

	Cost        *decimal.Decimal `json:"cost,omitempty"`         // of the model so far; nil: no model, or the prices of tokens are not known
	CostToday   *decimal.Decimal `json:"cost_today,omitempty"`   // of it, on that day
	Budget      *decimal.Decimal `json:"budget,omitempty"`       // of the account; nil: no bound
	DayBudget   *decimal.Decimal `json:"day_budget,omitempty"`   // of a day; nil: no bound
	TotalCost   *decimal.Decimal `json:"total_cost,omitempty"`   // of all accounts that share a budget; nil: they share none
	TotalBudget *decimal.Decimal `json:"total_budget,omitempty"` // likewise

	Trader string    `json:"trader,omitempty"` // who has the account: a process and its machine
	Since  time.Time `json:"since,omitzero"`
	Run    string    `json:"run,omitempty"` // in the queue

	Halted  bool         `json:"halted,omitempty"`  // trading is halted for the account
	Next    market.Stamp `json:"next,omitempty"`    // the day of the market that it waits for
	Opens   time.Time    `json:"opens,omitzero"`    // when that day opens
	Without []string     `json:"without,omitempty"` // symbols without whose prices the day is traded
	Notes   []string     `json:"notes,omitempty"`   // of the newest days that were traded late, without prices or not at all, in sentences: untrusted text
}
