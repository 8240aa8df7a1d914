// Building a report. Ledgers are read in parallel, each row once; the memory for each is bounded by the number of its days.

package report

import (
	"cmp"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"mcp-trade/ledger"
	"mcp-trade/market"
)

// Method says by whose definitions the figures are computed.
type Method string

// The methods.
const (
	Own           Method = "own"        // as the package documentation says
	AITrader      Method = "upstream"   // beside them AI-Trader's figures, as it computed them until 2025-11-20
	AITraderLater Method = "upstream-2" // likewise, as it computed them from then on
)

// Valid tells whether there is such a method.
func (m Method) Valid() bool { return m == Own || m == AITrader || m == AITraderLater }

// Ledger is an account to report on.
type Ledger struct {
	Signature string
	Lines     iter.Seq2[[]byte, error] // oldest first; a line is valid until the next one
	RunStats  RunStats                 // the zero RunStats if nothing is known
	Anchors   []ledger.Anchor          // what was noted elsewhere of the ledger, to verify it with
	Findings  []ledger.Finding         // what is known against it already
}

// Options says what to report.
type Options struct {
	// View is the market that the accounts are valued in. Days that are not over as of it are not reported, nor records of
	// such days.
	View         market.View
	Prices       *market.Prices // to verify ledgers with; nil: they are not verified
	From, To     market.Stamp   // days, both included; "" is no bound
	Method       Method         // "" is Own
	RiskFree     float64        // risk-free rate of a year, 0.02 for 2 %
	Benchmark    *Series        // nil: none
	Universe     string         // see [Report]
	CarryForward bool           // accounts go on to the end of the range without records, as those do that are still traded
	Variants     []Variant      // of an experiment, which are compared in place of pairs of accounts; each account of theirs is among the ledgers
	Trades       int            // how many trades, and as many closed trades, an account's report holds; 0 is DefaultTrades

	// OnTrade, unless it is nil, is called with each trade in the range, oldest first. Accounts are read in parallel, each by one
	// goroutine. An error ends the report.
	OnTrade func(signature string, t Trade) error
}

// DefaultTrades bounds the trades that a report holds of an account.
const DefaultTrades = 2000

// Build reports on ledgers. A ledger without rows is a *[NoLedgerError]; the other errors are those of reading lines and
// prices. What is doubtful about a row or a day is a warning of its account.
func Build(ledgers []Ledger, o Options) (Report, error) {
	if o.Method == "" {
		o.Method = Own
	}
	if o.Trades == 0 {
		o.Trades = DefaultTrades
	}
	r := Report{
		Method: o.Method, From: o.From, To: o.To, RiskFree: o.RiskFree, Benchmark: o.Benchmark,
		Accounts: make([]Account, len(ledgers)), Warnings: []string{}, Universe: o.Universe,
	}
	b := builder{Options: o}
	errs := make([]error, len(ledgers))
	var readers errgroup.Group
	readers.SetLimit(runtime.GOMAXPROCS(0))
	for i, l := range ledgers {
		readers.Go(func() error {
			r.Accounts[i], errs[i] = b.account(l)
			return nil
		})
	}
	_ = readers.Wait()
	for _, err := range errs {
		if err != nil {
			return Report{}, err
		}
	}
	slices.SortStableFunc(r.Accounts, rank)
	b.compare(&r)
	r.Warnings = append(r.Warnings, comparison(r.Accounts)...)
	return r, nil
}

// NoLedgerError says that an account has no rows.
type NoLedgerError struct{ Signature string }

func (e *NoLedgerError) Error() string { return e.Signature + " has no ledger" }

// builder builds the reports on accounts with the same options.
type builder struct{ Options }

// account reports on one ledger.
func (b builder) account(l Ledger) (Account, error) {
	h, err := b.read(l)
	if err != nil {
		return Account{}, err
	}
	a := Account{
		Signature: plain(l.Signature), Market: h.market, First: h.first, Last: h.last, Rows: h.rows,
		Trades: h.trades.list(), TradeCount: h.trades.all, RoundTrips: h.roundTrips.list(), RoundTripCount: h.roundTrips.all,
		DayStats: b.inRange(l.RunStats.Days), Warnings: h.warnings.list(), Costs: h.costs, FeeItems: h.feeItems, Paid: h.costItems(), Fills: h.fills,
	}
	if h.orders.Placed+h.orders.Filled+h.orders.Cancelled+h.orders.Expired+h.orders.Open > 0 {
		a.Orders = &h.orders
	}
	a.RefusedBy, a.Run = l.RunStats.Reasons, l.RunStats.Run.shown()
	if l.RunStats.Caveat != "" {
		a.Warnings = append(a.Warnings, plain("As its run noted: "+l.RunStats.Caveat+"."))
	}
	if a.Market == "" {
		if a.Market, err = b.defaultMarket(); err != nil {
			return Account{}, err
		}
	}
	a.Actions, a.Dividends = h.actions, h.dividends
	b.View = h.rules.Valuing(b.View)
	if err := b.value(&a, h); err != nil {
		return Account{}, fmt.Errorf("%s: %w", l.Signature, err)
	}
	if a.Splits, err = b.splits(h); err != nil {
		return Account{}, fmt.Errorf("%s: %w", l.Signature, err)
	}
	a.Warnings = append(a.Warnings, splitWarnings(a.Splits)...)
	b.measure(&a, h, l.RunStats)
	b.course(&a)
	if b.Prices != nil {
		verdict, reasons := h.verified.Verdict()
		a.Ledger = &Proof{verdict, append([]string{}, reasons...), h.verified.Head}
	}
	return a, nil
}

// defaultMarket returns the market of an account that has traded nothing: that of the first symbol of the prices.
func (b builder) defaultMarket() (market.ID, error) {
	symbols, err := b.View.Symbols()
	if err != nil || len(symbols) == 0 {
		return market.Default, err
	}
	return market.Of(symbols[0]).ID, nil
}

func (b builder) inRange(days []DayStats) []DayStats {
	kept := []DayStats{}
	for _, d := range days {
		if b.covers(d.Date) && !b.before(d.Date) {
			d.Text = prose(d.Text)
			kept = append(kept, d)
		}
	}
	return kept
}

// covers tells whether records of a date are read: its day is over and not after the range.
func (b builder) covers(at market.Stamp) bool {
	return at.Day() < b.View.AsOf().Day() && (b.To == "" || at.Day() <= b.To.Day())
}

// before tells whether a date lies before the range.
func (b builder) before(at market.Stamp) bool { return at.Day() < b.From.Day() }

// rank orders accounts: the highest total return first, then accounts without a total return, last those that are not ranked.
func rank(a, b Account) int {
	x, y := a.Metrics.Value(TotalReturn), b.Metrics.Value(TotalReturn)
	switch {
	case a.Ranked() != b.Ranked():
		return map[bool]int{true: -1, false: 1}[a.Ranked()]
	case x.known && !y.known:
		return -1
	case !x.known && y.known:
		return 1
	}
	return cmp.Or(cmp.Compare(y.value, x.value), strings.Compare(a.Signature, b.Signature))
}

// comparison warns of differences that make accounts incomparable.
func comparison(accounts []Account) []string {
	if len(accounts) < 2 {
		return nil
	}
	var warnings []string
	markets, spans, costs, fills := map[market.ID]bool{}, map[[2]market.Stamp]bool{}, map[string]bool{}, map[string]bool{}
	for _, a := range accounts {
		markets[a.Market], costs[a.Costs], fills[a.Fills] = true, true, true
		if n := len(a.Periods); n > 0 {
			spans[[2]market.Stamp{a.Opening.Date, a.Periods[n-1].Date}] = true
		}
	}
	if len(markets) > 1 {
		warnings = append(warnings, "The accounts trade in different markets, so in different currencies and on different days.")
	}
	if len(fills) > 1 {
		warnings = append(warnings, "The orders of the accounts fill by different rules, so a part of the difference is not their doing.")
	}
	if len(costs) > 1 {
		warnings = append(warnings, "The accounts pay different costs for their trades, so a part of the difference is not their doing.")
	}
	if len(spans) > 1 {
		warnings = append(warnings, "The accounts cover different dates, so their total returns cannot be compared as they stand; limit the report to dates that all of them cover.")
	}
	return warnings
}
