// How often a token may be used, and how often an address may try one that is none.

package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	xrate "golang.org/x/time/rate"

	"mcp-trade/internal/lru"
	"mcp-trade/internal/rate"
	"mcp-trade/serve"
	"mcp-trade/token"
)

// keptRates bounds what is remembered of tokens, and of addresses: beyond it those that called last.
const keptRates = 16384

// What an address may send of tokens that are none: so many at once, and one more each second.
const (
	guessesAtOnce = 60
	guessEvery    = time.Second
)

// rates holds callers to their rates.
type rates struct {
	now       func() time.Time
	tokens    *lru.Cache[*allowance]
	good      *lru.Cache[struct{}] // hashes of the texts of tokens that were good when they were last looked up
	addresses *lru.Cache[*origin]
}

func newRates(now func() time.Time) *rates {
	return &rates{now, lru.New[*allowance](keptRates, nil), lru.New[struct{}](keptRates, nil), lru.New[*origin](keptRates, nil)}
}

// allowance is what is left to a token of its rates.
type allowance struct{ requests, orders *xrate.Limiter }

// of is the allowance of a token, nil if nothing bounds it.
func (r *rates) of(t token.Token) *allowance {
	if t.Rate == (rate.Rate{}) && t.Orders == (rate.Rate{}) {
		return nil
	}
	e := r.tokens.Use(fmt.Sprint(t.ID, " ", t.Rate, " ", t.Orders), func() *allowance { return &allowance{limiterOf(t.Rate), limiterOf(t.Orders)} })
	defer e.Done()
	return e.Value
}

func limiterOf(r rate.Rate) *xrate.Limiter {
	if r == (rate.Rate{}) {
		return xrate.NewLimiter(xrate.Inf, 0)
	}
	return xrate.NewLimiter(xrate.Limit(float64(r.Times)/r.Per.Seconds()), r.Times)
}

// take takes one from a limiter, or returns how long it will have none.
func (r *rates) take(l *xrate.Limiter) (wait time.Duration) {
	now := r.now()
	if l.AllowN(now, 1) {
		return 0
	}
	return waitOf(l, now)
}

// waitOf is how long a limiter has none to take, 0 if it has one.
func waitOf(l *xrate.Limiter, now time.Time) time.Duration {
	return time.Duration(max(0, (1-l.TokensAt(now))/float64(l.Limit())*float64(time.Second)))
}

// metered is a request that takes from an allowance: one for each message, the first of them by its head alone.
type metered struct {
	*rates
	allowed *allowance
	token   token.Token
	begun   bool // a message was taken
}

type meteredKey struct{}

// admit takes a request, before its message is read.
func (u *metered) admit(ctx context.Context) (context.Context, error) {
	if u.allowed == nil {
		return ctx, nil
	}
	return context.WithValue(ctx, meteredKey{}, u), u.request()
}

func (u *metered) request() error {
	return exceeded("requests", u.token.Rate, u.take(u.allowed.requests))
}

// allowMessage takes a message of the request of ctx.
func allowMessage(ctx context.Context, isOrder bool) error {
	u, _ := ctx.Value(meteredKey{}).(*metered)
	if u == nil {
		return nil
	}
	if u.begun {
		if err := u.request(); err != nil {
			return err
		}
	}
	u.begun = true
	if !isOrder {
		return nil
	}
	return exceeded("orders", u.token.Orders, u.take(u.allowed.orders))
}

// exceeded is the denial of what comes before its wait is over; nil without a wait.
func exceeded(what string, r rate.Rate, wait time.Duration) error {
	if wait <= 0 {
		return nil
	}
	d := &serve.Denial{Status: http.StatusTooManyRequests, RetryAfter: wait}
	d.Reason = fmt.Sprintf("The token has used up its rate of %s, %d per %s. Nothing was done: try again in %.1f s.", what, r.Times, perWord(r.Per), wait.Seconds())
	d.Data = map[string]any{"code": "rate_limited", "limit": r.String(), "of": what, "retry_after": wait.Seconds()}
	return d
}

func perWord(d time.Duration) string {
	return map[time.Duration]string{time.Second: "second", time.Minute: "minute", time.Hour: "hour"}[d]
}

// origin is an address from where tokens come from that are none.
type origin struct {
	left    *xrate.Limiter
	looking sync.Mutex // held by the one token that is looked up while none is left
}

func (r *rates) from(remote string) *origin {
	name := remote
	if at, err := netip.ParseAddrPort(remote); err == nil {
		ip := at.Addr().Unmap().WithZone("")
		name = ip.String()
		if ip.Is6() {
			net, _ := ip.Prefix(64) // a customer has at least so many
			name = net.String()
		}
	}
	e := r.addresses.Use(name, func() *origin { return &origin{left: xrate.NewLimiter(xrate.Every(guessEvery), guessesAtOnce)} })
	defer e.Done()
	return e.Value
}

// lookUp looks a token up. An address that has sent too many that are none has one at a time looked up, unless that was good before:
// others behind the same address are served, and a guess costs the store one question at a time.
func (r *rates) lookUp(remote, secret string, find func() (token.Token, error)) (token.Token, error) {
	sum := sha256.Sum256([]byte(secret))
	hash, from := string(sum[:]), r.from(remote)
	_, good := r.good.Get(hash)
	if wait := waitOf(from.left, r.now()); !good && wait > 0 {
		if !from.looking.TryLock() {
			return token.Token{}, tooManyGuesses(wait)
		}
		defer from.looking.Unlock()
	}
	t, err := find()
	if err == nil {
		if !good {
			r.good.Put(hash, struct{}{})
		}
		return t, nil
	}
	if _, denied := err.(*serve.Denial); !denied { // it cannot be told
		return t, err
	}
	r.good.Delete(hash)
	if wait := r.take(from.left); wait > 0 {
		return t, tooManyGuesses(wait)
	}
	return t, err
}

func tooManyGuesses(wait time.Duration) error {
	return &serve.Denial{
		Status: http.StatusTooManyRequests, RetryAfter: wait,
		Reason: fmt.Sprintf("Too many tokens that are none came from this address. Nothing was done: try again in %.1f s.", wait.Seconds()),
		Data:   map[string]any{"code": "rate_limited", "limit": "1/s", "of": "bad tokens", "retry_after": wait.Seconds()},
	}
}
