// The cutoff of a search: only what had been published before a stamp may be shown.

package search

import (
	"time"

	"mcp-trade/market"
)

// Cutoff allows what had been published before a stamp: before the midnight at which the day begins, or before the moment, by
// the clocks of the market. The zero Cutoff allows nothing.
type Cutoff struct {
	stamp market.Stamp
	zone  *time.Location
}

// NewCutoff returns the cutoff at a stamp of a market.
func NewCutoff(stamp market.Stamp, of market.ID) Cutoff { return Cutoff{stamp, of.Get().Zone()} }

// Stamp returns the stamp of the cutoff.
func (c Cutoff) Stamp() market.Stamp { return c.stamp }

// Zone returns the zone of the market whose clocks count.
func (c Cutoff) Zone() *time.Location {
	if c.zone == nil {
		return time.UTC
	}
	return c.zone
}

// Limits returns the first moment and the first day that are too late for a [Date].
func (c Cutoff) Limits() (moment, day time.Time) {
	return c.stamp.In(c.Zone()), c.stamp.Day().In(time.UTC)
}

// Allows reports whether something published at a date may be shown.
func (c Cutoff) Allows(date Date) bool {
	bound, day := c.Limits()
	if date.Day {
		bound = day
	}
	return date.known() && date.Latest.Before(bound)
}

// LatestAllowed returns the latest of the dates that are claimed for one article, and whether the article may be shown: it must
// have a date, and the cutoff must allow each of its dates.
func (c Cutoff) LatestAllowed(dates ...Date) (Date, bool) {
	var latest Date
	for _, date := range dates {
		if !c.Allows(date) {
			return Date{}, false
		}
		if !latest.known() || date.latestIn(c.Zone()).After(latest.latestIn(c.Zone())) {
			latest = date
		}
	}
	return latest, latest.known()
}
