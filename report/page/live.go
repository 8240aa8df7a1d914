// The page that follows the ledgers: one watcher makes each snapshot, all viewers share it.

package page

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"mcp-trade/internal/pause"
	"mcp-trade/market"
)

// Source is where a live page comes from.
type Source struct {
	// Fingerprint returns a text that is another one whenever there is something new. It is asked often, so it must be cheap.
	Fingerprint func(ctx context.Context) (string, error)
	// Data returns what the page is to show now.
	Data func(ctx context.Context) (Data, error)
	// Runs returns how the runs stand that are under way, as JSON that runs.js reads: the same text as long as nothing changes. It is asked as
	// often as the fingerprint; what is new in it has no report built anew. Nil: the page says nothing of runs.
	Runs func(ctx context.Context) (json.RawMessage, error)
	// Day returns what was said on a day of an account, as text, "" if nothing is known of it. Nil: the page offers no conversations.
	Day func(ctx context.Context, account string, day market.Stamp) (string, error)
}

// lookEvery is the time between two reads of the source. After a snapshot it is at least as long as the snapshot took to make.
const lookEvery = 250 * time.Millisecond

// Live is a page that follows its source.
type Live struct {
	source      Source
	renders     renderer
	log         func(error) // is called once with each failure, and with nil when it is over
	fingerprint string

	mu      sync.Mutex
	now     *snapshot
	changes []change      // to the newest snapshots, in their order
	trouble string        // why the page is not up to date
	changed chan struct{} // closed when now or trouble changes
}

// change is what turns the snapshot of a name into the next one.
type change struct {
	from   string
	packed []byte
}

// maxChanges is how many a viewer may be behind and still be told what changed; who is further behind reads all anew.
const maxChanges = 64

// changeOf returns what a viewer who has a snapshot is to change, nil if that is not known.
func (l *Live) changeOf(name string) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range slices.Backward(l.changes) {
		if c.from == name {
			return c.packed
		}
	}
	return nil
}

// NewLive makes the first snapshot. Later it calls log with each failure, and with nil when it is over; the page keeps its last
// content meanwhile.
func NewLive(ctx context.Context, source Source, log func(error)) (*Live, error) {
	l := &Live{source: source, log: log, changed: make(chan struct{})}
	return l, l.refresh(ctx)
}

// Follow polls the source until ctx is done.
func (l *Live) Follow(ctx context.Context) {
	rest := lookEvery
	for failing := false; pause.For(ctx, rest) == nil; {
		began := time.Now()
		err := l.refresh(ctx)
		if ctx.Err() != nil {
			return
		}
		if (err != nil) != failing {
			failing = err != nil
			l.log(err)
		}
		if err != nil {
			l.publish(nil, "The report cannot be made now, trying again; the log of the server says why")
		}
		rest = max(lookEvery, time.Since(began))
	}
}

// refresh makes a new snapshot if the source has changed. It reads the fingerprint first, so the next call notices what is written
// while the snapshot is made.
func (l *Live) refresh(ctx context.Context) error {
	fingerprint, err := l.source.Fingerprint(ctx)
	if err != nil {
		return err
	}
	var runs json.RawMessage
	if l.source.Runs != nil {
		if runs, err = l.source.Runs(ctx); err != nil {
			return err
		}
	}
	made, trouble := l.state()
	if made == nil || trouble != "" || fingerprint != l.fingerprint {
		if made, err = l.build(ctx); err != nil {
			return err
		}
	} else if bytes.Equal(runs, made.runs) {
		return nil
	}
	if made, err = made.withRuns(runs); err != nil {
		return err
	}
	if now, _ := l.state(); now != nil && now.name != made.name {
		if err := made.changeFrom(now); err != nil {
			return err
		}
		now.followed = nil // only the newest is compared
	}
	l.fingerprint = fingerprint
	l.publish(made, "")
	return nil
}

// build makes a snapshot of the report.
func (l *Live) build(ctx context.Context) (*snapshot, error) {
	data, err := l.source.Data(ctx)
	if err != nil {
		return nil, err
	}
	data.conversations = l.source.Day != nil
	return l.renders.render(data)
}

// publish makes a snapshot the current one, nil keeping the last, and wakes the viewers if the state changes.
func (l *Live) publish(v *snapshot, trouble string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v == nil || l.now != nil && v.name == l.now.name {
		v = l.now
	}
	if v == l.now && trouble == l.trouble {
		return
	}
	if l.now != nil && v != l.now {
		l.changes = append(l.changes[max(0, len(l.changes)+1-maxChanges):], change{l.now.name, v.change})
	}
	l.now, l.trouble = v, trouble
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *Live) state() (*snapshot, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now, l.trouble
}

// next waits until the state differs from the one given.
func (l *Live) next(ctx context.Context, seen *snapshot, trouble string) (*snapshot, string, error) {
	for {
		l.mu.Lock()
		now, why, changed := l.now, l.trouble, l.changed
		l.mu.Unlock()
		if now != seen || why != trouble {
			return now, why, nil
		}
		select {
		case <-ctx.Done():
			return now, why, ctx.Err()
		case <-changed:
		}
	}
}
