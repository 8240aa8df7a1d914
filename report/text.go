// Text from outside, made safe to show: a ledger may hold anything in a symbol or a note.

package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"mcp-trade/internal/safetext"
)

// maxText bounds a text from outside, in bytes.
const maxText = 4000

// plain makes a text of one line: control characters, which a terminal would obey, become U+FFFD. The result shares no
// memory with the text.
func plain(text string) string { return clean(text, "") }

// prose is plain, but for line feeds and tabs, which stay.
func prose(text string) string { return clean(text, "\n\t") }

func clean(text, allowed string) string {
	if len(text) <= maxText && printable(text) {
		return strings.Clone(text)
	}
	if len(text) > maxText {
		end := maxText
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + "…"
	}
	return safetext.Replaced(strings.Clone(text), allowed)
}

// printable tells whether a text is of nothing but letters and signs of ASCII, as nearly all are.
func printable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// count writes a number of things.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
