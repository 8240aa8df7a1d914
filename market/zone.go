package market

// This file has the time zones of markets: stamps are wall clock times in the
// market's zone.

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

// In returns the moment of the stamp in a zone; for a day, its first moment. If
// clocks are put back and show a time twice, it returns the first of the two,
// since less is known then. For "" it returns the zero time.
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

// StampOf returns the wall clock time of a moment in the market's zone.
func (m *Market) StampOf(t time.Time) Stamp { return Stamp(t.In(m.Zone()).Format(momentForm)) }
