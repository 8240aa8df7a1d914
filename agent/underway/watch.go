// Looking at all accounts, again and again.

package underway

import (
	"context"
	"errors"
	"slices"
	"time"

	"mcp-trade/decimal"
	"mcp-trade/internal/safetext"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store"
)

// Watch looks at the runs of accounts. It is for one goroutine.
type Watch struct {
	Runs     store.Runs
	Store    string           // where the ledgers are: file or redis, as manifests say it
	Sessions []store.Sessions // where a halt may stand
	Queue    store.Queue      // nil without one
	Named    bool             // accounts that wait in the queue and that nobody asks for do not count
	Prices   *market.Prices   // whose trading days are those of the runs
	Now      func() time.Time

	looks    int
	accounts map[string]*account
	queue    queued
	halts    map[store.Key]string
	unread   error // why queue or session could not be read last
}

// seldom is how many looks share one reading of the queue, of the session and of accounts that are at rest.
const seldom = 4

// Look tells how the runs of some accounts stand, and of those that wait in the queue.
func (w *Watch) Look(ctx context.Context, names []string) (Runs, error) {
	whole := w.looks%seldom == 0
	if w.accounts == nil {
		w.accounts = map[string]*account{}
	}
	if whole {
		w.unread = w.readQueue(ctx)
	}
	names = w.watched(names, whole)
	if err := w.see(ctx, names, whole); err != nil {
		return Runs{}, err
	}
	runs := Runs{Accounts: []Account{}}
	for _, name := range names {
		a := w.accounts[name]
		row, shown := w.stands(name, a)
		if a.rests = !shown; shown {
			runs.Accounts = append(runs.Accounts, row)
		}
	}
	if whole {
		w.unread = errors.Join(w.unread, w.readHalts(ctx, runs.Accounts))
	}
	if w.unread != nil { // it may have no right to read them, and the rest is known all the same
		runs.Unread = safetext.Replaced(w.unread.Error(), "\n")
	}
	_, runs.Halted = session.Halted(w.halts, store.AllModels)
	for i := range runs.Accounts {
		runs.Accounts[i].Halted, _ = session.Halted(w.halts, runs.Accounts[i].Account)
	}
	w.shareBudgets(runs.Accounts)
	w.looks++
	return runs, nil
}

// Said is how far the journal of the day under way of an account was read.
func (w *Watch) Said(account string) int64 {
	if a := w.accounts[account]; a != nil {
		return a.next
	}
	return 0
}

// watched are the accounts that are looked at now, sorted: those that are at rest seldom.
func (w *Watch) watched(names []string, whole bool) []string {
	names = slices.Clone(names)
	if !w.Named {
		names = append(names, w.queue.names()...)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool {
		if store.IsArchive(name) || store.CheckName("signature", name) != nil {
			return true // an archive, or a file
		}
		a := w.accounts[name]
		if a == nil {
			w.accounts[name] = &account{}
		}
		return a != nil && a.rests && !whole
	})
}

// see looks at accounts, and reads on in the journals that have more.
func (w *Watch) see(ctx context.Context, names []string, whole bool) error {
	for left := names; len(left) > 0; {
		looks := make([]store.Look, len(left))
		for i, name := range left {
			looks[i] = w.accounts[name].look(name)
		}
		seen, err := w.Runs.Look(ctx, looks...)
		if err != nil {
			return err
		}
		var more []string
		for i, name := range left {
			a := w.accounts[name]
			again, err := a.take(looks[i], seen[i])
			if err == nil {
				err = w.readManifest(ctx, name, a, whole)
			}
			var gone *store.UnreachableError
			if errors.As(err, &gone) {
				return err
			}
			if a.damaged = err; again && err == nil {
				more = append(more, name)
			}
		}
		left = more
	}
	return nil
}

// readHalts reads which of the accounts are halted, and whether all are.
func (w *Watch) readHalts(ctx context.Context, rows []Account) error {
	keys := []store.Key{{Model: store.AllModels, Name: session.Halt}}
	for _, row := range rows {
		keys = append(keys, store.Key{Model: row.Account, Name: session.Halt})
	}
	w.halts = map[store.Key]string{}
	for _, s := range w.Sessions {
		values, err := s.Values(ctx, keys...)
		if err != nil {
			return err
		}
		for k, text := range values {
			if own, all := session.Halted(values, k.Model); own || all && k.Model == store.AllModels {
				w.halts[k] = text
			}
		}
	}
	return nil
}

// shareBudgets adds up what accounts cost that share a budget: those of one configuration, also when they are at their end.
func (w *Watch) shareBudgets(rows []Account) {
	type shared struct{ config, budget string }
	of := func(a *account) (s shared, ok bool) {
		if a == nil || a.run.Budget == nil || a.run.Config == nil {
			return s, false
		}
		return shared{a.run.Config.SHA256, a.run.Budget.String()}, true
	}
	sums := map[shared]decimal.Decimal{}
	for _, a := range w.accounts {
		if s, ok := of(a); ok {
			spent := a.spent()
			sums[s] = sums[s].Add(spent.Total())
		}
	}
	for i := range rows {
		a := w.accounts[rows[i].Account]
		if s, ok := of(a); ok {
			sum := sums[s]
			rows[i].TotalCost, rows[i].TotalBudget = &sum, a.run.Budget
		}
	}
}
