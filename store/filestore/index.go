// The index of a ledger: where the lines with order ids, the trades and the dates are.
//
// It stands beside a ledger that is longer than some megabytes, in .position.index, and is made of its lines by whoever asks for
// something far back, or commits: a line is searched for in the blocks of the file, and in the newest lines themselves.
// What it finds is read in the ledger before it counts. An index that is lost, damaged or another ledger's is made anew; of
// a line that was edited in place to the same length, while no process had the ledger open, it learns by 'mcp-trade ledger repair'.

package filestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"sync"
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/store"
)

// index is what this process knows of the index of one ledger.
type index struct {
	path   string
	access files.Access
	every  int64 // bytes of the ledger that get a block

	mu     sync.Mutex
	file   *os.File // nil before the first block
	size   int64    // where the last block ends in the file
	blocks []*block // of the whole ledger up to newest.from, oldest first
	newest part     // what follows them, kept in memory
	failed bool     // it could not be kept up
	wrong  bool     // what the file has is not right
}

const (
	indexEvery = 1 << 20
	fanout     = 16 // so many blocks of one level are joined
	topLevel   = 2

	indexPatience = 10 * time.Second // while another process makes the index
)

// errUnusable says that there can be no index, for want of room or permission: the lines themselves are read.
var errUnusable = errors.New("the index cannot be used")

// unusable tells whether the lines are to be read without an index, and not given up.
func unusable(err error) bool { return errors.Is(err, errUnusable) || errors.Is(err, errStale) }

// stretch is how many bytes of the ledger are read together.
func (x *index) stretch() int64 { return x.every / 64 }

// spare is what of the newest lines gets no block yet: lines that were not synced may be taken back.
func (x *index) spare() int64 { return x.every / 8 }

// lags tells whether there is enough behind the blocks for another one.
func (x *index) lags(size int64) bool { return size-x.newest.from >= x.every+x.spare()+x.stretch() }

// update brings the index up to a size of the ledger. It reads the lines that are new to it.
func (x *index) update(ctx context.Context, ledger io.ReaderAt, size int64) error {
	if size < x.newest.to {
		x.newest = part{from: x.newest.from, to: x.newest.from}
		if size < x.newest.from {
			x.forget()
		}
	}
	if !x.lags(size) {
		return x.newest.extend(ctx, ledger, size, x.stretch(), func() error { return nil })
	}
	lock := x.access.Lock(x.path)
	patience, cancel := context.WithTimeout(ctx, indexPatience)
	defer cancel()
	if err := lock.Take(patience); err != nil {
		return errors.Join(errUnusable, err)
	}
	defer lock.Release()
	if err := x.load(ledger, size, lock); err != nil {
		return err
	}
	return x.newest.extend(ctx, ledger, size, x.stretch(), func() error { return x.addBlocks(ledger, size-x.spare()) })
}

// note adds a line that this process has just written, so that an update need not read it. The line stands between the offsets at
// and to; the line before it ended at from. A line that is not the next one, or begins a stretch, is left to an update.
func (x *index) note(e store.Entry, from, at, to int64) {
	if !x.mu.TryLock() {
		return // somebody is at it
	}
	defer x.mu.Unlock()
	if n := len(x.newest.stretches); x.newest.to == from && n > 0 && x.newest.to-x.newest.stretches[n-1].from < x.stretch() {
		x.newest.add(e, at, to)
	}
}

// forget gives up what is known of the file.
func (x *index) forget() {
	// An iterator may have the file; it is closed when nobody has it any more.
	x.file, x.size, x.blocks, x.newest = nil, 0, nil, part{}
}

// distrust has the file made anew when it is next looked at.
func (x *index) distrust() {
	x.forget()
	x.wrong = true
}

// anew returns an index of which nothing is known.
func (x *index) anew() *index { return &index{path: x.path, access: x.access, every: x.every} }

// empty empties the file of an index whose ledger is another one by now. Where somebody is at it, or nothing may be
// written, its blocks are held against the lines all the same.
func (x *index) empty() {
	if _, err := os.Lstat(x.path); err != nil {
		return
	}
	lock := x.access.Lock(x.path)
	if taken, err := lock.Try(); taken && err == nil {
		_ = os.Truncate(x.path, 0)
		lock.Release()
	}
}

// keepIndex keeps the index of a ledger up while lines are appended, so that who asks for one finds it there.
func (s *Store) keepIndex(l *ledgerFile) {
	l.mu.Lock()
	size, x := l.size, l.index
	l.mu.Unlock()
	if !x.mu.TryLock() {
		return // somebody is at it
	}
	due := x.lags(size) && !x.failed
	x.mu.Unlock()
	if !due {
		return
	}
	s.background.Go(func() {
		f, size, x, err := l.snapshot()
		if f == nil || err != nil {
			return
		}
		defer f.Close()
		x.mu.Lock()
		defer x.mu.Unlock()
		x.failed = x.update(s.running, f, size) != nil
	})
}

// load reads which blocks the file has, under its lock, which is on the file itself. Those that are another ledger's, or
// cut short, are cut off.
func (x *index) load(ledger io.ReaderAt, size int64, lock *files.Lock) error {
	f, err := x.access.Append(x.path)
	if err != nil {
		return errors.Join(errUnusable, err)
	}
	info, err := f.Stat()
	if err != nil || !lock.Holds() { // or somebody removed it just now
		return errors.Join(errUnusable, err, f.Close())
	}
	known := x.newest
	x.forget()
	x.file = f
	for x.size < info.Size() && !x.wrong {
		b, ok := readBlock(f, x.size, info.Size())
		if !ok || !x.push(b) {
			break
		}
	}
	if slices.ContainsFunc(x.blocks, func(b *block) bool { return b.to > size || !b.isAbout(ledger) }) {
		x.forget()
		x.file = f
	}
	if x.newest.from == known.from {
		x.newest = known
	}
	if x.size < info.Size() {
		if err := f.Truncate(x.size); err != nil {
			return errors.Join(errUnusable, err)
		}
	}
	x.wrong = false
	return nil
}

// push puts a block behind the others, in the place of those that were joined into it. It reports false if there is a gap.
func (x *index) push(b block) bool {
	keep := len(x.blocks)
	for keep > 0 && x.blocks[keep-1].from >= b.from {
		keep--
	}
	end := int64(0)
	if keep > 0 {
		end = x.blocks[keep-1].to
	}
	if b.from != end || b.to <= b.from {
		return false
	}
	x.blocks = append(slices.Clone(x.blocks[:keep]), &b) // an iterator may have the list
	x.size += b.size()
	x.newest = part{from: b.to, to: b.to}
	return true
}

// addBlocks makes blocks of what is known of the newest lines, up to a limit, and joins what is to be joined.
func (x *index) addBlocks(ledger io.ReaderAt, limit int64) error {
	for {
		p, ok := x.newest.split(x.every, limit)
		if !ok {
			return nil
		}
		rest := x.newest
		if err := x.write(ledger, 0, p); err != nil {
			return err
		}
		x.newest = rest
		for level := range topLevel {
			n := len(x.blocks) - fanout
			if n < 0 || x.blocks[n].level != level || x.blocks[len(x.blocks)-1].level != level {
				break
			}
			joined := part{from: x.blocks[n].from}
			for _, b := range x.blocks[n:] {
				p, err := b.part(x.file)
				if err != nil {
					return err
				}
				joined.to, joined.stretches, joined.orders = p.to, append(joined.stretches, p.stretches...), append(joined.orders, p.orders...)
			}
			if err := x.write(ledger, level+1, joined); err != nil {
				return err
			}
			x.newest = rest
		}
	}
}

// write writes a block behind the others.
func (x *index) write(ledger io.ReaderAt, level int, p part) error {
	var last lastLine
	for line, err := range backward(context.Background(), ledger, p.from, p.to) {
		if err != nil {
			return err
		}
		last = lastLine{line.offset, int64(len(line.text)), hashLine(line.text)}
		break
	}
	text := appendBlock(nil, level, p, last)
	if _, err := x.file.Write(text); err != nil {
		return errors.Join(errUnusable, err, x.file.Truncate(x.size))
	}
	b, ok := readBlock(x.file, x.size, x.size+int64(len(text)))
	if !ok || !x.push(b) {
		return errStale
	}
	return nil
}

// find returns the newest line below size that carries an order id, if there is one.
func (x *index) find(ctx context.Context, ledger io.ReaderAt, size int64, orderID string) (line, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	found, err := x.findOnce(ctx, ledger, size, orderID)
	if errors.Is(err, errStale) {
		x.distrust()
		found, err = x.findOnce(ctx, ledger, size, orderID)
	}
	if unusable(err) && ctx.Err() == nil {
		x.distrust()
		return scan(ctx, ledger, size, orderID)
	}
	return found, err
}

func (x *index) findOnce(ctx context.Context, ledger io.ReaderAt, size int64, orderID string) (line, error) {
	if err := x.update(ctx, ledger, size); err != nil {
		return line{}, err
	}
	print := fingerprint(orderID)
	carries := func(at int64) (line, bool, error) {
		for line, err := range forward(ctx, ledger, at, size) {
			if err != nil {
				return line, false, err
			}
			e, err := store.ReadEntry(line.text)
			return line, err == nil && e.OrderID == orderID, nil
		}
		return line{}, false, nil
	}
	for _, o := range slices.Backward(x.newest.orders) {
		if o.print == print {
			if line, ok, err := carries(o.at); ok || err != nil {
				return line, err
			}
		}
	}
	for _, b := range slices.Backward(x.blocks) {
		at, err := b.find(x.file, print)
		if err != nil {
			return line{}, err
		}
		for _, at := range at {
			if line, ok, err := carries(at); ok || err != nil {
				return line, err
			}
		}
	}
	return line{}, nil
}

// scan is find without an index.
func scan(ctx context.Context, ledger io.ReaderAt, size int64, orderID string) (line, error) {
	for line, err := range backward(ctx, ledger, 0, size) {
		if err != nil {
			return line, err
		}
		if e, err := store.ReadEntry(line.text); err == nil && e.OrderID == orderID {
			return line, nil
		}
	}
	return line{}, nil
}

// before yields the lines below size that a filter lets through, newest first. It reads the stretches in which there may
// be one.
func (x *index) before(ctx context.Context, ledger io.ReaderAt, size int64, filter store.Filter) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		lines := func(from, to int64) (goOn bool) {
			for line, err := range backward(ctx, ledger, from, to) {
				var e store.Entry
				if err == nil {
					if e, err = store.ReadEntry(line.text); err != nil {
						err = fmt.Errorf("the line at byte %d: %w", line.offset, err)
					}
				}
				if (err != nil || filter.Passes(e)) && (!yield(line, err) || err != nil) {
					return false
				}
			}
			return true
		}
		stretches := func(list []stretch) (goOn bool) {
			for _, s := range slices.Backward(list) {
				if s.mayPass(filter) && !lines(s.from, s.to) {
					return false
				}
			}
			return true
		}
		newest, blocks, file, err := x.now(ctx, ledger, size)
		switch {
		case unusable(err):
			lines(0, size)
			return
		case err != nil:
			yield(line{}, err)
			return
		}
		if !stretches(newest) {
			return
		}
		for _, b := range slices.Backward(blocks) {
			if !b.mayPass(filter) {
				continue
			}
			list, err := b.stretches(file)
			if err != nil {
				x.mu.Lock()
				x.distrust()
				x.mu.Unlock()
				lines(0, b.to)
				return
			}
			if !stretches(list) {
				return
			}
		}
	}
}

// now returns the index of a ledger up to a size.
func (x *index) now(ctx context.Context, ledger io.ReaderAt, size int64) (newest []stretch, blocks []*block, file *os.File, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.update(ctx, ledger, size); err != nil {
		return nil, nil, nil, err
	}
	return slices.Clone(x.newest.stretches), x.blocks, x.file, nil
}
