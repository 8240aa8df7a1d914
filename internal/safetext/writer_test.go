package safetext

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
)

func TestWriter_Write(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"plain, größer, 日本 🙂\tand a tab\n", "plain, größer, 日本 🙂\tand a tab\n"},
		{"windows\r\n", "windows\n"},
		{"over\rwritten", "overwritten"},
		{"\x1b[31mred\x1b[0m \x1b]0;title\x07", `\x1b[31mred\x1b[0m \x1b]0;title\a`},
		{"c1 \u009b31m, bidi \u202e\u2066, unseen \u200b\u00ad\ufeff, tag \U000e0041", `c1 \u009b31m, bidi \u202e\u2066, unseen \u200b\u00ad\ufeff, tag \U000e0041`},
		{"no text \xff\xfe", "no text \ufffd\ufffd"},
	} {
		for cut := range len(c.text) {
			var out bytes.Buffer
			w := NewWriter(&out)
			for _, part := range []string{c.text[:cut], c.text[cut:]} {
				if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
					t.Fatalf("%d of %d, %v", n, len(part), err)
				}
			}
			if out.String() != c.want {
				t.Errorf("%q cut after %d: %q, want %q", c.text, cut, out.String(), c.want)
			}
		}
		if got := NewWriter(nil).Harmless(c.text); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestWriter_Style(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	if got := w.Style("plain"); got != "plain" {
		t.Errorf("without a style: %q", got)
	}
	styled := w.Style("a \x1b[8mhidden", 31, 1)
	if _, err := w.Write([]byte(styled + "\n")); err != nil {
		t.Fatal(err)
	}
	if want := "\x1b[31;1ma \\x1b[8mhidden\x1b[0m\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	other := NewWriter(&out)
	other.Style("its mark is another", 1)
	if got := other.Harmless(styled); strings.ContainsRune(got, '\x1b') {
		t.Errorf("the mark of another writer counts: %q", got)
	}
}

func TestWriter_Err(t *testing.T) {
	full := errors.New("no space left")
	w := NewWriter(failing{full})
	if _, err := w.Write([]byte("x")); !errors.Is(err, full) || !errors.Is(w.Err(), full) {
		t.Errorf("%v, %v", err, w.Err())
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestJSON(t *testing.T) {
	for _, text := range []string{"plain ü 🙂", "c1 \u009b", "bidi \u202e", "tag \U000e0041", "del \x7f", "private \ue000 \U00100000"} {
		plain, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		got := JSON(plain)
		if strings.ContainsFunc(string(got), func(r rune) bool { return !unicode.IsGraphic(r) }) {
			t.Errorf("%q: %q", text, got)
		}
		var back string
		if err := json.Unmarshal(got, &back); err != nil || back != text {
			t.Errorf("%q: %q is %q, %v", text, got, back, err)
		}
	}
}

func TestLine(t *testing.T) {
	if got, want := Line("a\nb\x1b[1m"), `a\nb\x1b[1m`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
