// A report as a page: written to a file, or served while the ledgers grow.

package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"mcp-trade/agent/transcript"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/page"
)

// writePage is report.html.
func writePage(r report.Report, view market.View) ([]byte, error) {
	var out bytes.Buffer
	err := page.Write(&out, page.Data{Report: r, Prices: closes(view), TradesNote: "All of them are in trades.csv beside this page."})
	return out.Bytes(), err
}

// closes tells what a symbol closed at on the days of a range. A series that cannot be read is none.
func closes(view market.View) func(symbol string, from, to market.Stamp) report.Series {
	return func(symbol string, from, to market.Stamp) report.Series {
		s := report.Series{Name: symbol}
		bars, _, err := view.Bars(symbol, from, to, 0)
		if err != nil {
			return s
		}
		for _, b := range bars {
			p := report.Point{Date: b.Stamp.Day()}
			if b.Close.Valid {
				p.Value = report.Known(b.Close.Decimal.InexactFloat64())
			}
			if n := len(s.Points); n > 0 && s.Points[n-1].Date == p.Date {
				s.Points[n-1] = p // the last bar of the day
			} else {
				s.Points = append(s.Points, p)
			}
		}
		return s
	}
}

// served is a report that is served.
type served struct {
	*settings
	flags   reportFlags
	options report.Options
	rooms   rooms
	names   []string // as given; none are all accounts

	accounts []string // that were there when they were last listed
	looks    int      // since then
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
	o.View, o.Prices = r.prices.AsOf(endOfTime), r.prices
	ctx := cmd.Context()
	v := &served{settings: s, flags: f, options: o, rooms: r, names: names}
	live, err := page.NewLive(ctx, page.Source{Fingerprint: v.mark, Data: v.subject}, func(err error) {
		if err == nil {
			s.log.Info().Msg("the ledgers can be read again")
		} else {
			s.log.Warn().Err(err).Msg("the page does not follow for now")
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
	return live.Serve(ctx, listener, open)
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

// subject is what the page shows now: nothing before the first account is opened.
func (v *served) subject(ctx context.Context) (page.Data, error) {
	if len(v.names) == 0 {
		if all, err := v.rooms.ledgers.Accounts(ctx); err != nil || len(all) == 0 {
			return page.Data{}, err
		}
	}
	result, err := v.build(ctx, v.flags, v.options, v.rooms, v.names)
	return page.Data{Report: result, Prices: closes(v.options.View), TradesNote: "For all of them: mcp-trade report --out DIR writes trades.csv."}, err
}

// relist is how many looks at the ledgers pass before accounts are listed anew, for which a Redis looks at all its keys.
const relist = 8

// mark is another text whenever one of the ledgers got a row, or its model said more on the day of the newest, at the cost of a
// look at the newest of each.
func (v *served) mark(ctx context.Context) (string, error) {
	names := v.names
	if len(names) == 0 {
		if v.looks%relist == 0 {
			accounts, err := v.rooms.ledgers.Accounts(ctx)
			if err != nil {
				return "", err
			}
			v.accounts = accounts
		}
		v.looks++
		names = v.accounts
	}
	var mark strings.Builder
	unread, unreadErr := 0, error(nil)
	for _, name := range names {
		if stat, err := os.Stat(name); err == nil && stat.Mode().IsRegular() {
			fmt.Fprintf(&mark, "%s %d %d\n", name, stat.Size(), stat.ModTime().UnixNano())
			continue
		}
		head, _, err := v.rooms.ledgers.Head(ctx, name, "")
		if err != nil { // it hides no other
			unread, unreadErr = unread+1, err
			fmt.Fprintf(&mark, "%s %v\n", name, err)
			continue
		}
		fmt.Fprintf(&mark, "%s %s %d\n", name, head, v.said(name, head))
	}
	if unread == len(names) {
		return "", unreadErr
	}
	return mark.String(), nil
}

// said is how much an account's run noted down on the day of a row.
func (v *served) said(account string, row []byte) int64 {
	book, err := ledger.ParseBook(row)
	if err != nil {
		return 0
	}
	transcript, err := os.Stat(transcript.File(v.logPath, account, book.Date))
	if err != nil {
		return 0 // not every account is run by a model
	}
	return transcript.Size()
}
