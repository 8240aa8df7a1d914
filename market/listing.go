package market

// This file lists what is traded, as a view knows it.

import (
	"slices"
	"strings"
)

// Listing is a symbol that exists as of a view.
type Listing struct {
	Symbol string
	Name   string // of the company or coin, "" if the price file has none
	Market ID
	First  Stamp // of its first visible bar
}

// List returns the symbols that have a visible bar, ascending, at most limit of
// them: those after a symbol ("" is from the beginning on) that have the query in
// their symbol or name, in capitals or not ("" is all). More tells whether others
// follow. Damaged series are left out.
//
// It reads the series that it returns, and with a query also those whose symbol does
// not have it, since the name stands in the series; each of them once.
func (v View) List(query, after string, limit int) (list []Listing, more bool, err error) {
	query = strings.ToUpper(strings.TrimSpace(query))
	from, there := slices.BinarySearch(v.prices.symbols, after)
	if there {
		from++
	}
	list = []Listing{}
	for _, symbol := range v.prices.symbols[from:] {
		s := v.prices.series[symbol]
		first, seen, err := v.firstVisible(s)
		if err != nil && !isDamage(err) {
			return nil, false, err
		}
		if err != nil || !seen {
			continue
		}
		name := v.prices.nameOf(s)
		if !strings.Contains(strings.ToUpper(symbol), query) && !strings.Contains(strings.ToUpper(name), query) {
			continue
		}
		if len(list) == limit {
			return list, true, nil
		}
		list = append(list, Listing{symbol, name, Of(symbol).ID, first})
	}
	return list, false, nil
}

// nameOf is the name of a series of which it is known when it has bars.
func (c *content) nameOf(s *series) string {
	if about := s.metadata.Load(); about != nil {
		return about.name
	}
	return s.outline.Name
}
