// Events: what happens to an account without its asking, such as the fill of an order that waits.
//
// Events depend on the book and on the prices alone, never on when somebody asks for them: those that are known as of a stamp
// come before whatever the account does at that stamp, in one order. So each of them is committed once, whoever comes first,
// and verify finds one that is missing.

package ledger

import "mcp-trade/market"

// source finds the earliest event of one kind that comes after the newest record of a book and is known as of the view.
type source func(Book, market.View, Rules) (rec Record, due bool, err error)

// sources are the kinds of events. A new one is a file event_NAME.go with its function, and a row here.
var sources = [...]source{orderEvents, endedByActions, actionEvents}

// quiet tells whether nothing can happen to an account with those open orders under the rules, whatever the prices.
func quiet(open OpenOrders, r Rules) bool { return len(open) == 0 && !r.Actions() }

// nextEvent returns the record of the earliest event that is due as of the view.
func nextEvent(book Book, v market.View, r Rules) (next Record, due bool, err error) {
	if quiet(book.Orders, r) {
		return Record{}, false, nil
	}
	for _, find := range sources {
		rec, is, err := find(book, v, r)
		if err != nil {
			return Record{}, false, err
		}
		if is && (!due || rec.moment().compare(next.moment()) < 0) {
			next, due = rec, true
		}
	}
	if due {
		next, err = r.counted(book, next, v)
	}
	return next, due, err
}
