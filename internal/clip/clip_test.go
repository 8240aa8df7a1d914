package clip

import "testing"

func TestBytes(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "abc\n[cut: 3 of 4 bytes]"},
		{"aäb", 2, "a\n[cut: 1 of 4 bytes]"}, // not within a character
		{"", 0, ""},
	} {
		if got := Bytes(c.text, c.limit); got != c.want {
			t.Errorf("%q to %d: %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}

func TestList(t *testing.T) {
	for _, c := range []struct {
		list []string
		want string
	}{
		{nil, ""},
		{[]string{"A", "B"}, "A; B"},
		{[]string{"A", "B", "C"}, "A; B and 1 more"},
	} {
		if got := List(c.list, 2, "; "); got != c.want {
			t.Errorf("%q: %q, want %q", c.list, got, c.want)
		}
	}
}
