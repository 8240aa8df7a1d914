// The lease of an account: while a run has it, no other one trades the account.

package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"mcp-trade/internal/pause"
	"mcp-trade/store"
)

// Between two tries to get a lease, and between two renewals of one.
const (
	leaseTry   = 250 * time.Millisecond
	leaseRenew = 1 * time.Second
)

// hold takes the account. Another run of it would set the date of this one. The context that it returns ends when the account
// is lost.
func (a *accountRun) hold(ctx context.Context) (_ context.Context, release func(), err error) {
	ctx, a.lease, release, err = hold(ctx, a.Runs, a.account.Name, a.Owner, a.Log)
	if err == nil {
		a.accounts = a.Accounts.Under(a.lease.Fence())
	}
	return ctx, release, err
}

// hold takes an account, and has the lease live on until it is released.
func hold(ctx context.Context, runs store.Runs, account string, o store.Owner, log zerolog.Logger) (context.Context, store.Lease, func(), error) {
	lease, err := takeLease(ctx, runs, account, o)
	if err != nil {
		return ctx, nil, nil, err
	}
	ctx, lose := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		renew(ctx, lease, lose)
	}()
	return ctx, lease, func() {
		lose(nil)
		<-ended
		if err := lease.Release(context.WithoutCancel(ctx)); err != nil {
			log.Warn().Str("account", account).Msg(fmt.Sprintf("the account is not given back before its lease ends: %v", err))
		}
	}, nil
}

// takeLease waits for a lease that may be of a run that was killed, as long as that one lives.
func takeLease(ctx context.Context, runs store.Runs, account string, o store.Owner) (store.Lease, error) {
	for waited := time.Duration(0); ; waited += leaseTry {
		lease, err := runs.Lease(ctx, account, o)
		var leased *store.LeasedError
		if !errors.As(err, &leased) || waited > leased.Life {
			return lease, err
		}
		if err := pause.For(ctx, leaseTry); err != nil {
			return nil, err
		}
	}
}

// renew renews the lease until ctx ends. A store that does not answer may do so next time.
func renew(ctx context.Context, lease store.Lease, lose context.CancelCauseFunc) {
	for pause.For(ctx, leaseRenew) == nil {
		if err := lease.Renew(ctx); errors.Is(err, store.ErrLeaseLost) {
			lose(err)
			return
		}
	}
}
