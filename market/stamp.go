package market

// This file has stamps. A stamp is a day or a moment of a day, in the market's own
// time, without a zone.

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	dayForm    = "2006-01-02"
	minuteForm = "2006-01-02 15:04"
	momentForm = "2006-01-02 15:04:05"
)

// Stamp is a day, "2006-01-02", or a moment, "2006-01-02 15:04:05". Stamps
// compare as text: a day comes before each of its moments. Only ParseStamp,
// ReadStamp and constants in these two forms make valid stamps; "" means no stamp.
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

// dayForms are the forms of a day that have one reading: the year comes first, or
// the month is in letters. 10/02/2025 is a day of October or of February.
var dayForms = []string{
	"2006-1-2", "2006/1/2", "2006.1.2", "20060102",
	"2 Jan 2006", "2 January 2006", "Jan 2 2006", "January 2 2006", "2-Jan-2006",
}

// clockAtEnd is the time at the end of a text, and its zone. It is made when it is needed: every start would pay for it.
var clockAtEnd = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[T ](\d{1,2}:\d\d(?::\d\d)?)(?:\.0+)? ?(Z|[+-]\d\d:?\d\d)?$`)
})

// ReadStamp reads a stamp as people and models write it: what ParseStamp reads, and
// a day in any other form that has one reading, such as 2025/10/2, 20251002 or
// Oct 2, 2025, with or without a time. A time with a zone is read if it is
// midnight, as programs write a day; a stamp has no zone, so any other is an error.
func ReadStamp(s string) (Stamp, error) {
	stamp, err := ParseStamp(s)
	if err == nil || len(s) > 64 {
		return stamp, err
	}
	text := strings.Join(strings.Fields(strings.ReplaceAll(s, ",", " ")), " ")
	clock := ""
	if at := clockAtEnd().FindStringSubmatchIndex(text); at != nil {
		clock = fmt.Sprintf("%05s", text[at[2]:at[3]])
		if hasZone := at[4] >= 0; hasZone {
			if strings.Trim(clock, "0:") != "" {
				return "", err
			}
			clock = ""
		}
		text = text[:at[0]]
	}
	for _, form := range dayForms {
		if t, no := time.Parse(form, text); no == nil {
			text = t.Format(dayForm)
			break
		}
	}
	if stamp, no := ParseStamp(strings.TrimSpace(text + " " + clock)); no == nil {
		return stamp, nil
	}
	return "", err
}

// Day returns the calendar day of the stamp.
func (s Stamp) Day() Stamp { return s[:min(len(s), len(dayForm))] }

// IsDay tells whether the stamp is a day rather than a moment.
func (s Stamp) IsDay() bool { return len(s) == len(dayForm) }

// isWeekend tells whether the stamp is on a Saturday or a Sunday.
func (s Stamp) isWeekend() bool {
	day, err := time.Parse(dayForm, string(s.Day()))
	return err == nil && (day.Weekday() == time.Saturday || day.Weekday() == time.Sunday)
}

// add returns the moment that is d after the moment s.
func (s Stamp) add(d time.Duration) Stamp {
	t, err := time.Parse(momentForm, string(s))
	if err != nil {
		return s // a day; callers have moments only
	}
	return Stamp(t.Add(d).Format(momentForm))
}

// until tells whether a bar at s lies in a range up to and including to. A day
// includes all its moments; "" is no end.
func (s Stamp) until(to Stamp) bool {
	if to.IsDay() {
		s = s.Day()
	}
	return to == "" || s <= to
}

// AddDays returns the calendar day that is n days after that of the stamp.
func (s Stamp) AddDays(n int) Stamp {
	day, err := time.Parse(dayForm, string(s.Day()))
	if err != nil {
		return s // not a stamp
	}
	return Stamp(day.AddDate(0, 0, n).Format(dayForm))
}

// DaysSince returns how many calendar days lie between an earlier stamp and this one.
func (s Stamp) DaysSince(earlier Stamp) int {
	a, errA := time.Parse(dayForm, string(earlier.Day()))
	b, errB := time.Parse(dayForm, string(s.Day()))
	if errA != nil || errB != nil {
		return 0 // not stamps
	}
	return int(b.Sub(a) / (24 * time.Hour))
}
