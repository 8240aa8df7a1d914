package market

// This file reads the series of one symbol: the text of one JSON object becomes
// bars in ascending order. What is wrong with a single figure or stamp is a
// flaw, and the rest is served; what is wrong with the object is an error.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// Bar is what was traded in one period, which begins at the stamp. Prices are
// in the currency of the market, volume in shares or coins. A figure that is
// not known, or not yet, is null.
type Bar struct {
	Stamp  Stamp               `json:"stamp"`
	Open   decimal.NullDecimal `json:"open"`
	High   decimal.NullDecimal `json:"high"`
	Low    decimal.NullDecimal `json:"low"`
	Close  decimal.NullDecimal `json:"close"`
	Volume decimal.NullDecimal `json:"volume"`
}

// meta is what a price object says of itself.
type meta struct {
	Symbol string `json:"2. Symbol"`
	Name   string `json:"2.1. Name"`
}

// figures is a bar as files have it: raw Alpha Vantage says open and close,
// merged files say buy price and sell price.
type figures struct {
	Open   figure `json:"1. open"`
	Buy    figure `json:"1. buy price"`
	High   figure `json:"2. high"`
	Low    figure `json:"3. low"`
	Close  figure `json:"4. close"`
	Sell   figure `json:"4. sell price"`
	Volume figure `json:"5. volume"`
}

// figure is the text of a JSON string or number, "" if there is none.
type figure string

func (f *figure) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
	case b[0] != '"':
		*f = figure(b)
	case bytes.IndexByte(b, '\\') >= 0:
		return json.Unmarshal(b, (*string)(f))
	default: // nearly all there is
		*f = figure(b[1 : len(b)-1])
	}
	return nil
}

const maxDigits = 64

// number reads the figure. No figure is an unknown number; one that is not a
// number, or is below what such a figure can be, is unknown and a problem.
func (f figure) number(zeroToo bool) (decimal.NullDecimal, error) {
	text := strings.TrimSpace(string(f))
	if text == "" {
		return decimal.NullDecimal{}, nil
	}
	if len(text) > maxDigits {
		return decimal.NullDecimal{}, errors.New("is not a number")
	}
	d, err := decimal.NewFromString(text)
	// A few bytes can write a number of a billion digits, which the first sum
	// with it would spell out.
	if err != nil || d.Exponent() < -maxDigits || d.Exponent() > maxDigits {
		return decimal.NullDecimal{}, errors.New("is not a number")
	}
	if d.IsNegative() {
		return decimal.NullDecimal{}, errors.New("is negative")
	}
	if d.IsZero() && !zeroToo {
		return decimal.NullDecimal{}, errors.New("is not positive")
	}
	return decimal.NewNullDecimal(d), nil
}

// parsed is a series as read.
type parsed struct {
	symbol, name string
	interval     string      // "daily", "60min"
	bars         []Bar       // ascending, no stamp twice
	flaws        warningList // without file and line
}

// parse reads a price object.
func parse(text []byte) (parsed, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return parsed{}, fmt.Errorf("not one JSON object: %w", err)
	}
	var m meta
	if raw, ok := fields["Meta Data"]; ok {
		if err := json.Unmarshal(raw, &m); err != nil {
			return parsed{}, fmt.Errorf(`"Meta Data" is broken: %w`, err)
		}
	}
	p := parsed{symbol: strings.TrimSpace(m.Symbol), name: m.Name}
	series, err := p.series(fields)
	if err != nil {
		return parsed{}, err
	}
	p.bars = make([]Bar, 0, len(series))
	// In the order of the text, and stable, so that of two spellings of one
	// stamp it is always the same that counts.
	for _, key := range slices.Sorted(maps.Keys(series)) {
		p.add(key, series[key])
	}
	slices.SortStableFunc(p.bars, func(a, b Bar) int { return strings.Compare(string(a.Stamp), string(b.Stamp)) })
	p.bars = slices.CompactFunc(p.bars, func(a, b Bar) bool {
		if a.Stamp == b.Stamp {
			p.flaw("%s: a second bar at this stamp is left out", a.Stamp)
		}
		return a.Stamp == b.Stamp
	})
	return p, nil
}

// series finds the only time series among the fields of the object, and notes its
// interval.
func (p *parsed) series(fields map[string]json.RawMessage) (series map[string]figures, err error) {
	found := 0
	for key, raw := range fields {
		interval, ok := strings.CutPrefix(key, "Time Series (")
		if !ok {
			continue
		}
		if found++; found > 1 {
			return nil, errors.New("more than one time series in one object")
		}
		p.interval = strings.ToLower(strings.TrimSuffix(interval, ")"))
		if err := json.Unmarshal(raw, &series); err != nil {
			return nil, fmt.Errorf("the time series is broken: %w", err)
		}
	}
	if found == 0 {
		return nil, errors.New("no time series")
	}
	if len(series) == 0 {
		p.flaw("the time series has no bars")
	}
	return series, nil
}

// add appends the bar that the file has under the key.
func (p *parsed) add(key string, f figures) {
	stamp, err := ParseStamp(key)
	if err != nil {
		p.flaw("a bar is left out: %v", err)
		return
	}
	read := func(what string, f figure, zeroToo bool) decimal.NullDecimal {
		d, err := f.number(zeroToo)
		if err != nil {
			p.flaw("%s: %s %.40q %v and is taken as unknown", stamp, what, string(f), err)
		}
		return d
	}
	p.bars = append(p.bars, Bar{
		Stamp:  stamp,
		Open:   read("open", either(f.Buy, f.Open), false),
		High:   read("high", f.High, false),
		Low:    read("low", f.Low, false),
		Close:  read("close", either(f.Sell, f.Close), false),
		Volume: read("volume", f.Volume, true),
	})
}

func (p *parsed) flaw(format string, args ...any) {
	p.flaws.add(Warning{Problem: p.symbol + ": " + fmt.Sprintf(format, args...)})
}

func either(a, b figure) figure {
	if a != "" {
		return a
	}
	return b
}
