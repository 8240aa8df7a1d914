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

// Two runs and a trade by hand in between; the transcripts of their days, too, know nothing of it.
func TestVerify_RowsOutsideOfRuns(t *testing.T) {
	p := testPrices(t)
	rows := written(t, p)
	hash := func(row int) string { return Hash([]byte(rows[row])) }
	runs := []Anchor{
		{Hash: hash(2), Source: "the end of a run", Ends: true},
		{Hash: hash(4), Source: "the begin of another", Since: Rows},
		{Hash: hash(5), Source: "its end", Since: Rows, Ends: true},
	}
	days := []Anchor{{Hash: hash(2), Source: "the end of 10-02"}, {Hash: hash(4), Source: "the begin of 10-06", Since: AtMost}}
	for _, c := range []struct {
		name     string
		anchors  []Anchor
		outside  []Span
		findings []Class
		reasons  string
	}{
		{"between two runs", runs, []Span{{From: 3, To: 4}}, nil, "rows 3 to 4 were written outside of the recorded runs"},
		{"between two runs with transcripts", append(slices.Clone(runs), days...), []Span{{From: 3, To: 4}}, nil, "rows 3 to 4 were written outside of the recorded runs"},
		{"after the last run", runs[:1], []Span{{From: 3, To: 5}}, nil, "rows 3 to 5 were written outside of the recorded runs"},
		{"after the last run, of which transcripts tell", append(slices.Clone(runs[:1]), days...), []Span{{From: 3, To: 5}}, []Class{Foreign}, "rows 3 to 5 were"},
		{"a run that did nothing", []Anchor{runs[2]}, nil, nil, ""},
		{"a run that goes on", runs[:2], []Span{{From: 3, To: 4}}, nil, "rows 3 to 4 were written outside of the recorded runs"},
		{"within a run", append([]Anchor{{Hash: hash(0), Source: "the begin"}, {Hash: hash(5), Source: "the end", Since: Rows}}, days...), nil, []Class{Foreign}, `rows do not follow: 1 "foreign rows"`},
	} {
		r, err := Verify(linesIn(rows), p, c.anchors...)
		var classes []Class
		for _, f := range r.Findings {
			classes = append(classes, f.Class)
		}
		for i := range r.Outside {
			r.Outside[i].trades = 0
		}
		verdict, reasons := r.Verdict()
		if err != nil || !slices.Equal(r.Outside, c.outside) || !slices.Equal(classes, c.findings) || r.Failed() != (len(c.findings) > 0) || !strings.Contains(fmt.Sprint(reasons), c.reasons) ||
			verdict == Verified != (c.reasons == "") || verdict == NotVerified != r.Failed() {
			t.Errorf("%s: %v, %v; %s, %q, %v", c.name, r.Outside, r.Findings, verdict, reasons, err)
		}
	}
}

// The head of a ledger stands for every byte of it, whether or not its rows carry hashes.
func TestVerify_Head(t *testing.T) {
	p := testPrices(t)
	head := func(rows []string, anchors ...Anchor) Report {
		r, err := Verify(linesIn(rows), p, anchors...)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	a, s := imported(t, linesIn(plain))
	mustSubmit(t, a, p, "2025-10-06", order("buy 2 NVDA"))
	for name, rows := range map[string][]string{"chained": written(t, p), "of another program": plain, "of another program, gone on with": lines(t, s)} {
		whole := head(rows)
		if last := Hash([]byte(rows[len(rows)-1])); (whole.Head == last) != (name == "chained") {
			t.Errorf("%s: the head is %s, and the newest row's hash %s", name, whole.Head, last)
		}
		for row := range rows {
			spoiled := slices.Clone(rows)
			spoiled[row] = strings.Replace(spoiled[row], ": ", ":  ", 1)
			if r := head(spoiled, Anchor{Hash: whole.Head, Source: "a note"}); r.Head == whole.Head || !r.Failed() {
				t.Errorf("%s: row %d has another byte, and the head is %s", name, row, r.Head)
			}
		}
		grown := slices.Clone(rows)
		grown = append(grown, `{"date": "2025-10-07", "id": 0, "positions": {}}`)
		if r := head(grown, Anchor{Hash: whole.Head, Source: "a note"}); r.Anchored[0].Row != len(rows)-1 || r.Anchored[0].From != 0 {
			t.Errorf("%s, grown: %+v", name, r.Anchored)
		}
	}
	// The hash of a line stands for the rows before it that are chained to it, and for no others.
	rows := lines(t, s)
	for row, from := range []int{0, 1, 2, 3, 4, 4, 4} {
		if r := head(rows, Anchor{Hash: Hash([]byte(rows[row])), Source: "a note"}); r.Anchored[0].Row != row || r.Anchored[0].From != from {
			t.Errorf("row %d: %+v, want it to stand for rows from %d on", row, r.Anchored, from)
		}
	}
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
	if r, err := Verify(linesIn(rows), (*market.Prices)(nil), Anchor{Hash: hash(3)}, Anchor{Hash: "00"}, Anchor{Hash: hash(3)}); err != nil || len(r.Anchored) != 3 || r.Anchored[0].Row != 3 || r.Anchored[1].Row != -1 || r.Anchored[2].Row != 3 {
		t.Errorf("seen in rows %v, %v", r.Anchored, err)
	}
}
