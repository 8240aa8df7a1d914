// Repair finds what is wrong with a ledger in Redis and its index, and repairs it.

package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store"
)

// Repair implements [store.Ledgers].
func (s *Store) Repair(ctx context.Context, account string, write bool) ([]store.Fault, error) {
	to, k, err := s.ledger(ctx, account)
	if err != nil {
		return nil, s.readError(err)
	}
	var found []store.Fault
	for _, look := range []func(context.Context, *link, keys, bool) (*store.Fault, error){s.repairNewest, s.repairOrders} {
		fault, err := look(ctx, to, k, write)
		if err != nil {
			return found, s.unreachable("repair the ledger", err)
		}
		if fault != nil {
			found = append(found, *fault)
		}
	}
	return found, nil
}

// repairNewest checks whether the newest entries were removed. Redis takes no entry with an id below theirs, so every commit would
// be refused.
func (s *Store) repairNewest(ctx context.Context, to *link, k keys, write bool) (*store.Fault, error) {
	info, err := within(ctx, func(ctx context.Context) (*redis.XInfoStream, error) { return to.XInfoStream(ctx, k.ledger).Result() })
	switch {
	case redis.HasErrorPrefix(err, "ERR no such key"), redis.HasErrorPrefix(err, "no such key"), redis.IsPermissionError(err):
		return nil, nil // there is no ledger, or the user may not ask
	case err != nil:
		return nil, err
	}
	last := cmp.Or(info.LastEntry.ID, "0-0")
	if info.LastGeneratedID == last {
		return nil, nil
	}
	fault := &store.Fault{
		What: fmt.Sprintf("the entries behind %s, up to %s, were taken out of %s, and Redis takes none with such an id again: every order is refused", last, info.LastGeneratedID, k.ledger),
		Mend: fmt.Sprintf("the account goes on after %s, the newest entry there is; what was taken out is lost", last),
	}
	if !write {
		return fault, nil
	}
	_, err = within(ctx, func(ctx context.Context) (any, error) {
		set, err := to.Do(ctx, "xsetid", k.ledger, last, "entriesadded", info.EntriesAdded, "maxdeletedid", "0-0").Result()
		if redis.HasErrorPrefix(err, "ERR wrong number") || redis.HasErrorPrefix(err, "ERR syntax") { // before Redis 7
			set, err = to.Do(ctx, "xsetid", k.ledger, last).Result()
		}
		return set, err
	})
	return fault, err
}

// repairOrders compares the index of order ids with the lines, as far as the index says that it goes.
func (s *Store) repairOrders(ctx context.Context, to *link, k keys, write bool) (*store.Fault, error) {
	place, err := s.field(ctx, to, k, ordersField)
	if err != nil {
		return nil, err
	}
	wrong, first, behind := 0, "", false
	for from := "-"; !behind; {
		entries, err := within(ctx, func(ctx context.Context) ([]redis.XMessage, error) {
			return to.XRangeN(ctx, k.ledger, from, "+", indexBatch).Result()
		})
		if err != nil {
			return nil, err
		}
		bad, err := s.misindexed(ctx, to, k, entries)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if id, ok := bad[e.ID]; ok && !behind {
				if wrong++; first == "" {
					first = id
				}
			}
			behind = behind || placeOf(e) == place // an order after that place updates the index first
		}
		if len(entries) < indexBatch {
			break
		}
		from = "(" + entries[len(entries)-1].ID
	}
	if wrong == 0 {
		return nil, nil
	}
	fault := &store.Fault{
		What: fmt.Sprintf("%s lacks or misplaces %d order ids that the lines have, the first of them %q", k.orders, wrong, first),
		Mend: "it is made anew from the lines",
	}
	if write {
		err = s.reindexOrders(ctx, to, k)
	}
	return fault, err
}

// misindexed returns the order ids of entries that the index lacks or misplaces, by the id of the entry.
func (s *Store) misindexed(ctx context.Context, to *link, k keys, entries []redis.XMessage) (map[string]string, error) {
	records := map[string]*redis.StringCmd{}
	orders := map[string]string{}
	_, err := within(ctx, func(ctx context.Context) ([]redis.Cmder, error) {
		return to.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, e := range entries {
				if entry, err := store.ReadEntry(lineOf(e)); err == nil && entry.OrderID != "" {
					records[e.ID], orders[e.ID] = p.HGet(ctx, k.orders, entry.OrderID), entry.OrderID
				}
			}
			return nil
		})
	})
	if err != nil && !absent(err) {
		return nil, err
	}
	for id, record := range records {
		if record.Val() == strings.TrimSuffix(id, "-1") {
			delete(orders, id)
		}
	}
	return orders, nil
}
