// Dates in a text.

package mask

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// dateForms finds dates in a text.
type dateForms struct {
	whole *regexp.Regexp // day, month and year
	part  *regexp.Regexp // less than that
}

const (
	monthName = `(Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)`
	ordinal   = `(st|nd|rd|th)?`
)

// The groups of a whole date, by their numbers in its pattern.
const (
	isoYear = 1 + iota
	isoMark
	isoMonth
	isoMark2
	isoDay
	packedYear
	packedMonth
	packedDay
	slashMonth
	slashDay
	slashYear
	firstMonth
	firstDay
	firstOrdinal
	firstYear
	lastDay
	lastOrdinal
	lastMonth
	lastYear
)

// newDateForms makes the patterns.
func newDateForms() *dateForms {
	whole := strings.Join([]string{
		`\b(\d{4})([-/.])(\d{1,2})([-/.])(\d{1,2})`,                         // 2025-10-02
		`\b(\d{4})(\d{2})(\d{2})T\d`,                                        // 20251002T093000
		`\b(\d{1,2})/(\d{1,2})/(\d{4})\b`,                                   // 10/2/2025
		`\b` + monthName + `\.? (\d{1,2})` + ordinal + `,? (\d{4})\b`,       // October 2nd, 2025
		`\b(\d{1,2})` + ordinal + `[ -]` + monthName + `\.?,?[ -](\d{4})\b`, // 2 October 2025
	}, "|")
	return &dateForms{
		whole: regexp.MustCompile(`(?i)` + whole),
		part:  regexp.MustCompile(`(?i)\b` + monthName + `\.? \d{1,4}` + ordinal + `\b|\b\d{1,2}` + ordinal + ` ` + monthName + `\b|\b(?:FY|Q[1-4]) ?'?\d{2,4}\b|\b(?:19|20)\d\d\b`),
	}
}

// dated shifts the dates of a text by weeks. What is between them goes through rest.
func (m *Mask) dated(text string, weeks int, rest func(string) string) string {
	if !strings.ContainsAny(text, "0123456789") {
		return rest(text)
	}
	var out strings.Builder
	done := 0
	for _, at := range m.dates().whole.FindAllStringSubmatchIndex(text, -1) {
		shifted, end, ok := shift(text, at, weeks)
		if !ok {
			continue
		}
		out.WriteString(rest(text[done:at[0]]))
		out.WriteString(shifted)
		done = end
	}
	out.WriteString(rest(text[done:]))
	return out.String()
}

// shift is the date that stands at a place of a text, weeks later and written in the same way, and where it ends.
func shift(text string, at []int, weeks int) (shifted string, end int, ok bool) {
	group := func(n int) string {
		if at[2*n] < 0 {
			return ""
		}
		return text[at[2*n]:at[2*n+1]]
	}
	end = at[1]
	later := func(year, month, day string) (time.Time, bool) {
		t, valid := dayOf(year, month, day)
		return t.AddDate(0, 0, 7*weeks), valid
	}
	var t time.Time
	switch {
	case group(isoYear) != "":
		t, ok = later(group(isoYear), group(isoMonth), group(isoDay))
		mark := group(isoMark)
		follows := end < len(text) && (text[end] >= '0' && text[end] <= '9')
		return t.Format("2006" + mark + "01" + mark + "02"), end, ok && mark == group(isoMark2) && !follows
	case group(packedYear) != "":
		t, ok = later(group(packedYear), group(packedMonth), group(packedDay))
		return t.Format("20060102"), end - len("T0"), ok
	case group(slashYear) != "":
		t, ok = later(group(slashYear), group(slashMonth), group(slashDay))
		return t.Format("01/02/2006"), end, ok
	case group(firstYear) != "":
		t, ok = later(group(firstYear), group(firstMonth), group(firstDay))
		return fmt.Sprintf("%s %s, %d", t.Format(monthForm(group(firstMonth))), dayText(t, group(firstOrdinal)), t.Year()), end, ok
	}
	t, ok = later(group(lastYear), group(lastMonth), group(lastDay))
	mark := " "
	if strings.Contains(text[at[0]:end], "-") {
		mark = "-"
	}
	return strings.Join([]string{dayText(t, group(lastOrdinal)), t.Format(monthForm(group(lastMonth))), strconv.Itoa(t.Year())}, mark), end, ok
}

// dayOf reads a day, whose month is a number or a name. It reports false for one that no calendar has.
func dayOf(year, month, day string) (time.Time, bool) {
	t, err := time.Parse("2006-1-2", year+"-"+strings.TrimPrefix(month, "0")+"-"+strings.TrimPrefix(day, "0"))
	if month[0] > '9' {
		t, err = time.Parse("2006-Jan-2", year+"-"+month[:3]+"-"+strings.TrimPrefix(day, "0"))
	}
	return t, err == nil && t.Year() >= 1000
}

// monthForm is how a month is written like another one.
func monthForm(like string) string {
	if len(like) <= len("Sept") && !strings.EqualFold(like, "june") && !strings.EqualFold(like, "july") {
		return "Jan"
	}
	return "January"
}

// dayText is the day of a month, with st, nd, rd or th if the other one had that.
func dayText(t time.Time, ordinal string) string {
	day := t.Day()
	switch text := strconv.Itoa(day); {
	case ordinal == "":
		return text
	case day%10 == 1 && day != 11:
		return text + "st"
	case day%10 == 2 && day != 12:
		return text + "nd"
	case day%10 == 3 && day != 13:
		return text + "rd"
	default:
		return text + "th"
	}
}

// undated leaves parts of dates out of a text: of a month, a quarter or a year alone nothing says by how many weeks it was shifted.
func (m *Mask) undated(text string) string { return m.dates().part.ReplaceAllString(text, "[date]") }
