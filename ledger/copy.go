// Copying a ledger from one store to another, byte for byte.

package ledger

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"

	"mcp-trade/store"
)

// Lines yields the lines of an account's ledger as they are stored, oldest first.
func (a *Accounts) Lines(ctx context.Context, account string) iter.Seq2[[]byte, error] {
	return a.ledgers.Lines(ctx, account)
}

// Names returns the names of all accounts, sorted.
func (a *Accounts) Names(ctx context.Context) ([]string, error) { return a.ledgers.Accounts(ctx) }

// Export writes the ledger of an account, one line per record, and returns how many there were.
func (a *Accounts) Export(ctx context.Context, account string, w io.Writer) (rows int, err error) {
	for line, err := range a.ledgers.Lines(ctx, account) {
		if err != nil {
			return rows, err
		}
		if _, err := w.Write(append(bytes.Clone(line), '\n')); err != nil {
			return rows, err
		}
		rows++
	}
	if rows == 0 {
		err = notRegistered(account)
	}
	return rows, err
}

// Import appends the lines of a ledger to an account that has none, and returns how many it appended. Every line is read
// before the first is appended, so lines that are no ledger change nothing. An import that was interrupted goes on where it
// ended: rows that are there already must be the same.
func (a *Accounts) Import(ctx context.Context, account string, lines iter.Seq2[[]byte, error]) (added int, err error) {
	var rows [][]byte
	var orders []string
	used := map[string]bool{}
	for line, err := range lines {
		if err != nil {
			return 0, err
		}
		r, err := ParseLine(line)
		if err != nil {
			return 0, fmt.Errorf("row %d: %w", len(rows), err)
		}
		if r.ID != int64(len(rows)) {
			return 0, fmt.Errorf("row %d has the id %d; a ledger with gaps or doubled ids cannot be imported", len(rows), r.ID)
		}
		if r.OrderID != "" && used[r.OrderID] {
			return 0, fmt.Errorf("row %d has the order id %q of an earlier row; such a ledger cannot be imported", len(rows), r.OrderID)
		}
		used[r.OrderID] = true
		rows, orders = append(rows, bytes.Clone(line)), append(orders, r.OrderID)
	}
	there := 0
	for line, err := range a.ledgers.Lines(ctx, account) {
		if err != nil {
			return 0, err
		}
		if there >= len(rows) || !bytes.Equal(line, rows[there]) {
			return 0, fmt.Errorf("the account %s has another ledger: its row %d is not the one to import", account, there)
		}
		there++
	}
	for i := there; i < len(rows); i++ {
		c := store.Commit{Account: account, ID: int64(i), Line: rows[i], OrderID: orders[i]}
		if i > 0 {
			c.After = rows[i-1]
		}
		if err := a.ledgers.Append(ctx, c); err != nil {
			return i - there, fmt.Errorf("row %d: %w", i, err)
		}
	}
	return len(rows) - there, nil
}
