// The tables, and the row id that is a time.

package archive

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"mcp-trade/search"
)

// schema holds the articles as they are shown, and an index that knows which words are in which.
const schema = `
CREATE TABLE IF NOT EXISTS article (
	id INTEGER PRIMARY KEY, -- see rowID
	same BLOB NOT NULL UNIQUE, -- see the function fingerprint
	title TEXT NOT NULL, url TEXT NOT NULL, source TEXT NOT NULL, published TEXT NOT NULL, summary TEXT NOT NULL, content TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS reply ( -- of a source on the web
	id INTEGER PRIMARY KEY, source TEXT NOT NULL, request TEXT NOT NULL, fetched_at TEXT NOT NULL, sha256 TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS origin ( -- which reply an article is from, if it was fetched
	url TEXT NOT NULL, article INTEGER NOT NULL, reply INTEGER NOT NULL, PRIMARY KEY (url, article)
) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS word USING fts5 (words, content='', columnsize=0, detail=none, tokenize='ascii');
`

// A row id is the last second at which the article can have been published, one bit for "only the day is known", and some
// of a hash to tell apart what was published in the same second. So ids are in the order of time, and whether the cutoff
// allows an article follows from its id alone, and the ids of other articles change it only if two articles share all of it.
const (
	hashBits = 23
	dayBit   = 1 << hashBits
	timeBits = hashBits + 1
)

// rowID returns the first id for an article.
func rowID(d search.Date, same [sha256.Size]byte) int64 {
	id := d.Latest.Unix()<<timeBits | int64(binary.BigEndian.Uint32(same[:]))&(dayBit-1)
	if d.Day {
		id |= dayBit
	}
	return id
}

// nextID returns another id of the same time.
func nextID(id int64) int64 { return id&^(dayBit-1) | (id+1)&(dayBit-1) }

// idLimits returns the bounds below which the ids of allowed articles lie: of those published at a moment, and of those on a day.
func idLimits(c search.Cutoff) (moment, day int64) {
	m, n := c.Limits()
	return m.Unix() << timeBits, n.Unix() << timeBits
}

func timeOf(id int64) time.Time { return time.Unix(id>>timeBits, 0).UTC() }

// dateOf returns the date of an article.
func dateOf(id int64, text string) search.Date {
	return search.Date{Text: text, Latest: timeOf(id), Day: id&dayBit != 0}
}

// Origin is the reply that articles are from.
type Origin struct {
	Source  string    `json:"source"`
	Request string    `json:"request"` // its address, without a key
	At      time.Time `json:"fetched_at"`
	SHA256  string    `json:"sha256"` // of the reply
}

// maxKept is how many characters of an article are kept and searched.
const maxKept = 50_000

// row is an article as it is kept.
type row struct {
	id                                              int64
	fingerprint                                     [sha256.Size]byte
	title, url, source, published, summary, content string
	symbols                                         string

	origin Origin // the zero value if it was not fetched
	reply  int64  // its row, 0 likewise
}

func newRow(item search.RawArticle, date search.Date) row {
	same := fingerprint(item, date)
	return row{
		id: rowID(date, same), fingerprint: same, title: search.Plain(item.Title), url: item.URL, source: search.Plain(item.Source), published: date.Text,
		summary: search.Plain(item.Summary), content: search.Cut(search.Plain(item.Content), maxKept), symbols: symbolWords(item.Symbols),
	}
}

// words are what the article is found by: each word as it is written and, if that differs, without its accents.
func (r row) words() string {
	text := plainWords(r.title + "\n" + r.summary + "\n" + r.content + "\n" + r.source)
	return segmentCJK(text) + "\n" + accented(text) + "\n" + r.symbols
}

// accented returns the words of a text that have accents, without them.
func accented(text string) string {
	if isASCII(text) {
		return ""
	}
	var folded []string
	for _, w := range strings.Fields(text) {
		if f := withoutAccents(w); f != w {
			folded = append(folded, f)
		}
	}
	return strings.Join(folded, " ")
}

// letters are Latin letters that Unicode does not take for another one with a mark, as they are written where they are not at hand.
var letters = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "đ", "d", "ð", "d", "ł", "l", "ı", "i", "þ", "th")

// withoutAccents returns a word in small letters without the marks on its Latin and Greek letters. In other scripts a mark can
// make another letter.
func withoutAccents(word string) string {
	if isASCII(word) {
		return word
	}
	plain := strings.Map(func(r rune) rune {
		if r <= unicode.MaxASCII || !unicode.In(r, unicode.Latin, unicode.Greek) {
			return r
		}
		base, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
		return base
	}, word)
	return letters.Replace(plain)
}

// plainWords leaves the letters and digits of a text. What is in ASCII is for the index to take apart; in all else it sees
// nothing but letters, so that words mean the same here and in a query, whatever the age of its tables.
func plainWords(text string) string {
	if isASCII(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			return unicode.ToLower(r)
		case unicode.IsMark(r):
			return -1
		}
		return ' '
	}, text)
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

// fingerprint is what makes two articles the same one: where they were published and when. A later version of a page is another
// article, or else it would change what was known before it.
func fingerprint(item search.RawArticle, date search.Date) [sha256.Size]byte {
	where := item.URL
	if where == "" {
		where = item.Source + "\n" + item.Title
	}
	return sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d", where, date.Text, date.Latest.Unix()))
}

// segmentCJK takes apart what is written in scripts without spaces between words: each character is a word, and so are each
// two that stand together.
func segmentCJK(text string) string {
	if strings.IndexFunc(text, isCJK) < 0 {
		return text
	}
	var b strings.Builder
	var before rune
	for _, r := range text {
		switch {
		case !isCJK(r):
			b.WriteRune(r)
			before = 0
			continue
		case before != 0:
			fmt.Fprintf(&b, " %c%c", before, r)
		}
		fmt.Fprintf(&b, " %c ", r)
		before = r
	}
	return b.String()
}

func isCJK(r rune) bool {
	return r > unicode.MaxLatin1 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// symbolWord writes a symbol as a word that is in no text: its marks are characters that texts are stripped of.
func symbolWord(symbol string) string {
	return "\ue000" + strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '\ue001'
	}, strings.ToLower(strings.TrimSpace(symbol)))
}

func symbolWords(symbols []string) string {
	words := make([]string, len(symbols))
	for i, s := range symbols {
		words[i] = symbolWord(s)
	}
	return strings.Join(words, " ")
}
