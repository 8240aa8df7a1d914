// Settling, which commits the events that are due, and cancelling an order that waits.

package ledger

import (
	"context"
	"errors"

	"mcp-trade/market"
	"mcp-trade/store"
)

// Settle commits the events of an account that are due as of the view under the guards, and nothing else, and returns their records.
// Its errors are those of [Accounts.Submit].
func (a *Accounts) Settle(ctx context.Context, account string, v market.View, guards ...store.Guard) ([]Record, error) {
	errSettled := errors.New("nothing is due")
	fill, err := a.commit(ctx, account, Order{}, v, func(Book, Rules) (Record, error) { return Record{}, errSettled }, guards)
	if errors.Is(err, errSettled) {
		err = nil
	}
	return fill.Settled, err
}

// Cancel ends an order that waits, named by the id of the record that placed it. The events that are due come first: they may have
// filled it. orderID, which may be "", is an id of the call itself, as of an order. Errors: those of [Accounts.Submit].
func (a *Accounts) Cancel(ctx context.Context, account string, id int64, orderID string, v market.View, guards ...store.Guard) (Fill, error) {
	return a.commit(ctx, account, Order{ID: orderID, Action: Cancel, of: id}, v, func(book Book, _ Rules) (Record, error) {
		return cancel(book, id, orderID, v.AsOf())
	}, guards)
}
