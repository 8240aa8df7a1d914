package transcript

import (
	"strings"
	"testing"
)

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
