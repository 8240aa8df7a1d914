// The accounts in a store: opening one, committing orders to it, reading it as of a date.

package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/internal/lru"
	"mcp-trade/internal/pause"
	"mcp-trade/market"
	"mcp-trade/store"
)

// Accounts commits orders to the ledgers of a store and reads them. It is safe for concurrent use, and any number of
// processes may commit to the same ledgers.
type Accounts struct {
	ledgers store.Ledgers
	fence   store.Fence // 0: of no run
	limits  AccountLimits

	heads *lru.Cache[Book] // the newest book seen of each account
}

// keptHeads bounds how many accounts' newest books are kept.
const keptHeads = 256

// NewAccounts returns the accounts whose ledgers a store keeps.
func NewAccounts(ledgers store.Ledgers) *Accounts {
	return &Accounts{ledgers: ledgers, heads: lru.New[Book](keptHeads, nil)}
}

// Under returns the accounts as a run commits to them under its lease.
func (a *Accounts) Under(lease store.Fence) *Accounts {
	return &Accounts{ledgers: a.ledgers, fence: lease, limits: a.limits, heads: lru.New[Book](keptHeads, nil)}
}

// Limited returns the accounts as they are traded under limits.
func (a *Accounts) Limited(l AccountLimits) *Accounts {
	return &Accounts{ledgers: a.ledgers, fence: a.fence, limits: l, heads: lru.New[Book](keptHeads, nil)}
}

// Limits are those that an account is traded under.
func (a *Accounts) Limits(account string) Limits { return a.limits.Of(account) }

// Fill is the result of an order.
type Fill struct {
	Record
	Replayed bool     // the order was committed earlier; Record is what it did then
	Settled  []Record // the events that were due before it, as far as this call committed them
}

// Submit evaluates an order at the open of the view's bar, and commits it under the guards. The events that are due come first, see
// [Accounts.Settle]. If another commit comes in between, Submit evaluates the order again on the newer book.
//
// An order with an id that the ledger holds already changes nothing: the first result is returned if it was the same
// order, at the same stamp. Errors: *[Refusal], *[UnknownRulesError], the price errors of [market.View],
// *[market.FeeUnknownError], [store.ErrSessionChanged], *[store.LeasedError], [store.ErrLeaseLost], *[store.UnreachableError].
func (a *Accounts) Submit(ctx context.Context, account string, o Order, v market.View, guards ...store.Guard) (Fill, error) {
	o, err := a.forValue(ctx, account, o, v)
	if err != nil {
		return Fill{}, err
	}
	judge := func(book Book, r Rules) (Record, error) { return evaluate(book, o, v, r) }
	return a.commit(ctx, account, o, v, judge, guards)
}

// Preview evaluates an order as Submit does and commits nothing.
func (a *Accounts) Preview(ctx context.Context, account string, o Order, v market.View) (Record, error) {
	o, err := a.forValue(ctx, account, o, v)
	if err != nil {
		return Record{}, err
	}
	book, err := a.Head(ctx, account)
	if err != nil {
		return Record{}, err
	}
	rules, err := a.rules(ctx, account, &book)
	if err != nil {
		return Record{}, err
	}
	for {
		event, due, err := nextEvent(book, v, rules)
		if err != nil {
			return Record{}, err
		}
		if !due {
			return evaluate(book, o, v, rules)
		}
		book = event.book(event.Line())
	}
}

// forValue returns an order for a sum of money with its amount at the view's quote: as much as the money buys with the costs, or the most
// that is worth no more in a sale. The amount rests on the quote and the rules alone, so a repeated order has the same.
func (a *Accounts) forValue(ctx context.Context, account string, o Order, v market.View) (Order, error) {
	if !o.Value.Valid {
		return o, nil
	}
	r, err := a.Rules(ctx, account)
	if err != nil {
		return o, err
	}
	q, unknown := r.view(v).Quote(o.Symbol)
	if err := r.Admit(q.Symbol, q.Market); err != nil {
		return o, err
	}
	if unknown != nil {
		return o, unknown
	}
	q.Price = o.expected(q.Price)
	price, err := r.price(o, q)
	if err != nil {
		return o, err
	}
	o.Amount, err = r.amountFor(o, q, price)
	return o, err
}

// CloseDay commits a no_trade record of the view's date unless the account has a record of that date, other than its first and corporate
// actions, or of a later one. The events that are due come first.
func (a *Accounts) CloseDay(ctx context.Context, account string, v market.View) error {
	errClosed, date := errors.New("the day has a record"), v.AsOf()
	_, err := a.commit(ctx, account, Order{}, v, func(book Book, _ Rules) (Record, error) {
		if book.Date > date || book.Date == date && book.ID > 0 && book.newest.phase != action {
			return Record{}, errClosed
		}
		return noTrade(book, date), nil
	}, nil)
	if errors.Is(err, errClosed) {
		return nil
	}
	return err
}

// Opening is the first record of an account that is opened with cash, under the [DefaultRules].
func Opening(cash decimal.Decimal, date market.Stamp) Record {
	return DefaultRules().Opening(cash, date)
}

// Opening is the first record of an account that is opened with cash under the rules.
func (r Rules) Opening(cash decimal.Decimal, date market.Stamp) Record {
	return Record{Date: date, Positions: Positions{{Cash, cash}}, Rules: r.text()}
}

// Register opens an account with cash, under the [DefaultRules]. A signature that has a ledger is a *[RegisteredError].
func (a *Accounts) Register(ctx context.Context, account string, cash decimal.Decimal, date market.Stamp) (Record, error) {
	return a.RegisterUnder(ctx, account, cash, date, DefaultRules())
}

// RegisterUnder is Register under other rules.
func (a *Accounts) RegisterUnder(ctx context.Context, account string, cash decimal.Decimal, date market.Stamp, r Rules) (Record, error) {
	rec := r.Opening(cash, date)
	return rec, a.Open(ctx, account, rec)
}

// Open opens an account with its first record. A signature that has a ledger is a *[RegisteredError].
func (a *Accounts) Open(ctx context.Context, account string, first Record) error {
	if first.Cash().IsNegative() {
		return fmt.Errorf("an account cannot be opened with %s of cash; use 0 or more", first.Cash())
	}
	err := a.ledgers.Append(ctx, store.Commit{Account: account, Entry: first.entry(), Line: first.Line(), Fence: a.fence})
	if errors.Is(err, store.ErrConflict) {
		return &RegisteredError{account}
	}
	return err
}

// RegisteredError says that an account exists already.
type RegisteredError struct{ Account string }

func (e *RegisteredError) Error() string {
	return fmt.Sprintf("the account %s is registered already", e.Account)
}

// maxTries bounds how often one order is evaluated. Each conflict means that another order was committed, so some account order
// always makes progress.
const maxTries = 500

// commit appends the events that are due as of the view, and then the record that evaluate makes of the newest book.
//
// The first try uses the cached book of the last commit in this process and does not read the ledger: if the book is out of date,
// the append conflicts. A refusal is final only on a book that was just read.
func (a *Accounts) commit(ctx context.Context, account string, o Order, v market.View, evaluate func(Book, Rules) (Record, error), guards []store.Guard) (done Fill, err error) {
	book, known := a.heads.Get(account)
	for try := 0; try < maxTries; try++ {
		fresh := !known || try > 0
		if fresh {
			head, ordered, err := a.ledgers.Head(ctx, account, o.ID)
			if err != nil {
				return done, err
			}
			if ordered != nil {
				return done.replay(ordered, o, v.AsOf())
			}
			if book, err = parseHead(account, head); err != nil {
				return done, err
			}
		}
		rules, err := a.rules(ctx, account, &book)
		if err != nil {
			return done, err
		}
		rec, due, err := nextEvent(book, v, rules)
		if err == nil && !due {
			rec, err = evaluate(book, rules)
		}
		if err == nil {
			rec, err = rules.counted(book, rec, v)
		}
		if err != nil && !fresh {
			continue
		}
		if err != nil {
			return done, err
		}
		err = a.append(ctx, account, book, rec, due, guards)
		var used *store.UsedError
		switch {
		case err == nil && due:
			done.Settled = append(done.Settled, rec)
			book, known = a.heads.Get(account)
			try = -1 // this was another order's turn
			continue
		case err == nil:
			done.Record = rec
			return done, nil
		case errors.As(err, &used):
			return done.replay(used.Line, o, v.AsOf())
		case !errors.Is(err, store.ErrConflict):
			a.heads.Delete(account)
			return done, err
		}
		if err := yield(ctx, try); err != nil {
			return done, err
		}
	}
	return done, &store.UnreachableError{
		Engine: "ledger", Doing: "commit", Err: fmt.Errorf("other orders on the account %s came first %d times", account, maxTries),
	}
}

// append commits the record that follows book. The account's next order can be evaluated on it as soon as its line has its
// place; neither order is acknowledged before its line is durable.
// An event gives its place to nobody: the order that it came before is still to be evaluated.
func (a *Accounts) append(ctx context.Context, account string, book Book, rec Record, event bool, guards []store.Guard) error {
	line, placed := rec.Line(), false
	next := rec.book(line)
	next.Rules = cmp.Or(next.Rules, book.Rules)
	if !rec.Traded() {
		guards = unmarked(guards)
	}
	c := store.Commit{Account: account, After: book.Line, Entry: rec.entry(), Line: line, Guards: guards, Fence: a.fence}
	if waiting, ok := ctx.Value(placedKey{}).(func() int); ok && !event {
		c.Placed = func() int {
			placed = true
			a.heads.Put(account, next)
			return waiting()
		}
	}
	err := a.ledgers.Append(ctx, c)
	if err == nil && !placed {
		a.heads.Put(account, next)
	}
	return err
}

// unmarked are the guards of a record that is no trade: the session is proved, and the mark of a trade is not set in it.
func unmarked(guards []store.Guard) []store.Guard {
	guards = slices.Clone(guards)
	for i := range guards {
		guards[i].Update = nil
	}
	return guards
}

// rules returns the rules that follow a book, and notes them in it. They stand in its record, else they are those that were
// seen with an earlier record, else those of the first one: no version so far changes them in between.
func (a *Accounts) rules(ctx context.Context, account string, book *Book) (Rules, error) {
	if seen, ok := a.heads.Get(account); ok && seen.ID <= book.ID {
		book.Rules = cmp.Or(book.Rules, seen.Rules)
	} else if book.Rules == "" {
		first, err := a.First(ctx, account)
		if err != nil {
			return Rules{}, err
		}
		book.Rules = first.Rules
		if book.Rules == "" {
			book.Rules = unstated(book.Positions).text()
		}
	}
	r, err := ParseRules(book.Rules)
	r.limits = a.limits.Of(account)
	return r, err
}

// Rules returns the rules that an account is kept under.
func (a *Accounts) Rules(ctx context.Context, account string) (Rules, error) {
	book, err := a.Head(ctx, account)
	if err != nil {
		return Rules{}, err
	}
	return a.rules(ctx, account, &book)
}

type placedKey struct{}

// WithPlaced returns a context in which Submit calls placed once its order has its place in the ledger and before it is
// durable: the account's next order may then be submitted, and comes after it. placed returns how many orders wait, so
// that a store can make their lines durable together.
func WithPlaced(ctx context.Context, placed func() (waiting int)) context.Context {
	return context.WithValue(ctx, placedKey{}, placed)
}

// evaluate applies an order at the view's quote. It checks the order itself first, then the symbol, then the book.
func evaluate(book Book, o Order, v market.View, rules Rules) (Record, error) {
	quote, unknown := rules.view(v).Quote(o.Symbol)
	o.Symbol = quote.Symbol
	if err := rules.Admit(o.Symbol, quote.Market); err != nil {
		return Record{}, err
	}
	if o.All {
		var err error
		if o, err = (Attempt{o, book, quote, rules}).ofAll(); err != nil {
			return Record{}, err
		}
	}
	if err := rules.Check(o); err != nil {
		return Record{}, err
	}
	if o.waits(rules) {
		return (Attempt{o, book, quote, rules}).waiting(v, unknown)
	}
	if err := (Attempt{o, book, quote, rules}).refused(beforePrice); err != nil {
		return Record{}, err
	}
	if unknown != nil {
		return Record{}, unknown
	}
	return (Attempt{o, book, quote, rules}).now(v)
}

// replay answers an order whose id is in the ledger with the first result, if it is the order that had it. An order id
// belongs to the stamp at which it was used: at a later stamp, the same order is a new one and needs a new id.
func (f Fill) replay(line []byte, o Order, at market.Stamp) (Fill, error) {
	first, err := ParseLine(line)
	if err != nil {
		return f, err
	}
	if at < first.Date {
		return f, dateBackwards(at, first.Date, "a record", "record")
	}
	used := fmt.Sprintf("%s %s %s on %s", first.Action, first.Amount, first.Symbol, first.Date)
	details := map[string]any{"order_id": o.ID, "first": map[string]any{"id": first.ID, "action": first.Action, "symbol": first.Symbol, "amount": first.Amount, "date": first.Date}}
	switch {
	case !first.did(o):
		return f, &Refusal{
			code.OrderIDReused, fmt.Sprintf("The order id %q belongs to another order: %s. Use a new order id for a new order.", o.ID, used), details,
		}
	case at != first.Date:
		return f, &Refusal{
			code.OrderIDReused, fmt.Sprintf("The order id %q was used before today: %s. Today is %s. Use a new order id for a new order.", o.ID, used, at), details,
		}
	}
	f.Record, f.Replayed = first, true
	return f, nil
}

// did tells whether the record is what an order did.
func (r Record) did(o Order) bool {
	if o.Action == Cancel {
		return r.Action == Cancel && r.Of == o.of
	}
	side, waits := r.Action, r.Type != ""
	if r.Action == Place {
		side = r.Side
	}
	if waits || o.Type == LimitOrder || o.Type == StopOrder {
		if t := o.inFull(); t.Type != r.Type || t.Until != r.Until || !t.Limit.Equal(r.Limit) || !t.Stop.Equal(r.Stop) {
			return false
		}
	}
	return side == o.Action && sameSymbol(r.Symbol, o.Symbol) && (r.Amount.Equal(o.Amount) || o.All) // how much was all is not in the record
}

func parseHead(account string, head []byte) (Book, error) {
	if head == nil {
		return Book{}, notRegistered(account)
	}
	b, err := ParseBook(head)
	if err != nil {
		return Book{}, damaged(account, head, err)
	}
	return b, nil
}

func notRegistered(account string) error {
	return &Refusal{
		code.NotRegistered,
		fmt.Sprintf("The account %s is not registered.", account),
		map[string]any{"signature": account},
	}
}

// damaged says which row of an account's ledger cannot be read.
func damaged(account string, line []byte, err error) error {
	row := "a row"
	if e, err := store.ReadEntry(line); err == nil {
		row = fmt.Sprintf("row %d", e.ID)
	}
	return &store.UnreachableError{
		Engine: "ledger", Doing: "read",
		Err: &store.DamagedError{Account: account, Err: fmt.Errorf("%s of %s is damaged (%w)", row, account, err)},
	}
}

// yield waits a random time that grows with the tries, so that other committers of a busy ledger come first.
func yield(ctx context.Context, try int) error {
	return pause.For(ctx, rand.N(time.Duration(min(try+1, 20))*200*time.Microsecond))
}

// Head returns the newest book of an account. An account without a ledger is a *[Refusal] with the code [code.NotRegistered].
func (a *Accounts) Head(ctx context.Context, account string) (Book, error) {
	head, _, err := a.ledgers.Head(ctx, account, "")
	if err != nil {
		return Book{}, err
	}
	return parseHead(account, head)
}

// First returns the record that an account was opened with. An account without a ledger is a *[Refusal] with the code
// [code.NotRegistered].
func (a *Accounts) First(ctx context.Context, account string) (Record, error) {
	for line, err := range a.ledgers.Lines(ctx, account) {
		if err != nil {
			return Record{}, err
		}
		first, err := ParseLine(line)
		if err != nil {
			return Record{}, damaged(account, line, err)
		}
		return first, nil
	}
	return Record{}, notRegistered(account)
}

// Book returns the account as of a stamp: its newest record dated then or earlier. An account that was opened later
// is not registered.
func (a *Accounts) Book(ctx context.Context, account string, asOf market.Stamp) (Book, error) {
	book, err := a.Head(ctx, account)
	if err != nil || book.Date <= asOf {
		return book, err
	}
	for line, err := range a.ledgers.LinesBefore(ctx, account, store.Filter{Before: book.ID, AsOf: string(asOf)}) {
		if err != nil {
			return Book{}, err
		}
		return parseHead(account, line)
	}
	return Book{}, notRegistered(account)
}

// Trades returns up to limit records that bought or sold, dated asOf or earlier, with ids below before, newest first.
// next is the value of before that goes on, 0 when there are no more.
func (a *Accounts) Trades(ctx context.Context, account string, asOf market.Stamp, before int64, limit int) (trades []Record, next int64, err error) {
	if limit < 1 {
		return nil, 0, nil
	}
	for line, err := range a.ledgers.LinesBefore(ctx, account, store.Filter{Before: before, AsOf: string(asOf), Trades: true}) {
		if err != nil {
			return nil, 0, err
		}
		r, err := ParseLine(line)
		if err != nil {
			return nil, 0, damaged(account, line, err)
		}
		if len(trades) == limit {
			return trades, trades[limit-1].ID, nil
		}
		trades = append(trades, r)
	}
	return trades, 0, nil
}

// Repair returns the faults in how the store keeps an account's ledger, and with write repairs them. A missing ledger has none.
func (a *Accounts) Repair(ctx context.Context, account string, write bool) ([]store.Fault, error) {
	if write {
		a.heads.Delete(account)
	}
	return a.ledgers.Repair(ctx, account, write)
}

// sameSymbol compares a symbol of a record with one as a caller wrote it.
func sameSymbol(recorded, written string) bool {
	return strings.EqualFold(recorded, strings.TrimSpace(written))
}
