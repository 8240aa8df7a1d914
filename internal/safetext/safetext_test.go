package safetext

import "testing"

func TestSpelled(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"plain, größer, 日本 🙂", "plain, größer, 日本 🙂"},
		{"two\nlines\r\nand\ttabs", "two\nlines\nand    tabs"},
		{"\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"\x1b]8;;http://x\x07link\u009b1m", `\x1b]8;;http://x\alink\u009b1m`},
		{"a\u202Eb\u2066c\u200Bd\ufeff", `a\u202eb\u2066c\u200bd\ufeff`},
		{"torn \xff", "torn \ufffd"},
		{"quote ' and \\", `quote ' and \`},
	} {
		if got := Spelled(c.text); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

func TestReplaced(t *testing.T) {
	if got, want := Replaced("a\x1b[1m\tb\n\u202ec", "\n\t"), "a\ufffd[1m\tb\n\ufffdc"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := Replaced("a\tb\n", ""), "a\ufffdb\ufffd"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestOneLine(t *testing.T) {
	if got, want := OneLine(" a\n\tb\u2028c\x1b\u202e\ufe0f d "), "a b c d"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
