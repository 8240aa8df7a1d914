// Dates as the world writes them.
//
// A doubtful date counts as its latest possible moment, so that no article is shown too early. A date without a time counts as
// the end of that day. A time without a zone, or in an unknown zone, counts as anywhere on Earth (UTC-12), where it comes last.
// 10/02/2025 counts as the later of its two readings. A date that cannot be read is unknown.

package search

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Date is when something was published, as far as it is known. The zero Date is not known.
type Date struct {
	Text   string    // as results show it: with an offset, or without one where the zone is not known, or only the day
	Latest time.Time // the last second at which it can have been
	Day    bool      // only the day is known: Last is the end of that day, as if the market's clocks showed UTC
}

func (d Date) known() bool { return !d.Latest.IsZero() }

// latestIn returns the last moment of the date in a zone.
func (d Date) latestIn(zone *time.Location) time.Time {
	if !d.Day {
		return d.Latest
	}
	year, month, day := d.Latest.Date()
	return time.Date(year, month, day, 23, 59, 59, 0, zone)
}

// DateParser reads dates.
type DateParser struct {
	Fetched time.Time      // from when "4 hours ago" counts; zero: such dates are not known
	Zone    *time.Location // whose yesterday it was

	// DefaultZone is the zone of times that name none; nil: anywhere on Earth, where each time comes last.
	DefaultZone *time.Location
}

// anywhereOnEarth is the zone in which a time of day comes last, twelve hours behind UTC.
var anywhereOnEarth = time.FixedZone("", -12*60*60)

const maxDateText = 80

// JSON reads a date out of JSON. It reports false if none is claimed: null, or an empty string, or nothing at all. What is
// claimed and cannot be read is a Date that is not known.
func (r DateParser) JSON(raw json.RawMessage) (d Date, claimed bool) {
	var text *string
	if len(raw) == 0 {
		return Date{}, false
	}
	if d, ok := unixDate(string(raw)); ok {
		return d, true
	}
	if err := json.Unmarshal(raw, &text); err != nil {
		return Date{}, true
	}
	if text == nil || strings.TrimSpace(*text) == "" {
		return Date{}, false
	}
	return r.Read(*text), true
}

// Read reads a date. One that cannot be read is not known.
func (r DateParser) Read(text string) Date {
	if len(text) > maxDateText {
		return Date{}
	}
	words := dateWords(text)
	if len(words) == 1 {
		if d, ok := unixDate(words[0]); ok {
			return d
		}
	}
	if d, ok := r.relative(words); ok {
		return d
	}
	day, rest, ok := readDay(words)
	if !ok || day.Year() < 1900 {
		return Date{}
	}
	if len(rest) == 0 {
		return dayDate(day)
	}
	clock, ok := readClock(rest)
	if !ok {
		return Date{}
	}
	zone, form := clock.zone, time.RFC3339
	if zone == nil {
		zone, form = r.DefaultZone, "2006-01-02T15:04:05"
	}
	if zone == nil {
		zone = anywhereOnEarth
	}
	at := time.Date(day.Year(), day.Month(), day.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, zone)
	return Date{Text: at.Format(form), Latest: at.Add(clock.precision - time.Second)}
}

// unixDate reads a moment as programs count it: seconds since 1970, or milliseconds. It takes the numbers that mean nothing else,
// from September 2001 on. The first ten digits after them, 2001010100, are also an hour written without spaces.
func unixDate(text string) (Date, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if len(text) == len("1759200000000") {
		n /= 1000
	} else if len(text) != len("1759200000") {
		return Date{}, false
	}
	if err != nil || n < 1_000_000_000 || n >= 2_001_010_100 {
		return Date{}, false
	}
	at := time.Unix(n, 0).UTC()
	return Date{Text: at.Format(time.RFC3339), Latest: at}, true
}

func dayDate(day time.Time) Date {
	return Date{Text: day.Format(time.DateOnly), Day: true, Latest: time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, time.UTC)}
}

// dateWords takes a date apart. Its words are in lower case, without commas, weekdays, "at" and "of", and without the T
// between a date and a time.
func dateWords(text string) []string {
	text = strings.NewReplacer(",", " ", "年", "-", "月", "-", "日", " ").Replace(strings.ToLower(text))
	for i := 1; i+1 < len(text); i++ {
		if text[i] == 't' && isDigit(text[i-1]) && isDigit(text[i+1]) {
			text = text[:i] + " " + text[i+1:]
		}
	}
	var words []string
	for _, w := range strings.Fields(text) {
		if w == "at" || w == "of" || len(words) == 0 && isWeekday(w) {
			continue
		}
		words = append(words, w)
	}
	// "Oct 25 10:00:00 2025", with or without a zone before the year.
	if n := len(words); (n == 4 || n == 5) && strings.Contains(words[2], ":") && len(words[n-1]) == 4 {
		words = append([]string{words[0], words[1], words[n-1]}, words[2:n-1]...)
	}
	return words
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func isWeekday(w string) bool {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if name := strings.ToLower(day.String()); w == name || strings.TrimSuffix(w, ".") == name[:3] {
			return true
		}
	}
	return false
}

// readDay reads the day that begins the words, and returns what follows it.
func readDay(words []string) (day time.Time, rest []string, ok bool) {
	if len(words) == 0 {
		return day, nil, false
	}
	one := strings.NewReplacer("/", "-", ".", "-").Replace(words[0])
	for _, form := range []string{"2006-1-2", "20060102", "1-2-2006", "2-1-2006", "2-Jan-2006", "2-January-2006"} {
		// Two of the forms can read the same text: the later reading counts.
		if t, err := time.Parse(form, one); err == nil && t.After(day) {
			day, ok = t, true
		}
	}
	if ok || len(words) < 3 {
		return day, words[1:], ok
	}
	three := monthWord(words[0]) + " " + monthWord(words[1]) + " " + words[2]
	for _, form := range []string{"Jan 2 2006", "January 2 2006", "2 Jan 2006", "2 January 2006", "2006 Jan 2", "2006 January 2"} {
		if t, err := time.Parse(form, three); err == nil {
			return t, words[3:], true
		}
	}
	return day, nil, false
}

// monthWord writes a month or a day of it as Go's forms do: no full stop, no ordinal, September in three letters.
func monthWord(w string) string {
	w = strings.TrimSuffix(w, ".")
	if w == "sept" {
		return "sep"
	}
	if n := len(w) - 2; n > 0 && isDigit(w[n-1]) {
		switch w[n:] {
		case "st", "nd", "rd", "th":
			return w[:n]
		}
	}
	return w
}

// clock is a time of day.
type clock struct {
	time.Time
	precision time.Duration  // the span that the text stands for
	zone      *time.Location // nil: none is said, or one that is not known here
}

var clockForms = []struct {
	form      string
	precision time.Duration
}{
	{"15:04:05", time.Second}, {"15:04", time.Minute}, {"150405", time.Second}, {"1504", time.Minute},
	{"3:04:05pm", time.Second}, {"3:04pm", time.Minute}, {"3pm", time.Hour},
}

// readClock reads a time of day with its zone, if one is said.
func readClock(words []string) (clock, bool) {
	text := strings.Join(words, "")
	end := strings.IndexFunc(text, func(r rune) bool { return !strings.ContainsRune("0123456789:.", r) })
	if end < 0 {
		end = len(text)
	}
	for _, half := range []string{"am", "pm", "a.m.", "p.m."} {
		if strings.HasPrefix(text[end:], half) {
			text = text[:end] + half[:1] + "m" + text[end+len(half):]
			end += 2
		}
	}
	for _, f := range clockForms {
		t, err := time.Parse(f.form, text[:end])
		if err != nil {
			continue
		}
		zone, ok := readZone(text[end:])
		return clock{t, f.precision, zone}, ok
	}
	return clock{}, false
}

// zoneHours are the zones that RFC 822 and American newspapers know by letters, in hours from UTC. Where letters stand for
// two zones, it is the one in which a time comes later; any other letters are not known.
var zoneHours = map[string]int{
	"z": 0, "ut": 0, "utc": 0, "gmt": 0,
	"est": -5, "edt": -4, "et": -5, "cst": -6, "cdt": -5, "ct": -6, "mst": -7, "mdt": -6, "mt": -7, "pst": -8, "pdt": -7, "pt": -8,
}

// readZone reads a zone: letters, an offset, or letters for UTC with an offset. A nil zone is not known.
func readZone(text string) (zone *time.Location, ok bool) {
	if open := strings.IndexByte(text, '('); open > 0 {
		text = text[:open] // a comment, as in "+0000 (UTC)"
	}
	text = strings.Trim(text, "()")
	letters := strings.TrimRightFunc(text, func(r rune) bool { return strings.ContainsRune("+-:0123456789", r) })
	offset := text[len(letters):]
	hours, known := zoneHours[letters]
	switch {
	case offset == "" && known:
		return time.FixedZone("", hours*60*60), true
	case offset == "":
		return nil, strings.IndexFunc(letters, func(r rune) bool { return !unicode.IsLetter(r) && r != '/' && r != '_' }) < 0
	case letters != "" && (!known || hours != 0):
		return nil, false
	}
	for _, form := range []string{"-07:00", "-0700", "-07", "-7"} {
		text := offset
		if form == "-7" && len(offset) == 2 { // GMT+2
			form, text = "-07", offset[:1]+"0"+offset[1:]
		}
		if t, err := time.Parse(form, text); err == nil {
			_, seconds := t.Zone()
			return time.FixedZone("", seconds), seconds >= -12*60*60 && seconds <= 14*60*60
		}
	}
	return nil, false
}

// relative reads dates that count from the moment of the fetch. An age in days or more is a day, like any date without a
// time.
func (r DateParser) relative(words []string) (Date, bool) {
	if r.Fetched.IsZero() || r.Zone == nil {
		return Date{}, false
	}
	now := r.Fetched.In(r.Zone)
	switch text := strings.Join(words, " "); text {
	case "now", "just now":
		return Date{Text: now.Format(time.RFC3339), Latest: now}, true
	case "today":
		return dayDate(now), true
	case "yesterday":
		return dayDate(now.AddDate(0, 0, -1)), true
	}
	if len(words) == 2 { // 4h ago
		end := strings.IndexFunc(words[0], func(r rune) bool { return r < '0' || r > '9' })
		if end <= 0 {
			return Date{}, false
		}
		words = []string{words[0][:end], words[0][end:], words[1]}
	}
	if len(words) != 3 || words[2] != "ago" {
		return Date{}, false
	}
	n, err := strconv.ParseUint(words[0], 10, 12)
	if words[0] == "a" || words[0] == "an" {
		n, err = 1, nil
	}
	if err != nil {
		return Date{}, false
	}
	return ago(now, int(n), words[1])
}

func ago(now time.Time, n int, unit string) (Date, bool) {
	moment := func(unit time.Duration) (Date, bool) {
		at := now.Add(-time.Duration(n) * unit)
		return Date{Text: at.Format(time.RFC3339), Latest: at}, true
	}
	switch strings.TrimSuffix(unit, "s") {
	case "", "sec", "second":
		return moment(time.Second)
	case "m", "min", "minute":
		return moment(time.Minute)
	case "h", "hr", "hour":
		return moment(time.Hour)
	case "d", "day":
		return dayDate(now.AddDate(0, 0, -n)), true
	case "w", "wk", "week":
		return dayDate(now.AddDate(0, 0, -7*n)), true
	case "mo", "month":
		return dayDate(now.AddDate(0, -n, 0)), true
	case "y", "yr", "year":
		return dayDate(now.AddDate(-n, 0, 0)), true
	}
	return Date{}, false
}
