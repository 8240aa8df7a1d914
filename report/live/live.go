// Package live detects changes of ledgers, for a page that is served while they grow.
package live

import (
	"context"
	"fmt"
	"os"
	"strings"

	"mcp-trade/ledger"
	"mcp-trade/market"
)

// Ledgers is the part of a store that Watch reads.
type Ledgers interface {
	Accounts(ctx context.Context) ([]string, error)
	Head(ctx context.Context, account, orderID string) (head, ordered []byte, err error)
}

// Watch detects changes of ledgers. It is for one goroutine.
type Watch struct {
	Ledgers Ledgers
	Names   []string                                         // accounts and files; none are all accounts
	Said    func(account string, day market.Stamp) (n int64) // returns how much the run of an account has recorded of a day

	accounts []string // as last listed
	looks    int      // calls of Fingerprint
}

// Accounts are those that were watched last, and files.
func (w *Watch) Accounts() []string {
	if len(w.Names) > 0 {
		return w.Names
	}
	return w.accounts
}

// relist is how many calls use one list of accounts: to list them, a Redis scans all its keys.
const relist = 8

// Fingerprint returns a text that differs whenever a ledger has a new row, or the model has said more on the day of the newest row.
// It reads the newest row of each ledger.
func (w *Watch) Fingerprint(ctx context.Context) (string, error) {
	names := w.Names
	if len(names) == 0 {
		if w.looks%relist == 0 {
			accounts, err := w.Ledgers.Accounts(ctx)
			if err != nil {
				return "", err
			}
			w.accounts = accounts
		}
		w.looks++
		names = w.accounts
	}
	var mark strings.Builder
	unread, unreadErr := 0, error(nil)
	for _, name := range names {
		if stat, err := os.Stat(name); err == nil && stat.Mode().IsRegular() {
			fmt.Fprintf(&mark, "%s %d %d\n", name, stat.Size(), stat.ModTime().UnixNano())
			continue
		}
		head, _, err := w.Ledgers.Head(ctx, name, "")
		if err != nil { // the other ledgers are still watched
			unread, unreadErr = unread+1, err
			fmt.Fprintf(&mark, "%s %v\n", name, err)
			continue
		}
		fmt.Fprintf(&mark, "%s %s %d\n", name, head, w.said(name, head))
	}
	if unread == len(names) {
		return "", unreadErr
	}
	return mark.String(), nil
}

func (w *Watch) said(account string, row []byte) int64 {
	book, err := ledger.ParseBook(row)
	if err != nil {
		return 0
	}
	return w.Said(account, book.Date)
}
