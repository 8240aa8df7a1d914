// Symbols and names of companies in a text.

package mask

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// words are texts to put others in place of.
type words struct {
	of      map[string]string
	lengths []int     // of them, in bytes, descending
	begins  [256]bool // with which byte one begins
	prose   bool      // the texts are sentences: one letter before a word in small ones is an article, as in "A refused order"
}

func (w *words) add(word, by string) {
	if word == "" {
		return
	}
	if w.of == nil {
		w.of = map[string]string{}
	}
	if _, there := w.of[word]; there {
		return
	}
	w.of[word], w.begins[word[0]] = by, true
	if at, there := slices.BinarySearchFunc(w.lengths, len(word), func(have, want int) int { return want - have }); !there {
		w.lengths = slices.Insert(w.lengths, at, len(word))
	}
}

// layouts are how dates are written in the words of tools: their letters are no symbols.
var layouts = []string{"YYYY-MM-DD", "HH:MM:SS"}

// replace puts others in place of the words of a text, the longest first. A word stands alone: no letter and no digit touches it. fold
// also finds them in small letters.
func (w *words) replace(text string, fold bool) string {
	var out strings.Builder
	done := 0 // bytes of the text that are in out
	touched := false
	for at := 0; at < len(text); {
		if !touched {
			if n, by := w.at(text, at, fold); n > 0 {
				out.WriteString(text[done:at])
				out.WriteString(by)
				at += n
				done = at
				touched = true // by the word; the next letter cannot follow
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(text[at:])
		touched = inWord(r)
		at += size
	}
	if done == 0 {
		return text
	}
	out.WriteString(text[done:])
	return out.String()
}

// at is the word that stands at a place of a text, as its length, and what is put in place of it.
func (w *words) at(text string, at int, fold bool) (length int, by string) {
	for _, layout := range layouts {
		if strings.HasPrefix(text[at:], layout) {
			return len(layout), layout
		}
	}
	if !fold && !w.begins[text[at]] {
		return 0, ""
	}
	for _, n := range w.lengths {
		if at+n > len(text) {
			continue
		}
		word := text[at : at+n]
		by, found := w.of[word]
		if !found && fold {
			by, found = w.of[strings.ToUpper(word)]
		}
		if found && standsAlone(text[at:], n) && !(w.prose && isArticle(text[at:], n)) {
			return n, by
		}
	}
	return 0, ""
}

// standsAlone tells whether the word that a text begins with ends there.
func standsAlone(text string, n int) bool {
	next, size := utf8.DecodeRuneInString(text[n:])
	last, _ := utf8.DecodeLastRuneInString(text[:n])
	return size == 0 || !inWord(last) || !inWord(next)
}

// isArticle tells whether a text begins with one letter and a word in small ones.
func isArticle(text string, n int) bool {
	if n > 1 || !strings.HasPrefix(text[n:], " ") {
		return false
	}
	after, _ := utf8.DecodeRuneInString(text[n+1:])
	return unicode.IsLower(after)
}

func inWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// Conceal is a text of the operator's, such as a prompt, as the model may see it: without symbols, names of companies and whole dates.
func (m *Mask) Conceal(text string) string {
	if m == nil {
		return text
	}
	return m.text(text, m.conceal, m.Weeks)
}

// Reveal is what the model wrote or was told, with the true symbols and dates.
func (m *Mask) Reveal(text string) string {
	if m == nil {
		return text
	}
	return m.dated(text, -m.Weeks, func(part string) string { return m.reveal.replace(part, true) })
}

// Briefing is the server's briefing of a day as the model may see it. Lines that begin with symbols stand in the order of the masked
// ones: that of the true ones would tell which is which.
func (m *Mask) Briefing(text string) string {
	if m == nil {
		return text
	}
	lines := strings.Split(text, "\n")
	for begin := 0; begin < len(lines); begin++ {
		end := begin
		for end < len(lines) && m.isSymbol(lines[end]) {
			end++
		}
		for i := begin; i < max(end, begin+1); i++ {
			lines[i] = m.text(lines[i], m.swap, m.Weeks)
		}
		slices.Sort(lines[begin:end])
		begin = max(begin, end-1)
	}
	return strings.Join(lines, "\n")
}

// isSymbol tells whether a line begins with a symbol.
func (m *Mask) isSymbol(line string) bool {
	word, _, more := strings.Cut(line, " ")
	_, known := m.Symbols[word]
	return more && known
}

// text puts others in place of the words of a text, and shifts its dates.
func (m *Mask) text(text string, w words, weeks int) string {
	return m.dated(text, weeks, func(part string) string { return w.replace(part, false) })
}
