// list_symbols: what is traded.

package tools

import (
	"context"

	"mcp-trade/internal/safetext"
	"mcp-trade/market"
	"mcp-trade/search"
)

type symbolsParams struct {
	Query  string `json:"query,omitempty" jsonschema:"Part of a ticker or company name. Default all" max:"40"`
	Limit  int    `json:"limit,omitempty" jsonschema:"How many at most. Default 100" min:"1" max:"500"`
	Cursor string `json:"cursor,omitempty" jsonschema:"The next of the answer before" max:"200"`
}

type symbolsResult struct {
	Symbols []symbolRow `json:"symbols"`
	Next    string      `json:"next,omitempty"`
}

type symbolRow struct {
	Symbol    string       `json:"symbol"`
	Name      string       `json:"name,omitempty"`
	Market    market.ID    `json:"market"`
	FirstDate market.Stamp `json:"first_date"`
}

// symbolsHint is where to look for a symbol that is like none that there are.
const symbolsHint = "list_symbols finds symbols by a part of their ticker or company name."

const maxName = 80 // characters of a company's name

func listSymbols(ctx context.Context, d *Deps, p symbolsParams) (symbolsResult, error) {
	v, err := d.view(ctx)
	if err != nil {
		return symbolsResult{}, err
	}
	if p.Limit == 0 {
		p.Limit = 100
	}
	list, more, err := v.List(p.Query, p.Cursor, p.Limit)
	if err != nil {
		return symbolsResult{}, err
	}
	r := symbolsResult{Symbols: []symbolRow{}}
	for _, l := range list {
		r.Symbols = append(r.Symbols, symbolRow{l.Symbol, search.Cut(safetext.OneLine(l.Name), maxName), l.Market, l.First})
	}
	if more {
		r.Next = list[len(list)-1].Symbol
	}
	return r, nil
}
