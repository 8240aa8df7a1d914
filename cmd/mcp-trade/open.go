// The rooms, wired up by the settings: stores, sessions, prices.

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
)

// rooms are the stores, wired up.
type rooms struct {
	file    *filestore.Store
	shared  sharedStore // nil without one
	ledgers store.Store // one of the two

	accounts *ledger.Accounts // in those ledgers
	prices   *market.Prices   // nil unless openPriced opened some

	told map[string]toldDay // what was said on days that are over, of those who ask again and again; nil: it is not kept
}

// tokens keeps the tokens of callers: where machines share the sessions, they share these.
func (r rooms) tokens() store.Tokens {
	if r.shared != nil {
		return r.shared
	}
	return r.file
}

// runs keeps the state of runs beside the ledgers, and in files for people in any case.
func (r rooms) runs() store.Runs {
	if r.ledgers.Name() == r.file.Name() {
		return r.file
	}
	return store.Copied{Runs: r.ledgers, Copy: r.file}
}

func (r rooms) Close() error {
	var errs []error
	if r.prices != nil {
		errs = append(errs, r.prices.Close())
	}
	if r.shared != nil {
		errs = append(errs, r.shared.Close())
	}
	return errors.Join(append(errs, r.file.Close())...)
}

// named returns the names that were given, or those of all accounts if none were.
func (r rooms) named(ctx context.Context, names []string) ([]string, error) {
	if len(names) > 0 {
		return names, nil
	}
	return r.accounts.Names(ctx)
}

// openPriced is open, with the price files. required tells that the command is nothing without them.
func (s *settings) openPriced(required bool) (r rooms, err error) {
	if r, err = s.open(); err != nil {
		return r, err
	}
	if required {
		r.prices, err = s.needPrices()
	} else {
		r.prices, err = s.openPrices()
	}
	if err != nil {
		return r, errors.Join(err, r.Close())
	}
	return r, nil
}

// open wires up the stores. It connects to nothing yet.
func (s *settings) open() (rooms, error) {
	options := []filestore.Option{filestore.WithAccess(s.access())}
	if path, ok := s.lookup("RUNTIME_ENV_PATH"); ok && path != "" {
		options = append(options, filestore.WithSessionFile(s.modelID, path))
	}
	warn := func(text string) { s.log.Warn().Msg(text) }
	r := rooms{file: filestore.New(s.dataDir, s.logPath, append(options, filestore.WithWarnings(warn))...)}
	var err error
	if r.shared, err = s.openShared(warn); err != nil {
		return r, usageError{err}
	}
	if r.ledgers, err = ledgersIn(s.ledger, r.file, r.shared); err != nil {
		return r, usageError{err}
	}
	limits, err := s.accountLimits()
	if err != nil {
		return r, err
	}
	r.accounts = ledger.NewAccounts(r.ledgers).Limited(limits)
	return r, nil
}

// session wires up the session of a model.
func (s *settings) session(r rooms, model string) (*session.Resolver, error) {
	return s.sessionWithin(r, model, s.lookup)
}

// sessionWithin is session with the variables that env looks up as its last layer.
func (s *settings) sessionWithin(r rooms, model string, env func(string) (string, bool)) (*session.Resolver, error) {
	c := session.Config{
		Model: model, Local: r.file, Env: env, EnvOf: func(name string) session.Source { return session.Source(sourceOf(name)) }, TTL: s.ttl, Refuse: s.onRedisLoss == lossRefuse,
		LedgersInShared: r.shared != nil && r.ledgers.Name() == r.shared.Name(), Warn: func(text string) { s.log.Warn().Msg(text) },
	}
	switch {
	case r.shared != nil:
		c.Shared = r.shared
	case c.Refuse && !s.filesOnly:
		return nil, usageError{fmt.Errorf("--on-redis-loss refuse asks for a %s, but none is configured: %s",
			inWords(storeRow.title, " or a "), inWords(func(row storeRow) string { return row.hint }, " or "))}
	}
	l, err := session.New(c)
	if err != nil {
		return nil, usageError{err}
	}
	return l, nil
}

// priceFiles are the files asked for, else those in the data dir.
func (s *settings) priceFiles() ([]string, error) {
	if len(s.prices) > 0 {
		return s.prices, nil
	}
	// Not a glob of the whole path: a folder may be called "data [2025]".
	entries, err := os.ReadDir(s.dataDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("price files: %w", err)
	}
	var files []string
	for _, e := range entries {
		if is, _ := filepath.Match("*merged*.jsonl", e.Name()); is {
			files = append(files, filepath.Join(s.dataDir, e.Name()))
		}
	}
	return files, nil
}

// openPrices opens the price files; without any it returns nil. It looks at whether they are adjusted only where such ones are refused,
// since that takes the reading of all of them.
func (s *settings) openPrices() (*market.Prices, error) {
	prices, err := s.openAnyPrices()
	if err != nil || prices == nil || s.adjusted != adjustedRefuse {
		return prices, err
	}
	if err := prices.RefuseAdjusted(); err != nil {
		return nil, errors.Join(err, prices.Close())
	}
	return prices, nil
}

// openAnyPrices opens the price files as openPrices does, and takes adjusted prices too.
func (s *settings) openAnyPrices() (*market.Prices, error) {
	files, err := s.priceFiles()
	if err != nil || len(files) == 0 {
		return nil, err
	}
	prices, err := market.Open(files...)
	if err != nil {
		return nil, err
	}
	if s.actions != "" {
		if err := prices.TellFile(s.actions); err != nil {
			return nil, errors.Join(usageError{fmt.Errorf("--actions: %w", err)}, prices.Close())
		}
	}
	for _, w := range prices.Warnings() {
		s.log.Warn().Msg(w.String())
	}
	for _, why := range prices.Unkept() {
		s.log.Debug().Msg(why.Error())
	}
	if s.takenAsStamped() {
		prices = prices.AsStamped()
	}
	return prices, nil
}

// needPrices is openPrices for a command that is nothing without them.
func (s *settings) needPrices() (*market.Prices, error) {
	prices, err := s.openPrices()
	return prices, s.pricesMissing(prices, err)
}

// pricesMissing is the error of opening prices, or that there are none.
func (s *settings) pricesMissing(prices *market.Prices, err error) error {
	if err == nil && prices == nil {
		err = usageError{fmt.Errorf("no price files: name them with --prices or MCP_TRADE_PRICES, or put a *merged*.jsonl into %s", s.dataDir)}
	}
	return err
}
