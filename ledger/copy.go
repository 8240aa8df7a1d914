// Copying a ledger from one store to another, byte for byte.

package ledger

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"

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

// Copy is a ledger that was read to be imported.
type Copy struct{ rows [][]byte }

// ReadCopy reads a ledger to be imported.
func ReadCopy(lines iter.Seq2[[]byte, error]) (Copy, error) {
	var c Copy
	for line, err := range lines {
		if err != nil {
			return Copy{}, err
		}
		c.rows = append(c.rows, bytes.Clone(line))
	}
	return c, nil
}

// Lines yields the lines of the copy.
func (c Copy) Lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, row := range c.rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// Check returns why no store can keep the copy: a row is no record, the ids have a gap, or an id or order id is there twice.
func (c Copy) Check() error {
	_, err := c.orders()
	return err
}

// orders returns the order id of each row.
func (c Copy) orders() ([]string, error) {
	var orders []string
	used := map[string]bool{}
	for n, line := range c.rows {
		r, err := ParseLine(line)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", n, err)
		}
		if r.ID != int64(n) {
			return nil, fmt.Errorf("row %d has the id %d; a ledger with gaps or doubled ids cannot be imported", n, r.ID)
		}
		if r.OrderID != "" && used[r.OrderID] {
			return nil, fmt.Errorf("row %d has the order id %q of an earlier row; such a ledger cannot be imported", n, r.OrderID)
		}
		used[r.OrderID] = true
		orders = append(orders, r.OrderID)
	}
	return orders, nil
}

// Marked returns the copy with one row more, which marks all others as imported unverified. It is a link of the chain of
// hashes, so that it goes with the ledger wherever that is copied. Errors are those of Check.
func (c Copy) Marked() (Copy, error) {
	orders, err := c.orders()
	if err != nil || len(orders) == 0 {
		return c, err
	}
	book, err := ParseBook(c.rows[len(c.rows)-1])
	if err != nil {
		return c, err
	}
	mark := noTrade(book, book.Date)
	mark.Unverified = mark.ID
	for n := 1; mark.OrderID == "" || slices.Contains(orders, mark.OrderID); n++ {
		mark.OrderID = markID(n)
	}
	return Copy{append(slices.Clip(c.rows), mark.Line())}, nil
}

// markID is the order id under which a store finds a mark without reading the ledger. Ledgers with n marks have n of them.
func markID(n int) string { return fmt.Sprintf("unverified-import-%d", n) }

// Imported returns how many rows of an account were imported unverified, the first ones; nil with an error.
func (a *Accounts) Imported(ctx context.Context, account string) (unverified *int64, err error) {
	rows := int64(0)
	for n := 1; ; n++ {
		_, line, err := a.ledgers.Head(ctx, account, markID(n))
		switch {
		case err != nil:
			return nil, err
		case line == nil:
			return &rows, nil
		}
		r, err := ParseLine(line)
		if err != nil {
			return nil, damaged(account, line, err)
		}
		rows = max(rows, r.Unverified)
	}
}

// Import appends a copy to an account that has no ledger, and returns how many rows it appended. An import that was
// interrupted goes on where it ended: rows that are there already must be the same. The errors of Check come before any row.
func (a *Accounts) Import(ctx context.Context, account string, c Copy) (added int, err error) {
	if err := c.Check(); err != nil {
		return 0, err
	}
	there := 0
	for line, err := range a.ledgers.Lines(ctx, account) {
		if err != nil {
			return 0, err
		}
		if there >= len(c.rows) || !bytes.Equal(line, c.rows[there]) {
			return 0, fmt.Errorf("the account %s has another ledger: its row %d is not the one to import", account, there)
		}
		there++
	}
	for i := there; i < len(c.rows); i++ {
		var after []byte
		if i > 0 {
			after = c.rows[i-1]
		}
		commit, err := store.CommitOf(account, after, c.rows[i])
		commit.Fence = a.fence
		if err == nil {
			err = a.ledgers.Append(ctx, commit)
		}
		if err != nil {
			return i - there, fmt.Errorf("row %d: %w", i, err)
		}
	}
	return len(c.rows) - there, nil
}

// HeadOf is the hash of the last line of a ledger, which stands for every byte before it where rows are chained.
func HeadOf(text []byte) string {
	text = bytes.TrimSuffix(text, []byte{'\n'})
	return Hash(text[bytes.LastIndexByte(text, '\n')+1:])
}
