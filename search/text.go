// Text from outside, made harmless: plain, on one line, bounded.

package search

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"mcp-trade/internal/safetext"
)

// maxRaw is how many bytes of a text are looked at.
const maxRaw = 256 << 10

// Plain returns the text without markup and without characters that control how it is shown. All space is one space.
func Plain(text string) string {
	if len(text) > maxRaw {
		text = text[:maxRaw]
	}
	if isPlain(text) {
		return text
	}
	text = strings.ToValidUTF8(text, "")
	// Markup can come wrapped in entities, more than once.
	for range 4 {
		before := text
		text = safetext.OneLine(withoutLinks(withoutTags(text)))
		if text == before {
			break
		}
	}
	return text
}

// isPlain tells of most texts that there is nothing to do.
func isPlain(text string) bool {
	space := true // before the text
	for i := range len(text) {
		b := text[i]
		if b < ' ' || b > '~' || b == '<' || b == '&' || b == '[' || space && b == ' ' {
			return false
		}
		space = b == ' '
	}
	return !space || text == ""
}

// withoutTags drops HTML, with what is not text in it.
func withoutTags(text string) string {
	if !strings.ContainsAny(text, "<&") {
		return text
	}
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(text))
	for hidden := ""; ; {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			if hidden == "" {
				b.WriteString(html.UnescapeString(string(z.Raw())))
			}
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			switch tag := string(name); {
			case kind == html.StartTagToken && hidden == "" && (tag == "script" || tag == "style" || tag == "template"):
				hidden = tag
			case kind == html.EndTagToken && tag == hidden:
				hidden = ""
			}
			b.WriteByte(' ')
		}
	}
}

// withoutLinks leaves the words of Markdown's links and images, and drops where they point.
func withoutLinks(text string) string {
	var b strings.Builder
	for {
		middle := strings.Index(text, "](")
		if middle < 0 {
			b.WriteString(text)
			return b.String()
		}
		end := strings.IndexByte(text[middle:], ')')
		begin := strings.LastIndexByte(text[:middle], '[')
		if end < 0 || begin < 0 {
			b.WriteString(text[:middle+2])
			text = text[middle+2:]
			continue
		}
		b.WriteString(strings.TrimSuffix(text[:begin], "!"))
		b.WriteString(text[begin+1 : middle])
		text = text[middle+end+1:]
	}
}

// Cut returns at most so many characters of a text. An accent stays on its letter.
func Cut(text string, characters int) string {
	if len(text) <= characters || utf8.RuneCountInString(text) <= characters {
		return text
	}
	runes := []rune(text)
	for characters > 0 && unicode.IsMark(runes[characters]) {
		characters--
	}
	return string(runes[:characters])
}

// address returns the address of a page on the web, "" for anything else.
func address(text string) string {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	if text = u.String(); len(text) > maxURL {
		return ""
	}
	return text
}
