package market

// This file is the clock of the market: a stamp is a day or a moment of a day,
// in the market's own time, without a zone.

import (
	"fmt"
	"strings"
	"time"
)

const (
	dayForm    = "2006-01-02"
	minuteForm = "2006-01-02 15:04"
	momentForm = "2006-01-02 15:04:05"
)

// Stamp is a day, "2006-01-02", or a moment, "2006-01-02 15:04:05". Stamps
// compare as text: a day comes before each of its moments. Only ParseStamp and
// constants in these two forms make valid stamps; "" means no stamp.
type Stamp string

// ParseStamp reads a day ("2006-01-02") or a moment ("2006-01-02 15:04:05", or
// without seconds, or with T in place of the space). Space around it is
// dropped. Anything else, and any date that no calendar has, is an error.
func ParseStamp(s string) (Stamp, error) {
	s = strings.TrimSpace(s)
	text, form := s, dayForm
	if len(s) > len(dayForm) {
		form = momentForm
		if s[len(dayForm)] == 'T' {
			text = s[:len(dayForm)] + " " + s[len(dayForm)+1:]
		}
		if len(s) == len(minuteForm) {
			form = minuteForm
		}
	}
	t, err := time.Parse(form, text)
	// time.Parse lets fractions of a second and one-digit hours pass.
	if err != nil || t.Format(form) != text {
		return "", fmt.Errorf("%.40q is not a date or time: write it as 2025-10-02, 2025-10-02 10:30 or 2025-10-02 10:30:00", s)
	}
	if form == dayForm {
		return Stamp(text), nil
	}
	return Stamp(t.Format(momentForm)), nil
}

// Day returns the calendar day of the stamp.
func (s Stamp) Day() Stamp { return s[:min(len(s), len(dayForm))] }

// IsDay tells whether the stamp is a day rather than a moment.
func (s Stamp) IsDay() bool { return len(s) == len(dayForm) }

// add returns the moment that is d after the moment s.
func (s Stamp) add(d time.Duration) Stamp {
	t, err := time.Parse(momentForm, string(s))
	if err != nil {
		return s // a day; moments are what the caller has
	}
	return Stamp(t.Add(d).Format(momentForm))
}

// until tells whether a bar at s lies in a range that ends with to, which is
// part of it: a day as the end takes in all its moments, "" is no end.
func (s Stamp) until(to Stamp) bool {
	if to.IsDay() {
		s = s.Day()
	}
	return to == "" || s <= to
}
