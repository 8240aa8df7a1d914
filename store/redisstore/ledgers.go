// Ledgers in Redis: one stream per account, appended to by one script.

package redisstore

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store"
)

// Head implements [store.Ledgers]. Like Append it trusts the index of order ids only if the index is complete, and a line only if
// the line carries the order id.
func (s *Store) Head(ctx context.Context, account, orderID string) (head, ordered []byte, err error) {
	if err := store.CheckName("signature", account); err != nil {
		return nil, nil, err
	}
	to, err := s.reach(ctx)
	if err != nil {
		return nil, nil, s.unreachable("read the ledger", err)
	}
	k, wrong := s.keysOf(account), ""
	for range maxRounds {
		l, err := s.state(ctx, to, k, orderID)
		if err != nil {
			return nil, nil, s.unreachable("read the ledger", err)
		}
		if l.newest.ID != "" {
			head = lineOf(l.newest)
		}
		switch {
		case orderID == "":
			return head, nil, nil
		case l.ordered != nil && hasOrderID(l.ordered, orderID):
			return head, l.ordered, s.confirm(ctx, to, k, orderID, l.record)
		case l.ordered != nil && l.record != wrong:
			wrong = l.record
			err = s.reindexOrders(ctx, to, k)
		case l.indexed != placeOf(l.newest):
			err = s.indexOrders(ctx, to, k)
		default:
			return head, nil, nil
		}
		if err != nil {
			return nil, nil, s.unreachable("find the order ids of the ledger", err)
		}
	}
	return head, nil, nil // others commit all the time; Append checks again
}

func hasOrderID(line []byte, orderID string) bool {
	e, err := store.ReadEntry(line)
	return err == nil && e.OrderID == orderID
}

// ledgerState is a ledger as one reading found it.
type ledgerState struct {
	newest  redis.XMessage // zero if the ledger is empty
	indexed string         // the place up to which the index of order ids is complete
	record  string         // the record that the index has for the order id
	ordered []byte         // the line of that record, nil if there is none
}

func (s *Store) state(ctx context.Context, to *link, k keys, orderID string) (l ledgerState, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if orderID == "" {
		entries, err := to.XRevRangeN(ctx, k.ledger, "+", "-", 1).Result()
		if len(entries) > 0 {
			l.newest = entries[0]
		}
		return l, err
	}
	var newest *redis.XMessageSliceCmd
	var record, indexed *redis.StringCmd
	_, err = to.Pipelined(ctx, func(p redis.Pipeliner) error {
		newest = p.XRevRangeN(ctx, k.ledger, "+", "-", 1)
		record, indexed = p.HGet(ctx, k.orders, orderID), p.HGet(ctx, k.orders, ordersField)
		return nil
	})
	if err != nil && !absent(err) {
		return l, err
	}
	if entries := newest.Val(); len(entries) > 0 {
		l.newest = entries[0]
	}
	l.record, l.indexed = record.Val(), indexed.Val()
	if _, err := strconv.ParseUint(l.record, 10, 63); err != nil {
		return l, nil // there is no record, or it is none
	}
	entries, err := to.XRange(ctx, k.ledger, l.record+"-1", l.record+"-1").Result()
	if len(entries) > 0 {
		l.ordered = lineOf(entries[0])
	}
	return l, err
}

// page is how many entries one call reads. Reading backward starts with smaller pages, since a few entries are often enough.
const page = 256

var firstPages = []int64{8, 64}

// Lines implements [store.Ledgers].
func (s *Store) Lines(ctx context.Context, account string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		to, k, err := s.ledger(ctx, account)
		for from := "-"; err == nil; {
			var entries []redis.XMessage
			entries, err = within(ctx, func(ctx context.Context) ([]redis.XMessage, error) {
				return to.XRangeN(ctx, k.ledger, from, "+", page).Result()
			})
			for _, e := range entries {
				if !yield(lineOf(e), nil) {
					return
				}
			}
			if err == nil && len(entries) < page {
				return
			}
			if err == nil {
				from = "(" + entries[len(entries)-1].ID
			}
		}
		yield(nil, s.readError(err))
	}
}

// LinesBefore implements [store.Ledgers]. It reads the newest lines one after the other, and finds trades that lie further back by
// the index of trades. It finds a date by binary search, since dates never go back in a verified ledger. In a ledger where they
// do, it leaves out some lines that the filter lets through.
func (s *Store) LinesBefore(ctx context.Context, account string, f store.Filter) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		to, k, err := s.ledger(ctx, account)
		before := max(f.Before, 0)
		if err == nil && f.AsOf != "" {
			before, err = s.endOfDate(ctx, to, k, before, f.AsOf)
		}
		if err != nil {
			yield(nil, s.readError(err))
			return
		}
		pages := s.backward(ctx, to, k, before)
		if f.Trades {
			pages = s.backwardByTrades(ctx, to, k, before)
		}
		for entries, err := range pages {
			if err != nil {
				yield(nil, s.readError(err))
				return
			}
			for _, e := range entries {
				line := lineOf(e)
				if f.AsOf != "" || f.Trades {
					entry, err := store.ReadEntry(line)
					if err != nil {
						yield(nil, err)
						return
					}
					if !f.Matches(entry) {
						continue
					}
				}
				if !yield(line, nil) {
					return
				}
			}
		}
	}
}

// backward yields the entries with an id below one, newest first, a page at a time.
func (s *Store) backward(ctx context.Context, to *link, k keys, before int64) iter.Seq2[[]redis.XMessage, error] {
	return func(yield func([]redis.XMessage, error) bool) {
		from := below(before)
		for n := 0; ; n++ {
			size := int64(page)
			if n < len(firstPages) {
				size = firstPages[n]
			}
			entries, err := within(ctx, func(ctx context.Context) ([]redis.XMessage, error) {
				return to.XRevRangeN(ctx, k.ledger, from, "-", size).Result()
			})
			if !yield(entries, err) || err != nil || int64(len(entries)) < size {
				return
			}
			from = "(" + entries[len(entries)-1].ID
		}
	}
}

// backwardByTrades yields entries as backward does, but skips entries that did not trade where the index allows it. Without an
// index, such as for a user who may not write one, it skips none.
func (s *Store) backwardByTrades(ctx context.Context, to *link, k keys, before int64) iter.Seq2[[]redis.XMessage, error] {
	return func(yield func([]redis.XMessage, error) bool) {
		read := 0
		for entries, err := range s.backward(ctx, to, k, before) {
			if !yield(entries, err) || err != nil || int64(len(entries)) < firstPages[read] {
				return
			}
			before = idOf(entries[len(entries)-1])
			if read++; read == len(firstPages) {
				break
			}
		}
		if read < len(firstPages) {
			return
		}
		for range 2 { // a wrong index is made again
			err := error(nil)
			for entries, failed := range s.tradesBelow(ctx, to, k, before) {
				if err = failed; err != nil {
					break
				}
				if !yield(entries, nil) {
					return
				}
				before = idOf(entries[len(entries)-1])
			}
			if err == nil {
				return
			}
			if !errors.Is(err, errIndex) || s.forgetTrades(ctx, to, k) != nil {
				break
			}
		}
		for entries, err := range s.backward(ctx, to, k, before) {
			if !yield(entries, err) {
				return
			}
		}
	}
}

// endOfDate returns the id after the newest line with this date or an earlier one, among the lines with an id below before.
func (s *Store) endOfDate(ctx context.Context, to *link, k keys, before int64, asOf string) (int64, error) {
	// at reads the newest line with an id of at most n. It returns its id, -1 if there is none, and whether its date is later than asOf.
	at := func(n int64) (id int64, late bool, err error) {
		entries, err := within(ctx, func(ctx context.Context) ([]redis.XMessage, error) {
			return to.XRevRangeN(ctx, k.ledger, below(n+1), "-", 1).Result()
		})
		if err != nil || len(entries) == 0 {
			return -1, false, err
		}
		e, err := store.ReadEntry(lineOf(entries[0]))
		return idOf(entries[0]), e.Date > asOf, err
	}
	high, late, err := at(before - 1) // late
	if err != nil || !late {
		return high + 1, err
	}
	low := int64(-1) // not late
	for step := int64(1); high-step >= 0; step *= 2 {
		id, late, err := at(high - step)
		if err != nil {
			return 0, err
		}
		if !late {
			low = high - step
			break
		}
		high = id
	}
	for high-low > 1 {
		middle := low + (high-low)/2
		id, late, err := at(middle)
		switch {
		case err != nil:
			return 0, err
		case late:
			high = id
		default:
			low = middle
		}
	}
	return high, nil
}

// ledger returns the link and the keys of an account's ledger.
func (s *Store) ledger(ctx context.Context, account string) (*link, keys, error) {
	if err := store.CheckName("signature", account); err != nil {
		return nil, keys{}, err
	}
	to, err := s.reach(ctx)
	return to, s.keysOf(account), err
}

// readError returns the error of a ledger that cannot be read; an invalid name stays what it is.
func (s *Store) readError(err error) error {
	if name := new(store.NameError); errors.As(err, &name) {
		return err
	}
	return s.unreachable("read the ledger", err)
}

// below returns the end of a range of entries with ids below before.
func below(before int64) string {
	if before == store.MaxID {
		return "+"
	}
	return "(" + entryID(before)
}

// within bounds the time of one call.
func within[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return call(ctx)
}

// Accounts implements [store.Ledgers].
func (s *Store) Accounts(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	to, err := s.reach(ctx)
	if err != nil {
		return nil, s.unreachable("list the ledgers", err)
	}
	var accounts []string
	var mu sync.Mutex // the nodes of a cluster are scanned side by side
	scan := func(ctx context.Context, c redis.UniversalClient) error {
		keys := c.Scan(ctx, 0, s.keysOf("*").ledger, 1000).Iterator()
		mu.Lock()
		defer mu.Unlock()
		for keys.Next(ctx) {
			account := strings.TrimSuffix(strings.TrimPrefix(keys.Val(), s.prefix+"ledger:{"), "}")
			if store.CheckName("signature", account) == nil {
				accounts = append(accounts, account)
			}
		}
		return keys.Err()
	}
	if c, ok := to.UniversalClient.(*redis.ClusterClient); ok {
		err = c.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return scan(ctx, node) })
	} else {
		err = scan(ctx, to)
	}
	if err != nil {
		return nil, s.unreachable("list the ledgers", err)
	}
	slices.Sort(accounts)
	return slices.Compact(accounts), nil
}

func lineOf(e redis.XMessage) []byte {
	text, _ := e.Values["line"].(string)
	return []byte(text)
}
