// What doctor says of Redis: whether orders can be committed there, and what would survive which loss.

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mcp-trade/session"
	"mcp-trade/store/redisstore"
)

func checkRedis(ctx context.Context, s *settings, r rooms, l *session.Resolver) []finding {
	redis := r.shared.(*redisstore.Store)
	facts, err := redis.Facts(ctx)
	if err != nil {
		detail := err.Error() + "; sessions are read from files meanwhile, ledgers in Redis wait"
		if text, _ := s.lookup("UPSTASH_REDIS_REST_URL"); text != "" && redisOf(s).url == "" {
			detail += ". Upstash is reached on port 6379 with TLS, not over HTTPS: where that port is closed there is no way to it"
		}
		return []finding{{"redis", "failed", detail}}
	}
	found := ofEach(facts, "redis", answers)
	if r.ledgers.Name() != redis.Name() {
		return found // sessions are not there for long
	}
	found = append(found, tryCommit(ctx, redis, redisOf(s).prefix, l))
	wait := func(f redisstore.Facts) (string, string) { return afterFailover(f, redisOf(s).wait) }
	found = append(found, ofEach(facts, "redis, kill of mcp-trade", afterKill)...)
	found = append(found, ofEach(facts, "redis, kill of the server", afterServerKill)...)
	found = append(found, ofEach(facts, "redis, power failure", afterPowerFailure)...)
	found = append(found, ofEach(facts, "redis, failover", wait)...)
	return append(found, ofEach(facts, "redis, short of memory", whenFull)...)
}

// ofEach judges each server. What is said of all is said once.
func ofEach(facts []redisstore.Facts, what string, judge func(redisstore.Facts) (state, detail string)) []finding {
	var found []finding
	for _, f := range facts {
		state, detail := judge(f)
		if !slices.ContainsFunc(found, func(f finding) bool { return f.State == state && f.Detail == detail }) {
			found = append(found, finding{what, state, detail})
		}
	}
	return found
}

func answers(f redisstore.Facts) (state, detail string) {
	detail = fmt.Sprintf("%s answers, version %s", f.Addr, orUnknown(f.Version))
	if f.Role == "slave" {
		return "failed", detail + "; it is a replica, which takes no order: give the address of its master, or its sentinels"
	}
	if len(f.Refused) > 0 {
		return "warning", fmt.Sprintf("%s; it refuses %s, so not all that follows can be known", detail, strings.Join(f.Refused, " and "))
	}
	return "ok", detail
}

func orUnknown(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

// tryCommit commits for real, beside the keys of the account whose session this is.
func tryCommit(ctx context.Context, r *redisstore.Store, prefix string, l *session.Resolver) finding {
	account := "doctor"
	if s, err := l.Read(ctx); err == nil {
		account = s.Signature
	}
	if err := r.Try(ctx, account, l.Model); err != nil {
		return finding{"redis commit", "failed", explain(err)}
	}
	return finding{"redis commit", "ok", fmt.Sprintf("two lines were committed to %sledger:{%s}:doctor and removed", prefix, account)}
}

func afterKill(redisstore.Facts) (state, detail string) {
	return "ok", "each acknowledged trade is in the server"
}

const sinceSnapshot = "loses every trade since its last snapshot, and without a snapshot all of them: set appendonly yes"

func afterServerKill(f redisstore.Facts) (state, detail string) {
	switch f.AppendOnly {
	case "yes":
		return "ok", "each acknowledged trade is in its append-only file"
	case "no":
		return "warning", sinceSnapshot
	}
	return "warning", "unknown: the server does not tell whether it has an append-only file; ask its operator"
}

func afterPowerFailure(f redisstore.Facts) (state, detail string) {
	switch {
	case f.AppendOnly != "yes":
		return afterServerKill(f)
	case f.Fsync == "always":
		return "ok", "each trade is synced to the disk before it is acknowledged; a disk that breaks loses all that no replica has"
	case f.Fsync == "everysec":
		return "warning", "loses up to two seconds of acknowledged trades (appendfsync everysec); appendfsync always loses none"
	case f.Fsync == "no":
		return "warning", "loses what the system had not written yet, often 30 seconds of acknowledged trades (appendfsync no); appendfsync always loses none"
	}
	return "warning", "unknown: the server does not tell how often it syncs its append-only file; ask its operator (appendfsync)"
}

// afterFailover tells what is lost when a replica takes the master's place.
func afterFailover(f redisstore.Facts, wait int) (state, detail string) {
	advice := "; --redis-wait acknowledges a trade when replicas have it"
	switch {
	case f.Role == "slave":
		return "failed", "it is a replica"
	case wait > 0 && f.Replicas >= 0 && f.Replicas < wait:
		return "failed", fmt.Sprintf("%d replicas are in step, and --redis-wait asks for %d: no trade is acknowledged", f.Replicas, wait)
	case f.MinReplicas > 0 && f.Replicas >= 0 && f.Replicas < f.MinReplicas:
		return "failed", fmt.Sprintf("%d replicas are in step, and the server wants %d (min-replicas-to-write): no order is executed", f.Replicas, f.MinReplicas)
	case wait > 0:
		return "ok", fmt.Sprintf("each acknowledged trade is in the memory of %d replicas (--redis-wait); it is kept if one of those takes over", wait)
	case f.Replicas == 0:
		return "ok", "no replica is in step, so none can take over without losing trades: the disk of this server is all there is"
	case f.Replicas < 0:
		return "warning", "unknown: the server does not tell of its replicas; one that takes over loses what it lacks" + advice
	case f.MinReplicas > 0 && f.MaxLag > 0:
		return "warning", fmt.Sprintf("can lose up to %v of acknowledged trades (min-replicas-to-write %d, min-replicas-max-lag)%s", f.MaxLag.Round(time.Second), f.MinReplicas, advice)
	case f.MinReplicas < 0:
		return "warning", "unknown: the server does not tell whether it waits for its replicas; one that takes over loses what it lacks" + advice
	}
	return "warning", "loses whatever acknowledged trades the replica that takes over lacks, however many (min-replicas-to-write 0)" + advice
}

// whenFull tells what becomes of ledgers when memory is short.
func whenFull(f redisstore.Facts) (state, detail string) {
	switch {
	case f.MaxMemory == 0:
		return "ok", "no limit is set (maxmemory 0), nothing is evicted"
	case f.Eviction == "noeviction":
		return "ok", "orders are refused, nothing is evicted (noeviction)"
	case strings.HasPrefix(f.Eviction, "volatile-"):
		return "warning", fmt.Sprintf("sessions can be evicted, ledgers cannot (%s)", f.Eviction)
	case f.Eviction != "":
		return "warning", fmt.Sprintf("whole ledgers can be evicted, with every acknowledged trade (%s): set maxmemory-policy noeviction", f.Eviction)
	}
	return "warning", "unknown: the server does not tell whether it evicts keys; ask its operator (maxmemory-policy)"
}
