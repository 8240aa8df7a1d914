package market

// This file says by whose clock a market lives: stamps are wall clock times in
// the market's zone.

import (
	"time"
	_ "time/tzdata" // the zones, for machines that have none
)

// Zone returns the time zone of the market.
func (m *Market) Zone() *time.Location {
	zone, err := time.LoadLocation(m.ZoneName)
	if err != nil {
		panic(err) // it is embedded
	}
	return zone
}

// In returns the moment of the stamp by the clocks of a zone; of a day, its
// first. Where clocks are put back and show a time twice, it is the first of the
// two, since less is known then. "" has no moment: the zero time.
func (s Stamp) In(zone *time.Location) time.Time {
	form := momentForm
	if s.IsDay() {
		form = dayForm
	}
	t, err := time.ParseInLocation(form, string(s), zone)
	if err != nil {
		return time.Time{}
	}
	if before := t.Add(-time.Hour); before.Format(form) == t.Format(form) && !s.IsDay() {
		return before
	}
	return t
}
