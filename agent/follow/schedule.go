// When the trading days of a market come: by its calendar and hours, and by the times of day at which the prices have bars.

package follow

import (
	"maps"
	"slices"
	"time"

	"mcp-trade/market"
)

// slot is a trading day, or an hour of one where the prices have hours.
type slot struct {
	stamp         market.Stamp
	opens, closes time.Time // of its bar
}

// schedule tells which slots there are to be.
type schedule struct {
	market *market.Market
	times  []string                // of a day, such as "10:30:00", ascending; "" alone: bars are of days
	on     map[string]market.Stamp // a stamp at each of those times
	period time.Duration           // of a bar within a day
}

// lookBack is how many days the times of day are taken from: a holiday week and a few of trading.
const lookBack = 14

// scheduleOf takes the times of day from the newest stamps of the prices. Without prices bars are of days.
func scheduleOf(m *market.Market, stamps []market.Stamp) schedule {
	s := schedule{market: m, times: []string{""}, period: time.Hour}
	if len(stamps) == 0 {
		return s
	}
	s.on = map[string]market.Stamp{}
	for _, at := range stamps {
		s.on[timeOf(at)] = at
	}
	s.times = slices.Sorted(maps.Keys(s.on))
	s.period = s.shortest()
	return s
}

// Next is the first trading day after a stamp by the calendar of a market, or hour where the newest stamps of the prices are of hours, and
// when it opens and closes.
func Next(m *market.Market, newest []market.Stamp, after market.Stamp) (stamp market.Stamp, opens, closes time.Time) {
	s := scheduleOf(m, newest).after(after)
	return s.stamp, s.opens, s.closes
}

// timeOf is the time of day of a stamp, "" of a day.
func timeOf(at market.Stamp) string {
	if at.IsDay() {
		return ""
	}
	return string(at[len(at.Day())+1:])
}

// shortest is the shortest time between two bars of a day, an hour if there is one bar alone.
func (s schedule) shortest() time.Duration {
	least := time.Hour
	for i := 1; i < len(s.times); i++ {
		before, errBefore := time.Parse(time.TimeOnly, s.times[i-1])
		at, err := time.Parse(time.TimeOnly, s.times[i])
		if errBefore == nil && err == nil { // else one is of a day
			least = min(least, at.Sub(before))
		}
	}
	return least
}

// at is the slot of a stamp.
func (s schedule) at(stamp market.Stamp) slot {
	if stamp.IsDay() {
		opens, closes := s.market.Session(stamp)
		return slot{stamp, opens, closes}
	}
	opens := stamp.In(s.market.Zone())
	return slot{stamp, opens, opens.Add(s.period)}
}

// after is the first slot after a stamp.
func (s schedule) after(stamp market.Stamp) slot {
	for day := stamp.Day(); ; day = day.AddDays(1) {
		if why, _ := s.market.Calendar.Closed(day); why != "" {
			continue
		}
		for _, t := range s.times {
			at := day
			if t != "" {
				at += market.Stamp(" " + t)
			}
			if at > stamp && s.expects(at) {
				return s.at(at)
			}
		}
	}
}

// expects tells whether a time of a trading day is to have a bar: on a half day those after the close have none.
func (s schedule) expects(at market.Stamp) bool {
	if s.market.Hours == nil || at.IsDay() || s.market.Hours(at, false) == "" {
		return true
	}
	return s.market.Hours(s.on[timeOf(at)], false) != ""
}
