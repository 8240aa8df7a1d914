package market

// This file tells on which days the exchanges of a market trade.

// Calendar is that of the exchanges of a market. On Saturdays and Sundays they are always closed.
type Calendar struct {
	Exchanges     string                 // as a sentence names them
	From, To      Stamp                  // the first and the last day that it tells of
	Holiday       func(day Stamp) string // the name of the holiday on which they are closed, "" if there is none
	Extraordinary map[Stamp]string       // why they were closed on a day that was to be a trading day
}

// Closed says why the exchanges are closed on the day of a stamp, "" if they trade. It reports false of a weekday that the calendar
// does not tell of: whether they trade is not known then. Without a calendar they trade every day.
func (c *Calendar) Closed(at Stamp) (why string, known bool) {
	if c == nil {
		return "", true
	}
	day := at.Day()
	if why, known = c.scheduled(day); why == "" && known && c.Extraordinary[day] != "" {
		why = c.Exchanges + " are closed on that day (" + c.Extraordinary[day] + ")"
	}
	return why, known
}

// Next returns the first trading day after the day of a stamp, as it is scheduled: a closing that nobody could know before is not looked
// up. It reports false where the calendar does not tell.
func (c *Calendar) Next(after Stamp) (day Stamp, known bool) {
	for day = after.AddDays(1); c != nil; day = day.AddDays(1) {
		why, known := c.scheduled(day)
		if !known {
			return "", false
		}
		if why == "" {
			break
		}
	}
	return day, true
}

func (c *Calendar) scheduled(day Stamp) (why string, known bool) {
	if day.isWeekend() {
		return c.Exchanges + " are closed on Saturdays and Sundays", true
	}
	if day < c.From || day > c.To {
		return "", false
	}
	if name := c.Holiday(day); name != "" {
		why = c.Exchanges + " are closed on that day (" + name + ")"
	}
	return why, true
}
