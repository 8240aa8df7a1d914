// The resource report://{signature}: an account's own performance.

package tools

import (
	"context"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/report"
)

func performanceTemplate() mcp.ResourceTemplate {
	return mcp.NewResourceTemplate("report://{signature}", "performance",
		mcp.WithTemplateDescription("How the account has done up to the last close before today: value by day, return, drawdown, Sharpe ratio, closed trades. "+
			"Only the account of the session can be read."),
		mcp.WithTemplateMIMEType("application/json"))
}

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

// performance reports on the session's account and no other, as far as the session's date allows.
func (d *Deps) performance(ctx context.Context, req mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	s, err := readSession(ctx)
	if err != nil {
		return nil, err
	}
	if own := "report://" + s.Signature; req.Params.URI != own {
		return nil, &foreignError{own}
	}
	v, err := d.asOf(s)
	if err != nil {
		return nil, err
	}
	if _, err := d.Accounts.Book(ctx, s.Signature, s.Today); err != nil {
		return nil, err // the account was opened later, or never
	}
	r, err := report.Build([]report.Ledger{{Signature: s.Signature, Lines: d.Accounts.Lines(ctx, s.Signature)}},
		report.Options{View: v, CarryForward: true, Trades: maxPerformanceTrades})
	if err != nil {
		return nil, err
	}
	a := r.Accounts[0]
	text, err := json.Marshal(performanceResult{
		Signature: a.Signature, Opening: a.Opening, Days: a.Periods[max(0, len(a.Periods)-maxPerformanceDays):], AllDays: len(a.Periods),
		Drawdown: a.Drawdown, Closed: a.RoundTrips, AllClosed: a.RoundTripCount, Holdings: a.Holdings, Cash: a.Cash,
		Metrics: a.Metrics, Verdict: a.Verdict, Warnings: a.Warnings,
	})
	if err != nil {
		return nil, err
	}
	return []mcp.ResourceContents{mcp.TextResourceContents{URI: req.Params.URI, MIMEType: "application/json", Text: string(text)}}, nil
}
