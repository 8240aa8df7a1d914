// Blocks: the form of an index in its file.
//
// A block is a header of headSize bytes, the stretches, and the orders, sorted by fingerprint. Numbers are little endian. The
// file is never synced: after a crash of the machine the checksums tell which blocks are whole, and the lines of the ledger
// whether a block is of this ledger.

package filestore

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync"
)

// block is a part of a ledger as the file of the index has it.
type block struct {
	level    int   // how often parts were joined into it
	from, to int64 // in the ledger
	summary
	last lastLine

	at     int64  // where it is in the file
	counts [2]int // of stretches, of orders
	sums   [2]uint32
	filter bloomFilter // nil before the checksum of the orders was verified
}

// lastLine is the last line of a block, by which the block proves that it is about a ledger.
type lastLine struct {
	at, size int64
	hash     [16]byte
}

const (
	magic       = "ledger-index-1\n\x00"
	headSize    = 160
	stretchRoom = 8 + 8 + 4 + dateRoom
	orderRoom   = 16
	dateRoom    = 20 // YYYY-MM-DD HH:MM:SS and a zero
)

var castagnoli = sync.OnceValue(func() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) })

// errStale says that the file of an index does not agree with the ledger.
var errStale = errors.New("the index is another ledger's, or damaged")

func (b *block) size() int64 {
	return b.ordersAt() + int64(b.counts[1])*orderRoom - b.at
}

// ordersAt is where the orders are in the file.
func (b *block) ordersAt() int64 { return b.at + headSize + int64(b.counts[0])*stretchRoom }

// appendDate writes a date. It cuts off text that is longer than any date.
func appendDate(to []byte, date string) []byte {
	var room [dateRoom]byte
	copy(room[:dateRoom-1], date)
	return append(to, room[:]...)
}

func date(room []byte) string { return strings.TrimRight(string(room[:dateRoom]), "\x00") }

// appendBlock writes a block about a part whose last line is given.
func appendBlock(to []byte, level int, p part, last lastLine) []byte {
	n := binary.LittleEndian
	slices.SortFunc(p.orders, func(a, b order) int {
		return cmp.Or(cmp.Compare(a.fingerprint, b.fingerprint), cmp.Compare(a.at, b.at))
	})
	start := len(to)
	to = append(to, make([]byte, headSize)...)
	for _, s := range p.stretches {
		to = n.AppendUint64(to, uint64(s.from))
		to = n.AppendUint64(to, uint64(s.minID))
		to = n.AppendUint32(to, uint32(s.trades))
		to = appendDate(to, s.minDate)
	}
	middle := len(to)
	for _, o := range p.orders {
		to = n.AppendUint64(n.AppendUint64(to, o.fingerprint), uint64(o.at))
	}
	all := p.summary()
	head := append(make([]byte, 0, headSize), magic...)
	for _, x := range []int64{int64(level), p.from, p.to, last.at, last.size, int64(len(p.stretches)), int64(len(p.orders)), all.minID, int64(all.trades)} {
		head = n.AppendUint64(head, uint64(x))
	}
	head = append(head, last.hash[:]...)
	head = appendDate(head, all.minDate)
	head = n.AppendUint32(head, crc32.Checksum(to[start+headSize:middle], castagnoli()))
	head = n.AppendUint32(head, crc32.Checksum(to[middle:], castagnoli()))
	copy(to[start:], head)
	sum := to[start+headSize-4 : start+headSize]
	n.PutUint32(sum, crc32.Checksum(to[start:start+headSize-4], castagnoli()))
	return to
}

// readBlock reads the header of the block at an offset; ok is false if there is none, or not all of it.
func readBlock(f io.ReaderAt, at, fileSize int64) (b block, ok bool) {
	var head [headSize]byte
	if _, err := f.ReadAt(head[:], at); err != nil {
		return b, false
	}
	n := binary.LittleEndian
	if string(head[:len(magic)]) != magic || n.Uint32(head[headSize-4:]) != crc32.Checksum(head[:headSize-4], castagnoli()) {
		return b, false
	}
	rest := head[len(magic):]
	next := func() int64 {
		x := n.Uint64(rest)
		rest = rest[8:]
		return int64(x)
	}
	b.at = at
	b.level, b.from, b.to = int(next()), next(), next()
	b.last.at, b.last.size = next(), next()
	b.counts = [2]int{int(next()), int(next())}
	b.minID, b.trades = next(), int(next())
	copy(b.last.hash[:], rest)
	rest = rest[len(b.last.hash):]
	b.minDate = date(rest)
	b.sums = [2]uint32{n.Uint32(rest[dateRoom:]), n.Uint32(rest[dateRoom+4:])}
	return b, b.counts[0] >= 0 && b.counts[1] >= 0 && at+b.size() <= fileSize
}

// matches tells whether the ledger has the last line of the block.
func (b *block) matches(ledger io.ReaderAt) bool {
	if b.last.size < 0 || b.last.size > maxLine {
		return false
	}
	text := make([]byte, b.last.size)
	_, err := ledger.ReadAt(text, b.last.at)
	return err == nil && hashLine(text) == b.last.hash
}

func hashLine(text []byte) [16]byte {
	sum := sha256.Sum256(text)
	return [16]byte(sum[:16])
}

// read reads the stretches (0) or the orders (1) of the block from the file, and verifies their checksum.
func (b *block) read(f io.ReaderAt, which int, at int64, room int) ([]byte, error) {
	text := make([]byte, b.counts[which]*room)
	if _, err := f.ReadAt(text, at); err != nil {
		return nil, errors.Join(errStale, err)
	}
	if crc32.Checksum(text, castagnoli()) != b.sums[which] {
		return nil, errStale
	}
	return text, nil
}

// stretches reads the stretches of the block.
func (b *block) stretches(f io.ReaderAt) ([]stretch, error) {
	text, err := b.read(f, 0, b.at+headSize, stretchRoom)
	if err != nil {
		return nil, err
	}
	n, list := binary.LittleEndian, make([]stretch, 0, b.counts[0])
	for ; len(text) > 0; text = text[stretchRoom:] {
		from := int64(n.Uint64(text))
		if last := len(list) - 1; last >= 0 {
			list[last].to = from
		}
		list = append(list, stretch{from, b.to, summary{int64(n.Uint64(text[8:])), date(text[20:]), int(n.Uint32(text[16:]))}})
	}
	return list, nil
}

// part reads all that the block knows.
func (b *block) part(f io.ReaderAt) (p part, err error) {
	stretches, err := b.stretches(f)
	if err != nil {
		return p, err
	}
	text, err := b.read(f, 1, b.ordersAt(), orderRoom)
	return part{b.from, b.to, stretches, decodeOrders(text)}, err
}

// find returns where the lines with the fingerprint of an order id begin, newest first.
func (b *block) find(f io.ReaderAt, print uint64) (at []int64, err error) {
	if b.filter == nil {
		text, err := b.read(f, 1, b.ordersAt(), orderRoom)
		if err != nil {
			return nil, err
		}
		b.filter = newBloomFilter(decodeOrders(text))
	}
	if !b.filter.mayHold(print) {
		return nil, nil
	}
	first, err := b.search(f, print)
	for i := first; i < b.counts[1] && err == nil; i++ {
		var o []order
		if o, err = b.readOrders(f, i, i+1); err == nil && o[0].fingerprint != print {
			break
		} else if err == nil {
			at = append(at, o[0].at)
		}
	}
	slices.Reverse(at)
	return at, err
}

// bloomFilter is a Bloom filter of the fingerprints of a block, which spares most readings of the file for order ids that the block
// does not have. It has 16 bits for each order and sets two of them, so about one absent id in 70 is let through.
type bloomFilter []uint64

func newBloomFilter(orders []order) bloomFilter {
	s := make(bloomFilter, len(orders)/4+1)
	for _, o := range orders {
		a, b := s.bits(o.fingerprint)
		s[a/64] |= 1 << (a % 64)
		s[b/64] |= 1 << (b % 64)
	}
	return s
}

func (s bloomFilter) mayHold(print uint64) bool {
	a, b := s.bits(print)
	return (s[a/64]>>(a%64))&(s[b/64]>>(b%64))&1 == 1
}

// bits returns the two bits of a fingerprint, which is as good as random.
func (s bloomFilter) bits(print uint64) (a, b uint64) {
	n := uint64(len(s)) * 64
	return (print >> 32) % n, (print & math.MaxUint32) % n
}

// search returns the index of the first order with a fingerprint, or where it would be. Fingerprints are evenly spread, so it
// reads near the place where the order should be.
func (b *block) search(f io.ReaderAt, print uint64) (int, error) {
	const near = 32
	low, high := 0, b.counts[1] // it is between them
	for low < high {
		guess, _ := bits.Mul64(print, uint64(b.counts[1]))
		from := min(max(int(guess)-near, low), max(high-2*near, low))
		to := min(from+2*near, high)
		o, err := b.readOrders(f, from, to)
		if err != nil {
			return 0, err
		}
		n, _ := slices.BinarySearchFunc(o, print, func(o order, print uint64) int { return cmp.Compare(o.fingerprint, print) })
		switch {
		case n == 0 && from > low:
			high = from
		case n == len(o):
			low = to
		default:
			return from + n, nil
		}
	}
	return low, nil
}

// readOrders reads some of the orders.
func (b *block) readOrders(f io.ReaderAt, from, to int) ([]order, error) {
	text := make([]byte, (to-from)*orderRoom)
	if _, err := f.ReadAt(text, b.ordersAt()+int64(from)*orderRoom); err != nil {
		return nil, errors.Join(errStale, err)
	}
	return decodeOrders(text), nil
}

func decodeOrders(text []byte) []order {
	list, n := make([]order, 0, len(text)/orderRoom), binary.LittleEndian
	for ; len(text) > 0; text = text[orderRoom:] {
		list = append(list, order{n.Uint64(text), int64(n.Uint64(text[8:]))})
	}
	return list
}
