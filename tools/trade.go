// buy and sell.

package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store"
)

type tradeParams struct {
	Symbol  string          `json:"symbol" jsonschema:"Ticker such as AAPL" max:"40"`
	Amount  decimal.Decimal `json:"amount"` // of the form that the rules of the market ask for
	OrderID string          `json:"order_id,omitempty" jsonschema:"Your own id. The same order with it again, on the same date, trades nothing and answers with the first result" max:"128"`
	DryRun  bool            `json:"dry_run,omitempty" jsonschema:"true: tell what would happen and trade nothing"`
	Note    string          `json:"note,omitempty" jsonschema:"Reason for the trade, kept in the ledger" max:"500"`
}

// explain adds to the refusal of an amount that is no number, such as "all" or "$1000", what makes a number of it: the shares that
// the account has, its cash and the price, and of a sum of money how many shares it buys.
func (p tradeParams) explain(ctx context.Context, d *Deps, err error) {
	f, ok := errors.AsType[*failure](err)
	if !ok || f.details["argument"] != "amount" {
		return
	}
	s, err := readSession(ctx)
	if err != nil {
		return
	}
	v, err := d.asOf(s)
	if err != nil {
		return
	}
	q, noPrice := v.Quote(p.Symbol)
	rules := d.rules()
	if book, err := d.Accounts.Book(ctx, s.Signature, s.Today); err == nil {
		f.details["have"], f.details["cash_available"] = book.Positions.Amount(q.Symbol), book.Positions.Amount(ledger.Cash)
		if rules, err = d.Accounts.Rules(ctx, s.Signature); err != nil {
			return
		}
	}
	if noPrice != nil {
		return
	}
	f.details["price"] = q.Price
	provided, _ := f.details["provided"].(string)
	if m := money().FindStringSubmatch(provided); m != nil {
		if sum, err := ledger.ParseDecimal(strings.ReplaceAll(m[1], ",", "")); err == nil {
			if shares, bounded := rules.Affordable(sum, q); bounded {
				f.details["shares"] = shares
			}
		}
	}
}

// money is a sum of dollars in place of an amount. It is made when it is needed: every start would pay for it.
var money = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\$ ?([0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?)$`) })

type tradeResult struct {
	Status    ledger.Status    `json:"status"`
	Replayed  bool             `json:"replayed" jsonschema:"the first result of this order_id"`
	OrderID   string           `json:"order_id,omitempty"`
	ID        int64            `json:"id"`
	Date      market.Stamp     `json:"date"`
	Action    ledger.Action    `json:"action"`
	Symbol    string           `json:"symbol"`
	Amount    decimal.Decimal  `json:"amount"`
	Price     decimal.Decimal  `json:"price,omitzero"`
	Fees      decimal.Decimal  `json:"fees"`
	FeeItems  market.FeeItems  `json:"fee_items,omitempty" jsonschema:"what the fees are"`
	Cash      decimal.Decimal  `json:"cash"`
	Position  decimal.Decimal  `json:"position"`
	Positions ledger.Positions `json:"positions"`

	Waits *openOrder `json:"order,omitempty" jsonschema:"unlisted"` // where the order is pending

	recorded ledger.Positions // as in the ledger: what is no longer held, too
}

// aiTraderTrade is a trade as AI-Trader's own tools answer it, which give nothing but the positions: each symbol of the ledger,
// and CASH, beside our fields.
type aiTraderTrade struct{ tradeResult }

func (t aiTraderTrade) MarshalJSON() ([]byte, error) {
	fields, err := json.Marshal(t.tradeResult)
	if err != nil {
		return nil, err
	}
	var taken map[string]json.RawMessage
	if err := json.Unmarshal(fields, &taken); err != nil {
		return nil, err
	}
	var apart ledger.Positions
	for _, p := range t.recorded {
		if taken[p.Symbol] == nil {
			apart = append(apart, p)
		}
	}
	positions, err := json.Marshal(apart)
	if err != nil || len(apart) == 0 {
		return fields, err
	}
	return append(append(fields[:len(fields)-1], ','), positions[1:]...), nil
}

func buy(ctx context.Context, d *Deps, p tradeParams) (tradeResult, error) {
	return d.trade(ctx, p.order(ledger.Buy), p.DryRun)
}

func sell(ctx context.Context, d *Deps, p tradeParams) (tradeResult, error) {
	return d.trade(ctx, p.order(ledger.Sell), p.DryRun)
}

func (p tradeParams) order(action ledger.Action) ledger.Order {
	return ledger.Order{ID: p.OrderID, Action: action, Symbol: p.Symbol, Amount: p.Amount, Note: p.Note}
}

const (
	orderTimeout      = 20 * time.Second // for one order, waiting for other processes included
	maxSessionChanges = 5                // how often the session may change while one order is evaluated
)

// trade executes an order in the session.
func (d *Deps) trade(ctx context.Context, order ledger.Order, dryRun bool) (tradeResult, error) {
	if dryRun {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), orderTimeout)
		defer cancel()
		return d.preview(ctx, order)
	}
	fill, err := d.commit(ctx, func(ctx context.Context, s session.Session) (ledger.Fill, error) { return d.submit(ctx, order, s) })
	if err != nil {
		return tradeResult{}, err
	}
	return answer(statusOf(fill.Record), fill.Record, fill.Replayed), nil
}

// commit calls do, which commits an order, with the session of the caller. The session is the cached one at first, and the store proves at the
// commit that it still holds. A refusal or a replay makes no commit, so it is final only in a session that was just read. What has
// begun is finished, even if the caller has left.
func (d *Deps) commit(ctx context.Context, do func(context.Context, session.Session) (ledger.Fill, error)) (fill ledger.Fill, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), orderTimeout)
	defer cancel()
	caller, err := session.CallerOf(ctx)
	if err != nil {
		return fill, err
	}
	s, fresh, err := caller.Cached(ctx)
	for try := 0; ; try++ {
		if err == nil {
			fill, err = do(ctx, s)
		}
		if try == maxSessionChanges || isFinal(fill, err, fresh) {
			break
		}
		cached, failed := s, err
		if s, err = caller.Read(ctx); err == nil && failedIn(failed, cached, s) {
			err = failed
			break
		}
		fresh = true
	}
	if err == nil && !fill.Replayed && fill.Traded() {
		caller.Session.Traded(s)
	}
	return fill, err
}

// isFinal reports whether the outcome of an order stands. In a session that was read for the order it does, unless the session
// has changed meanwhile. In a cached session a commit stands, because it checked its guards. So does a commit whose result is
// unknown: a second one could execute the order twice.
func isFinal(fill ledger.Fill, err error, fresh bool) bool {
	var unreachable *store.UnreachableError
	switch {
	case errors.Is(err, store.ErrSessionChanged):
		return false
	case fresh:
		return true
	case err == nil:
		return !fill.Replayed
	}
	return errors.As(err, &unreachable) && unreachable.Unknown
}

// failedIn reports whether an order failed in a cached session that is still the current one: it would fail again.
func failedIn(err error, cached, now session.Session) bool {
	var unreachable *store.UnreachableError
	return errors.As(err, &unreachable) && !errors.Is(err, store.ErrSessionChanged) && now.Same(cached)
}

// submit commits an order in a session.
func (d *Deps) submit(ctx context.Context, o ledger.Order, s session.Session) (ledger.Fill, error) {
	v, err := d.tradingView(s)
	if err != nil {
		return ledger.Fill{}, err
	}
	return d.Accounts.Submit(ctx, s.Signature, o, v, s.Guards()...)
}

// preview returns the record that an order would commit.
func (d *Deps) preview(ctx context.Context, o ledger.Order) (tradeResult, error) {
	s, err := readSession(ctx)
	if err != nil {
		return tradeResult{}, err
	}
	v, err := d.tradingView(s)
	if err != nil {
		return tradeResult{}, err
	}
	rec, err := d.Accounts.Preview(ctx, s.Signature, o, v)
	if err != nil {
		return tradeResult{}, err
	}
	return answer(ledger.DryRun, rec, false), nil
}

// tradingView returns the market as of the session's date, or why the session must not trade.
func (d *Deps) tradingView(s session.Session) (market.View, error) {
	if s.Halted {
		return market.View{}, halted(s.Model)
	}
	if s.NoTrade != nil {
		return market.View{}, s.NoTrade
	}
	return d.asOf(s)
}

// halted is the failure of an order that comes while HALT is set for the session of a model.
func halted(model string) error {
	return &failure{
		code.Halted,
		fmt.Sprintf("Trading is halted: HALT is set for the session %q or for all. No order is executed until the operator clears it.", model),
		map[string]any{"model_id": model},
	}
}

// statusOf is what became of the order that a record is of.
func statusOf(r ledger.Record) ledger.Status {
	switch r.Action {
	case ledger.Place:
		return ledger.Pending
	case ledger.Cancel:
		return ledger.Cancelled
	}
	return ledger.Filled
}

func answer(status ledger.Status, r ledger.Record, replayed bool) tradeResult {
	t := tradeResult{
		Status: status, Replayed: replayed, OrderID: r.OrderID, ID: r.ID, Date: r.Date, Action: r.Action,
		Symbol: r.Symbol, Amount: r.Amount, Price: r.Price.Decimal, Fees: r.Fees, FeeItems: r.FeeItems, Cash: r.Cash(),
		Position: r.Positions.Amount(r.Symbol), Positions: holdingsAndCash(r.Positions), recorded: r.Positions,
	}
	if r.Side != "" {
		t.Action = r.Side
	}
	for _, o := range r.Orders {
		if o.ID == r.ID {
			waits := openOrderOf(o)
			t.Waits = &waits
		}
	}
	return t
}

// holdingsAndCash returns the positions that an answer lists: the holdings, and CASH.
func holdingsAndCash(p ledger.Positions) ledger.Positions {
	return append(p.Holdings(), ledger.Position{Symbol: ledger.Cash, Amount: p.Amount(ledger.Cash)})
}
