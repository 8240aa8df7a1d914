// The door: what had been published before a stamp passes, nothing else does.

package search

import (
	"time"

	"mcp-trade/market"
)

// Door lets through what had been published before a stamp: before the midnight that begins the day, or before the
// moment, by the clocks of the market. The zero Door lets nothing through.
type Door struct {
	stamp market.Stamp
	zone  *time.Location
}

// NewDoor returns the door at a stamp of a market.
func NewDoor(stamp market.Stamp, of market.ID) Door { return Door{stamp, of.Get().Zone()} }

// Stamp returns the stamp at which the door stands.
func (d Door) Stamp() market.Stamp { return d.stamp }

// Zone returns the zone by whose clocks it stands there.
func (d Door) Zone() *time.Location {
	if d.zone == nil {
		return time.UTC
	}
	return d.zone
}

// Bounds return what a [Date] must lie before: one that is a moment, and one that is a day.
func (d Door) Bounds() (moment, day time.Time) {
	return d.stamp.In(d.Zone()), d.stamp.Day().In(time.UTC)
}

// Passes tells whether what was published at a date passes.
func (d Door) Passes(date Date) bool {
	bound, day := d.Bounds()
	if date.Day {
		bound = day
	}
	return date.known() && date.Last.Before(bound)
}

// Latest returns the latest of the dates that are claimed for one thing, and whether it passes. It does if there is a
// date, and all of them pass.
func (d Door) Latest(dates ...Date) (Date, bool) {
	var latest Date
	for _, date := range dates {
		if !d.Passes(date) {
			return Date{}, false
		}
		if !latest.known() || date.on(d.Zone()).After(latest.on(d.Zone())) {
			latest = date
		}
	}
	return latest, latest.known()
}
