// The list of symbols, as a model that knows only masked ones can look through it.

package mask

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Row is a symbol of the server's list.
type Row struct {
	Symbol    string `json:"symbol"`
	Market    string `json:"market"`
	FirstDate string `json:"first_date"`
}

// Rows reads the symbols of an answer of list_symbols, and after which one it goes on; "" if there are no more.
func Rows(answer string) (rows []Row, next string, err error) {
	var page struct {
		Symbols []Row  `json:"symbols"`
		Next    string `json:"next"`
	}
	err = json.Unmarshal([]byte(answer), &page)
	return page.Symbols, page.Next, err
}

// defaultSymbols is how many symbols an answer has unless more or fewer are asked for.
const defaultSymbols = 100

// List answers a call of list_symbols from all that the server lists: in the order of the masked symbols, without names of
// companies, and those that the query is a part of.
func (m *Mask) List(all []Row, arguments map[string]json.RawMessage) string {
	text := func(key string) string {
		var s string
		if json.Unmarshal(arguments[key], &s) != nil {
			s = string(arguments[key])
		}
		return strings.ToUpper(strings.TrimSpace(s))
	}
	query, after := text("query"), text("cursor")
	limit := defaultSymbols
	if n, err := strconv.Atoi(text("limit")); err == nil && n > 0 {
		limit = n
	}
	var list []Row
	for _, r := range all {
		r.Symbol, r.FirstDate = m.text(r.Symbol, m.swap, m.Weeks), m.text(r.FirstDate, m.swap, m.Weeks)
		if strings.Contains(r.Symbol, query) && r.Symbol > after {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b Row) int { return strings.Compare(a.Symbol, b.Symbol) })
	page := struct {
		Symbols []Row  `json:"symbols"`
		Next    string `json:"next,omitempty"`
	}{Symbols: append([]Row{}, list[:min(limit, len(list))]...)}
	if len(list) > limit {
		page.Next = list[limit-1].Symbol
	}
	answer, _ := json.Marshal(page) // texts alone
	return string(answer)
}
