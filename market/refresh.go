package market

// This file takes what price files have become while they were open.

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
)

// Refresh looks whether the files grew or were replaced, and if so serves what they hold now from the next view on; a view keeps what
// it was made of. Where nothing changed it costs a look at each file's size and time.
//
// What was shown stays: of each series that was read, every figure up to the latest stamp of which a view was made (of the bar that
// begins there: the open), and the corporate actions up to its day. A figure that was not known may become known. If one that was is
// another now, or gone, the error is a *RefreshError of a *ChangedError. It is a *RefreshError too if a file is missing, half written
// or not readable. With any error what was in force stays so, and the next call looks again.
func (p *Prices) Refresh() error {
	f := p.fileSet
	f.refreshing.Lock()
	defer f.refreshing.Unlock()
	var err error
	for range 3 { // a file may be replaced while it is read
		var states []os.FileInfo
		states, err = f.look()
		switch {
		case err != nil:
			return &RefreshError{fmt.Errorf("price file: %w", err)}
		case states == nil:
			return nil
		case sameStates(states, f.refused.states):
			return f.refused.err
		}
		if err = f.take(states); err == nil {
			return nil
		}
		err = &RefreshError{err}
		if again, _ := f.look(); sameStates(again, states) {
			f.refused = refusal{states, err}
			return err
		}
	}
	return err
}

// look returns the states of the price files, and of the actions file if there is one; nil if they are those of the content in force.
func (f *fileSet) look() (states []os.FileInfo, err error) {
	changed := false
	add := func(path string, was os.FileInfo) {
		is, failed := os.Stat(path)
		if failed != nil {
			err = failed
			return
		}
		states, changed = append(states, is), changed || !sameState(is, was)
	}
	for _, s := range f.now.Load().sources {
		add(s.path, s.state)
		changed = changed || s.wrong.Load()
	}
	if f.actions != nil {
		add(f.actions.path, f.actions.state)
	}
	if err != nil || !changed {
		return nil, err
	}
	return states, nil
}

func sameStates(a, b []os.FileInfo) bool { return len(a) > 0 && slices.EqualFunc(a, b, sameState) }

// take puts in force what files in some states hold.
func (f *fileSet) take(states []os.FileInfo) error {
	old := f.now.Load()
	next := newContent(old.maxBars)
	next.files = f
	actions, err := f.read(next, old, states)
	if err == nil && f.rawOnly {
		err = next.refuseAdjusted(next.draft)
	}
	if err == nil {
		err = f.replace(old, next)
	}
	if err != nil {
		for _, s := range next.sources {
			if !slices.Contains(old.sources, s) {
				err = errors.Join(err, s.file.Close())
			}
		}
		return err
	}
	// The files that were replaced are closed when the last view of them is gone: an os.File closes itself then.
	f.actions, f.refused = actions, refusal{}
	return nil
}

// read fills a content with what files in some states hold. It takes over from the old one what is of files that did not change.
func (f *fileSet) read(next, old *content, states []os.FileInfo) (*actionsFile, error) {
	block := make([]byte, blockSize)
	for i, source := range old.sources {
		if wrong := source.wrong.Load(); wrong || !sameState(states[i], source.state) {
			var err error
			if source, err = openPriceFile(source.path); err != nil {
				return nil, err
			}
			next.sources = append(next.sources, source)
			source.anew = wrong
			if err := source.take(states[i], block, f.indexFrom); err != nil {
				return nil, err
			}
		} else {
			next.sources = append(next.sources, source)
		}
		if err := next.add(source); err != nil {
			return nil, err
		}
	}
	next.symbols = slices.Sorted(maps.Keys(next.series))
	actions := f.actions
	switch {
	case actions == nil:
		next.told = old.told
	case sameState(states[len(states)-1], actions.state):
		next.told = old.told
	default:
		told, state, err := readActions(actions.path)
		if err != nil {
			return nil, err
		}
		next.tell(told)
		actions = &actionsFile{actions.path, state}
	}
	return actions, nil
}

// take indexes a file that is in a state, and is whole.
func (s *priceFile) take(state os.FileInfo, block []byte, indexFrom int64) error {
	err := s.find(block, indexFrom)
	after, failed := s.file.Stat()
	switch {
	case failed != nil:
		return fmt.Errorf("price file: %w", failed)
	case !sameState(s.state, state) || !sameState(s.state, after):
		return fmt.Errorf("price file %s is being written", s.path)
	case err != nil:
		return err
	case s.torn != nil:
		return fmt.Errorf("price file %s is half written: its last line is %w", s.path, s.torn)
	}
	return nil
}

// draft is about, of a content that is not in force: nothing of it is shown.
func (c *content) draft(s *series) (*metadata, error) {
	read, err := s.read(c.asStamped)
	if err != nil {
		return nil, &DamagedError{s.symbol, s.source.path, s.line, err}
	}
	return read.metadata(c.told[s.symbol]), nil
}

// replace puts a content in force, if it has all that was shown of the old one.
func (f *fileSet) replace(old, next *content) error {
	f.showing.Lock()
	defer f.showing.Unlock()
	asOf := f.latest()
	if err := next.follow(old, asOf); err != nil {
		return err
	}
	old.twinning.Lock()
	twin := old.twin
	old.twinning.Unlock()
	if twin != nil {
		if err := next.stamped(true).follow(twin, asOf); err != nil {
			return err
		}
	}
	f.now.Store(next)
	return nil
}

// follow takes over what was shown of an old content. It is an error if something of it is another here.
func (c *content) follow(old *content, asOf Stamp) error {
	for _, symbol := range old.symbols {
		s := old.series[symbol]
		if !s.shown.Load() {
			continue
		}
		if err := c.followSeries(old, s, asOf); err != nil {
			return err
		}
	}
	return nil
}

func (c *content) followSeries(old *content, s *series, asOf Stamp) error {
	about, kept := s.metadata.Load(), s.bars.Load()
	old.mu.Lock()
	digest := s.digest
	old.mu.Unlock()
	if !c.sameText(old, s) {
		was := kept
		if was == nil {
			if read, err := s.read(old.asStamped); err == nil {
				was = &read.bars
			}
		}
		var bars []packedBar
		var err error
		if was != nil {
			about, bars, err = c.compare(s, about, *was, asOf)
		} else {
			about, bars, err = c.compareDigest(s, about, digest)
		}
		if err != nil {
			return err
		}
		if kept != nil {
			kept = &bars
		}
		digest = digestOf(bars, about.period, asOf)
	}
	t := c.series[s.symbol]
	if t == nil {
		return nil // and nothing of it was shown
	}
	t.metadata.Store(about)
	t.digest = digest
	t.shown.Store(true)
	if kept != nil {
		t.bars.Store(kept)
		c.keep(t, len(*kept))
	}
	return nil
}

// compareDigest is compare where of the bars nothing but their digest is left. A figure that is known only now is no change, but its
// digest does not tell.
func (c *content) compareDigest(s *series, was *metadata, d digest) (*metadata, []packedBar, error) {
	is, about, err := c.reread(s)
	if err != nil {
		return nil, nil, err
	}
	change := changedAction(was.actions, about.actions, d.asOf)
	if change == nil && digestOf(is.bars, was.period, d.asOf) != d {
		change = &ChangedError{Stamp: d.asOf}
	}
	if change != nil {
		return nil, nil, c.changed(s, change)
	}
	return about, is.bars, nil
}
