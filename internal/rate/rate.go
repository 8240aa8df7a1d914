// Package rate is how often something may be done.
package rate

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rate is a number of times in a second, a minute or an hour, written such as "60/m". The zero value is no bound.
type Rate struct {
	Times int
	Per   time.Duration
}

const maxTimes = 1_000_000

// String is the rate as [Parse] reads it, "" for the zero value.
func (r Rate) String() string {
	switch r.Per {
	case time.Second:
		return fmt.Sprintf("%d/s", r.Times)
	case time.Minute:
		return fmt.Sprintf("%d/m", r.Times)
	case time.Hour:
		return fmt.Sprintf("%d/h", r.Times)
	}
	return ""
}

// Parse reads a rate.
func Parse(text string) (Rate, error) {
	count, unit, _ := strings.Cut(text, "/")
	times, err := strconv.Atoi(count)
	per := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	if err != nil || times < 1 || times > maxTimes || per == 0 {
		return Rate{}, fmt.Errorf("%.40q is no rate: write a number from 1 to %d and s, m or h, such as 60/m", text, maxTimes)
	}
	return Rate{times, per}, nil
}

// Every is the time between two times, 0 for no bound.
func (r Rate) Every() time.Duration {
	if r.Times == 0 {
		return 0
	}
	return r.Per / time.Duration(r.Times)
}

// MarshalText writes the rate as [Rate.String] does.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText wrote. An empty text is none: what bounds a bearer must not be lost.
func (r *Rate) UnmarshalText(text []byte) (err error) {
	*r, err = Parse(string(text))
	return err
}
