package market

// This file turns a price file into an index: which symbol is on which line,
// and where that line is. The line itself is read on the first request.
//
// The file is read once in blocks, and a line again when it is asked for. A
// memory map is avoided on purpose: a file truncated underneath a map kills the
// process with SIGBUS, and a mapped pass counts as resident memory. Blocks and
// ReadAt are as fast, and a truncated file is an error like any other.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
)

const (
	blockSize = 128 << 10
	headSize  = 2 << 10  // of a line; the symbol is usually within the first 200 bytes
	maxLine   = 64 << 20 // some 400,000 bars
)

const jsonSpace = " \t\r\n"

// priceFile is an open price file.
type priceFile struct {
	path  string
	file  *os.File
	size  int64
	state os.FileInfo // when it was opened

	// What index finds.
	series  []seriesRef
	damaged warningList
	torn    error // of the last line; nil if it is whole

	// Of a large file.
	stored bool           // the index is that of the index file
	stamps map[ID][]Stamp // by market: at which any series has a bar, ascending; nil if that is not known
	unkept error          // why there is no index file
	anew   bool           // the index file is not to be read

	wrong atomic.Bool // the index file was
	again sync.Once   // guards fresh
	fresh []seriesRef // of reading the file, where the index file was wrong
}

// seriesRef says where in which file the series of a symbol is.
type seriesRef struct {
	symbol         string
	source         *priceFile
	line           int // from 1
	offset, length int64
	sum            uint64   // of its text
	outline        *outline // nil if it is not known
}

// outline is what is known of a series before it is read. It is of bars that begin when they do.
type outline struct {
	Name  string `json:"name,omitempty"`
	First Stamp  `json:"first,omitempty"` // of its bars
	Bars  int    `json:"bars"`
}

var errRewritten = errors.New("the file was rewritten after it was opened")

// openPriceFile opens a price file. Anything but a regular file is refused before
// it is opened, because opening a pipe may wait for ever.
func openPriceFile(path string) (*priceFile, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("price file: %w", err)
	}
	if stat.IsDir() {
		return nil, fmt.Errorf("price file %s is a directory", path)
	}
	if !stat.Mode().IsRegular() {
		return nil, fmt.Errorf("price file %s is not a regular file", path)
	}
	if stat.Size() == 0 {
		return nil, fmt.Errorf("price file %s is empty", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("price file: %w", err)
	}
	state, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("price file: %w", err), file.Close())
	}
	return &priceFile{path: path, file: file, size: state.Size(), state: state}, nil
}

// sameState tells whether a file is one that it was, by its size and the time at which it was written.
func sameState(a, b os.FileInfo) bool {
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && os.SameFile(a, b)
}

// index finds the series in the file: one on each line, or a single object that
// is written over many lines. A line that is no series is a warning; a file
// without any series is an error. The block is scratch space.
func (s *priceFile) index(block []byte) error {
	s.series, s.damaged = nil, warningList{}
	err := s.lines(block, func(l line) {
		var symbol string
		if symbol, s.torn = s.symbolOf(l); s.torn != nil {
			s.damaged.add(Warning{File: s.path, Line: l.number, Problem: s.torn.Error()})
			return
		}
		s.series = append(s.series, seriesRef{symbol, s, l.number, l.offset, l.length, l.sum.Sum64(), nil})
	})
	if err != nil {
		return fmt.Errorf("price file: %w", err)
	}
	if len(s.series) > 0 {
		return nil
	}
	var symbol string
	text, err := s.text(0, s.size)
	if err == nil {
		symbol, err = s.identify(0, s.size)
	}
	if err != nil {
		return fmt.Errorf("price file %s: no line is a price series, nor is the whole file: %w", s.path, err)
	}
	s.series, s.damaged, s.torn = []seriesRef{{symbol, s, 1, 0, s.size, xxhash.Sum64(text), nil}}, warningList{}, nil
	return nil
}

// line is a line of a file that is not blank.
type line struct {
	number         int // from 1
	offset, length int64
	head           []byte         // its beginning, headSize at most, valid until the next line
	last           byte           // the last byte that is not space
	sum            *xxhash.Digest // of all of it, valid until the next line
}

// lines yields the lines of the file that are not blank.
func (s *priceFile) lines(block []byte, yield func(line)) error {
	l := line{number: 1, head: make([]byte, 0, headSize), sum: xxhash.New()}
	end := func() {
		if l.last != 0 {
			yield(l)
		}
		l.sum.Reset()
		l = line{number: l.number + 1, offset: l.offset + l.length + 1, head: l.head[:0], sum: l.sum}
	}
	for at := int64(0); ; {
		n, err := s.file.ReadAt(block, at)
		at += int64(n)
		for rest := block[:n]; len(rest) > 0; {
			piece, after, ended := bytes.Cut(rest, []byte("\n"))
			l.feed(piece)
			if ended {
				end()
			}
			rest = after
		}
		if err == io.EOF {
			end()
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// feed adds the next piece of a line that may lie across blocks.
func (l *line) feed(piece []byte) {
	l.length += int64(len(piece))
	_, _ = l.sum.Write(piece) // which never fails
	l.head = append(l.head, piece[:min(len(piece), headSize-len(l.head))]...)
	if text := bytes.TrimRight(piece, jsonSpace); len(text) > 0 {
		l.last = text[len(text)-1]
	}
}

var errTorn = errors.New("torn: the line does not end with the object that it begins")

// symbolOf returns the symbol of the series on a line. In most cases it reads
// only the beginning of the line.
func (s *priceFile) symbolOf(l line) (string, error) {
	head := trimStart(l.head)
	switch {
	case !bytes.HasPrefix(head, []byte("{")):
		return "", errors.New("not a JSON object")
	case l.last != '}':
		return "", errTorn
	}
	if symbol := symbolNearStart(head); symbol != "" {
		return symbol, CheckSymbol(symbol)
	}
	return s.identify(l.offset, l.length)
}

// symbolNearStart returns the symbol if it is a plain string in the "Meta Data"
// with which the object begins, else "". It does not check the rest of the
// object; a wrong guess is found when the series is read.
func symbolNearStart(head []byte) string {
	head = bytes.TrimLeft(head[1:], jsonSpace)
	if !bytes.HasPrefix(head, []byte(`"Meta Data"`)) {
		return ""
	}
	meta, _, closed := bytes.Cut(afterKey(head, `"Meta Data"`), []byte("}"))
	value, isText := bytes.CutPrefix(afterKey(meta, `"2. Symbol"`), []byte(`"`))
	symbol, _, ended := bytes.Cut(value, []byte(`"`))
	if !closed || !isText || !ended || bytes.ContainsRune(symbol, '\\') {
		return ""
	}
	return strings.TrimSpace(string(symbol))
}

// afterKey returns the text after `key :` in b, nil if there is none.
func afterKey(b []byte, key string) []byte {
	_, rest, _ := bytes.Cut(b, []byte(key))
	rest, colon := bytes.CutPrefix(bytes.TrimLeft(rest, jsonSpace), []byte(":"))
	if !colon {
		return nil
	}
	return bytes.TrimLeft(rest, jsonSpace)
}

// identify returns the symbol of the series in a part of the file. It reads the
// whole part.
func (s *priceFile) identify(offset, length int64) (string, error) {
	text, err := s.read(offset, length)
	if err != nil {
		return "", err
	}
	var object struct {
		Meta meta `json:"Meta Data"`
	}
	if err := json.Unmarshal(text, &object); err != nil {
		return "", fmt.Errorf("not a price object: %w", err)
	}
	symbol := strings.TrimSpace(object.Meta.Symbol)
	if symbol == "" {
		return "", errors.New(`no symbol: "2. Symbol" is missing in "Meta Data"`)
	}
	return symbol, CheckSymbol(symbol)
}

// read returns a part of the file, without a byte order mark and without the
// space around it.
func (s *priceFile) read(offset, length int64) ([]byte, error) {
	text, err := s.text(offset, length)
	return trim(text), err
}

// text returns a part of the file.
func (s *priceFile) text(offset, length int64) ([]byte, error) {
	return s.textInto(nil, offset, length)
}

// textInto is text that lies in a buffer, if it is large enough.
func (s *priceFile) textInto(buffer []byte, offset, length int64) ([]byte, error) {
	if length > maxLine {
		return nil, fmt.Errorf("too long: %d bytes, at most %d are read", length, maxLine)
	}
	text := slices.Grow(buffer[:0], int(length))[:length]
	_, err := s.file.ReadAt(text, offset)
	if err == io.EOF && length > 0 {
		return nil, errors.New("the file ends before the series does; it was truncated after it was opened")
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	return text, nil
}

func trim(text []byte) []byte { return bytes.TrimSpace(trimStart(text)) }

// trimStart drops the byte order mark, which only the first line can have, and
// the space before the text.
func trimStart(b []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), jsonSpace)
}
