package live

import (
	"context"
	"errors"
	"slices"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// fake is ledgers whose newest rows a test sets.
type fake struct {
	accounts []string
	heads    map[string][]byte
	listed   int
}

func (f *fake) Accounts(context.Context) ([]string, error) {
	f.listed++
	return slices.Clone(f.accounts), nil
}

func (f *fake) Head(_ context.Context, account, _ string) (head, ordered []byte, err error) {
	if head = f.heads[account]; head == nil {
		return nil, nil, errors.New("damaged")
	}
	return head, nil, nil
}

func row(date market.Stamp) []byte {
	return ledger.Record{Date: date, Action: ledger.NoTrade, Positions: ledger.Positions{{Symbol: ledger.Cash, Amount: decimal.NewFromInt(1)}}}.Line()
}

func TestWatch_Fingerprint(t *testing.T) {
	f := &fake{accounts: []string{"a", "b"}, heads: map[string][]byte{"a": row("2025-10-01")}} // b cannot be read
	said := int64(0)
	w := &Watch{Ledgers: f, Said: func(account string, day market.Stamp) int64 {
		if account != "a" || day != "2025-10-01" && day != "2025-10-02" {
			t.Errorf("%s was asked for on %s", account, day)
		}
		return said
	}}
	last := ""
	look := func(changed bool, why string) {
		t.Helper()
		mark, err := w.Fingerprint(t.Context())
		if err != nil || (mark != last) != changed {
			t.Errorf("%s: %v, changed: %v", why, err, mark != last)
		}
		last = mark
	}
	look(true, "the first look")
	look(false, "nothing happened")
	f.heads["a"] = row("2025-10-02")
	look(true, "a row more")
	said = 100
	look(true, "the model said more")
	f.accounts, f.heads["c"] = append(f.accounts, "c"), []byte("no row")
	for range relist - 4 {
		look(false, "a new account is seen when accounts are listed anew")
	}
	look(true, "accounts are listed anew")
	if f.listed != 2 {
		t.Errorf("accounts were listed %d times", f.listed)
	}
	f.heads = nil
	if _, err := w.Fingerprint(t.Context()); err == nil {
		t.Error("no ledger can be read, and that is no error")
	}
}
