// A key of the rules in a record.

package ledger

import "mcp-trade/market"

// term is a key of the rules in a record.
type term struct {
	key    string
	always bool                                      // it stands in every record, else only where it is not the default
	preset func(m *market.Market) string             // the JSON of its default
	knows  func(m *market.Market, value string) bool // whether the JSON is another value that this version knows; nil: none is
	set    func(r *Rules, value string)              // keeps a value as it is computed with; nil: its JSON is enough
}

func always(text string) func(*market.Market) string {
	return func(*market.Market) string { return text }
}

// only is a term with one value beside the default.
func only(key, preset, other string) term {
	return term{key: key, preset: always(preset), knows: func(_ *market.Market, value string) bool { return value == other }}
}
