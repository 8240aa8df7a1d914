// Package safetext makes text from outside harmless where it is shown: what would control a terminal, or change the
// direction of writing, is made visible or left out.
package safetext

import (
	"strings"
	"unicode"
)

// Spelled makes text from outside harmless to a terminal: what is no visible character or plain space is spelled out. Line
// feeds stay.
func Spelled(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\ufffd") {
		switch {
		case r == '\n' || unicode.IsGraphic(r):
			b.WriteRune(r)
		case r == '\t':
			b.WriteString("    ")
		case r != '\r':
			b.WriteString(spelled(r))
		}
	}
	return b.String()
}

// Replaced makes characters that would act on a text rather than be read visible, as U+FFFD: those that control terminals, but
// for the allowed ones, and those that change the direction of writing.
func Replaced(text, allowed string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !strings.ContainsRune(allowed, r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// OneLine drops control and format characters (what turns the direction of writing, what is not seen) and what has no
// meaning outside of one font, and makes one space of all space.
func OneLine(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	space := false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r) || r == '\u2028' || r == '\u2029':
			space = b.Len() > 0
			continue
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Variation_Selector):
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
