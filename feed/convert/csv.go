package convert

// This file reads tables: text with a row a line, whose columns a head names. What they are called is in columns.go.

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"mcp-trade/feed"
	"mcp-trade/market"
)

// maxRow is how long a row may be, in bytes; a head names every symbol of a wide table.
const maxRow = 1 << 20

// tableRows are the rows of a table, one by one.
type tableRows struct {
	lines *bufio.Scanner
	comma rune
	line  int // of the newest row, from 1
}

// next returns the cells of the next row that is not blank; nil at the end.
func (t *tableRows) next() ([]string, error) {
	for t.lines.Scan() {
		t.line++
		text := t.lines.Text()
		if t.line == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		if !strings.Contains(text, `"`) {
			return strings.Split(text, string(t.comma)), nil
		}
		r := csv.NewReader(strings.NewReader(text))
		r.Comma, r.FieldsPerRecord = t.comma, -1
		cells, err := r.Read()
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			err = parse.Err
		}
		return cells, err
	}
	return nil, t.lines.Err()
}

// commaOf is what stands between the cells of a head.
func commaOf(head string) rune {
	best, most := ',', 0
	for _, c := range []rune{',', ';', '\t', '|'} {
		if n := strings.Count(head, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

// readCSV reads a table.
func readCSV(r *reader) error {
	peeked, err := r.in.Peek(headSize)
	if err != nil && err != io.EOF {
		return err
	}
	first, _, _ := strings.Cut(strings.TrimLeft(strings.TrimPrefix(string(peeked), "\ufeff"), "\r\n"), "\n")
	rows := &tableRows{lines: bufio.NewScanner(r.in), comma: commaOf(first)}
	rows.lines.Buffer(nil, maxRow)
	t := &tableReader{reader: r, rows: rows, style: styleOf(string(peeked), rows.comma), zones: map[*market.Market]*time.Location{}}
	cells, err := rows.next()
	if err == nil && cells == nil {
		err = errors.New("there is no row")
	}
	if err == nil {
		t.layout, t.pending, err = layoutOf(cells, rows.next, r.file.File)
	}
	if err != nil {
		return fmt.Errorf("%s: the head of the table cannot be read: %w", r.file.File, err)
	}
	r.file.Notes = append(r.file.Notes, t.layout.notes...)
	if t.style.decimalComma {
		r.file.note("numbers have a decimal comma")
	}
	return t.read()
}

// tableReader reads the rows below a head.
type tableReader struct {
	*reader
	rows    *tableRows
	layout  layout
	style   style
	pending []string                          // a row that was read as if it were of the head
	zones   map[*market.Market]*time.Location // that were loaded
}

func (t *tableReader) read() error {
	t.file.Form = t.layout.form
	if t.style.ambiguous != "" {
		return fmt.Errorf("%s: in %q a comma may be a decimal one or not, and no other number of the beginning tells; write it with a point", t.file.File, t.style.ambiguous)
	}
	for {
		cells, err := t.pending, error(nil)
		if t.pending = nil; cells == nil {
			cells, err = t.rows.next()
		}
		switch {
		case errors.Is(err, bufio.ErrTooLong):
			return fmt.Errorf("%s: line %d is longer than %d bytes; what follows is not read", t.file.File, t.rows.line+1, maxRow)
		case err == nil && cells == nil:
			return nil
		case err == nil:
			err = t.row(cells)
		}
		if err != nil {
			t.file.fault(t.rows.line, "", "the row is left out: %v", err)
		}
	}
}

// row adds the bars of a row: one, or in a wide table one for each symbol.
func (t *tableReader) row(cells []string) error {
	l := &t.layout
	if len(cells) < l.columns {
		return fmt.Errorf("it has %d cells, the head %d", len(cells), l.columns)
	}
	for i, text := range cells {
		cells[i] = strings.TrimSpace(text)
	}
	symbol := l.symbol
	if l.symbolAt >= 0 {
		symbol = symbolFrom(cells[l.symbolAt])
		if err := market.CheckSymbol(symbol); err != nil {
			return err
		}
	}
	for i := range l.groups {
		group := &l.groups[i]
		of := symbol
		if group.symbol != "" {
			of = group.symbol
		}
		if err := t.bar(cells, group, of); err != nil {
			if group.symbol != "" {
				err = fmt.Errorf("%s: %w", of, err)
			}
			return err
		}
	}
	return nil
}

// bar adds the bar of one symbol.
func (t *tableReader) bar(cells []string, g *columnGroup, symbol string) error {
	known := false
	b := feed.Bar{Line: t.rows.line}
	for _, c := range g.figures {
		text := cells[c.at]
		if isUnknown(text) {
			continue
		}
		number, err := t.style.number(text)
		if err != nil {
			return fmt.Errorf("the %s %w", feed.FigureNames[c.figure], err)
		}
		b.Figures[c.figure], known = number, true
	}
	text := cells[t.layout.dateAt]
	if t.layout.timeAt >= 0 {
		text += " " + clock(cells[t.layout.timeAt])
	}
	stamp, err := t.style.stamp(text, t.zone(market.Of(symbol)))
	if err != nil {
		return err
	}
	if !known {
		return nil // a day on which the symbol was not traded
	}
	b.Stamp = stamp
	series := t.series(symbol)
	t.add(series, b)
	if g.dividendAt < 0 && g.splitAt < 0 {
		return nil
	}
	return t.action(cells, g, series, stamp)
}

func (t *tableReader) zone(m *market.Market) *time.Location {
	zone, ok := t.zones[m]
	if !ok {
		zone = m.Zone()
		t.zones[m] = zone
	}
	return zone
}

// action takes note of what a row states beside its bar.
func (t *tableReader) action(cells []string, g *columnGroup, series *gathered, stamp market.Stamp) error {
	read := func(at int, none string) (string, error) {
		if at < 0 || isUnknown(cells[at]) {
			return "", nil
		}
		n, err := t.style.number(cells[at])
		if n == "0" || n == none {
			n = ""
		}
		return n, err
	}
	dividend, err := read(g.dividendAt, "")
	if err != nil {
		return fmt.Errorf("the dividend %w", err)
	}
	split, err := read(g.splitAt, "1")
	if err != nil {
		return fmt.Errorf("the split %w", err)
	}
	series.act(stamp, feed.Action{Dividend: dividend, Split: split})
	return nil
}

// isUnknown tells whether a cell says that there is no figure.
func isUnknown(text string) bool {
	switch strings.ToLower(text) {
	case "", "-", "--", "nan", "null", "none", "n/a", "na", "#n/a", "nd":
		return true
	}
	return false
}

// style is how the cells of a table are written.
type style struct {
	decimalComma bool
	ambiguous    string // a number of which that cannot be told
	days         bool   // every time is midnight: it stands for the day, in whichever zone it is
}

var (
	commaNumber = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-?\d{1,3}(\.\d{3})*,\d+$|^-?\d+,\d+$`) })
	groupNumber = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-?\d{1,3}(,\d{3})+(\.\d+)?$`) })
	clockTime   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[T ](\d?\d:\d\d)`) })
)

// styleOf looks at the beginning of a table.
func styleOf(beginning string, comma rune) (s style) {
	s.days = !slices.ContainsFunc(clockTime().FindAllStringSubmatch(beginning, -1), func(m []string) bool { return strings.Trim(m[1], "0:") != "" })
	if comma == ',' {
		return s
	}
	lines := strings.Split(beginning, "\n")
	undecided := ""
	for _, line := range lines[:max(len(lines)-1, 1)] { // the last may be cut
		for cell := range strings.SplitSeq(line, string(comma)) {
			cell = strings.Trim(strings.TrimSpace(cell), `"`)
			isComma, isGroup := commaNumber().MatchString(cell), groupNumber().MatchString(cell)
			switch {
			case isComma && !isGroup:
				s.decimalComma = true
				return s
			case isGroup && !isComma:
				return s
			case isComma:
				undecided = cell
			case strings.Count(cell, ".") == 1 && strings.Trim(cell, "-0123456789.") == "":
				return s
			}
		}
	}
	s.ambiguous = undecided
	return s
}

// number reads a number: with groups of thousands, or a sign of dollars.
func (s style) number(text string) (string, error) {
	text = strings.TrimPrefix(text, "$")
	switch {
	case s.decimalComma:
		if strings.Contains(text, ",") && !commaNumber().MatchString(text) {
			return "", fmt.Errorf("%.40q is not a number", text)
		}
		if strings.Contains(text, ",") || strings.Count(text, ".") > 1 {
			text = strings.ReplaceAll(text, ".", "")
		}
		text = strings.Replace(text, ",", ".", 1)
	case strings.Contains(text, ","):
		if !groupNumber().MatchString(text) {
			return "", fmt.Errorf("%.40q is not a number", text)
		}
		text = strings.ReplaceAll(text, ",", "")
	}
	return feed.Number(text)
}

// zoned are the forms of a time with its zone, as pandas and APIs write them.
var zoned = []string{"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04Z07:00"}

// stamp reads a day or a moment. One with a zone becomes that of the market; a number is of Unix time.
func (s style) stamp(text string, zone *time.Location) (market.Stamp, error) {
	stamp, err := market.ParseStamp(text)
	if err == nil {
		return stamp, nil
	}
	if strings.Trim(text, "0123456789") == "" && len(text) >= 10 {
		return unixStamp(text, zone)
	}
	if !s.days {
		plain := strings.Replace(strings.Replace(text, "T", " ", 1), " UTC", "Z", 1)
		for _, form := range zoned {
			if t, no := time.Parse(form, plain); no == nil {
				return market.ParseStamp(t.In(zone).Format("2006-01-02 15:04:05"))
			}
		}
	}
	day, rest, _ := strings.Cut(text, " ")
	if t, no := time.Parse("2.1.2006", day); no == nil { // with dots, the day comes first wherever it is written so
		text = strings.TrimSpace(t.Format("2006-01-02") + " " + rest)
	}
	return market.ReadStamp(text)
}

// unixStamp reads seconds, or thousandths, millionths or billionths of them, by the number of digits.
func unixStamp(text string, zone *time.Location) (market.Stamp, error) {
	var n int64
	if _, err := fmt.Sscan(text, &n); err == nil {
		switch len(text) {
		case 10:
			return feed.Moment(time.Unix(n, 0).In(zone)), nil
		case 13:
			return feed.Moment(time.UnixMilli(n).In(zone)), nil
		case 16:
			return feed.Moment(time.UnixMicro(n).In(zone)), nil
		case 19:
			return feed.Moment(time.Unix(0, n).In(zone)), nil
		}
	}
	return "", fmt.Errorf("%.40q is no time: Unix time has 10, 13, 16 or 19 digits", text)
}

// clock writes a time of day without colons, as Stooq has it, with them.
func clock(text string) string {
	if strings.Trim(text, "0123456789") == "" && text != "" {
		text = fmt.Sprintf("%06s", text)
		return text[:2] + ":" + text[2:4] + ":" + text[4:6]
	}
	return text
}
