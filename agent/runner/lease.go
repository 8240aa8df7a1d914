// The lease of an account: while a run has it, no other one trades the account.

package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	if a.lease, err = a.takeLease(ctx); err != nil {
		return ctx, nil, err
	}
	a.accounts = a.Accounts.Under(a.lease.Fence())
	ctx, lose := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.renew(ctx, lose)
	}()
	return ctx, func() {
		lose(nil)
		<-ended
		if err := a.lease.Release(context.WithoutCancel(ctx)); err != nil {
			a.Log.Warn().Str("account", a.account.Name).Msg(fmt.Sprintf("the account is not given back before its lease ends: %v", err))
		}
	}, nil
}

// takeLease waits for a lease that may be of a run that was killed, as long as that one lives.
func (a *accountRun) takeLease(ctx context.Context) (store.Lease, error) {
	for waited := time.Duration(0); ; waited += leaseTry {
		lease, err := a.Runs.Lease(ctx, a.account.Name, a.Owner)
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
func (a *accountRun) renew(ctx context.Context, lose context.CancelCauseFunc) {
	for pause.For(ctx, leaseRenew) == nil {
		if err := a.lease.Renew(ctx); errors.Is(err, store.ErrLeaseLost) {
			lose(err)
			return
		}
	}
}
