// Looking at runs, by reading alone.

package redisstore

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store"
)

// Look implements [store.Runs]. All that is looked at comes in one trip.
func (s *Store) Look(ctx context.Context, looks ...store.Look) ([]store.Seen, error) {
	seen, replies := make([]store.Seen, len(looks)), make([]lookReplies, len(looks))
	if len(looks) == 0 {
		return seen, nil
	}
	for _, l := range looks {
		if err := store.CheckName("signature", l.Account); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err := s.separately(ctx, func(p redis.Pipeliner) {
		for i, l := range looks {
			replies[i] = s.askLook(ctx, p, l)
		}
	})
	if err != nil && !isReply(err) {
		return nil, s.unreachable("look at runs", err)
	}
	for i := range replies {
		if seen[i], err = replies[i].seen(looks[i].From); err != nil {
			return nil, s.unreachable("look at the run of "+looks[i].Account, err)
		}
	}
	return seen, nil
}

// lookReplies are the answers to the questions of a look.
type lookReplies struct {
	lease, life, checkpoint *redis.StringCmd
	lines                   *redis.XMessageSliceCmd // nil without a day
}

func (s *Store) askLook(ctx context.Context, p redis.Pipeliner, l store.Look) lookReplies {
	k := s.keysOf(l.Account)
	r := lookReplies{lease: p.HGet(ctx, k.orders, leaseField), life: p.Get(ctx, k.run("lease")), checkpoint: p.Get(ctx, k.run("checkpoint"))}
	if l.Day != "" {
		r.lines = p.XRangeN(ctx, k.run(l.Day), fmt.Sprintf("%d-0", l.From), "+", runPage)
	}
	return r
}

// seen reads the answers of a look from a place on.
func (r lookReplies) seen(from int64) (seen store.Seen, err error) {
	seen.Next = from
	for _, c := range []*redis.StringCmd{r.lease, r.life, r.checkpoint} {
		if err := c.Err(); err != nil && !absent(err) {
			return seen, err
		}
	}
	if r.life.Err() == nil {
		seen.Holder = store.ParseHeld(r.lease.Val()).Owner
	}
	if r.checkpoint.Err() == nil {
		seen.Checkpoint = []byte(r.checkpoint.Val())
	}
	if r.lines == nil {
		return seen, nil
	}
	entries, err := r.lines.Result()
	for _, e := range entries {
		seen.Lines = append(seen.Lines, lineOf(e))
	}
	seen.Next += int64(len(entries))
	return seen, err
}
