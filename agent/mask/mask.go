// Package mask renames the symbols of a market and shifts its dates, so that a language model cannot take from its memory what
// became of them. It stands between the model and everything else: what the model is sent is concealed, what it asks for is
// revealed, and servers and ledgers know of none of it.
//
//	mask.go   the mapping: made from a seed, and kept as a table
//	text.go   symbols and names in a text
//	dates.go  dates in a text
//	json.go   answers of tools, and arguments of calls; symbols.go lists the symbols
//
// The mapping of symbols is its own inverse: a model that asks for a true symbol asks for its masked name in truth, which does
// not exist, and reads its own word in the refusal. Prices stay as they are, and can give a symbol away.
package mask

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Table is a mask as manifests and transcripts keep it.
type Table struct {
	Seed    int64             `json:"seed"`
	Weeks   int               `json:"weeks"`   // that masked dates lie after the true ones
	Symbols map[string]string `json:"symbols"` // masked names by true symbols
}

// Symbol is one of a market.
type Symbol struct {
	Symbol string
	Name   string // of the company, "" where it is not known
}

// Mask conceals and reveals. The nil Mask leaves everything as it is. It is safe for concurrent use.
type Mask struct {
	Table
	News bool // the model may search news, whose words can give a company away

	swap    words // true symbols to masked ones, and masked ones to true ones
	reveal  words // masked ones to true ones
	conceal words // true symbols, and names of companies, to masked symbols
	names   words // names of companies to masked symbols
	dates   func() *dateForms
}

// Masked dates lie 20 to 40 years after the true ones: whole weeks, so that weekdays stay, and more than most prices span, so that
// no masked date is a true one.
const (
	leastWeeks = 20 * 52
	moreWeeks  = 20 * 52
)

// New makes the mask of a seed for the symbols of a market. A symbol has the same name in every market, unless two would have one.
func New(seed int64, symbols []Symbol) *Mask {
	t := Table{Seed: seed, Weeks: leastWeeks + int(number(seed, "weeks", 0)%moreWeeks), Symbols: map[string]string{}}
	taken := map[string]bool{}
	for _, s := range symbols {
		taken[strings.ToUpper(s.Symbol)] = true
	}
	for _, s := range slices.SortedFunc(slices.Values(symbols), func(a, b Symbol) int { return strings.Compare(a.Symbol, b.Symbol) }) {
		for try := 0; t.Symbols[s.Symbol] == ""; try++ {
			if name := maskedName(seed, s.Symbol, try); !taken[name] {
				t.Symbols[s.Symbol], taken[name] = name, true
			}
		}
	}
	m := From(t)
	for _, s := range symbols {
		for _, name := range spellings(s.Name) {
			if _, isSymbol := m.swap.of[name]; !isSymbol {
				m.names.add(name, t.Symbols[s.Symbol])
				m.conceal.add(name, t.Symbols[s.Symbol])
			}
		}
	}
	return m
}

// From is the mask of a table. It does not know the names of companies.
func From(t Table) *Mask {
	m := &Mask{Table: t, dates: sync.OnceValue(newDateForms), conceal: words{prose: true}}
	for symbol, masked := range t.Symbols {
		m.swap.add(symbol, masked)
		m.swap.add(masked, symbol)
		m.reveal.add(masked, symbol)
		m.conceal.add(symbol, masked)
	}
	return m
}

// Kept is the table of a mask, nil without one.
func (m *Mask) Kept() *Table {
	if m == nil {
		return nil
	}
	return &m.Table
}

// Same tells whether two tables mask alike, as far as both name a symbol; nil is no mask.
func (t *Table) Same(other *Table) bool {
	if t == nil || other == nil {
		return t == other
	}
	if t.Seed != other.Seed || t.Weeks != other.Weeks {
		return false
	}
	for symbol, masked := range t.Symbols {
		if name, both := other.Symbols[symbol]; both && name != masked {
			return false
		}
	}
	return true
}

// String is the mask in a few words; nil is none.
func (t *Table) String() string {
	if t == nil {
		return "no mask"
	}
	return fmt.Sprintf("the mask of seed %d", t.Seed)
}

// letters are those of masked names: without vowels no name is a word, and with six of them none is a ticker of the United States.
const letters = "BCDFGHJKLMNPQRSTVWXZ"

func maskedName(seed int64, symbol string, try int) string {
	name := make([]byte, 6)
	n := number(seed, symbol, try)
	for i := range name {
		name[i] = letters[n%uint64(len(letters))]
		n /= uint64(len(letters))
	}
	return string(name)
}

// number is a number by chance, the same for the same arguments.
func number(seed int64, text string, try int) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "mask %d %d %s", seed, try, text))
	return binary.BigEndian.Uint64(sum[:8])
}

// legalForms are words at the end of a company's name that are left out when people write it.
var legalForms = []string{
	"inc", "incorporated", "corp", "corporation", "co", "company", "ltd", "limited", "plc", "n.v", "nv", "s.a", "sa", "se", "ag",
	"holdings", "holding", "group", "common", "stock", "class", "a", "b", "c", "ordinary", "shares", "adr",
}

// minName keeps words that are too short to be a name from being taken for one.
const minName = 3

// spellings are the ways in which a company's name is written: whole, and without its legal form.
func spellings(name string) []string {
	name = strings.Join(strings.Fields(name), " ")
	if len(name) < minName {
		return nil
	}
	all := []string{name}
	for {
		head, last, more := cutLast(name)
		if !more || len(head) < minName || !slices.Contains(legalForms, strings.ToLower(strings.Trim(last, ".,()"))) {
			return all
		}
		name = strings.TrimRight(head, " ,&-")
		all = append(all, name)
	}
}

func cutLast(text string) (head, last string, found bool) {
	at := strings.LastIndexByte(text, ' ')
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+1:], true
}
