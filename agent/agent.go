// Package agent is the contract between the runner, which takes accounts through the trading days, and whoever decides what
// an account trades. It holds no logic: the runner is in agent/runner, strategies are in agent/decide, and language models in
// agent/llm. None of the three knows another.
package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/rs/zerolog"

	"mcp-trade/agent/transcript"
	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// Decider decides for accounts. It is shared by those that trade side by side and holds nothing of any of them.
type Decider interface {
	// Open begins with an account, on the first day that this process trades it. own is the account's MCP server.
	Open(ctx context.Context, account string, own Server) (Trader, error)
}

// Trader decides for one account, one day after another, on one goroutine.
type Trader interface {
	// Decide trades a day. When it is asked about the same day again, after an interruption, it must do the same again. An
	// error stops the account in the middle of the day; but see [HaltedError] and [ErrRecordingEnds].
	Decide(ctx context.Context, d *Day) error
	// Close ends what Open began.
	io.Closer
}

// DeciderFunc is a decider that keeps nothing from one day to the next, and its own trader.
type DeciderFunc func(context.Context, *Day) error

// Open returns f.
func (f DeciderFunc) Open(context.Context, string, Server) (Trader, error) { return f, nil }

// Decide calls f.
func (f DeciderFunc) Decide(ctx context.Context, d *Day) error { return f(ctx, d) }

// Close does nothing.
func (f DeciderFunc) Close() error { return nil }

// Day is a trading day of an account: what is known of it when it begins, and what can be done on it. Nothing later can be
// seen in it.
type Day struct {
	Account string
	Date    market.Stamp
	Number  int            // of trading days before it in this run
	Before  string         // hash of the account's newest row before the day
	Book    ledger.Book    // after what happened to the account since then, and before it trades on the day
	Rules   ledger.Rules   // of the account
	Market  market.View    // as of the day
	Halted  bool           // HALT was set when the day began
	Log     zerolog.Logger // names account and date
	Broker
}

// Broker is what the runner does for a trader on a day.
type Broker interface {
	// Order sends an order and reports whether it was filled, or waits. A refusal is no error; what keeps orders from being judged is.
	// Calling it in the same way after an interruption sends nothing twice.
	Order(ctx context.Context, action ledger.Action, symbol string, amount decimal.Decimal) (accepted bool, err error)
	// Skip stands for an order that is not sent since it would be refused. Those after it have the ids that they would have had.
	Skip()
	// Call calls a tool of the account's server. An order has the argument order_id, by which it is known again, and is awaited
	// whatever becomes of ctx. An error says that the tool's answer is unknown, or tells nothing of what was asked.
	Call(ctx context.Context, tool string, arguments map[string]json.RawMessage) (Answer, error)
	// Journal is the day's transcript, opened or begun when it is first asked for. The runner closes it.
	Journal() (*transcript.Journal, error)
	// Spent is what was spent on the days before.
	Spent() transcript.Spending
	// Trades are the newest orders that were filled on the days before, at most limit of them, the newest first.
	Trades(ctx context.Context, limit int) ([]ledger.Record, error)
	// Standing is what the account has now.
	Standing(ctx context.Context) (Standing, error)
	// Caveat keeps what a reader of the account's results must know, in place of what was kept before; "" is nothing.
	Caveat(text string)
	// Step tells whoever watches how far the day is. The account and the date are filled in.
	Step(Step)
}

// Answer is what a tool of the account's server says.
type Answer struct {
	Text   string    // as it was when an order was filled for the first time, even if it is repeated
	Failed bool      // the tool refused, or the call was wrong
	Code   code.Code // why it failed
	Limit  string    // which limit it would have exceeded, "" for none
	Filled bool      // an order is in the ledger
	Placed bool      // an order is in the ledger and filled nothing: it waits, or it ended one that waits
}

// Standing is what an account has on a day.
type Standing struct {
	Book  ledger.Book
	Value ledger.Valuation // after the close of the day, before it at the hour's opens
}

// Step is how far a trader that takes steps is on a day.
type Step struct {
	Account string
	Date    market.Stamp
	Step    int
	Action  string // what it did last
	Tokens  int    // on that day
	Cost    *decimal.Decimal
}

// Server is an account's MCP server, as far as it says what there is to do. What is done goes through the day's [Broker].
type Server interface {
	// Tools lists the tools.
	Tools(ctx context.Context) ([]mcp.Tool, error)
	// Prompt reads a prompt that takes no arguments.
	Prompt(ctx context.Context, name string) (string, error)
}

// HaltedError says that HALT is set.
type HaltedError struct {
	Account string
	Ended   bool // the day under way was ended by it, in good order; else it was not begun
}

func (e *HaltedError) Error() string { return "trading is halted" }

// ErrRecordingEnds says that there is nothing more to repeat: the recorded run stopped in the middle of the day, or before it.
// The account then stops without a mistake.
var ErrRecordingEnds = errors.New("the recording ends here")
