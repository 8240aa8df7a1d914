// Drawdowns: how far an account fell below its peak.

package report

// drawdowns fills in the return of each period, its drawdown, and the max drawdown of the account.
func drawdowns(a *Account) {
	last, high := a.Opening.Value, a.Opening.Value
	for i := range a.Periods {
		p := &a.Periods[i]
		if !p.Value.known {
			continue
		}
		if last.known && last.value > 0 {
			p.Return = Known(p.Value.value/last.value - 1)
		}
		last = p.Value
		if !high.known || p.Value.value > high.value {
			high = p.Value
		}
		if high.value > 0 {
			p.Drawdown = Known(1 - p.Value.value/high.value)
		}
	}
	a.Drawdown = maxDrawdown(a.points())
}

// points returns the known values of an account, the opening's included.
func (a Account) points() []Point {
	var points []Point
	if a.Opening.Value.known {
		points = append(points, a.Opening)
	}
	for _, p := range a.Periods {
		if p.Value.known {
			points = append(points, Point{p.Date, p.Value})
		}
	}
	return points
}

// maxDrawdown returns the deepest drawdown, nil if the value never fell. Of two of equal depth it returns the first.
func maxDrawdown(points []Point) *Drawdown {
	var d Drawdown
	peak, at, lowest := 0, 0, 0
	for i, p := range points {
		if p.Value.value >= points[peak].Value.value {
			peak = i
		}
		if high := points[peak].Value.value; high > 0 && 1-p.Value.value/high > d.Depth {
			d.Depth, at, lowest = 1-p.Value.value/high, peak, i
		}
	}
	if d.Depth == 0 {
		return nil
	}
	end := len(points) - 1
	for i := lowest; i < len(points); i++ {
		if points[i].Value.value >= points[at].Value.value {
			d.Recovered, end = points[i].Date, i
			break
		}
	}
	d.Peak, d.Trough = points[at].Date, points[lowest].Date
	d.TradingDays, d.CalendarDays = end-at, points[end].Date.DaysSince(d.Peak)
	return &d
}
