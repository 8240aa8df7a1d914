// The index of a ledger: where the lines with order ids, the trades and the dates are.
//
// The index stands beside a ledger that is longer than about a megabyte, in .position.index. Readers that look far back, and
// commits, bring it up to date from the lines. A search looks through the blocks of the file, and then through the newest lines
// themselves; each line found is read in the ledger before it counts. An index that is lost, damaged or of another ledger is
// made again. It does not notice a line that was edited to the same length while no process had the ledger open: Repair does.

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
	newest part     // the lines after the blocks, kept in memory
	failed bool     // the last update in the background failed
	wrong  bool     // the file is wrong, and is made again at the next update
}

const (
	indexEvery = 1 << 20
	fanout     = 16 // blocks of one level that are joined into one of the next
	topLevel   = 2

	indexTimeout = 10 * time.Second // the wait for another process that updates the index
)

// errUnusable says that there can be no index, for lack of room or permission. The lines themselves are read then.
var errUnusable = errors.New("the index cannot be used")

// unusable tells whether an error concerns the index alone, so that the lines can be read without it.
func unusable(err error) bool { return errors.Is(err, errUnusable) || errors.Is(err, errStale) }

// stretchBytes is how many bytes of the ledger are read together.
func (x *index) stretchBytes() int64 { return x.every / 64 }

// unsyncedBytes is how many bytes at the end of the ledger get no block yet: lines that are not synced may be taken back.
func (x *index) unsyncedBytes() int64 { return x.every / 8 }

// lags tells whether enough lines follow the blocks for another one.
func (x *index) lags(size int64) bool {
	return size-x.newest.from >= x.every+x.unsyncedBytes()+x.stretchBytes()
}

// update brings the index up to a size of the ledger. It reads only the new lines.
func (x *index) update(ctx context.Context, ledger io.ReaderAt, size int64) error {
	if size < x.newest.to {
		x.newest = part{from: x.newest.from, to: x.newest.from}
		if size < x.newest.from {
			x.forget()
		}
	}
	if !x.lags(size) {
		return x.newest.extend(ctx, ledger, size, x.stretchBytes(), func() error { return nil })
	}
	lock := x.access.Lock(x.path)
	patience, cancel := context.WithTimeout(ctx, indexTimeout)
	defer cancel()
	if err := lock.Take(patience); err != nil {
		return errors.Join(errUnusable, err)
	}
	defer lock.Release()
	if err := x.load(ledger, size, lock); err != nil {
		return err
	}
	return x.newest.extend(ctx, ledger, size, x.stretchBytes(), func() error { return x.addBlocks(ledger, size-x.unsyncedBytes()) })
}

// addLine adds a line that this process has just written, so that an update need not read it. The line stands between the offsets
// at and to; the line before it ended at from. A line that is not the next one, or begins a stretch, is left to an update.
func (x *index) addLine(e store.Entry, from, at, to int64) {
	if !x.mu.TryLock() {
		return // somebody is at it
	}
	defer x.mu.Unlock()
	if n := len(x.newest.stretches); x.newest.to == from && n > 0 && x.newest.to-x.newest.stretches[n-1].from < x.stretchBytes() {
		x.newest.add(e, at, to)
	}
}

// forget drops all that is known of the file.
func (x *index) forget() {
	// An iterator may still use the file, so the garbage collector closes it.
	x.file, x.size, x.blocks, x.newest = nil, 0, nil, part{}
}

// close closes the file of an index that nobody uses.
func (x *index) close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	f := x.file
	if x.forget(); f == nil {
		return nil
	}
	return f.Close()
}

// invalidate makes the next update make the file again.
func (x *index) invalidate() {
	x.forget()
	x.wrong = true
}

// fresh returns an index for the same file, of which nothing is known.
func (x *index) fresh() *index { return &index{path: x.path, access: x.access, every: x.every} }

// truncate empties the file of an index whose ledger was replaced. If another process has the lock, or the file must not be
// written, it stays: its blocks are compared with the lines before they are used.
func (x *index) truncate() {
	if _, err := os.Lstat(x.path); err != nil {
		return
	}
	lock := x.access.Lock(x.path)
	if taken, err := lock.Try(); taken && err == nil {
		_ = os.Truncate(x.path, 0)
		lock.Release()
	}
}

// keepIndex updates the index in the background while lines are appended, so that the next reader finds it up to date.
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
		use, err := s.useLedger(l.account) // which may have been closed since
		if err != nil {
			return
		}
		defer use.Done()
		f, size, x, err := use.Value.snapshot()
		if f == nil || err != nil {
			return
		}
		defer f.Close()
		x.mu.Lock()
		defer x.mu.Unlock()
		x.failed = x.update(s.running, f, size) != nil
	})
}

// load reads which blocks the file has, under its lock, which is on the file itself. It cuts off blocks that are of another
// ledger or incomplete.
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
	if slices.ContainsFunc(x.blocks, func(b *block) bool { return b.to > size || !b.matches(ledger) }) {
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

// push adds a block after the others, and removes those that were joined into it. It reports false if there is a gap.
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

// addBlocks makes blocks of the newest lines, up to a limit, and joins blocks where there are enough of one level.
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

// write appends a block to the file.
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
		x.invalidate()
		found, err = x.findOnce(ctx, ledger, size, orderID)
	}
	if unusable(err) && ctx.Err() == nil {
		x.invalidate()
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
		if o.fingerprint == print {
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

// scan finds the line without an index.
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

// before yields the lines below size that a filter lets through, newest first. It reads only stretches that may have such a
// line.
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
				if (err != nil || filter.Matches(e)) && (!yield(line, err) || err != nil) {
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
				x.invalidate()
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

// now updates the index up to a size of the ledger, and returns what it knows.
func (x *index) now(ctx context.Context, ledger io.ReaderAt, size int64) (newest []stretch, blocks []*block, file *os.File, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.update(ctx, ledger, size); err != nil {
		return nil, nil, nil, err
	}
	return slices.Clone(x.newest.stretches), x.blocks, x.file, nil
}
