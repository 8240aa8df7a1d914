// What the runner does for a decider on a day.

package runner

import (
	"context"
	"encoding/json"
	"fmt"

	"mcp-trade/agent"
	"mcp-trade/agent/transcript"
	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/store"
)

// orderID is the argument by which an order is known again.
const orderID = "order_id"

// broker is the [agent.Broker] of a day.
type broker struct {
	run     *accountRun
	day     agent.Day
	orders  int             // of Order and Skip so far
	filled  map[string]bool // orders, by id
	settled int             // orders of earlier days that were filled when the day began
	journal *transcript.Journal
}

// Order sends an order. Its id is made of the date and its number.
func (b *broker) Order(ctx context.Context, action ledger.Action, symbol string, amount decimal.Decimal) (accepted bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	b.orders++
	id := fmt.Sprintf("%s#%d", b.day.Date, b.orders)
	if _, refused := b.run.checkpoint.Refused[id]; refused {
		return false, nil
	}
	a, answer, err := b.send(ctx, string(action), map[string]json.RawMessage{
		"symbol": quoted(symbol), "amount": json.RawMessage(amount.String()), orderID: quoted(id),
	})
	if err == nil && !answer.Filled && !answer.Placed && !a.judged() {
		err = haltedFault{a.fault(), b.day.Account}
	}
	if err != nil {
		return false, fmt.Errorf("%s %s %s: %w", action, amount, symbol, err)
	}
	if answer.Filled || answer.Placed {
		b.count(id, answer.Filled, false, "", "")
		return true, nil
	}
	b.run.checkpoint.refuse(id, answer.Code.For(answer.Limit))
	return false, b.run.saveCheckpoint(context.WithoutCancel(ctx))
}

// haltedFault is a halt in the words of the server. It says nothing of the order.
type haltedFault struct {
	error
	account string
}

// Unwrap is what it is to a program.
func (f haltedFault) Unwrap() error { return &agent.HaltedError{Account: f.account} }

// Skip takes the number of an order.
func (b *broker) Skip() { b.orders++ }

// quoted is a string as JSON.
func quoted(s string) json.RawMessage {
	text, _ := json.Marshal(s) // a string always encodes
	return text
}

// Call calls a tool. Of an order it is counted what it came to.
func (b *broker) Call(ctx context.Context, tool string, arguments map[string]json.RawMessage) (agent.Answer, error) {
	_, answer, err := b.send(ctx, tool, arguments)
	if err != nil {
		return agent.Answer{}, fmt.Errorf("%s: %w", tool, err)
	}
	var id string
	if json.Unmarshal(arguments[orderID], &id) == nil {
		b.count(id, answer.Filled, answer.Failed, answer.Code, answer.Limit)
	}
	return answer, nil
}

// send calls a tool and reads the answer. One that says nothing about what was asked is an error, but for a halt.
func (b *broker) send(ctx context.Context, tool string, arguments map[string]json.RawMessage) (toolAnswer, agent.Answer, error) {
	_, order := arguments[orderID]
	if order {
		ctx = context.WithoutCancel(ctx) // an order that was sent is awaited
	}
	text, failed, err := b.run.server.Call(ctx, tool, arguments)
	if err != nil {
		return toolAnswer{}, agent.Answer{}, err
	}
	a := readAnswer(text)
	answer := agent.Answer{Text: text, Failed: failed || a.Code != "", Code: a.Code}
	if a.Code == code.LimitExceeded {
		answer.Limit = a.Limit
	}
	answer.Filled = order && !answer.Failed && a.Status == ledger.Filled
	answer.Placed = order && !answer.Failed && (a.Status == ledger.Pending || a.Status == ledger.Cancelled)
	switch {
	case answer.Filled, answer.Placed:
		err = a.checkFill(b.day.Date)
		answer.Text = firstTime(text)
	case answer.Failed && !a.judged() && a.Code != code.Halted,
		order && !answer.Failed && a.Status != ledger.DryRun:
		err = a.fault()
	}
	return a, answer, err
}

// count counts an order. That of an id is counted once.
func (b *broker) count(id string, filled, failed bool, why code.Code, limit string) {
	switch {
	case filled:
		b.filled[id] = true
	case failed && why != code.Halted:
		b.run.checkpoint.refuse(id, why.For(limit))
	}
}

// Journal opens the day's transcript.
func (b *broker) Journal() (*transcript.Journal, error) {
	if b.journal != nil {
		return b.journal, nil
	}
	var err error
	b.journal, err = transcript.Open(context.Background(), b.run.Runs, b.run.lease.Fence(), b.day.Account, b.day.Date, b.run.Now)
	return b.journal, err
}

// settle counts what the transcript tells of the day, before an interruption too, and closes it.
func (b *broker) settle() error {
	if b.journal == nil {
		return nil
	}
	b.run.today = transcript.SpendingOf(b.journal.Entries)
	for _, e := range b.journal.Entries {
		if o := e.Result; o != nil && o.OrderID != "" {
			b.count(o.OrderID, o.Filled, o.Failed, o.Code, o.Limit)
		}
	}
	return b.journal.Close()
}

// Spent is what was spent on the days before.
func (b *broker) Spent() transcript.Spending { return b.run.checkpoint.Spent }

// Trades are the newest ones of the days before.
func (b *broker) Trades(ctx context.Context, limit int) ([]ledger.Record, error) {
	trades, _, err := b.run.accounts.Trades(ctx, b.day.Account, b.run.before(b.day.Number), store.MaxID, limit)
	return trades, err
}

// Standing is what the account has now.
func (b *broker) Standing(ctx context.Context) (agent.Standing, error) {
	book, err := b.run.accounts.Book(ctx, b.day.Account, b.day.Date)
	if err != nil {
		return agent.Standing{}, err
	}
	value, err := b.run.worth(book, b.day.Rules, b.day.Number)
	return agent.Standing{Book: book, Value: value}, err
}

// Caveat is saved with the day.
func (b *broker) Caveat(text string) { b.run.checkpoint.Caveat = text }

// Step tells how far the day is.
func (b *broker) Step(s agent.Step) {
	s.Account, s.Date = b.day.Account, b.day.Date
	b.run.Steps(s)
}
