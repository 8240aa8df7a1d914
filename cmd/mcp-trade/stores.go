// The stores that can hold sessions and ledgers besides the files of this machine: a row for each.

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mcp-trade/session"
	"mcp-trade/store"
)

// storeRow is a store that processes share, on one machine or on several. At most one of them can be configured. It comes before
// the files in a session, and holds the ledgers unless --ledger says otherwise.
type storeRow struct {
	name     string    // as the store itself says it
	hint     string    // what configures it, such as "set REDIS_URL"
	settings []setting // of this store alone
	keys     []keyUse  // those of its settings that are keys

	values func() any // makes a struct for those of its settings that have a flag, see settings.own; nil: none has

	valid func(s *settings, given func(flag string) bool) error     // whether the values of its settings can be; nil: all can
	open  func(s *settings, warn func(string)) (sharedStore, error) // nil if it is not configured; it connects to nothing yet
	check func(ctx context.Context, s *settings, r rooms, l *session.Resolver) []finding
}

var stores = []storeRow{redisRow}

// fileLedgers is how --ledger names the files.
const fileLedgers = "file"

// sharedStore holds sessions and ledgers.
type sharedStore interface {
	store.Store
	session.Shared
}

func (row storeRow) ledgerName() string { return row.name }

func (row storeRow) title() string { return session.Source(row.name).Title() }

// inWords joins what each row says.
func inWords(of func(storeRow) string, between string) string {
	var words []string
	for _, row := range stores {
		words = append(words, of(row))
	}
	return strings.Join(words, between)
}

// storeSettings are the settings of single stores.
func storeSettings() (rows []setting) {
	for _, row := range stores {
		rows = append(rows, row.settings...)
	}
	return rows
}

// ledgerNames are the stores that can keep ledgers.
func ledgerNames() []string {
	names := []string{fileLedgers}
	for _, row := range stores {
		names = append(names, row.name)
	}
	return names
}

// validStores says which value of a store's settings cannot be. given tells which flags the command line has.
func (s *settings) validStores(given func(flag string) bool) error {
	for _, row := range stores {
		if row.valid == nil {
			continue
		}
		if err := row.valid(s, given); err != nil {
			return err
		}
	}
	return nil
}

// openShared opens the shared store that is configured. Without one it returns nil.
func (s *settings) openShared(warn func(string)) (shared sharedStore, err error) {
	if s.filesOnly {
		return nil, nil
	}
	for _, row := range stores {
		opened, err := row.open(s, warn)
		if err == nil && opened != nil && shared != nil {
			err = errors.Join(opened.Close(), fmt.Errorf("%s and %s are both configured, and a session can be in one of the two only: unset the other", shared.Name(), row.name))
		}
		if err != nil && shared != nil {
			err = errors.Join(err, shared.Close())
		}
		if err != nil {
			return nil, err
		}
		if opened != nil {
			shared = opened
		}
	}
	return shared, nil
}

// ledgersIn says which of the stores that are open keeps the ledgers.
func ledgersIn(name string, file store.Store, shared sharedStore) (store.Store, error) {
	switch {
	case name == fileLedgers || name == "" && shared == nil:
		return file, nil
	case shared != nil && (name == "" || name == shared.Name()):
		return shared, nil
	}
	for _, row := range stores {
		if row.name == name {
			return nil, fmt.Errorf("the ledger is to be kept in %s, but no %s is configured: %s, or --ledger file", row.title(), row.title(), row.hint)
		}
	}
	return nil, fmt.Errorf("--ledger %q is no store", name)
}

// checkShared is what doctor says of the shared store.
func (s *settings) checkShared(ctx context.Context, r rooms, l *session.Resolver) []finding {
	for _, row := range stores {
		if r.shared != nil && row.name == r.shared.Name() {
			return row.check(ctx, s, r, l)
		}
	}
	return []finding{{inWords(storeRow.ledgerName, ", "), "ok", "none is configured: sessions and ledgers are files"}}
}
