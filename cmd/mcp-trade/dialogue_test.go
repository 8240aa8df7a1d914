package main

import (
	"strings"
	"testing"
)

func TestInert(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"plain, größer, 日本 🙂", "plain, größer, 日本 🙂"},
		{"two\nlines\r\nand\ttabs", "two\nlines\nand    tabs"},
		{"\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"\x1b]8;;http://x\x07link\u009b1m", `\x1b]8;;http://x\alink\u009b1m`},
		{"a\u202Eb\u2066c\u200Bd\ufeff", `a\u202eb\u2066c\u200bd\ufeff`},
		{"torn \xff", "torn \ufffd"},
		{"quote ' and \\", `quote ' and \`},
	} {
		if got := inert(c.text); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestWrapped(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"short", "short"},
		{"", ""},
		{"one two three four", "one two|three four"},
		{"a\n\nb", "a||b"},
		{"abcdefghijklmno", "abcdefghij|klmno"},
		{"日本語日本語", "日本語日本|語"},
	} {
		if got := strings.Join(wrapped(c.text, 10), "|"); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
	if n := len(wrapped(strings.Repeat("word ", 400_000), 90)); n < 20_000 {
		t.Errorf("%d lines", n)
	}
}
