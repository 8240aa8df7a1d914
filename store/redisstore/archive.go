// An account that is put aside under another name. Its keys lie in another slot then, so they are copied and removed.

package redisstore

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store"
)

//go:embed archive.lua
var archiveSource string

var archiveScript = script{archiveSource, redis.NewScript(archiveSource).Hash()}

// Archive implements [store.Runs]. The copy of the ledger is seen once it is whole, and the account is removed in one step.
func (s *Store) Archive(ctx context.Context, account, as string, f store.Fence) error {
	to, k, err := s.runKeys(ctx, account)
	if err != nil {
		return err
	}
	if err := store.CheckName("signature", as); err != nil {
		return err
	}
	if err := s.judge(ctx, to, k, store.Commit{Account: account, Fence: f}); err != nil {
		return err
	}
	c := copying{to, k, s.keysOf(as)}
	days, err := s.JournalDays(ctx, account)
	if err != nil {
		return err
	}
	names, newest, err := c.all(ctx, days)
	if err != nil {
		return s.unarchived(err)
	}
	reply, err := s.do(ctx, to, stateOfRun, archiveScript, append([]string{k.orders, k.ledger}, names...), int64(f), newest)
	switch {
	case err != nil:
		return err
	case reply[0] == "lost":
		return store.ErrLeaseLost
	case reply[0] == "changed":
		return s.unarchived(fmt.Errorf("the ledger of %s has grown meanwhile; the copy %s lacks that", account, as))
	}
	return nil
}

func (s *Store) unarchived(err error) error {
	if errors.Is(err, store.ErrTaken) {
		return err
	}
	return s.unreachable("archive the account", err)
}

// copying is an account on its way to another name.
type copying struct {
	*link
	from, to keys
}

// all copies everything. It returns the keys of the state of the runs, and the newest entry of the ledger.
func (c copying) all(ctx context.Context, days []string) (names []string, newest string, err error) {
	if n, err := c.Exists(ctx, c.to.ledger).Result(); err != nil || n > 0 {
		return nil, "", cmp.Or(err, store.ErrTaken)
	}
	streams, texts := append([]string{"days"}, days...), []string{"checkpoint", "manifest"}
	for _, day := range days {
		texts = append(texts, day+" "+store.DayLog)
	}
	for _, name := range streams {
		names = append(names, c.from.run(name))
		if err := c.stream(ctx, c.from.run(name), c.to.run(name)); err != nil {
			return nil, "", err
		}
	}
	for _, name := range texts {
		names = append(names, c.from.run(name))
		if err := c.text(ctx, c.from.run(name), c.to.run(name)); err != nil {
			return nil, "", err
		}
	}
	incoming := c.to.run("ledger")
	if err := c.stream(ctx, c.from.ledger, incoming); err != nil {
		return nil, "", err
	}
	last, err := c.XRevRangeN(ctx, incoming, "+", "-", 1).Result()
	if err != nil || len(last) == 0 {
		return names, "", err
	}
	return names, last[0].ID, c.Rename(ctx, incoming, c.to.ledger).Err()
}

// text copies a text, if there is one.
func (c copying) text(ctx context.Context, from, to string) error {
	text, err := c.Get(ctx, from).Result()
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.Set(ctx, to, text, 0).Err()
}

// stream copies the entries of a stream that the other one lacks. What the other one has must be the beginning of it, as when
// this was interrupted.
func (c copying) stream(ctx context.Context, from, to string) error {
	next := "-"
	newest, err := c.XRevRangeN(ctx, to, "+", "-", 1).Result()
	if err != nil {
		return err
	}
	if len(newest) > 0 {
		same, err := c.XRange(ctx, from, newest[0].ID, newest[0].ID).Result()
		if err != nil || len(same) == 0 || !maps.Equal(same[0].Values, newest[0].Values) {
			return cmp.Or(err, store.ErrTaken)
		}
		next = "(" + newest[0].ID
	}
	for {
		entries, err := c.XRangeN(ctx, from, next, "+", page).Result()
		if err != nil || len(entries) == 0 {
			return err
		}
		_, err = c.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, e := range entries {
				p.XAdd(ctx, &redis.XAddArgs{Stream: to, ID: e.ID, Values: fields(e)})
			}
			return nil
		})
		if err != nil {
			return err
		}
		next = "(" + entries[len(entries)-1].ID
	}
}

// fields are those of an entry, the line first.
func fields(e redis.XMessage) []any {
	list := []any{"line", e.Values["line"]}
	if mark, ok := e.Values["mark"]; ok {
		list = append(list, "mark", mark)
	}
	return list
}
