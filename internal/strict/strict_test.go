package strict

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestObject(t *testing.T) {
	var got []string
	err := Object([]byte(` {"a": 1.50, "b\u0041" : "x\"y", "c":[1,{"d":null}] ,"e":{"f":{}} } `), func(key, value []byte) error {
		got = append(got, fmt.Sprintf("%s=%s", key, value))
		return nil
	})
	if want := `a=1.50 bA="x\"y" c=[1,{"d":null}] e={"f":{}}`; err != nil || strings.Join(got, " ") != want {
		t.Errorf("%v, %v", got, err)
	}
	for value, want := range map[string]string{`"a"`: "a", `""`: "", `"\u00e9\n\""`: "é\n\"", `"é"`: "é"} {
		if text, ok := Text([]byte(value)); !ok || text != want {
			t.Errorf("%s is %q, %v", value, text, ok)
		}
	}
	for _, value := range []string{"1", "null", "{}", ""} {
		if text, ok := Text([]byte(value)); ok {
			t.Errorf("%s is the string %q", value, text)
		}
	}
	for value, want := range map[string]bool{
		"0": true, "-7": true, "9223372036854775807": true, "9223372036854775808": false, "1.0": false, "1e3": false, `"1"`: false, "null": false,
	} {
		if n, ok := Int([]byte(value)); ok != want {
			t.Errorf("%s is the number %d, %v", value, n, ok)
		}
	}
	for key, want := range map[string]bool{"note": true, "positions_": true, "Positions": false, "ID": false, "poſitions": false} {
		if err := Unlike([]byte(key), "id", "positions"); (err == nil) != want {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestReader_List(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": [1, {"b": 2} ]}`: "1|{\"b\": 2}|<nil>", `{"a": []}`: "<nil>", `{"a": 1}`: "byte 6: '1' is not a list", `{"a": [1 2]}`: "1|byte 9: '2' is not a comma or a ']'",
		`{"a": [1, 3]}`: "1|three",
	} {
		got := ""
		err := Read([]byte(text), func(r *Reader, _ []byte) error {
			return r.List(func(r *Reader) error {
				value, err := r.Value()
				if string(value) == "3" {
					return errors.New("three")
				}
				got += string(value) + "|"
				return err
			})
		})
		if got += fmt.Sprint(err); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// wide is a ledger line whose book lists n symbols, two of which hold so much.
func wide(n int, held, cash string) []byte {
	var b strings.Builder
	b.WriteString(`{"date": "2025-10-02", "id": 17, "this_action": {"action": "buy", "symbol": "SYN01", "amount": 3, "price": 100}, "positions": {`)
	for i := range n {
		amount := "3"
		if i == n/2 {
			amount = held
		}
		fmt.Fprintf(&b, `"SYN%02d": %s, `, i+1, amount)
	}
	b.WriteString(`"CASH": ` + cash + `}, "order_id": "order-7", "note": "because"}`)
	return []byte(b.String())
}

func renamed(text []byte, from, to string) []byte {
	return bytes.Replace(text, []byte(from), []byte(to), 1)
}

// What two readers take for two things is refused.
func TestObject_Ambiguous(t *testing.T) {
	book := wide(100, "7", "8104.5")
	cases := []struct{ text, want string }{
		{`{"a": 1, "b": 2, "a": 3}`, `byte 24: the key "a" stands twice in an object`},
		{`{"a": 1, "\u0061": 3}`, `the key "a" stands twice`},
		{`{"name": 1, "Name": 3}`, `the keys "name" and "Name" differ only in case`},
		{`{"s": 1, "ſ": 3}`, `the keys "s" and "ſ" differ only in case`},
		{"{\"\u212a\": 1, \"k\": 3}", `differ only in case`},
		{`{"x": [{"y": {"é": 1, "É": 2}}]}`, `the keys "é" and "É" differ only in case`},
		{`{"a": 1} {"b": 2}`, `byte 9: there is more behind the value`},
		{`{"a": 1, GARBAGE "b": 2}`, `byte 9: 'G' is not a key`},
		{`{"a": NaN}`, `byte 6: 'N' is not a value`},
		{`{"a": 01}`, `byte 7: '1' is not a comma or a '}'`},
		{`{"a": 1,}`, `byte 8: '}' is not a key`},
		{`{"a": 1`, `byte 7: the text ends where a comma or a '}' should be`},
		{`{"a" 1}`, `byte 5: '1' is not a colon`},
		{"{\"a\": \"\xff\"}", `UTF-8`},
		{"{\"a\xff\": 1}", `UTF-8`},
		{`{"a": "\ud800"}`, `surrogate`},
		{`{"a": "\x"}`, `escape`},
		{"{\"a\": \"\n\"}", `byte 7: a control character within a string`},
		{`{"a": "b}`, `byte 6: a string without an end`},
		{"\ufeff{}", `is not an object`},
		{``, `byte 0: the text ends where an object should be`},
		{strings.Repeat(`{"a":`, 101), `nested deeper than 100 levels`},
		{`{"a":` + strings.Repeat(`[`, 101), `nested deeper than 100 levels`},
		{string(renamed(book, `"SYN77"`, `"SYN05"`)), `the key "SYN05" stands twice`},
		{string(renamed(book, `"SYN77"`, `"\u0053YN05"`)), `the key "SYN05" stands twice`},
		{string(renamed(book, `"SYN77"`, `"syn05"`)), `the keys "SYN05" and "syn05" differ only in case`},
		{string(renamed(book, `"CASH"`, `"SYN05"`)), `the key "SYN05" stands twice`},
		{string(renamed(book, `"SYN77": 3`, `"SYN77": 03`)), `'3' is not a comma`},
		{string(renamed(book, `"SYN77": 3`, `"SYN77": 3 3`)), `'3' is not a comma`},
		{string(renamed(book, `8104.5}`, `8104.5, "CASH": 1}`)), `the key "CASH" stands twice`},
	}
	// What was read before makes no difference.
	for _, before := range [][]byte{nil, book, wide(99, "7", "8104.5"), wide(101, "7", "8104.5"), renamed(book, `"SYN77"`, `"SYN770"`)} {
		for _, c := range cases {
			if before != nil {
				if err := pooled(before, (*Reader).value); err != nil {
					t.Fatal(err)
				}
			}
			if err := Object([]byte(c.text), func(_, _ []byte) error { return nil }); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%.80s: %v, want %s", c.text, err, c.want)
			}
		}
	}
}

// accepted tells whether a text is JSON in which no object has keys that are the same or differ only in case, as the library
// and the definition have it.
func accepted(text []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(text))
	var open [][]string // the keys of each object that is open; of a list, none
	for {
		token, err := d.ReadToken()
		if err != nil {
			return false
		}
		kind, length := d.StackIndex(d.StackDepth())
		switch {
		case token.Kind() == '{' || token.Kind() == '[':
			if open = append(open, nil); len(open) > maxDepth {
				return false
			}
		case token.Kind() == '}' || token.Kind() == ']':
			open = open[:len(open)-1]
		case kind == '{' && length%2 == 1: // a key was read
			keys := &open[len(open)-1]
			for _, other := range *keys {
				if strings.EqualFold(other, token.String()) {
					return false
				}
			}
			*keys = append(*keys, token.String())
		}
		if d.StackDepth() == 0 {
			rest := text[d.InputOffset():]
			return len(bytes.Trim(rest, " \t\r\n")) == 0
		}
	}
}

func isObject(text []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) }

// followed reads an object as one that follows another, and holds the members that it is told of against the others.
func followed(r *Reader, f *Follower) error {
	before := append([]byte("{"), f.text...)
	start := r.at
	var told []string
	same, err := r.Follow(f, func(n int, value []byte) error {
		told = append(told, fmt.Sprintf("%d %s", n, value))
		return nil
	})
	if !same {
		if r.at != start {
			return errors.New("something was read of an object that does not follow")
		}
		return r.Learn(f, nil)
	}
	var want []string
	was := members(before)
	for n, m := range members(r.text[start:r.at]) {
		switch {
		case n >= len(was) || was[n].key != m.key:
			return errors.New("the keys are others")
		case was[n].value != m.value:
			want = append(want, fmt.Sprintf("%d %s", n, m.value))
		}
	}
	for _, line := range want {
		if !slices.Contains(told, line) {
			return fmt.Errorf("%s was not told: %v", line, told)
		}
	}
	return err
}

type member struct{ key, value string }

func members(object []byte) (all []member) {
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if _, err := d.ReadToken(); err != nil {
		return nil
	}
	for d.PeekKind() == '"' {
		key, _ := d.ReadToken()
		name := key.String()
		value, err := d.ReadValue()
		if err != nil {
			return all
		}
		all = append(all, member{name, string(value)})
	}
	return all
}

// Whatever was read before, a text is read if it is what [accepted] says.
func FuzzRead(f *testing.F) {
	book := string(wide(100, "7", "8104.5"))
	for _, text := range []string{
		`{"a": 1.5e-3, "b": [true, false, null, "\u00e9", {}], "c": -0}`, `{"A": 1, "a": 2}`, `[[[]]]`, `"\ud83d\ude42"`, `0`, ``,
		book, string(wide(100, "8", "8096")), string(wide(100, "0.00001", "-1e5")), string(wide(12, "1", "2")),
		strings.Replace(book, `"SYN77"`, `"SYN05"`, 1), strings.Replace(book, `"SYN77": 3, `, ``, 1), strings.Replace(book, `: 3, `, ":3 ,\n", 20),
		strings.Replace(book, `"SYN77": 3`, `"SYN77": {"a": 1, "A": 2}`, 1), strings.Replace(book, `"SYN77"`, `"\u0053YN77"`, 1),
	} {
		f.Add([]byte(book), []byte(text))
		f.Add([]byte(text), []byte(book))
	}
	f.Fuzz(func(t *testing.T, before, text []byte) {
		r, f := &Reader{}, &Follower{}
		for i, text := range [][]byte{before, text, before, text} {
			want := accepted(text)
			if err := r.read(text, func(r *Reader) error { return r.value() }); (err == nil) != want {
				t.Fatalf("text %d, %q\nis read: %v, want %v", i, text, err, want)
			}
			if err := r.read(text, func(r *Reader) error { return followed(r, f) }); (err == nil) != (want && isObject(text)) {
				t.Fatalf("text %d, %q\nis followed: %v, want %v", i, text, err, want && isObject(text))
			}
		}
	})
}

func BenchmarkObject(b *testing.B) {
	var texts [][]byte // of rows that follow each other
	for i := range 100 {
		texts = append(texts, wide(100, fmt.Sprint(i*77), fmt.Sprint(8104+i)))
	}
	b.SetBytes(int64(len(texts[0])))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := Object(texts[i%len(texts)], func(_, _ []byte) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
