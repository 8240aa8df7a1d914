package market

// This file guesses which symbol was meant by one that does not exist.

import (
	"slices"
	"strings"
	"unicode"
)

const maxSimilar = 5

// similar returns the visible symbols that may have been meant: those with the same
// letters and digits, then those with another suffix, then those one typing mistake
// away, each group ascending. It compares symbols before it reads any series.
// Damaged series are passed over.
func (v View) similar(text string) ([]string, error) {
	parts := strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;|:", r) })
	forms := make([]form, len(parts))
	for i, part := range parts {
		forms[i] = formOf(part)
	}
	typed := strings.ToUpper(text[strings.LastIndexByte(text, ':')+1:])
	var marked, suffixed, mistyped []string
	for _, name := range v.prices.symbols {
		f := formOf(name)
		switch {
		case slices.ContainsFunc(forms, f.isSame):
			marked = append(marked, name)
		case slices.ContainsFunc(forms, f.isNamesake):
			suffixed = append(suffixed, name)
		case withinOneEdit(typed, strings.ToUpper(name)):
			mistyped = append(mistyped, name)
		}
	}
	similar := []string{}
	for _, name := range slices.Concat(marked, suffixed, mistyped) {
		seen, err := v.isVisible(v.prices.series[name])
		if err != nil && !isDamage(err) {
			return nil, err
		}
		if seen {
			similar = append(similar, name)
		}
		if len(similar) == maxSimilar {
			break
		}
	}
	return similar, nil
}

// form is a symbol without its punctuation: of "BRK.B" the letters and digits, BRKB,
// and the first word, BRK. Turned, the last word stands first: SH600519 is
// 600519.SH.
type form struct{ all, first, turned string }

func formOf(symbol string) form {
	words := strings.FieldsFunc(strings.ToUpper(symbol), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	if len(words) == 0 {
		return form{}
	}
	last := len(words) - 1
	return form{strings.Join(words, ""), words[0], words[last] + strings.Join(words[:last], "")}
}

// isSame tells whether two symbols differ only in punctuation.
func (f form) isSame(g form) bool { return f.all != "" && (f.all == g.all || f.turned == g.all) }

// isNamesake tells whether two symbols have the same first word: 600519.SS and
// 600519.SH.
func (f form) isNamesake(g form) bool { return f.first != "" && f.first == g.first }

// withinOneEdit tells whether a becomes b when at most one byte is inserted,
// deleted or replaced, or two neighbours are swapped.
func withinOneEdit(a, b string) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) == 2 && len(b) == 2 {
		return a[0] == b[1] && a[1] == b[0]
	}
	return len(a) <= 1 && len(b) <= 1
}
