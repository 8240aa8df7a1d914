// Settling: committing the events that are due.

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
