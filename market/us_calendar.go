package market

// This file has the calendar of NYSE and Nasdaq: holidays, half days, and closings that were not scheduled. The holidays and their
// rules are those of NYSE rule 7.2; the days of 2004 to 2028 that follow from them are the published ones.

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/aa"
	"github.com/rickar/cal/v2/us"
)

// usCalendar ends with the last year that NYSE has published.
var usCalendar = Calendar{
	Exchanges: "NYSE and Nasdaq", From: "2004-01-01", To: "2028-12-31", Holiday: usHoliday,
	Extraordinary: map[Stamp]string{
		"2004-06-11": "the funeral of President Reagan", "2007-01-02": "the funeral of President Ford",
		"2012-10-29": "hurricane Sandy", "2012-10-30": "hurricane Sandy",
		"2018-12-05": "the funeral of President Bush", "2025-01-09": "the funeral of President Carter",
	},
}

// usHolidays are made when they are needed: every start would pay for them.
var usHolidays = sync.OnceValue(func() []*cal.Holiday {
	return []*cal.Holiday{
		aa.NewYear.Clone(&cal.Holiday{Observed: []cal.AltDay{{Day: time.Sunday, Offset: 1}}}), // one on a Saturday is not kept
		us.MlkDay, us.PresidentsDay, aa.GoodFriday, us.MemorialDay,
		us.Juneteenth.Clone(&cal.Holiday{StartYear: 2022}), // a year after the state
		us.IndependenceDay, us.LaborDay, us.ThanksgivingDay, us.ChristmasDay,
	}
})

func usHoliday(day Stamp) string {
	for _, h := range usHolidays() {
		if kept(h, day) {
			return h.Name
		}
	}
	return ""
}

// kept tells whether a holiday is kept on a day. The library reckons in the zone of the machine, which matters where clocks are put forward
// at midnight: no zone does so on one of these days, as the tests hold.
func kept(h *cal.Holiday, day Stamp) bool {
	year, err := strconv.Atoi(string(day[:4]))
	if err != nil {
		return false // not a stamp
	}
	_, at := h.Calc(year)
	return Stamp(at.Format(dayForm)) == day
}

// isUSHalfDay tells whether NYSE and Nasdaq close at 13:00: on the days before Independence Day and Christmas, and on the one after
// Thanksgiving. Of other years than those of the calendar none is known.
func isUSHalfDay(day Stamp) bool {
	if why, known := usCalendar.scheduled(day); why != "" || !known {
		return false
	}
	return strings.HasSuffix(string(day), "-07-03") || strings.HasSuffix(string(day), "-12-24") || kept(us.DayAfterThanksgivingDay, day)
}
