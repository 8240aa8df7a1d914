package market

// Tests of the calendars of exchanges, against the days that they published.

import (
	"strings"
	"testing"
	"time"

	"github.com/rickar/cal/v2"
)

// usYears are the calendars of NYSE and Nasdaq: how many trading days a year had, the weekdays on which they were closed, and those on
// which they closed at 13:00. Those of 2020 to 2027 stand in exchange_calendars 4.13.2, pandas_market_calendars 5.5.0 and LEAN alike, the
// others in the first of the three.
var usYears = []struct {
	year         string
	days         int
	closed, half string
}{
	{"2004", 252, "01-01 01-19 02-16 04-09 05-31 06-11 07-05 09-06 11-25 12-24", "11-26"},
	{"2005", 252, "01-17 02-21 03-25 05-30 07-04 09-05 11-24 12-26", "11-25"},
	{"2006", 251, "01-02 01-16 02-20 04-14 05-29 07-04 09-04 11-23 12-25", "07-03 11-24"},
	{"2007", 251, "01-01 01-02 01-15 02-19 04-06 05-28 07-04 09-03 11-22 12-25", "07-03 11-23 12-24"},
	{"2008", 253, "01-01 01-21 02-18 03-21 05-26 07-04 09-01 11-27 12-25", "07-03 11-28 12-24"},
	{"2009", 252, "01-01 01-19 02-16 04-10 05-25 07-03 09-07 11-26 12-25", "11-27 12-24"},
	{"2010", 252, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24", "11-26"},
	{"2011", 252, "01-17 02-21 04-22 05-30 07-04 09-05 11-24 12-26", "11-25"},
	{"2012", 250, "01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25", "07-03 11-23 12-24"},
	{"2013", 252, "01-01 01-21 02-18 03-29 05-27 07-04 09-02 11-28 12-25", "07-03 11-29 12-24"},
	{"2014", 252, "01-01 01-20 02-17 04-18 05-26 07-04 09-01 11-27 12-25", "07-03 11-28 12-24"},
	{"2015", 252, "01-01 01-19 02-16 04-03 05-25 07-03 09-07 11-26 12-25", "11-27 12-24"},
	{"2016", 252, "01-01 01-18 02-15 03-25 05-30 07-04 09-05 11-24 12-26", "11-25"},
	{"2017", 251, "01-02 01-16 02-20 04-14 05-29 07-04 09-04 11-23 12-25", "07-03 11-24"},
	{"2018", 251, "01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25", "07-03 11-23 12-24"},
	{"2019", 252, "01-01 01-21 02-18 04-19 05-27 07-04 09-02 11-28 12-25", "07-03 11-29 12-24"},
	{"2020", 253, "01-01 01-20 02-17 04-10 05-25 07-03 09-07 11-26 12-25", "11-27 12-24"},
	{"2021", 252, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24", "11-26"},
	{"2022", 251, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26", "11-25"},
	{"2023", 250, "01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25", "07-03 11-24"},
	{"2024", 252, "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25", "07-03 11-29 12-24"},
	{"2025", 250, "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25", "07-03 11-28 12-24"},
	{"2026", 251, "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25", "11-27 12-24"},
	{"2027", 251, "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24", "11-26"},
	{"2028", 251, "01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25", "07-03 11-24"},
}

func TestCalendar_Closed_US(t *testing.T) {
	m := US.Get().Calendar
	for _, y := range usYears {
		var closed, half []string
		days := 0
		for day := Stamp(y.year + "-01-01"); day <= Stamp(y.year+"-12-31"); day = day.AddDays(1) {
			why, known := m.Closed(day + " 10:00:00")
			switch {
			case !known:
				t.Fatalf("%s is not known", day)
			case day.isWeekend():
				if !strings.Contains(why, "Saturdays and Sundays") {
					t.Errorf("%s: %q", day, why)
				}
			case why != "":
				closed = append(closed, string(day[5:]))
			default:
				days++
			}
			if isUSHalfDay(day) {
				half = append(half, string(day[5:]))
			}
		}
		if got := strings.Join(closed, " "); got != y.closed || days != y.days {
			t.Errorf("%s: %d trading days, closed on %s; want %d, %s", y.year, days, got, y.days, y.closed)
		}
		if got := strings.Join(half, " "); got != y.half {
			t.Errorf("%s: half days %s, want %s", y.year, got, y.half)
		}
	}
}

// The days are those of New York, whatever the zone of the machine. These put clocks forward at midnight, or have skipped a day.
func TestCalendar_Closed_InAnyZone(t *testing.T) {
	kept := cal.DefaultLoc
	defer func() { cal.DefaultLoc = kept }()
	for _, name := range []string{"Asia/Amman", "Asia/Beirut", "Africa/Cairo", "America/Sao_Paulo", "America/Havana", "Pacific/Apia"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		cal.DefaultLoc = zone
		t.Run(name, TestCalendar_Closed_US)
	}
}

func TestCalendar_Closed(t *testing.T) {
	for _, c := range []struct {
		of    ID
		at    Stamp
		why   string // "" for a trading day
		known bool
	}{
		{US, "2025-12-25", "NYSE and Nasdaq are closed on that day (Christmas Day)", true},
		{US, "2025-01-09", "NYSE and Nasdaq are closed on that day (the funeral of President Carter)", true},
		{US, "2012-10-30 10:00:00", "NYSE and Nasdaq are closed on that day (hurricane Sandy)", true},
		{US, "2025-11-29", "NYSE and Nasdaq are closed on Saturdays and Sundays", true},
		{US, "2003-12-31", "", false}, {US, "2004-01-02", "", true}, {US, "2028-12-29", "", true}, {US, "2029-01-02", "", false},
		{CN, "2024-02-09", "the exchanges are closed on that day (by their notice for 2024)", true}, // a work day of the state, and none of the exchanges
		{CN, "2026-02-14", "the exchanges are closed on Saturdays and Sundays", true},               // a Saturday that is a work day elsewhere
		{CN, "2025-10-08", "the exchanges are closed on that day (by their notice for 2025)", true},
		{CN, "2026-02-23", "the exchanges are closed on that day (by their notice for 2026)", true}, {CN, "2026-02-24", "", true},
		{CN, "2023-12-29", "", false}, {CN, "2024-01-02", "", true}, {CN, "2026-12-31", "", true},
		{CN, "2027-01-04", "", false}, {CN, "2027-02-05", "", false}, // not published
		{CN, "2027-02-06", "the exchanges are closed on Saturdays and Sundays", true},
		{Crypto, "2025-12-25", "", true}, {Crypto, "2009-01-03", "", true},
	} {
		if why, known := c.of.Get().Calendar.Closed(c.at); why != c.why || known != c.known {
			t.Errorf("%s on %s: %q, %v; want %q, %v", c.of, c.at, why, known, c.why, c.known)
		}
	}
}

// The exchanges of China have published so many trading days.
func TestCalendar_Closed_CN(t *testing.T) {
	for year, want := range map[Stamp]int{"2024": 242, "2025": 243, "2026": 242} {
		got := 0
		for day := year + "-01-01"; day <= year+"-12-31"; day = day.AddDays(1) {
			if why, known := CN.Get().Calendar.Closed(day); why == "" && known {
				got++
			}
		}
		if got != want {
			t.Errorf("%s has %d trading days, want %d", year, got, want)
		}
	}
}

func TestCalendar_Next(t *testing.T) {
	for _, c := range []struct {
		of    ID
		after Stamp
		want  Stamp // "" where it is not known
	}{
		{US, "2025-12-25 10:00:00", "2025-12-26"}, {US, "2025-07-03", "2025-07-07"}, {US, "2025-08-29", "2025-09-02"},
		{US, "2025-01-08", "2025-01-09"}, // when it was scheduled, nobody knew that it would be closed
		{US, "2012-10-29", "2012-10-30"}, {US, "2025-01-09", "2025-01-10"}, {US, "2028-12-29", ""}, {US, "1999-12-31", ""},
		{CN, "2025-09-30", "2025-10-09"}, {CN, "2026-12-30", "2026-12-31"}, {CN, "2026-12-31", ""}, {CN, "2027-02-06", ""},
		{Crypto, "2025-12-31", "2026-01-01"},
	} {
		if day, known := c.of.Get().Calendar.Next(c.after); day != c.want || known != (c.want != "") {
			t.Errorf("%s after %s: %s, %v; want %q", c.of, c.after, day, known, c.want)
		}
	}
}
