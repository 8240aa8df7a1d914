// The door: what had been published before a stamp passes, nothing else does.

package search

import (
	"time"

	"mcp-trade/market"
)

// Cutoff lets through what had been published before a stamp: before the midnight that begins the day, or before the
// moment, by the clocks of the market. The zero Door lets nothing through.
type Cutoff struct {
	stamp market.Stamp
	zone  *time.Location
}

// NewCutoff returns the door at a stamp of a market.
func NewCutoff(stamp market.Stamp, of market.ID) Cutoff { return Cutoff{stamp, of.Get().Zone()} }

// Stamp returns the stamp at which the door stands.
func (d Cutoff) Stamp() market.Stamp { return d.stamp }

// Zone returns the zone by whose clocks it stands there.
func (d Cutoff) Zone() *time.Location {
	if d.zone == nil {
		return time.UTC
	}
	return d.zone
}

// Limits return what a [Date] must lie before: one that is a moment, and one that is a day.
func (d Cutoff) Limits() (moment, day time.Time) {
	return d.stamp.In(d.Zone()), d.stamp.Day().In(time.UTC)
}

// Allows tells whether what was published at a date passes.
func (d Cutoff) Allows(date Date) bool {
	bound, day := d.Limits()
	if date.Day {
		bound = day
	}
	return date.known() && date.Latest.Before(bound)
}

// LatestAllowed returns the latest of the dates that are claimed for one thing, and whether it passes. It does if there is a
// date, and all of them pass.
func (d Cutoff) LatestAllowed(dates ...Date) (Date, bool) {
	var latest Date
	for _, date := range dates {
		if !d.Allows(date) {
			return Date{}, false
		}
		if !latest.known() || date.latestIn(d.Zone()).After(latest.latestIn(d.Zone())) {
			latest = date
		}
	}
	return latest, latest.known()
}
