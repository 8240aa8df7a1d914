package ledger

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mcp-trade/market"
)

// rechained is a ledger of this package with every hash computed anew, as somebody with the program's source would.
func rechained(t *testing.T, rows []string) []string {
	t.Helper()
	var all []string
	for i, row := range rows {
		r, err := ParseLine([]byte(row))
		if err != nil {
			t.Fatal(err)
		}
		if r.ID = int64(i); i > 0 {
			r.Prev = Hash([]byte(all[i-1]))
		}
		all = append(all, string(r.Line()))
	}
	return all
}

func TestVerify_Anchors(t *testing.T) {
	p := testPrices(t)
	rows := written(t, p) // 0: 10-01, 1 and 2: 10-02, 3: 10-03, 4 and 5: 10-06
	hash := func(row int) string { return Hash([]byte(rows[row])) }
	// A run, and the transcripts of its days.
	beside := []Anchor{
		{Hash: hash(0), Source: "the manifest's head before", Until: "2025-10-01"},
		{Hash: hash(5), Source: "the manifest's head after", Until: "2025-10-06", Since: Rows},
		{Hash: hash(0), Source: "the begin of 10-02", Before: "2025-10-02"},
		{Hash: hash(2), Source: "the end of 10-02", Until: "2025-10-02", Since: Rows},
		{Hash: hash(2), Source: "the begin of 10-03", Before: "2025-10-03", Since: AtMost},
		{Hash: hash(2), Source: "the end of 10-03", Until: "2025-10-03", Since: Rows},
		{Hash: hash(3), Source: "the begin of 10-06", Before: "2025-10-06", Since: AtMost},
		{Hash: hash(5), Source: "the end of 10-06", Until: "2025-10-06", Since: AtMost, Trades: 2},
	}
	// The day of 10-03 was no day off: another program traded on it, and its rows are chained like all others.
	traded := slices.Insert(slices.Clone(rows[:3]), 3,
		`{"date": "2025-10-03", "id": 3, "this_action": {"action": "sell", "symbol": "NVDA", "amount": 5, "price": 11}, "positions": {"CASH": 255, "NVDA": 25, "MSFT": 1}}`)
	traded = rechained(t, traded)
	heads := func(rows []string, at ...int) []Anchor {
		w := []Anchor{{Hash: Hash([]byte(rows[at[0]])), Source: "the end of the first run"}, {Hash: Hash([]byte(rows[at[1]])), Source: "the begin of the second", Since: Nothing}}
		return w
	}
	rewritten := rechained(t, slices.Delete(slices.Clone(rows), 3, 4))
	for _, c := range []struct {
		name     string
		rows     []string
		anchors  []Anchor
		findings []Class
		says     string
	}{
		{"the ledger as it was", rows, beside, nil, ""},
		{"a ledger that has grown since", rows, beside[:1], nil, ""},
		{"the end is cut off", rows[:5], beside, []Class{Missing, Missing}, "the row with the hash " + hash(5) + ", which stands in the manifest's head after"},
		{"all of it is written anew", rewritten, beside, []Class{Missing, Missing, Missing}, "which stands in the begin of 10-06"},
		{"a trade between two days", traded, []Anchor{
			{Hash: Hash([]byte(traded[2])), Source: "the end of 10-02"}, {Hash: Hash([]byte(traded[3])), Source: "the begin of 10-06", Since: AtMost},
		}, []Class{Foreign}, "found 1, in rows 3 to 3"},
		{"rows between two runs", rows, heads(rows, 2, 4), []Class{Foreign}, "found 2: rows 3 to 4"},
		{"more trades on a day than it had", rows, []Anchor{{Hash: hash(3), Source: "the begin of 10-06"}, {Hash: hash(5), Source: "the end of 10-06", Since: AtMost, Trades: 1}}, []Class{Foreign}, "1 trades at most between the begin of 10-06"},
		{"no row between two runs", rows, heads(rows, 3, 3), nil, ""},
		{"the end before the begin", rows, []Anchor{beside[1], {Hash: hash(2), Source: "the end of 10-02", Since: Rows}}, []Class{Misdated}, "a row after row 5, as the order of the manifest's head after"},
		{"anchors of which nobody knows the order", rows, []Anchor{beside[1], {Hash: hash(2), Source: "the end of 10-02"}}, nil, ""},
		{"a row of a later date than it can have", rows, []Anchor{{Hash: hash(4), Source: "the end of 10-03", Until: "2025-10-03"}}, []Class{Misdated}, "a date of 2025-10-03 or earlier"},
		{"a row of the day before which it was noted", rows, []Anchor{{Hash: hash(4), Source: "the begin of 10-06", Before: "2025-10-06"}}, []Class{Misdated}, "a date before 2025-10-06"},
	} {
		r, err := Verify(linesIn(c.rows), p, c.anchors...)
		var classes []Class
		for _, f := range r.Findings {
			classes = append(classes, f.Class)
		}
		if err != nil || !slices.Equal(classes, c.findings) || !strings.Contains(fmt.Sprint(r.Findings), c.says) {
			t.Errorf("%s: %v, %v", c.name, r.Findings, err)
		}
		if r.Head != Hash([]byte(c.rows[len(c.rows)-1])) {
			t.Errorf("%s: the head is %s", c.name, r.Head)
		}
	}
	if r, err := Verify(linesIn(rows), (*market.Prices)(nil), Anchor{Hash: hash(3)}, Anchor{Hash: "00"}, Anchor{Hash: hash(3)}); err != nil || !slices.Equal(r.AnchorRows, []int{3, -1, 3}) {
		t.Errorf("seen in rows %v, %v", r.AnchorRows, err)
	}
}
