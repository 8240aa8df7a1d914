// Package strict reads JSON in the one way on which all readers agree. It refuses what one reader takes otherwise than
// another: text that is not JSON, invalid UTF-8, a key that stands twice in an object, and keys that differ only in case.
//
// It is fast where objects follow each other that are alike, as the lines of a ledger: what is written as in the object before
// is not read once more.
package strict

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds how deep objects and lists may be nested.
const maxDepth = 100

var readers = sync.Pool{New: func() any { return new(Reader) }}

// Object reads text that is one JSON object, and calls member with each key, unquoted, and its value as it is written. All that
// a value consists of has been read by then. An error of member ends the reading and is returned.
func Object(text []byte, member func(key, value []byte) error) error {
	return Read(text, func(r *Reader, key []byte) error {
		value, err := r.Value()
		if err != nil {
			return err
		}
		return member(key, value)
	})
}

// Read reads text that is one JSON object, and calls member with each key, unquoted, where the value is to be read: by one of
// the reader's methods, or it is passed over. An error of member ends the reading and is returned.
func Read(text []byte, member func(r *Reader, key []byte) error) error {
	return pooled(text, func(r *Reader) error { return r.Object(member) })
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

func pooled(text []byte, what func(*Reader) error) error {
	r := readers.Get().(*Reader)
	defer readers.Put(r)
	return r.read(text, what)
}

// Reader is where a text is being read.
type Reader struct {
	text  []byte
	at    int
	depth int
	keys  []key    // of the objects being read, the innermost last
	most  int      // how many there were at a time
	seen  Follower // of the objects that nobody follows
}

type key struct {
	text        []byte // unquoted
	start, size int    // as it is written
}

func (r *Reader) read(text []byte, what func(*Reader) error) error {
	r.text, r.at, r.depth, r.keys = text, 0, 0, r.keys[:0]
	defer r.forget()
	r.space()
	if err := what(r); err != nil {
		return err
	}
	if r.space(); r.at < len(text) {
		return r.wrong("there is more behind the value")
	}
	return nil
}

// forget lets go of the text, which is the caller's.
func (r *Reader) forget() {
	clear(r.keys[:r.most])
	r.text, r.most = nil, 0
}

// Value reads a value and returns it as it is written.
func (r *Reader) Value() ([]byte, error) {
	start := r.at
	err := r.value()
	return r.text[start:r.at], err
}

// Object reads a value that is an object, and calls member as [Read] does.
func (r *Reader) Object(member func(r *Reader, key []byte) error) error {
	if r.peek() != '{' {
		return r.expected("an object")
	}
	_, err := r.object(member, false)
	return err
}

// List reads a value that is a list, and calls item where each of its values is to be read, by one of the reader's methods. An error
// of item ends the reading and is returned.
func (r *Reader) List(item func(r *Reader) error) error {
	if r.peek() != '[' {
		return r.expected("a list")
	}
	return r.items(']', func() error { return item(r) })
}

// Null passes over a value that is null, and tells whether it was.
func (r *Reader) Null() bool {
	if !bytes.HasPrefix(r.text[r.at:], []byte("null")) {
		return false
	}
	r.at += len("null")
	return true
}

func (r *Reader) wrong(format string, args ...any) error {
	return fmt.Errorf("byte %d: %s", r.at, fmt.Sprintf(format, args...))
}

// expected is the error of a text that does not go on as it must.
func (r *Reader) expected(what string) error {
	if r.at >= len(r.text) {
		return r.wrong("the text ends where %s should be", what)
	}
	return r.wrong("%q is not %s", r.text[r.at], what)
}

func (r *Reader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *Reader) space() {
	for r.at < len(r.text) && r.text[r.at] <= ' ' {
		switch r.text[r.at] {
		case ' ', '\t', '\r', '\n':
			r.at++
		default:
			return
		}
	}
}

func (r *Reader) value() error {
	switch c := r.peek(); {
	case c == '"':
		_, err := r.string()
		return err
	case c == '{':
		if same, err := r.Follow(&r.seen, nil); same || err != nil {
			return err
		}
		keys, err := r.object(nil, false)
		if err == nil && len(keys) > few {
			r.seen.learn(r, keys)
		}
		return err
	case c == '[':
		return r.items(']', r.value)
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

// object reads an object, whose keys may be known to differ, and returns its keys, which last until the next one is read.
func (r *Reader) object(member func(r *Reader, key []byte) error, distinct bool) ([]key, error) {
	first := len(r.keys)
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
		if member != nil {
			if err := member(r, text); err != nil {
				return err
			}
		}
		if r.at == start {
			return r.value()
		}
		return nil
	})
	keys := r.keys[first:]
	r.most = max(r.most, len(r.keys))
	r.keys = r.keys[:first]
	if err == nil && !distinct {
		err = r.differ(keys)
	}
	return keys, err
}

func (r *Reader) colon() error {
	if r.space(); r.peek() != ':' {
		return r.expected("a colon")
	}
	r.at++
	r.space()
	return nil
}

// items reads what stands between brackets, with commas.
func (r *Reader) items(end byte, item func() error) error {
	if r.depth == maxDepth {
		return r.wrong("nested deeper than %d levels", maxDepth)
	}
	r.depth++
	r.at++
	if r.space(); r.peek() == end {
		r.at++
		r.depth--
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
			r.depth--
			return nil
		case ',':
			r.at++
			r.space()
		default:
			return r.expected(fmt.Sprintf("a comma or a %q", end))
		}
	}
}

// unescaped tells whether a byte of a string stands for itself, as letters do, and ends nothing.
var unescaped = func() (is [256]bool) {
	for c := ' '; c < 0x80; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()

// string reads a string and returns what it stands for.
func (r *Reader) string() ([]byte, error) {
	if r.peek() != '"' {
		return nil, r.expected("a key")
	}
	text, start := r.text, r.at
	i := start + 1
	for i < len(text) && unescaped[text[i]] {
		i++
	}
	if i < len(text) && text[i] == '"' {
		r.at = i + 1
		return text[start+1 : i], nil
	}
	return r.escaped(start, i)
}

// escaped reads on in a string that begins at start and is plain up to i.
func (r *Reader) escaped(start, i int) ([]byte, error) {
	for ; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == '"':
			text, err := jsontext.AppendUnquote(nil, r.text[start:i+1])
			if err != nil {
				return nil, r.wrong("a string that is none: %v", err)
			}
			r.at = i + 1
			return text, nil
		case c == '\\':
			i++ // whatever it is, it does not end the string
		case c < ' ':
			r.at = i
			return nil, r.wrong("a control character within a string")
		}
	}
	return nil, r.wrong("a string without an end")
}

func (r *Reader) number() error {
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

func (r *Reader) digits() bool {
	i := r.at
	for i < len(r.text) && '0' <= r.text[i] && r.text[i] <= '9' {
		i++
	}
	some := i > r.at
	r.at = i
	return some
}

// few keys are quicker compared with each other than looked up.
const few = 10

// differ refuses keys of which two are the same, or the same but for case.
func (r *Reader) differ(keys []key) error {
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

func (r *Reader) same(key, other []byte) error {
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
