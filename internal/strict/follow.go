// Objects that follow each other and differ in few of their members, such as the books of a ledger.

package strict

import "bytes"

// Follower remembers an object, so that one like it is read by what differs. The zero Follower remembers none.
type Follower struct {
	text   []byte // from its first key on
	starts []int  // of each member in text
	sizes  []int  // of each key, as it is written
	next   []int  // the starts of the members being read
}

// Follow reads a value that is an object with the keys of the one that is remembered, written alike and in their order, and
// calls changed with each member that is not written to the byte as before: its number, and its value. The object is then the
// one that is remembered, and same is true. Else nothing was read: [Reader.Learn] reads it.
func (r *Reader) Follow(f *Follower, changed func(n int, value []byte) error) (same bool, err error) {
	if len(f.starts) == 0 || r.peek() != '{' || r.depth == maxDepth {
		return false, nil
	}
	begin, depth := r.at, r.depth
	r.depth++
	r.at++
	r.space()
	if same, err = r.members(f, changed); !same {
		r.at = begin
	}
	r.depth = depth
	return same, err
}

// members is Follow behind the bracket.
func (r *Reader) members(f *Follower, changed func(n int, value []byte) error) (same bool, err error) {
	f.next = f.next[:0]
	for n := 0; n < len(f.starts); {
		n = r.alike(f, n)
		key := f.text[f.starts[n] : f.starts[n]+f.sizes[n]]
		if !bytes.HasPrefix(r.text[r.at:], key) {
			return false, nil
		}
		f.next = append(f.next, r.at)
		r.at += len(key)
		if r.colon() != nil {
			return false, nil
		}
		value, bad := r.Value()
		if bad != nil {
			return false, nil
		}
		if changed != nil {
			if err := changed(n, value); err != nil {
				return true, err
			}
		}
		n++
		r.space()
		switch c := r.peek(); {
		case c == '}' && n == len(f.starts):
			r.at++
			f.take(r)
			return true, nil
		case c != ',':
			return false, nil
		}
		r.at++
		r.space()
	}
	return false, nil
}

// alike passes over members that are written as those that are remembered, from member n on, up to one that is not or to the
// last one.
func (r *Reader) alike(f *Follower, n int) int {
	starts, next := f.starts[n:], f.next
	shift := r.at - starts[0]
	same := starts[0] + common(r.text[r.at:], f.text[starts[0]:])
	i := 0
	for ; i+1 < len(starts) && starts[i+1] <= same; i++ {
		next = append(next, starts[i]+shift)
	}
	f.next, r.at = next, starts[i]+shift
	return n + i
}

// take remembers the object that ends here and was read as the one that is remembered.
func (f *Follower) take(r *Reader) {
	from := f.next[0]
	f.text = append(f.text[:0], r.text[from:r.at]...)
	for i, start := range f.next {
		f.starts[i] = start - from
	}
}

// Learn reads a value that is an object, calls member as [Read] does, and remembers the object.
func (r *Reader) Learn(f *Follower, member func(r *Reader, key []byte) error) error {
	f.Forget()
	if r.peek() != '{' {
		return r.expected("an object")
	}
	begin := r.at
	distinct, err := r.Follow(&r.seen, nil)
	if err != nil {
		return err
	}
	r.at = begin
	keys, err := r.object(member, distinct)
	if err != nil || len(keys) == 0 {
		return err
	}
	f.learn(r, keys)
	if !distinct && len(keys) > few {
		r.seen.learn(r, keys)
	}
	return nil
}

// Forget lets go of the object.
func (f *Follower) Forget() { f.starts = f.starts[:0] }

// learn remembers an object with these keys that ends here.
func (f *Follower) learn(r *Reader, keys []key) {
	f.next, f.starts, f.sizes = f.next[:0], f.starts[:0], f.sizes[:0]
	for _, k := range keys {
		f.next, f.starts, f.sizes = append(f.next, k.start), append(f.starts, 0), append(f.sizes, k.size)
	}
	f.take(r)
}

// common tells how many bytes two texts begin with in common.
func common(a, b []byte) int {
	n := 0
	const block = 64
	for len(a)-n >= block && len(b)-n >= block && string(a[n:n+block]) == string(b[n:n+block]) {
		n += block
	}
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
