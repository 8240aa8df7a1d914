// place_order.

package tools

import (
	"context"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
)

type orderParams struct {
	Symbol  string              `json:"symbol" jsonschema:"Ticker such as AAPL" max:"40"`
	Side    string              `json:"side" jsonschema:"buy or sell" of:"buy,sell"`
	Amount  decimal.Decimal     `json:"amount,omitempty"` // of the form that the rules of the market ask for
	Value   decimal.NullDecimal `json:"value,omitempty" jsonschema:"Money in place of an amount: as much as it buys with the costs, or as is worth it"`
	All     bool                `json:"all,omitempty" jsonschema:"true in place of an amount: sell all that can be sold"`
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
	return ledger.Order{ID: p.OrderID, Action: ledger.Action(p.Side), Symbol: p.Symbol, Amount: p.Amount, Value: p.Value, All: p.All, Note: p.Note}, nil
}
