// Tests of text from outside: what is left of it is plain, on one line, and bounded.

package search

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestPlain(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing to do", "Shares rose 3 % in New York.", "Shares rose 3 % in New York."},
		{"space", "  a\t\tb\r\n\r\n c d ", "a b c d"},
		{"tags", "<p>Shares <b>rose</b><br/>again</p>", "Shares rose again"},
		{"what tags hide", "a<script>steal()</script>b<style>p{}</style>c", "a b c"},
		{"entities", "AT&amp;T &quot;up&quot; &#39;now&#39;", `AT&T "up" 'now'`},
		{"markup in entities", "&lt;b&gt;bold&lt;/b&gt;", "bold"},
		{"markup in entities in entities", "&amp;lt;script&amp;gt;x&amp;lt;/script&amp;gt;y", "y"},
		{"links", "See [the report](https://x.test/a?b=c) and ![a chart](data:image/png;base64,xyz).", "See the report and a chart."},
		{"a bracket that is no link", "f[x](", "f[x]("},
		{"control characters", "a\x00b\x1b[31mc\u009d", "ab[31mc"},
		{"what turns the direction, and what is not seen", "a\u202eb\u200bc\u2066d\U000e0041e\ufeff", "abcde"},
		{"private characters", "NVDA\ue000nvda", "NVDAnvda"},
		{"not UTF-8", "a\xff\xfeb", "ab"},
		{"less than", "5 < 6 and 7 > 6", "5 < 6 and 7 > 6"},
		{"nothing", "", ""},
		{"only space", " \n ", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Plain(c.in); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"äöü€", 3, "äöü"}, {"茅台涨价", 2, "茅台"}, {"ae\u0301x", 2, "a"}, {"ae\u0301x", 3, "ae\u0301"}, {"", 3, ""},
	} {
		if got := Cut(c.in, c.n); got != c.want {
			t.Errorf("%d of %q: %q, want %q", c.n, c.in, got, c.want)
		}
	}
}

// Only pages on the web have an address.
func TestAddress(t *testing.T) {
	for in, want := range map[string]string{
		"https://x.test/a?b=c": "https://x.test/a?b=c", " http://x.test ": "http://x.test", "javascript:alert(1)": "", "file:///etc/passwd": "", "x.test/a": "",
		"https://user:word@x.test/": "", "https://": "", "://": "", "https://x.test/" + strings.Repeat("a", maxURL): "",
	} {
		if got := address(in); got != want {
			t.Errorf("%.60q: %q, want %q", in, got, want)
		}
	}
}

func FuzzPlain(f *testing.F) {
	for _, text := range []string{"<p>a</p>", "&lt;b&gt;", "[a](b)", "a\u202eb", "\xff", "<script>"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := Plain(in)
		if !utf8.ValidString(out) || strings.TrimSpace(out) != out || strings.Contains(out, "  ") {
			t.Fatalf("%q became %q", in, out)
		}
		if i := strings.IndexFunc(out, func(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co) }); i >= 0 {
			t.Fatalf("%q became %q", in, out)
		}
		if cut := Cut(out, 10); utf8.RuneCountInString(cut) > 10 || !strings.HasPrefix(out, cut) {
			t.Fatalf("%q was cut to %q", out, cut)
		}
	})
}
