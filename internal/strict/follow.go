package strict

import "bytes"

// Follower reads objects of numbers that follow each other and differ in few members, such as the books of a ledger. The zero
// Follower has read none.
type Follower struct {
	text   []byte // of the newest object
	starts []int  // of its members
	next   []int
}

// Object reads an object that was read as part of a text. It calls same for members that are written as those of the object
// before: from and without to, of both objects; and member for each other one. It reports false if it cannot be followed,
// since a value is no number or a key is escaped, or if member fails: then the next object is read as the first one is.
func (f *Follower) Object(text []byte, same func(from, to int), member func(key, value []byte) bool) bool {
	f.next = f.next[:0]
	for i := space(text, 1); text[i] != '}'; {
		i = space(text, f.alike(text, i, same))
		f.next = append(f.next, i)
		key := text[i+1:]
		key = key[:bytes.IndexByte(key, '"')]
		start := space(text, i+len(key)+len(`""`))
		start = space(text, start+len(":"))
		end := start
		for isNumeric(text[end]) {
			end++
		}
		if end == start || bytes.IndexByte(key, '\\') >= 0 || !member(key, text[start:end]) {
			f.starts = f.starts[:0]
			return false
		}
		if i = space(text, end); text[i] == ',' {
			i = space(text, i+1)
		}
	}
	f.text, f.starts, f.next = append(f.text[:0], text...), f.next, f.starts
	return true
}

// alike passes over members that are written as those of the object before, and returns where the next one begins.
func (f *Follower) alike(text []byte, i int, same func(from, to int)) int {
	from := len(f.next)
	if from >= len(f.starts) {
		return i
	}
	start := f.starts[from]
	shift, end := i-start, start+common(text[i:], f.text[start:])
	for n := from + 1; n < len(f.starts) && f.starts[n] <= end; n++ {
		f.next = append(f.next, i)
		i = f.starts[n] + shift
	}
	if to := len(f.next); to > from {
		same(from, to)
	}
	return i
}

func isNumeric(c byte) bool {
	return '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// space returns where the space ends that begins at i.
func space(text []byte, i int) int {
	for text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n' {
		i++
	}
	return i
}
