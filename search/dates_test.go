// Tests of the cutoff: every form in which the world writes dates, and from when on each may be shown.

package search

import (
	"encoding/json"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
	"mcp-trade/market"
)

// noon is the moment of the fetch: noon in New York on 26 October 2025.
var noon = time.Date(2025, 10, 26, 16, 0, 0, 0, time.UTC)

// forms are dates as JSON, and the first stamps at which they are known: of days, and of hours. "" is never.
var forms = []struct {
	raw       string
	day, hour market.Stamp
}{
	// A moment whose zone is known: 17:30 in New York.
	{`"2025-10-25T21:30:00Z"`, "2025-10-26", "2025-10-25 17:30:01"},
	{`"2025-10-25T17:30:00-04:00"`, "2025-10-26", "2025-10-25 17:30:01"},
	{`"2025-10-25T17:30:00.999-0400"`, "2025-10-26", "2025-10-25 17:30:01"},
	{`"2025-10-26t05:30:00+08:00"`, "2025-10-26", "2025-10-25 17:30:01"},
	{`"20251025T213000Z"`, "2025-10-26", "2025-10-25 17:30:01"},
	{`"2025-10-25 21:30:00 UTC"`, "2025-10-26", "2025-10-25 17:30:01"},
	{`"2025-10-25T21:30:00+00:00 (UTC)"`, "2025-10-26", "2025-10-25 17:30:01"},
	{`"Sat, 25 Oct 2025 21:30:00 GMT"`, "2025-10-26", "2025-10-25 17:30:01"},
	{`"Sat, 25 Oct 2025 17:30:00 EDT"`, "2025-10-26", "2025-10-25 17:30:01"},
	{`"25 Oct 2025 17:30:00 -0400"`, "2025-10-26", "2025-10-25 17:30:01"},
	{`"Sat Oct 25 21:30:00 UTC 2025"`, "2025-10-26", "2025-10-25 17:30:01"},
	{`"October 25, 2025 at 9:30:00 p.m. GMT"`, "2025-10-26", "2025-10-25 17:30:01"},
	{`"October 25, 2025 11:30:00 PM GMT+2"`, "2025-10-26", "2025-10-25 17:30:01"},
	{`"2025-10-25 21:30 UTC"`, "2025-10-26", "2025-10-25 17:31:00"}, // the minute may have been nearly over
	{`"October 25, 2025, 4 PM EDT"`, "2025-10-26", "2025-10-25 17:00:00"},
	{`"Oct 25, 2025 4:30:00 PM ET"`, "2025-10-26", "2025-10-25 17:30:01"}, // as standard time, which comes later
	{`1761427800`, "2025-10-26", "2025-10-25 17:30:01"},
	{`"1761427800"`, "2025-10-26", "2025-10-25 17:30:01"},
	{`1761427800999`, "2025-10-26", "2025-10-25 17:30:01"},

	// Just before midnight in New York, and midnight itself.
	{`"2025-10-26T03:59:59Z"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"2025-10-26T04:00:00Z"`, "2025-10-27", "2025-10-26 00:00:01"},
	{`"2025-10-25T23:59:59-05:00"`, "2025-10-27", "2025-10-26 01:00:00"},

	// A moment whose zone is not known counts as twelve hours behind UTC.
	{`"2025-10-25T10:00:00"`, "2025-10-26", "2025-10-25 18:00:01"},
	{`"2025-10-25 15:59:59"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"2025-10-25 16:00:00"`, "2025-10-27", "2025-10-26 00:00:01"},
	{`"2025-10-25T10:00:00 XYZ"`, "2025-10-26", "2025-10-25 18:00:01"},
	{`"20251025T100000"`, "2025-10-26", "2025-10-25 18:00:01"},
	{`"Sat Oct 25 10:00:00 2025"`, "2025-10-26", "2025-10-25 18:00:01"},
	{`"2025-10-25 18:00:00 Asia/Tokyo"`, "2025-10-27", "2025-10-26 02:00:01"},

	// A day counts as its end.
	{`"2025-10-25"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`" 2025-10-25 "`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"2025/10/25"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"10/25/2025"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"25/10/2025"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"25.10.2025"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"20251025"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"October 25, 2025"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"Oct. 25th, 2025"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"25 Oct 2025"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"25th of October 2025"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"25-Oct-2025"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"Saturday, October 25, 2025"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"SEPT 1 2025"`, "2025-09-02", "2025-09-02 00:00:00"},
	{`"2025年10月25日"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"02/10/2025"`, "2025-10-03", "2025-10-03 00:00:00"}, // 10 February or 2 October: the later
	{`"10/02/2025"`, "2025-10-03", "2025-10-03 00:00:00"},

	// From the moment of the fetch.
	{`"4 hours ago"`, "2025-10-27", "2025-10-26 08:00:01"},
	{`"an hour ago"`, "2025-10-27", "2025-10-26 11:00:01"},
	{`"16 hours ago"`, "2025-10-26", "2025-10-25 20:00:01"},
	{`"30 mins ago"`, "2025-10-27", "2025-10-26 11:30:01"},
	{`"5h ago"`, "2025-10-27", "2025-10-26 07:00:01"},
	{`"just now"`, "2025-10-27", "2025-10-26 12:00:01"},
	{`"today"`, "2025-10-27", "2025-10-27 00:00:00"},
	{`"Yesterday"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"1 day ago"`, "2025-10-26", "2025-10-26 00:00:00"},
	{`"2 weeks ago"`, "2025-10-13", "2025-10-13 00:00:00"},
	{`"3 months ago"`, "2025-07-27", "2025-07-27 00:00:00"},
	{`"a year ago"`, "2024-10-27", "2024-10-27 00:00:00"},

	// Not known, and so never.
	{`"some day"`, "", ""}, {`"2025"`, "", ""}, {`"October 2025"`, "", ""}, {`"2025-13-01"`, "", ""}, {`"2025-02-30"`, "", ""}, {`"25/10/25"`, "", ""},
	{`"2025-10-25T25:00:00Z"`, "", ""}, {`"2025-10-25T10:00:00+99:00"`, "", ""}, {`"2025-10-25 or so"`, "", ""}, {`"0001-01-01"`, "", ""},
	{`"in 2 hours"`, "", ""}, {`"99999999 hours ago"`, "", ""}, {`"-4 hours ago"`, "", ""}, {`"4 ago"`, "", ""},
	{`2025102521`, "", ""}, {`202510252130`, "", ""}, {`999999999`, "", ""}, {`17614278000`, "", ""}, {`1761427800.5`, "", ""}, {`-1761427800`, "", ""}, {`20251025`, "", ""}, {`true`, "", ""}, {`{}`, "", ""}, {`["2025-10-25"]`, "", ""}, {`"2025-10-25" x`, "", ""},
	{`null`, "", ""}, {`""`, "", ""}, {`"   "`, "", ""}, {``, "", ""},
}

// stamps are days and hours around those of the forms.
func stamps() []market.Stamp {
	var all []market.Stamp
	first := time.Date(2025, 10, 24, 0, 0, 0, 0, time.UTC)
	for at := first; at.Before(first.AddDate(0, 0, 5)); at = at.Add(30 * time.Minute) {
		all = append(all, market.Stamp(at.Format("2006-01-02 15:04:05")), market.Stamp(at.Add(time.Second).Format("2006-01-02 15:04:05")))
	}
	for at := time.Date(2024, 10, 20, 0, 0, 0, 0, time.UTC); at.Year() < 2026; at = at.AddDate(0, 0, 1) {
		all = append(all, market.Stamp(at.Format(time.DateOnly)))
	}
	return append(all, "2025-10-25 17:31:00")
}

// A date passes once it is over.
func TestCutoff_Allows(t *testing.T) {
	testenv.Slow(t)
	reader := DateParser{Fetched: noon, Zone: market.US.Get().Zone()}
	good := reader.Read("2020-01-01")
	for _, f := range forms {
		date, claimed := reader.JSON(json.RawMessage(f.raw))
		var dates []Date
		if claimed {
			dates = []Date{date}
		}
		for _, stamp := range stamps() {
			cutoff, first := NewCutoff(stamp, market.US), f.day
			if !stamp.IsDay() {
				first = f.hour
			}
			want := first != "" && stamp >= first
			if _, got := cutoff.LatestAllowed(dates...); got != want {
				t.Errorf("%s at %s: passes %v, want %v (%+v)", f.raw, stamp, got, want, date)
				break
			}
			// Beside another date, which is early and good: as the date of a result, and as that of its page.
			want = (want || !claimed) && stamp >= "2020-01-02"
			_, listed := cutoff.LatestAllowed(append([]Date{good}, dates...)...)
			_, paged := cutoff.LatestAllowed(append(dates[:len(dates):len(dates)], good)...)
			if listed != want || paged != want {
				t.Errorf("%s beside an earlier date at %s: passes %v and %v, want %v", f.raw, stamp, listed, paged, want)
				break
			}
		}
	}
}

// The later date counts.
func TestCutoff_Allows_LaterDate(t *testing.T) {
	reader, cutoff := DateParser{}, NewCutoff("2025-10-02", market.US)
	for _, c := range []struct{ one, other, want string }{
		{"2025-09-01", "2025-09-02", "2025-09-02"},
		{"2025-09-02T10:00:00Z", "2025-09-01", "2025-09-02T10:00:00Z"},
		{"2025-09-02T10:00:00Z", "2025-09-02", "2025-09-02"},
		{"2025-09-02", "2025-09-03T04:00:00Z", "2025-09-03T04:00:00Z"},
		{"2025-09-02", "2025-09-03T03:59:00Z", "2025-09-02"},
	} {
		for _, dates := range [][]Date{{reader.Read(c.one), reader.Read(c.other)}, {reader.Read(c.other), reader.Read(c.one)}} {
			if d, ok := cutoff.LatestAllowed(dates...); !ok || d.Text != c.want {
				t.Errorf("of %s and %s counts %q, want %s", c.one, c.other, d.Text, c.want)
			}
		}
	}
}

// A day begins where the market is.
func TestCutoff_Allows_ZoneOfTheMarket(t *testing.T) {
	date := DateParser{}.Read("2025-10-01T18:00:00Z")
	for of, want := range map[market.ID]bool{market.US: true, market.CN: false, market.Crypto: true} {
		if got := NewCutoff("2025-10-02", of).Allows(date); got != want {
			t.Errorf("%s: passes %v, want %v", of, got, want)
		}
	}
	if (Cutoff{}).Allows(date) || NewCutoff("no stamp", market.US).Allows(date) {
		t.Error("the zero cutoff allows something")
	}
}

// Whatever a text says, what is read of it is not known before any moment at which it can have been.
func FuzzDate(f *testing.F) {
	for _, form := range forms {
		f.Add(form.raw)
	}
	reader := DateParser{Fetched: noon, Zone: market.US.Get().Zone()}
	f.Fuzz(func(t *testing.T, raw string) {
		d, claimed := reader.JSON(json.RawMessage(raw))
		if !claimed && d.known() {
			t.Fatalf("%q is not claimed, and known as %+v", raw, d)
		}
		if !d.known() {
			return
		}
		if d.Text == "" || d.Latest.Year() < 1899 || d.Latest.Year() > 10_000 || d.Latest.Nanosecond() != 0 && d.Day {
			t.Fatalf("%q became %+v", raw, d)
		}
		// What was understood reads the same again, or later.
		again := DateParser{}.Read(d.Text)
		if !again.known() || again.Latest.Before(d.Latest.Truncate(time.Second)) && d.Day == again.Day && d.Latest.Sub(again.Latest) >= time.Hour {
			t.Fatalf("%q became %+v, and that %+v", raw, d, again)
		}
		day := market.Stamp(d.Latest.AddDate(0, 0, -2).Format(time.DateOnly))
		if d.Latest.Year() < 9999 && NewCutoff(day, market.US).Allows(d) {
			t.Fatalf("%q passes at %s", raw, day)
		}
	})
}
