// Tests of which store is opened, and which keeps the ledgers.

package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"mcp-trade/store"
	"mcp-trade/store/filestore"
)

// anyStore is a shared store of any name.
type anyStore struct {
	*filestore.Store
	name   string
	closed *int
}

func (a anyStore) Name() string { return a.name }

func (a anyStore) SetValuesIf(context.Context, map[store.Key]string, map[store.Key]string, time.Duration) error {
	return nil
}

func (a anyStore) Close() error {
	*a.closed++
	return a.Store.Close()
}

func rowOf(t *testing.T, name string, closed *int) storeRow {
	variable := "MCP_TRADE_TEST_" + strings.ToUpper(name)
	return storeRow{name: name, hint: "set " + variable, open: func(s *settings, _ func(string)) (sharedStore, error) {
		if dir, ok := s.lookup(variable); ok && dir != "" {
			return anyStore{filestore.New(dir, dir), name, closed}, nil
		}
		return nil, nil
	}}
}

func TestSettings_Stores(t *testing.T) {
	closed := 0
	before := stores
	defer func() { stores = before }()
	stores = []storeRow{rowOf(t, "alpha", &closed), rowOf(t, "beta", &closed)}
	dir := t.TempDir()
	for _, c := range []struct {
		set, ledger, want string
		files             bool
	}{
		{"", "", "file", false},
		{"", "file", "file", false},
		{"ALPHA", "", "alpha", false},
		{"BETA", "", "beta", false},
		{"BETA", "beta", "beta", false},
		{"BETA", "file", "file", false},
		{"BETA", "", "file", true},
		{"BETA", "alpha", "the ledger is to be kept in Alpha, but no Alpha is configured: set MCP_TRADE_TEST_ALPHA, or --ledger file", false},
		{"", "beta", "the ledger is to be kept in Beta, but no Beta is configured: set MCP_TRADE_TEST_BETA, or --ledger file", false},
		{"ALPHA BETA", "", "alpha and beta are both configured, and a session can be in one of the two only: unset the other", false},
	} {
		s := newSettings()
		s.env, s.filesOnly, s.ledger = map[string]string{}, c.files, c.ledger
		for _, name := range strings.Fields(c.set) {
			s.env["MCP_TRADE_TEST_"+name] = dir
		}
		closed = 0
		shared, err := s.openShared(func(string) {})
		if err != nil {
			if err.Error() != c.want || closed != 2 {
				t.Errorf("%q with --ledger %q: %v, with %d closed; want %s", c.set, c.ledger, err, closed, c.want)
			}
			continue
		}
		ledgers, err := ledgersIn(s.ledger, filestore.New(dir, dir), shared)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = ledgers.Name()
		}
		if got != c.want {
			t.Errorf("%q with --ledger %q: %s, want %s", c.set, c.ledger, got, c.want)
		}
	}
	if names := strings.Join(ledgerNames(), " or "); names != "file or alpha or beta" {
		t.Error(names)
	}
}
