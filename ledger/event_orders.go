// The events of orders that wait.

package ledger

import "mcp-trade/market"

// orderEvents finds the earliest event of the open orders of a book.
func orderEvents(book Book, _ market.View, _ Rules) (rec Record, due bool, err error) {
	if len(book.Orders) == 0 {
		return Record{}, false, nil
	}
	return Record{}, false, nil
}
