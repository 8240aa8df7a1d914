// place_order, cancel_order and get_orders.

package tools

import (
	"context"
	"fmt"
	"slices"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
)

type orderParams struct {
	Symbol  string              `json:"symbol" jsonschema:"Ticker such as AAPL" max:"40"`
	Side    string              `json:"side" jsonschema:"buy or sell" of:"buy,sell"`
	Type    string              `json:"type,omitempty" jsonschema:"market (default), limit or stop" of:"market,limit,stop"`
	Amount  decimal.Decimal     `json:"amount,omitempty"` // of the form that the rules of the market ask for
	Value   decimal.NullDecimal `json:"value,omitempty" jsonschema:"Money in place of an amount: as much as it buys with the costs, or as is worth it"`
	All     bool                `json:"all,omitempty" jsonschema:"true in place of an amount: sell all that can be sold"`
	Limit   decimal.NullDecimal `json:"limit_price,omitempty" jsonschema:"Of a limit order: the worst price to fill at"`
	Stop    decimal.NullDecimal `json:"stop_price,omitempty" jsonschema:"Of a stop order: the price at which it becomes a market order"`
	Until   string              `json:"until,omitempty" jsonschema:"How long an order waits: day (default) or gtc" of:"day,gtc"`
	OrderID string              `json:"order_id,omitempty" jsonschema:"Your own id. The same order with it again, on the same date, trades nothing and answers with the first result" max:"128"`
	DryRun  bool                `json:"dry_run,omitempty" jsonschema:"true: tell what would happen and trade nothing"`
	Note    string              `json:"note,omitempty" jsonschema:"Reason for the trade, kept in the ledger" max:"500"`
}

func placeOrder(ctx context.Context, d *Deps, p orderParams) (tradeResult, error) {
	order, err := p.order()
	if err != nil {
		return tradeResult{}, err
	}
	return d.trade(ctx, order, p.DryRun)
}

// order is the order that the arguments are.
func (p orderParams) order() (ledger.Order, error) {
	given := 0
	for _, is := range []bool{!p.Amount.IsZero(), p.Value.Valid, p.All} {
		if is {
			given++
		}
	}
	if given != 1 {
		return ledger.Order{}, wrong("An order needs one of amount, value and all: true, and no two of them.", map[string]any{"valid": []string{"amount", "value", "all"}})
	}
	terms := ledger.Terms{Type: ledger.OrderType(p.Type), Limit: p.Limit.Decimal, Stop: p.Stop.Decimal, Until: ledger.Until(p.Until)}
	for _, price := range []struct {
		argument string
		given    bool
		of       ledger.OrderType
	}{{"limit_price", p.Limit.Valid, ledger.LimitOrder}, {"stop_price", p.Stop.Valid, ledger.StopOrder}} {
		switch is := terms.Type == price.of; {
		case is && !price.given:
			return ledger.Order{}, wrong("A "+p.Type+" order needs the argument "+price.argument+".", map[string]any{"argument": price.argument})
		case !is && price.given:
			return ledger.Order{}, wrong("The argument "+price.argument+" is of orders with the type "+string(price.of)+" alone.", map[string]any{"argument": price.argument})
		}
	}
	return ledger.Order{
		ID: p.OrderID, Action: ledger.Action(p.Side), Symbol: p.Symbol, Amount: p.Amount, Value: p.Value, All: p.All, Terms: terms, Note: p.Note,
	}, nil
}

type cancelParams struct {
	ID      int    `json:"id" jsonschema:"The order's number: the id that place_order answered" min:"1" max:"1000000000"`
	OrderID string `json:"order_id,omitempty" jsonschema:"Your own id of this call, which makes repeating it safe" max:"128"`
}

func cancelOrder(ctx context.Context, d *Deps, p cancelParams) (tradeResult, error) {
	fill, err := d.commit(ctx, func(ctx context.Context, s session.Session) (ledger.Fill, error) {
		v, err := d.asOf(s) // a halt keeps no order alive
		if err != nil {
			return ledger.Fill{}, err
		}
		if s.Halted {
			if err := d.haltedFills(ctx, s, v); err != nil {
				return ledger.Fill{}, err
			}
		}
		return d.Accounts.Cancel(ctx, s.Signature, int64(p.ID), p.OrderID, v, s.Guards()...)
	})
	if err != nil {
		return tradeResult{}, err
	}
	return answer(ledger.Cancelled, fill.Record, fill.Replayed), nil
}

// haltedFills is the failure of a cancelling, while HALT is set, before which orders of the account would fill; nil if none would.
func (d *Deps) haltedFills(ctx context.Context, s session.Session, v market.View) error {
	_, due, err := d.Accounts.Due(ctx, s.Signature, s.Today, v)
	if err != nil {
		return err
	}
	fills := []int64{}
	for _, rec := range due {
		if rec.Traded() {
			fills = append(fills, rec.Of)
		}
	}
	if len(fills) == 0 {
		return nil
	}
	return &failure{
		code.Halted,
		fmt.Sprintf("Trading is halted: HALT is set for the session %q or for all. The orders %v are due to fill, which comes before an order is cancelled. Cancel it when the operator has cleared the halt.", s.Model, fills),
		map[string]any{"model_id": s.Model, "due": fills},
	}
}

type ordersParams struct {
	Limit int `json:"limit,omitempty" jsonschema:"How many orders that ended or filled at most. Default 20" min:"1" max:"200"`
}

type ordersResult struct {
	Date  market.Stamp `json:"date"`
	Open  []openOrder  `json:"open"`
	Ended []endedOrder `json:"ended" jsonschema:"newest first; a fill in part leaves the rest open"`
}

// endedOrder is what became of an order.
type endedOrder struct {
	ID     int64           `json:"id"`
	Status ledger.Status   `json:"status" jsonschema:"filled, cancelled or expired"`
	Date   market.Stamp    `json:"date"`
	At     market.Stamp    `json:"at,omitempty" jsonschema:"the bar in which it happened, known from date on"`
	Side   ledger.Action   `json:"side"`
	Symbol string          `json:"symbol"`
	Amount decimal.Decimal `json:"amount"`
	Price  decimal.Decimal `json:"price,omitzero"`
	Why    string          `json:"why,omitempty"`
}

func getOrders(ctx context.Context, d *Deps, p ordersParams) (ordersResult, error) {
	s, err := readSession(ctx)
	if err != nil {
		return ordersResult{}, err
	}
	v, err := d.asOf(s)
	if err != nil {
		return ordersResult{}, err
	}
	book, due, err := d.Accounts.Due(ctx, s.Signature, s.Today, v)
	if err != nil {
		return ordersResult{}, err
	}
	if p.Limit == 0 {
		p.Limit = 20
	}
	ended, err := d.Accounts.OrderEvents(ctx, s.Signature, s.Today, p.Limit)
	if err != nil {
		return ordersResult{}, err
	}
	r := ordersResult{Date: s.Today, Open: []openOrder{}, Ended: []endedOrder{}}
	for _, o := range book.Orders {
		r.Open = append(r.Open, openOrderOf(o))
	}
	for _, rec := range slices.Backward(due) {
		r.Ended = append(r.Ended, endedOrderOf(rec))
	}
	for _, rec := range ended {
		r.Ended = append(r.Ended, endedOrderOf(rec))
	}
	r.Ended = r.Ended[:min(len(r.Ended), p.Limit)]
	return r, nil
}

func endedOrderOf(r ledger.Record) endedOrder {
	e := endedOrder{ID: r.Of, Status: r.OrderStatus(), Date: r.Date, At: r.At, Side: r.Side, Symbol: r.Symbol, Amount: r.Amount, Price: r.Price.Decimal, Why: r.Why}
	if r.Traded() {
		e.Side = r.Action
	}
	return e
}
