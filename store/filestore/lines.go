// Reading a file of lines from either end.

package filestore

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"unicode"

	"mcp-trade/store"
)

// maxLine bounds a ledger line, in bytes. A full book of ten thousand symbols is about 150 kB.
const maxLine = 16 << 20

type line struct {
	text   []byte // without leading and trailing white space; valid until the next line
	offset int64  // of the text
	next   int64  // where the next line begins
}

// forward yields the lines between two offsets, both at line boundaries, until ctx is done. Blank lines are passed over.
func forward(ctx context.Context, f io.ReaderAt, from, to int64) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		if from == to {
			return // mostly there is nothing new, and no buffer is needed
		}
		scanner := bufio.NewScanner(io.NewSectionReader(f, from, to-from))
		scanner.Buffer(make([]byte, 0, min(64<<10, to-from+1)), maxLine) // small for an append, which reads one new line
		offset, next := from, from
		scanner.Split(func(data []byte, atEOF bool) (int, []byte, error) {
			advance, token, err := bufio.ScanLines(data, atEOF)
			offset, next = next, next+int64(advance)
			return advance, token, err
		})
		for scanner.Scan() {
			if err := ctx.Err(); err != nil {
				yield(line{}, err)
				return
			}
			if l := trimmed(scanner.Bytes(), offset, next); len(l.text) > 0 && !yield(l, nil) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			yield(line{}, tooLong(err, next))
		}
	}
}

// backward yields the lines between two offsets, both at line boundaries, last first, until ctx is done. Blank lines are
// passed over.
func backward(ctx context.Context, f io.ReaderAt, from, end int64) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		const block = 32 << 10
		var rest []byte // the end of a line that begins before the block
		last := end
		for end > from {
			if err := ctx.Err(); err != nil {
				yield(line{}, err)
				return
			}
			n := min(block, end-from)
			end -= n
			buf := make([]byte, n, int(n)+len(rest))
			if _, err := f.ReadAt(buf, end); err != nil {
				yield(line{}, err)
				return
			}
			buf = append(buf, rest...)
			for cut := bytes.LastIndexByte(buf, '\n'); cut >= 0; cut = bytes.LastIndexByte(buf, '\n') {
				if l := trimmed(buf[cut+1:], end+int64(cut)+1, last); len(l.text) > 0 && !yield(l, nil) {
					return
				}
				buf, last = buf[:cut], end+int64(cut)+1
			}
			if rest = buf; len(rest) > maxLine {
				yield(line{}, tooLong(bufio.ErrTooLong, end))
				return
			}
		}
		if l := trimmed(rest, from, last); len(l.text) > 0 {
			yield(l, nil)
		}
	}
}

// trimmed returns a line without leading and trailing white space.
func trimmed(text []byte, offset, next int64) line {
	left := bytes.TrimLeftFunc(text, unicode.IsSpace)
	return line{bytes.TrimSpace(left), offset + int64(len(text)-len(left)), next}
}

// wholeEnd returns where the last whole line below size ends. Text after the last line feed counts as a line if it is a whole
// JSON object with an id, as another program may have left it; otherwise its writer was interrupted.
func wholeEnd(f io.ReaderAt, size int64) (int64, error) {
	for line, err := range backward(context.Background(), f, 0, size) {
		if err != nil {
			return 0, err
		}
		if _, err := store.ReadEntry(line.text); err == nil {
			return size, nil
		}
		break
	}
	const block = 32 << 10
	for end := size; end > 0; {
		n := min(block, end)
		buf := make([]byte, n)
		if _, err := f.ReadAt(buf, end-n); err != nil {
			return 0, err
		}
		if cut := bytes.LastIndexByte(buf, '\n'); cut >= 0 {
			return end - n + int64(cut) + 1, nil
		}
		end -= n
	}
	return 0, nil
}

func tooLong(err error, offset int64) error {
	if errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("the line at byte %d is longer than %d MiB", offset, maxLine>>20)
	}
	return err
}
