// How far an account is, told without having it.

package runner

import (
	"context"

	"mcp-trade/market"
)

// Pending returns the trading days up to the account's end that it has yet to trade, and the date of its newest record that is no event, ""
// if it is not open yet. A run that has the account may be ahead of it.
func (r *Runner) Pending(ctx context.Context, account Account) (days []market.Stamp, newest market.Stamp, err error) {
	a := accountRun{Runner: r, account: account, accounts: r.Accounts}
	if a.days, err = account.Days(r.Prices); err != nil {
		return nil, "", err
	}
	head, err := r.Accounts.Head(ctx, account.Name)
	if isNew(err) {
		return a.days, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	if _, err = a.readProgress(ctx, head); err != nil {
		return nil, "", err
	}
	first, newest, err := a.firstUndone(ctx, head)
	return a.days[first:], newest, err
}
