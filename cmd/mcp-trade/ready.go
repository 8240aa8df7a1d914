// Whether mcp-trade http can serve: its stores, its prices, its disk.

package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"mcp-trade/session"
	"mcp-trade/store"
	"mcp-trade/tools"
)

const (
	readyTime = 2 * time.Second // how long whoever asks waits for what is looked at
	readyKept = 1 * time.Second // how long what was found is told again: several balancers ask each second
)

// readiness tells whether calls would fail. It tells strangers no more than which part it is.
type readiness struct {
	rooms
	dataDir string
	tools   *tools.Deps
	audit   keptAudit

	mu    sync.Mutex
	at    time.Time // of what was found last
	found error
}

var errHangs = errors.New("a store or a disk does not answer")

// check returns why calls would fail, nil if they would not.
func (r *readiness) check(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.at.IsZero() && time.Since(r.at) < readyKept {
		return r.found
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTime) // others are told what is found
	defer cancel()
	found := make(chan error, 1) // a disk may hang, whatever the context says
	go func() { found <- r.look(ctx) }()
	select {
	case r.found = <-found:
	case <-ctx.Done():
		r.found = errHangs
	}
	r.at = time.Now()
	return r.found
}

func (r *readiness) look(ctx context.Context) error {
	halt := store.Key{Model: store.AllModels, Name: session.Halt}
	stores := []store.Sessions{r.file}
	if r.shared != nil {
		stores = append(stores, r.shared)
	}
	for _, in := range stores {
		if _, err := in.Values(ctx, halt); err != nil {
			return errors.New("a store of sessions cannot be read")
		}
	}
	if _, err := r.tokens().AnyToken(ctx); err != nil {
		return errors.New("the tokens cannot be read")
	}
	if free, known := freeBytes(r.dataDir); known && free < littleFree && r.ledgers.Name() == r.file.Name() {
		return errors.New("the disk of the data dir is nearly full")
	}
	switch {
	case r.tools.Prices == nil:
		return errors.New("there are no prices")
	case r.tools.Prices.Refresh() != nil:
		return errors.New("the prices cannot be read, or have changed")
	case r.audit.log != nil && r.audit.log.Err() != nil:
		return errors.New("the audit cannot be written")
	}
	return nil
}
