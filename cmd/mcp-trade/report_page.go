// A report as a page: written to a file, or served while the ledgers grow.

package main

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/spf13/cobra"

	"mcp-trade/agent/underway"
	"mcp-trade/report"
	"mcp-trade/report/export"
	"mcp-trade/report/live"
	"mcp-trade/report/page"
)

// liveReport builds the report of a served page.
type liveReport struct {
	*settings
	flags   reportFlags
	options report.Options
	rooms   rooms
	names   []string // as given; none are all accounts

	ledgers *live.Watch
	runs    *underway.Watch
}

// serveReport serves the page until the command is interrupted.
func (s *settings) serveReport(cmd *cobra.Command, f reportFlags, names []string) error {
	o, err := f.options()
	if err != nil {
		return usageError{err}
	}
	open, err := f.address()
	if err != nil {
		return usageError{err}
	}
	r, err := s.openPriced(true)
	if err != nil {
		return err
	}
	defer r.Close()
	collectGarbage(50) // each change of a ledger makes a report anew, for as long as the page is served
	o.View, o.Prices = r.prices.AsOf(endOfTime), r.prices
	r.told = map[string]toldDay{}
	ctx := cmd.Context()
	v := &liveReport{settings: s, flags: f, options: o, rooms: r, names: names}
	v.ledgers = &live.Watch{Ledgers: r.ledgers, Names: names, Said: v.said}
	v.runs = s.watchRuns(r, len(names) > 0)
	follower, err := page.NewLive(ctx, page.Source{Fingerprint: v.ledgers.Fingerprint, Data: v.data, Runs: v.underway, Day: v.conversation}, func(err error) {
		if err == nil {
			s.log.Info().Msg("the page follows again")
		} else {
			s.log.Warn().Str("error", explain(err)).Msg("the page does not follow for now")
		}
	})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.serve)
	if err != nil {
		return err
	}
	if open {
		s.log.Warn().Msgf("everybody who can reach %s can see the page, without a password", listener.Addr())
	}
	fmt.Fprintf(cmd.OutOrStdout(), "The report is on http://%s/ and follows the ledgers. Ctrl-C ends it.\n", listener.Addr())
	return follower.Serve(ctx, listener, open)
}

// address checks where to serve, and tells whether other machines reach it.
func (f reportFlags) address() (open bool, err error) {
	_, port, err := net.SplitHostPort(f.serve)
	if err != nil {
		return false, fmt.Errorf("--serve %q: give an address and a port, such as 127.0.0.1:8090", f.serve)
	}
	open = !page.IsLoopback(f.serve)
	if open && !f.open {
		return true, fmt.Errorf("--serve %s would show the accounts to everybody who can reach this machine: use 127.0.0.1:%s, or add --open if that is meant", f.serve, port)
	}
	return open, nil
}

// data returns what the page shows now: nothing before the first account is opened.
func (v *liveReport) data(ctx context.Context) (page.Data, error) {
	if len(v.names) == 0 {
		if all, err := v.rooms.ledgers.Accounts(ctx); err != nil || len(all) == 0 {
			if err == nil && v.flags.benchmark != "equal-weight" { // which takes the day of an account
				_, err = v.flags.series(v.options, nil)
			}
			return page.Data{JSON: func(w io.Writer) error { return export.WriteJSON(w, report.Report{}) }}, err
		}
	}
	if err := v.rooms.prices.Refresh(); err != nil {
		return page.Data{}, err
	}
	result, err := v.build(ctx, v.flags, v.options, v.rooms, v.names)
	return page.Data{Report: result, Prices: report.Closes(v.options.View), TradesNote: "For all of them: mcp-trade report --out DIR writes trades.csv.",
		JSON: func(w io.Writer) error { return export.WriteJSON(w, result) }}, err
}
