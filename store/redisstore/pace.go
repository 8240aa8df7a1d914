// What processes on all machines may ask of an API, and spend for a run.

package redisstore

import (
	"context"
	_ "embed"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store"
)

//go:embed pace.lua
var paceSource string

var paceScript = script{paceSource, redis.NewScript(paceSource).Hash()}

var _ store.Pacer = (*Store)(nil)

func (s *Store) pace(ctx context.Context, c store.Call, what string, args ...any) ([]string, error) {
	to, err := s.reach(ctx)
	if err != nil {
		return nil, s.unreachable("ask whether a call may be made", err)
	}
	return s.do(ctx, to, "ask whether a call may be made", paceScript, []string{s.queueKey("pace:" + c.API), s.queueKey("spent:" + c.Run)}, append([]any{what, c.ID}, args...)...)
}

// BeginCall implements [store.Pacer]. A call that was sent twice takes two turns of the API, and counts once.
func (s *Store) BeginCall(ctx context.Context, c store.Call) (store.Pace, error) {
	bounded := func(is bool) int {
		if is {
			return 1
		}
		return 0
	}
	reply, err := s.pace(ctx, c, "begin", c.Every.Microseconds(), c.AtOnce, c.Budget, c.Spent, c.Worst, c.Of.Microseconds(),
		bounded(c.API != ""), bounded(c.Run != ""), store.RunKept.Milliseconds())
	if err != nil {
		return store.Pace{}, err
	}
	after, err := strconv.ParseInt(reply[1], 10, 64)
	if err != nil {
		return store.Pace{}, err
	}
	spent, err := strconv.ParseInt(reply[2], 10, 64)
	return store.Pace{Go: reply[0] == "go", Over: reply[0] == "over", After: time.Duration(after) * time.Microsecond, Spent: spent}, err
}

// EndCall implements [store.Pacer].
func (s *Store) EndCall(ctx context.Context, c store.Call, cost int64) error {
	_, err := s.pace(ctx, c, "end", cost)
	return err
}
