// An account is put aside, so that another one can begin under its name.

package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rs/zerolog"

	"mcp-trade/code"
	"mcp-trade/ledger"
	"mcp-trade/store"
)

// Archive puts an account aside, with all that its runs left, and returns the name that it has from then on. While a run has the
// account it is a *[store.LeasedError].
func Archive(ctx context.Context, runs store.Runs, accounts *ledger.Accounts, account string, o store.Owner, log zerolog.Logger) (as string, err error) {
	if store.IsArchive(account) {
		return "", fmt.Errorf("the account %s is archived already", account)
	}
	if _, err := accounts.Head(ctx, account); isNew(err) {
		return "", err
	}
	ctx, lease, release, err := hold(ctx, runs, account, o, log)
	if err != nil {
		return "", err
	}
	defer release()
	return archive(ctx, runs, accounts, account, lease.Fence())
}

// maxArchives bounds how often an account is put aside.
const maxArchives = 10000

// archive moves an account to the first archive name that is free.
func archive(ctx context.Context, runs store.Runs, accounts *ledger.Accounts, account string, f store.Fence) (as string, err error) {
	names, err := accounts.Names(ctx)
	if err != nil {
		return "", err
	}
	for n := 1; n <= maxArchives; n++ {
		as = store.ArchiveName(account, n)
		if slices.Contains(names, as) {
			continue
		}
		if err = runs.Archive(ctx, account, as, f); !errors.Is(err, store.ErrTaken) {
			return as, err
		}
	}
	return "", fmt.Errorf("the account %s has %d archives: remove some", account, maxArchives)
}

// isNew tells whether an error says that there is no such account yet.
func isNew(err error) bool {
	refusal, ok := errors.AsType[*ledger.Refusal](err)
	return ok && refusal.Code() == code.NotRegistered
}
