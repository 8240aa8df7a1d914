// Package strict reads JSON in the one way on which all readers agree. It refuses what one reader takes otherwise than
// another: text that is not JSON, invalid UTF-8, a key that stands twice in an object, and keys that differ only in case.
//
// It is fast where objects follow each other that are alike, as the lines of a ledger: keys that came in the same order
// before are not compared with each other once more.
package strict

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds how deep objects and lists may be nested.
const maxDepth = 100

var readers = sync.Pool{New: func() any { return new(reader) }}

// Object reads text that is one JSON object, and calls member with each key, unquoted, and its value as it is written.
// All that a value consists of has been read by then. An error of member ends the reading and is returned.
func Object(text []byte, member func(key, value []byte) error) error {
	return read(text, func(r *reader) error { return r.object(0, member) })
}

// Members calls member as [Object] does, with the members of an object that is part of a text which was read: that its keys
// differ is known.
func Members(object []byte, member func(key, value []byte) error) error {
	return read(object, func(r *reader) error {
		r.known = true
		return r.object(0, member)
	})
}

// Check reads text that is one JSON value.
func Check(text []byte) error {
	return read(text, func(r *reader) error { return r.value(0) })
}

// Text returns the string that a value is; ok is false if it is none. The value is one that was read.
func Text(value []byte) (text string, ok bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), true
	}
	unquoted, err := jsontext.AppendUnquote(nil, value)
	return string(unquoted), err == nil
}

// Int returns the whole number that a value is, as it is written without a fraction or an exponent; ok is false if it is none.
func Int(value []byte) (n int64, ok bool) {
	n, err := strconv.ParseInt(string(value), 10, 64)
	return n, err == nil
}

// Unlike refuses a key that is one of the known ones but for case: a reader that passes over case would take it for that one.
func Unlike(key []byte, known ...string) error {
	for _, k := range known {
		if len(key) >= len(k) && bytes.EqualFold(key, []byte(k)) {
			return fmt.Errorf("the key %.40q is %q in another case", key, k)
		}
	}
	return nil
}

func read(text []byte, what func(*reader) error) error {
	r := readers.Get().(*reader)
	defer readers.Put(r)
	return r.read(text, what)
}

func (r *reader) read(text []byte, what func(*reader) error) error {
	r.text, r.at, r.keys, r.known = text, 0, r.keys[:0], false
	defer func() { r.text = nil; clear(r.keys[:cap(r.keys)]) }() // the text is the caller's
	r.space()
	if err := what(r); err != nil {
		return err
	}
	if r.space(); r.at < len(text) {
		return r.wrong("there is more behind the value")
	}
	return nil
}

type reader struct {
	text []byte
	at   int
	keys []key // of the objects being read, the innermost last
	seen seen
	next []int // the starts of the members being read as they were seen

	known bool // that keys differ
}

type key struct {
	text        []byte // unquoted
	start, size int    // as it is written
}

// seen is an object that was read before. Its keys differ from each other.
type seen struct {
	text   []byte // from its first key on
	starts []int  // of each member in text
	sizes  []int  // of each key, as it is written
}

func (r *reader) wrong(format string, args ...any) error {
	return fmt.Errorf("byte %d: %s", r.at, fmt.Sprintf(format, args...))
}

// expected is the error of a text that does not go on as it must.
func (r *reader) expected(what string) error {
	if r.at >= len(r.text) {
		return r.wrong("the text ends where %s should be", what)
	}
	return r.wrong("%q is not %s", r.text[r.at], what)
}

func (r *reader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *reader) space() {
	for r.at < len(r.text) {
		switch r.text[r.at] {
		case ' ', '\t', '\r', '\n':
			r.at++
		default:
			return
		}
	}
}

func (r *reader) value(depth int) error {
	switch c := r.peek(); {
	case c == '"':
		_, err := r.string()
		return err
	case c == '{':
		return r.object(depth, nil)
	case c == '[':
		return r.list(depth)
	case c == '-' || '0' <= c && c <= '9':
		return r.number()
	}
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(r.text[r.at:], []byte(word)) {
			r.at += len(word)
			return nil
		}
	}
	return r.expected("a value")
}

func (r *reader) object(depth int, member func(key, value []byte) error) error {
	if r.peek() != '{' {
		return r.expected("an object")
	}
	if depth == maxDepth {
		return r.wrong("nested deeper than %d levels", maxDepth)
	}
	if member == nil && r.again(depth) {
		return nil
	}
	first := len(r.keys)
	defer func() { r.keys = r.keys[:first] }()
	err := r.items('}', func() error {
		start := r.at
		text, err := r.string()
		if err != nil {
			return err
		}
		r.keys = append(r.keys, key{text, start, r.at - start})
		if err := r.colon(); err != nil {
			return err
		}
		start = r.at
		if err := r.value(depth + 1); err != nil || member == nil {
			return err
		}
		return member(text, r.text[start:r.at])
	})
	if err == nil && !r.known {
		err = r.differ(r.keys[first:])
	}
	if err == nil && member == nil && len(r.keys)-first > few {
		r.remember(r.keys[first:])
	}
	return err
}

func (r *reader) colon() error {
	if r.space(); r.peek() != ':' {
		return r.expected("a colon")
	}
	r.at++
	r.space()
	return nil
}

// again reads an object whose keys are written as those of the one that was seen, in their order. Of members that are the
// same to the byte nothing is read. It reports false, and has read nothing, if the object is another one.
func (r *reader) again(depth int) bool {
	begin, next, n := r.at, r.next[:0], 0
	r.at++
	r.space()
	for n < len(r.seen.starts) {
		n = r.alike(n, &next)
		from := r.seen.starts[n]
		key := r.seen.text[from : from+r.seen.sizes[n]]
		if !bytes.HasPrefix(r.text[r.at:], key) {
			break
		}
		next = append(next, r.at)
		r.at += len(key)
		if r.colon() != nil || r.value(depth+1) != nil {
			break
		}
		n++
		r.space()
		switch r.peek() {
		case '}':
			r.at++
			r.next = next
			if n == len(r.seen.starts) {
				r.follow()
			}
			return true
		case ',':
			r.at++
			r.space()
			continue
		}
		break
	}
	r.at, r.next = begin, next
	return false
}

// alike passes over members that are as they were seen, from member n on, up to one that is not or to the last one.
func (r *reader) alike(n int, next *[]int) int {
	starts := r.seen.starts[n:]
	same, shift := common(r.text[r.at:], r.seen.text[starts[0]:]), r.at-starts[0]
	same += starts[0]
	i := 0
	for ; i+1 < len(starts) && starts[i+1] <= same; i++ {
		*next = append(*next, starts[i]+shift)
	}
	r.at = starts[i] + shift
	return n + i
}

// remember takes an object that ends here for the one that was seen.
func (r *reader) remember(keys []key) {
	r.next, r.seen.starts, r.seen.sizes = r.next[:0], r.seen.starts[:0], r.seen.sizes[:0]
	for _, k := range keys {
		r.next, r.seen.starts, r.seen.sizes = append(r.next, k.start), append(r.seen.starts, 0), append(r.seen.sizes, k.size)
	}
	r.follow()
}

// follow takes the object that ends here, and was read as it was seen, for the one that was seen.
func (r *reader) follow() {
	from := r.next[0]
	r.seen.text = append(r.seen.text[:0], r.text[from:r.at]...)
	for i, start := range r.next {
		r.seen.starts[i] = start - from
	}
}

// common tells how many bytes two texts begin with in common.
func common(a, b []byte) int {
	n := 0
	for len(a)-n >= 8 && len(b)-n >= 8 && binary.LittleEndian.Uint64(a[n:]) == binary.LittleEndian.Uint64(b[n:]) {
		n += 8
	}
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func (r *reader) list(depth int) error {
	if depth == maxDepth {
		return r.wrong("nested deeper than %d levels", maxDepth)
	}
	return r.items(']', func() error { return r.value(depth + 1) })
}

// items reads what stands between brackets, with commas.
func (r *reader) items(end byte, item func() error) error {
	r.at++
	if r.space(); r.peek() == end {
		r.at++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		r.space()
		switch r.peek() {
		case end:
			r.at++
			return nil
		case ',':
			r.at++
			r.space()
		default:
			return r.expected(fmt.Sprintf("a comma or a %q", end))
		}
	}
}

// string reads a string and returns what it stands for.
func (r *reader) string() ([]byte, error) {
	if r.peek() != '"' {
		return nil, r.expected("a key")
	}
	start, plain := r.at, true
	for i := start + 1; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == '"' && plain:
			r.at = i + 1
			return r.text[start+1 : i], nil
		case c == '"':
			text, err := jsontext.AppendUnquote(nil, r.text[start:i+1])
			if err != nil {
				return nil, r.wrong("a string that is none: %v", err)
			}
			r.at = i + 1
			return text, nil
		case c == '\\':
			plain = false
			i++ // whatever it is, it does not end the string
		case c < ' ':
			r.at = i
			return nil, r.wrong("a control character within a string")
		case c >= 0x80:
			plain = false
		}
	}
	return nil, r.wrong("a string without an end")
}

func (r *reader) number() error {
	if r.peek() == '-' {
		r.at++
	}
	if r.peek() == '0' {
		r.at++
	} else if !r.digits() {
		return r.expected("a digit")
	}
	if r.peek() == '.' {
		r.at++
		if !r.digits() {
			return r.expected("a digit")
		}
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		r.at++
		if c := r.peek(); c == '+' || c == '-' {
			r.at++
		}
		if !r.digits() {
			return r.expected("a digit")
		}
	}
	return nil
}

func (r *reader) digits() bool {
	start := r.at
	for r.at < len(r.text) && '0' <= r.text[r.at] && r.text[r.at] <= '9' {
		r.at++
	}
	return r.at > start
}

// few keys are quicker compared with each other than looked up.
const few = 10

// differ refuses keys of which two are the same, or the same but for case.
func (r *reader) differ(keys []key) error {
	if len(keys) <= few {
		for i, k := range keys {
			for _, other := range keys[:i] {
				if bytes.EqualFold(k.text, other.text) {
					return r.same(k.text, other.text)
				}
			}
		}
		return nil
	}
	folded := make(map[string][]byte, len(keys))
	for _, k := range keys {
		f := fold(k.text)
		if other, twice := folded[f]; twice {
			return r.same(k.text, other)
		}
		folded[f] = k.text
	}
	return nil
}

func (r *reader) same(key, other []byte) error {
	if bytes.Equal(key, other) {
		return r.wrong("the key %.40q stands twice in an object", key)
	}
	return r.wrong("the keys %.40q and %.40q differ only in case", other, key)
}

// fold returns what is the same for keys that a reader which passes over case takes for the same.
func fold(key []byte) string {
	return strings.Map(func(c rune) rune {
		if 'a' <= c && c <= 'z' {
			return c - ('a' - 'A')
		}
		least := c
		for next := unicode.SimpleFold(c); next != c; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, string(key))
}
