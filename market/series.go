package market

// This file reads the series of one symbol: the text of one JSON object becomes
// bars in ascending order. A wrong number or stamp is a warning, and the rest is
// served; a wrong object is an error.

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"mcp-trade/decimal"
)

// Bar is the prices and the volume of one period, which begins at the stamp.
// Prices are in the currency of the market, volume in shares or coins. A number
// that is not known, or not yet, is null.
type Bar struct {
	Stamp  Stamp               `json:"stamp"`
	Open   decimal.NullDecimal `json:"open"`
	High   decimal.NullDecimal `json:"high"`
	Low    decimal.NullDecimal `json:"low"`
	Close  decimal.NullDecimal `json:"close"`
	Volume decimal.NullDecimal `json:"volume"`
}

// meta is the "Meta Data" of a price object.
type meta struct {
	Symbol string `json:"2. Symbol"`
	Name   string `json:"2.1. Name"`

	// Keys of this program.
	Stamps string     `json:"Stamps"` // of bars within a day: "start" or "end"; "" for what is usual in the market
	Listed Stamp      `json:"Listed"` // the first trading day
	ST     []dateSpan `json:"ST"`     // special treatment of an A-share

	Synthetic any `json:"Synthetic"` // how the prices were made up; nil of real ones
}

// dateSpan is from one day to another, both included; "" as the end: until today.
type dateSpan struct {
	From Stamp `json:"from"`
	To   Stamp `json:"to"`
}

// rawBar is a bar as files have it: raw Alpha Vantage says open and close,
// merged files say buy price and sell price. Alpha Vantage's daily adjusted rows have raw prices too, and three columns more.
type rawBar struct {
	key                                       string // its stamp, as written
	open, buy, high, low, close, sell, volume rawNumber
	adjusted, dividend, split                 rawNumber // the adjusted close knows the future, and is not traded at

	unread []string // names that are not known
	twice  bool     // a figure is there twice
}

// figure returns where the figure of a name goes, nil if the name is not known. Case does not matter.
func (f *rawBar) figure(name []byte) *rawNumber {
	switch string(name) {
	case "1. open":
		return &f.open
	case "1. buy price":
		return &f.buy
	case "2. high":
		return &f.high
	case "3. low":
		return &f.low
	case "4. close":
		return &f.close
	case "4. sell price":
		return &f.sell
	case "5. volume", "6. volume": // the latter of Alpha Vantage's adjusted series
		return &f.volume
	case "5. adjusted close":
		return &f.adjusted
	case "7. dividend amount":
		return &f.dividend
	case "8. split coefficient":
		return &f.split
	}
	if lower := bytes.ToLower(name); !bytes.Equal(lower, name) {
		return f.figure(lower)
	}
	return nil
}

// rawNumber is the text of a JSON string or number, "" if there is none.
type rawNumber string

// numberOf is the text of a JSON value.
func numberOf(value []byte) rawNumber {
	switch value[0] {
	case 'n': // null
		return ""
	case '"':
		return rawNumber(unquoted(value))
	}
	return rawNumber(value)
}

// maxDigits is how many digits of a number 64 bits can hold.
const maxDigits = 18

// pack reads the number. Empty text is an unknown number; text that is no
// number, or one below the least that is possible, is unknown and a problem.
func (f rawNumber) pack(zeroToo bool) (packedDecimal, error) {
	text := strings.TrimSpace(string(f))
	if text == "" {
		return packedDecimal{}, nil
	}
	if len(text) > 64 {
		return packedDecimal{}, errors.New("is not a number")
	}
	d, err := decimal.NewFromString(text)
	switch {
	case err != nil:
		return packedDecimal{}, errors.New("is not a number")
	case d.IsNegative():
		return packedDecimal{}, errors.New("is negative")
	case d.IsZero() && !zeroToo:
		return packedDecimal{}, errors.New("is not positive")
	case d.NumDigits() > maxDigits, d.Exponent() < -maxDigits, d.Exponent() > maxDigits:
		// A few bytes can stand for a number of a billion digits, which the first
		// addition would write out.
		return packedDecimal{}, fmt.Errorf("has more than %d digits", maxDigits)
	}
	return packedDecimal{d.CoefficientInt64(), int8(d.Exponent()), true}, nil
}

// packedDecimal is a number in 16 bytes. There are many of them, and a decimal takes
// four times as much.
type packedDecimal struct {
	coefficient int64
	exponent    int8
	known       bool
}

func (n packedDecimal) decimal() decimal.NullDecimal {
	if !n.known {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(decimal.New(n.coefficient, int32(n.exponent)))
}

// packedBar is a bar as it is kept in memory.
type packedBar struct {
	stamp                          Stamp
	open, high, low, close, volume packedDecimal
}

func (b packedBar) bar() Bar {
	return Bar{b.stamp, b.open.decimal(), b.high.decimal(), b.low.decimal(), b.close.decimal(), b.volume.decimal()}
}

// parsed is a series as read.
type parsed struct {
	symbol, name  string
	interval      string // "daily", "60min"
	about         meta
	aboutText     []byte             // it, as the file has it
	bars          []packedBar        // ascending, no stamp twice
	unread        map[string]*unread // by name
	warnings      warningList        // without file and line
	doubled       []Stamp            // of the bars that are left out, since another at the stamp follows
	actions       []Action           // that the rows state, ascending
	statesActions bool               // the rows have places for them

	adjusted map[Stamp]packedDecimal // the adjusted closes, of rows that have them
}

// parse reads a price object.
func parse(text []byte) (parsed, error) {
	var p parsed
	var bars []rawBar
	err := p.object(text, func(series []byte) (err error) {
		bars, err = readSeries(series)
		return err
	})
	if err != nil {
		return parsed{}, err
	}
	if len(bars) == 0 {
		p.warn("", "the time series has no bars")
	}
	p.bars = make([]packedBar, 0, len(bars))
	for i := range bars {
		p.add(&bars[i])
	}
	slices.SortStableFunc(p.bars, func(a, b packedBar) int { return strings.Compare(string(a.stamp), string(b.stamp)) })
	p.dropRepeated()
	for _, name := range slices.Sorted(maps.Keys(p.unread)) {
		u := p.unread[name]
		p.warn(string(u.first), "%s: %.40q of the bar is not read (%d bars have it)", u.first, name, u.bars)
	}
	slices.SortFunc(p.actions, Action.Compare)
	return p, nil
}

// object reads the members of a price object. readSeries reads its time series.
func (p *parsed) object(text []byte, readSeries func([]byte) error) (err error) {
	var about []byte
	series := 0
	r := newObjectReader(text)
	var broken error // of the time series; of an object that is none, that is told first
	err = r.members(func(name []byte) error {
		interval, isSeries := bytes.CutPrefix(name, []byte("Time Series ("))
		isMeta := string(name) == "Meta Data"
		if isSeries {
			series++
			p.interval = strings.ToLower(string(bytes.TrimSuffix(interval, []byte(")"))))
		}
		value, err := r.ReadValue()
		switch {
		case err != nil:
			return err
		case isMeta:
			about = bytes.Clone(value)
		case isSeries && broken == nil:
			broken = readSeries(value)
		}
		return nil
	})
	if err == nil {
		err = r.end()
	}
	switch {
	case err != nil:
		return fmt.Errorf("not one JSON object: %w", err)
	case series == 0:
		err = errors.New("no time series")
	case series > 1:
		err = errors.New("more than one time series in one object")
	case broken != nil:
		err = fmt.Errorf("the time series is broken: %w", broken)
	}
	p.aboutText = about
	return cmp.Or(p.readMeta(about), err)
}

// readMeta reads the "Meta Data" of a price object.
func (p *parsed) readMeta(text []byte) error {
	if text != nil {
		if err := json.Unmarshal(text, &p.about); err != nil {
			return fmt.Errorf(`"Meta Data" is broken: %w`, err)
		}
	}
	if s := p.about.Stamps; s != "" && s != "start" && s != "end" {
		return fmt.Errorf(`"Stamps" is %.40q; use "start" or "end"`, s)
	}
	p.symbol, p.name = strings.TrimSpace(p.about.Symbol), p.about.Name
	return nil
}

// readSeries reads a time series.
func readSeries(text []byte) (bars []rawBar, err error) {
	r := newObjectReader(text)
	err = r.members(func(key []byte) error {
		bars = append(bars, rawBar{key: string(key)})
		f := &bars[len(bars)-1]
		if r.PeekKind() == 'n' { // null
			return r.SkipValue()
		}
		return r.members(func(name []byte) error {
			to := f.figure(name)
			if to == nil {
				f.unread = append(f.unread, string(name))
				return r.SkipValue()
			}
			value, err := r.ReadValue()
			if err != nil {
				return err
			}
			f.twice = f.twice || *to != ""
			*to = numberOf(value)
			return nil
		})
	})
	return bars, err
}

// add appends a bar of the file.
func (p *parsed) add(f *rawBar) {
	stamp, err := p.stampAt(f.key)
	if err != nil {
		p.warn(f.key, "a bar is left out: %v", err)
		return
	}
	read := func(what string, text rawNumber, zeroToo bool) packedDecimal {
		n, err := text.pack(zeroToo)
		if err != nil {
			p.warn(f.key, "%s: %s %.40q %v and is taken as unknown", stamp, what, string(text), err)
		}
		return n
	}
	if f.twice {
		p.warn(f.key, "%s: a figure of the bar is there twice; the last in the file counts", stamp)
	}
	for _, name := range f.unread {
		p.note(name, stamp)
	}
	p.bars = append(p.bars, packedBar{
		stamp:  stamp,
		open:   read("open", cmp.Or(f.buy, f.open), false),
		high:   read("high", f.high, false),
		low:    read("low", f.low, false),
		close:  read("close", cmp.Or(f.sell, f.close), false),
		volume: read("volume", f.volume, true),
	})
	p.addActions(stamp, f)
	if n, err := f.adjusted.pack(false); err == nil && n.known {
		if p.adjusted == nil {
			p.adjusted = map[Stamp]packedDecimal{}
		}
		p.adjusted[stamp] = n
	}
}

// stampAt is the stamp of a bar as a file has it.
func (p *parsed) stampAt(key string) (Stamp, error) {
	stamp, err := ParseStamp(key)
	if err == nil && p.interval == "daily" && strings.HasSuffix(string(stamp), " 00:00:00") {
		stamp = stamp.Day() // as pandas writes a day
	}
	return stamp, err
}

// addActions adds those that a bar's row states.
func (p *parsed) addActions(at Stamp, f *rawBar) {
	if f.dividend == "" && f.split == "" {
		return
	}
	p.statesActions = true
	add := func(a Action) {
		a.Date, a.Symbol = at.Day(), p.symbol
		p.actions = slices.DeleteFunc(p.actions, func(b Action) bool { return b.Compare(a) == 0 })
		p.actions = append(p.actions, a) // the last in the file counts
	}
	dividend, err := f.dividend.pack(true)
	if err != nil {
		p.warn(f.key, "%s: dividend amount %.40q %v; the dividend is not known", at, string(f.dividend), err)
	} else if dividend.known && dividend.coefficient > 0 {
		add(Action{Kind: Dividend, Amount: dividend.decimal()})
	}
	split, err := f.split.pack(false)
	if err == nil && !split.known {
		return
	}
	ratio, ok := Ratio{}, false
	if err == nil {
		ratio, ok = ratioOfCoefficient(split.coefficient, -int(split.exponent))
	}
	switch {
	case !ok:
		p.warn(f.key, "%s: split coefficient %.40q is not that of a split; whether there was one is not known", at, string(f.split))
	case ratio != Ratio{1, 1}:
		add(Action{Kind: Split, Ratio: ratio})
	}
}

// unread is a name that bars have for a figure, and that this program does not read.
type unread struct {
	first Stamp // in the order of the text
	bars  int
}

// maxUnread is how many such names are told.
const maxUnread = 20

func (p *parsed) note(name string, at Stamp) {
	u, ok := p.unread[name]
	if !ok {
		if len(p.unread) == maxUnread {
			return
		}
		u = &unread{first: at}
		if p.unread == nil {
			p.unread = map[string]*unread{}
		}
		p.unread[name] = u
	}
	u.bars++
}

// dropRepeated leaves of several bars at one stamp the last in the file.
func (p *parsed) dropRepeated() {
	kept := p.bars[:0]
	for i, bar := range p.bars {
		if i+1 < len(p.bars) && p.bars[i+1].stamp == bar.stamp {
			p.warn(string(bar.stamp), "%s: a bar at this stamp is there twice; the last in the file counts", bar.stamp)
			p.doubled = append(p.doubled, bar.stamp)
			continue
		}
		kept = append(kept, bar)
	}
	p.bars = kept
}

// warn adds a warning of the series, about the bar at a stamp if it is about one.
func (p *parsed) warn(at, format string, args ...any) {
	p.warnings.add(Warning{Symbol: p.symbol, At: at, Problem: p.symbol + ": " + fmt.Sprintf(format, args...)})
}

// stampStarts gives bars that are stamped at their end the stamp of their start.
func (p *parsed) stampStarts() {
	late := p.stampedLate()
	if late == 0 {
		return
	}
	for i := range p.bars {
		if stamp := p.bars[i].stamp; !stamp.IsDay() {
			p.bars[i].stamp = stamp.add(-late)
		}
	}
}

// stampedLate is how long after their start bars within a day are stamped.
func (p *parsed) stampedLate() time.Duration {
	if p.about.Stamps == "start" || p.about.Stamps == "" && !Of(p.symbol).EndStamped {
		return 0
	}
	return p.period()
}

// period is that of a bar, 0 if the interval does not say.
func (p parsed) period() time.Duration {
	if minutes, ok := strings.CutSuffix(p.interval, "min"); ok {
		if n, err := strconv.Atoi(minutes); err == nil && n > 0 {
			return time.Duration(n) * time.Minute
		}
	}
	return 0
}
