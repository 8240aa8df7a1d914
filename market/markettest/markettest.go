// Package markettest makes plain prices for tests: a whole bar of every symbol on every weekday, without actions, halts or rules of a
// market. Package feed/synthetic has those of the demo.
package markettest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// Write writes the prices of a synthetic market, one line per symbol in
// the form that [market.Open] reads: symbols SYN01, SYN02 and so on, with one whole bar
// for each of the given number of weekdays, from the day `first` (or the Monday
// after it). Every line says that it is synthetic. Equal arguments give equal
// bytes on every machine, and the prices of a symbol do not depend on the number
// of symbols.
//
// It is an error if there is not at least one symbol and one day, or if first
// is not a day, or if the days go beyond the year 9999.
func Write(w io.Writer, seed uint64, symbols, days int, first string) error {
	if symbols < 1 || days < 1 {
		return fmt.Errorf("a synthetic market needs at least one symbol and one day, not %d and %d", symbols, days)
	}
	calendar, err := Weekdays(first, days)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	for n := range symbols {
		fmt.Fprintf(out, `{"Meta Data": {"1. Information": "Synthetic daily prices made up from seed %d, of no real market", `+
			`"2. Symbol": "SYN%02d", "3. Last Refreshed": "%s", "4. Output Size": "Full Size", "5. Time Zone": "UTC"}, `+
			`"Time Series (Daily)": {`, seed, n+1, calendar[days-1])
		walk := newWalk(seed, uint64(n))
		for i, day := range calendar {
			if i > 0 {
				out.WriteString(", ")
			}
			walk.writeDay(out, day)
		}
		out.WriteString("}}\n")
	}
	return out.Flush()
}

// Weekdays returns the first days from one on that are no Saturdays or Sundays.
func Weekdays(first string, days int) ([]string, error) {
	day, err := time.Parse(time.DateOnly, first)
	if err != nil {
		return nil, fmt.Errorf("the first day of a synthetic market must be a day such as 2025-01-02, not %.40q", first)
	}
	var calendar []string
	for ; len(calendar) < days; day = day.AddDate(0, 0, 1) {
		if day.Year() > 9999 {
			return nil, fmt.Errorf("%d days from %s go beyond the year 9999", days, first)
		}
		if day.Weekday() != time.Saturday && day.Weekday() != time.Sunday {
			calendar = append(calendar, day.Format(time.DateOnly))
		}
	}
	return calendar, nil
}

// walk is a geometric random walk of a price with drift and momentum: a part of
// a day's return is repeated on the next day. It computes in integers
// (prices in cents, returns in millionths), because floating point gives other
// digits on other machines.
type walk struct {
	random *rand.Rand
	price  int64
	last   int64 // return of the day before

	drift, volatility int64 // millionths per day
	momentum          int64 // hundredths of the day before
	shares            int64 // typical volume
}

func newWalk(seed, symbol uint64) *walk {
	r := rand.New(rand.NewPCG(seed, symbol))
	return &walk{
		random:     r,
		price:      2_000 + r.Int64N(48_000),
		drift:      r.Int64N(1_600) - 500,
		volatility: 8_000 + r.Int64N(17_000),
		momentum:   r.Int64N(30),
		shares:     500_000 + r.Int64N(20_000_000),
	}
}

const (
	minPrice = 100             // low enough for cents to matter, high enough to move
	maxPrice = 100_000_000_000 // keeps price times return within an int64
)

// writeDay moves the walk by a day and writes the bar of that day.
func (w *walk) writeDay(out *bufio.Writer, day string) {
	open := w.moved(w.price, w.normal()*w.volatility/4_000)
	change := w.drift + w.last*w.momentum/100 + w.normal()*w.volatility/1_000
	change = min(max(change, -200_000), 200_000)
	closing := w.moved(w.price, change)
	high := max(open, closing) + open*w.random.Int64N(w.volatility)/2_000_000
	low := min(open, closing) - open*w.random.Int64N(w.volatility)/2_000_000
	volume := w.shares/2 + w.random.Int64N(w.shares)
	w.price, w.last = closing, change
	fmt.Fprintf(out, `"%s": {"1. buy price": "%s", "2. high": "%s", "3. low": "%s", "4. sell price": "%s", "5. volume": "%d"}`,
		day, cents(open), cents(high), cents(max(low, 1)), cents(closing), volume)
}

func (w *walk) moved(price, change int64) int64 {
	return min(max(price+price*change/1_000_000, minPrice), maxPrice)
}

// normal returns a random number with about the standard normal distribution, in
// thousandths: the sum of twelve uniform numbers has a standard deviation of 1.
func (w *walk) normal() int64 {
	sum := int64(-6_000)
	for range 12 {
		sum += w.random.Int64N(1_001)
	}
	return sum
}

func cents(c int64) string { return fmt.Sprintf("%d.%02d", c/100, c%100) }
