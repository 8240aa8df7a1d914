// Package feed is how prices come in: series of bars from wherever they are, and the price file that they go to. Package convert
// reads files.
package feed

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"mcp-trade/market"
)

// Figures of a bar, in the order of Bar.Figures.
const (
	Open = iota
	High
	Low
	Close
	Volume
	figures
)

// FigureNames are what people call the figures.
var FigureNames = [figures]string{"open", "high", "low", "close", "volume"}

// fileNames are how a price file calls them.
var fileNames = [figures]string{"1. buy price", "2. high", "3. low", "4. sell price", "5. volume"}

// Bar is a bar as a source has it. A figure is the text of a plain decimal, as [Number] returns it; "" is not known.
type Bar struct {
	Stamp   market.Stamp
	Figures [figures]string
	Line    int // in its file, 0 if it is from none
}

// Action is what a source says happened to a share on the day of a bar.
type Action struct {
	Dividend string // of one share, in the market's currency; "": none
	Split    string // the factor of the number of shares, such as 15; "": none
}

// Series is the bars of a symbol.
type Series struct {
	Symbol, Name string
	Interval     string // Daily, or minutes such as 60min
	Stamps       string // of bars within a day: "start" or "end"; "" for what is usual in the market
	Bars         []Bar  // ascending once it is sorted

	// Actions are by day. Where the source states none, the map is nil: then it is not known whether there were any.
	Actions map[market.Stamp]Action

	Sources []Provenance // where the bars are from, the oldest first
	About   About
}

// Provenance is where a reply is from.
type Provenance struct {
	Source  string    `json:"source"`
	Request string    `json:"request"` // its address, without a key
	At      time.Time `json:"fetched_at"`
	SHA256  string    `json:"sha256"` // of the reply
}

// About is what a price file says of a share beside its bars, as it says it; nil: nothing.
type About struct {
	Listed    json.RawMessage `json:"Listed"`
	ST        json.RawMessage `json:"ST"`
	Synthetic json.RawMessage `json:"Synthetic"` // how the prices were made up
}

// Number returns a decimal as price files have it: plain digits with a point, without zeros that say nothing. Text that is no
// number, and one of more digits than a price file may have, are errors.
func Number(text string) (string, error) {
	const maxDigits = 18
	plain := strings.Trim(text, "0123456789.") == "" && strings.Count(text, ".") <= 1 && strings.Trim(text, ".") != ""
	if !plain {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || strings.ContainsAny(text, "_xXpP") {
			return "", fmt.Errorf("%.40q is not a number", text)
		}
		if f < 0 {
			return "", fmt.Errorf("%.40q is negative", text)
		}
		text = strconv.FormatFloat(math.Abs(f), 'f', -1, 64) // which -0 needs
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if fraction = strings.TrimRight(fraction, "0"); fraction == "" {
		text = whole
	} else {
		text = text[:len(whole)+1+len(fraction)]
	}
	if trimmed := strings.TrimLeft(text, "0"); trimmed == "" || trimmed[0] == '.' {
		text = cmp.Or("0"+trimmed, "0")
	} else {
		text = trimmed
	}
	if digits := len(text) - strings.Count(text, "."); digits > maxDigits+1 || digits > maxDigits && text[0] != '0' {
		return "", fmt.Errorf("%.40q has more than %d digits", text, maxDigits)
	}
	return text, nil
}

// Impossible says why a bar cannot be, "" if it can.
func (b *Bar) Impossible() string {
	var n [figures]float64
	for i, text := range b.Figures {
		n[i] = math.NaN() // which is neither above nor below anything
		if text != "" {
			n[i], _ = strconv.ParseFloat(text, 64)
		}
		if i != Volume && n[i] == 0 {
			return fmt.Sprintf("the %s is 0", FigureNames[i])
		}
	}
	switch {
	case n[High] < n[Low]:
		return fmt.Sprintf("the high %s is below the low %s", b.Figures[High], b.Figures[Low])
	case n[Open] > n[High], n[Open] < n[Low]:
		return fmt.Sprintf("the open %s is not between the low %s and the high %s", b.Figures[Open], b.Figures[Low], b.Figures[High])
	case n[Close] > n[High], n[Close] < n[Low]:
		return fmt.Sprintf("the close %s is not between the low %s and the high %s", b.Figures[Close], b.Figures[Low], b.Figures[High])
	}
	return ""
}

// Sort sorts the bars by their stamps, and keeps the order of those at one stamp.
func (s *Series) Sort() {
	slices.SortStableFunc(s.Bars, func(a, b Bar) int { return cmp.Compare(a.Stamp, b.Stamp) })
}

// SetInterval tells the interval of sorted bars from their stamps: Daily if all are days or midnights, which become days, else the
// shortest time between two bars of a day. It is an error if that cannot be told.
func (s *Series) SetInterval() error {
	const midnight = " 00:00:00"
	daily := true
	for _, b := range s.Bars {
		daily = daily && (b.Stamp.IsDay() || strings.HasSuffix(string(b.Stamp), midnight))
	}
	if daily {
		for i := range s.Bars {
			s.Bars[i].Stamp = s.Bars[i].Stamp.Day()
		}
		s.Interval = "Daily"
		return nil
	}
	var shortest time.Duration
	for i := 1; i < len(s.Bars); i++ {
		a, b := s.Bars[i-1].Stamp, s.Bars[i].Stamp
		if d := b.In(time.UTC).Sub(a.In(time.UTC)); a.Day() == b.Day() && d > 0 && (shortest == 0 || d < shortest) {
			shortest = d
		}
	}
	if shortest < time.Minute || shortest%time.Minute != 0 {
		return fmt.Errorf("%s: the interval of its %d bars cannot be told from their stamps: no two of a day are whole minutes apart", s.Symbol, len(s.Bars))
	}
	s.Interval = fmt.Sprintf("%dmin", shortest/time.Minute)
	return nil
}

// Write writes the series as a line of a price file, as [market.Open] reads it and AI-Trader does.
func (s *Series) Write(w *bufio.Writer) error {
	what, m := "Daily prices (buy price, high, low, sell price) and volumes", market.Of(s.Symbol)
	meta := []member{{"1. Information", what}, {"2. Symbol", s.Symbol}}
	if s.Name != "" {
		meta = append(meta, member{"2.1. Name", s.Name})
	}
	if n := len(s.Bars); n > 0 {
		meta = append(meta, member{"3. Last Refreshed", s.Bars[n-1].Stamp})
	}
	if s.Interval != "Daily" {
		meta[0].value = s.Interval + " prices (buy price, high, low, sell price) and volumes"
		meta = append(meta, member{"4. Interval", s.Interval})
	}
	meta = append(meta, member{"5. Time Zone", m.ZoneName})
	if s.Stamps != "" {
		meta = append(meta, member{"Stamps", s.Stamps})
	}
	if s.About.Listed != nil {
		meta = append(meta, member{"Listed", s.About.Listed})
	}
	if s.About.ST != nil {
		meta = append(meta, member{"ST", s.About.ST})
	}
	if s.About.Synthetic != nil {
		meta = append(meta, member{"Synthetic", s.About.Synthetic})
	}
	if s.Sources != nil {
		meta = append(meta, member{"Sources", s.Sources})
	}
	w.WriteString(`{"Meta Data": {`)
	for i, x := range meta {
		text, err := json.Marshal(x.value)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, `%s"%s": %s`, separator(i), x.name, text)
	}
	fmt.Fprintf(w, `}, "Time Series (%s)": {`, s.Interval)
	for i := range s.Bars {
		s.writeBar(w, i)
	}
	_, err := io.WriteString(w, "}}\n")
	return err
}

type member struct {
	name  string
	value any
}

func separator(i int) string {
	if i == 0 {
		return ""
	}
	return ", "
}

func (s *Series) writeBar(w *bufio.Writer, i int) {
	b := &s.Bars[i]
	w.WriteString(separator(i))
	w.WriteString(`"` + string(b.Stamp) + `": {`)
	n := 0
	write := func(name, value string) {
		w.WriteString(separator(n))
		w.WriteString(`"` + name + `": "` + value + `"`)
		n++
	}
	for f, text := range b.Figures {
		if text != "" {
			write(fileNames[f], text)
		}
	}
	// Of several bars of a day the first tells what happened; and the first of all, that the source tells of such things.
	if i == 0 || s.Bars[i-1].Stamp.Day() != b.Stamp.Day() {
		if a, ok := s.Actions[b.Stamp.Day()]; ok || i == 0 && s.Actions != nil {
			write("7. dividend amount", cmp.Or(a.Dividend, "0"))
			write("8. split coefficient", cmp.Or(a.Split, "1"))
		}
	}
	w.WriteString("}")
}

// Moment is the stamp of a time, in its own zone.
func Moment(t time.Time) market.Stamp { return market.Stamp(t.Format("2006-01-02 15:04:05")) }

// TakeAll adds bars as Take does.
func (s *Series) TakeAll(bars []Bar, told []string) []string {
	for _, b := range bars {
		told = s.Take(b, told)
	}
	return told
}

// Take adds a bar, unless it cannot be, or another bar of the stamp is there: then it tells so.
func (s *Series) Take(b Bar, told []string) []string {
	if _, err := market.ParseStamp(string(b.Stamp)); err != nil {
		return append(told, fmt.Sprintf("a bar is left out: %v", err))
	}
	if why := b.Impossible(); why != "" {
		return append(told, fmt.Sprintf("the bar of %s is left out: %s", b.Stamp, why))
	}
	if n := len(s.Bars); n > 0 && s.Bars[n-1].Stamp >= b.Stamp {
		return append(told, fmt.Sprintf("a bar of %s after one of %s is left out", b.Stamp, s.Bars[n-1].Stamp))
	}
	s.Bars = append(s.Bars, b)
	return told
}
