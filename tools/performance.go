// The resource report://{signature}: an account's own performance.

package tools

import (
	"context"

	"mcp-trade/report"
	"mcp-trade/session"
)

// What the resource holds at most of an account's life. Its figures are of all of it.
const (
	maxPerformanceDays   = 60
	maxPerformanceTrades = 20
)

type performanceResult struct {
	Signature string             `json:"signature"`
	Opening   report.Point       `json:"opening"`
	Days      []report.Period    `json:"days"` // the newest, oldest first
	AllDays   int                `json:"days_all"`
	Drawdown  *report.Drawdown   `json:"deepest_drawdown"`
	Closed    []report.RoundTrip `json:"closed_trades"` // the newest, oldest first
	AllClosed int                `json:"closed_trades_all"`
	Holdings  []report.Holding   `json:"holdings"`
	Cash      report.Number      `json:"cash"`
	Metrics   report.Metrics     `json:"metrics"`
	Verdict   string             `json:"verdict"`
	Warnings  []string           `json:"warnings"`
}

// performance reports on the session's account, as far as the session's date allows.
func (d *Deps) performance(ctx context.Context, s session.Session) (string, error) {
	v, err := d.asOf(s)
	if err != nil {
		return "", err
	}
	if _, err := d.Accounts.Book(ctx, s.Signature, s.Today); err != nil {
		return "", err // the account was opened later, or never
	}
	r, err := report.Build([]report.Ledger{{Signature: s.Signature, Lines: d.Accounts.Lines(ctx, s.Signature)}},
		report.Options{View: v, CarryForward: true, Trades: maxPerformanceTrades})
	if err != nil {
		return "", err
	}
	a := r.Accounts[0]
	return inJSON(performanceResult{
		Signature: a.Signature, Opening: a.Opening, Days: a.Periods[max(0, len(a.Periods)-maxPerformanceDays):], AllDays: len(a.Periods),
		Drawdown: a.Drawdown, Closed: a.RoundTrips, AllClosed: a.RoundTripCount, Holdings: a.Holdings, Cash: a.Cash,
		Metrics: a.Metrics, Verdict: a.Verdict, Warnings: a.Warnings,
	}, nil)
}
