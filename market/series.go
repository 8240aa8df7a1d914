package market

// This file reads the series of one symbol: the text of one JSON object becomes
// bars in ascending order. A wrong number or stamp is a warning, and the rest is
// served; a wrong object is an error.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

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
}

// dateSpan is from one day to another, both included; "" as the end: until today.
type dateSpan struct {
	From Stamp `json:"from"`
	To   Stamp `json:"to"`
}

// rawBar is a bar as files have it: raw Alpha Vantage says open and close,
// merged files say buy price and sell price.
type rawBar struct {
	Open   rawNumber `json:"1. open"`
	Buy    rawNumber `json:"1. buy price"`
	High   rawNumber `json:"2. high"`
	Low    rawNumber `json:"3. low"`
	Close  rawNumber `json:"4. close"`
	Sell   rawNumber `json:"4. sell price"`
	Volume rawNumber `json:"5. volume"`
}

// rawNumber is the text of a JSON string or number, "" if there is none.
type rawNumber string

func (f *rawNumber) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
	case b[0] != '"':
		*f = rawNumber(b)
	case bytes.IndexByte(b, '\\') >= 0:
		return json.Unmarshal(b, (*string)(f))
	default: // nearly all values
		*f = rawNumber(b[1 : len(b)-1])
	}
	return nil
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
	symbol, name string
	interval     string // "daily", "60min"
	about        meta
	bars         []packedBar // ascending, no stamp twice
	warnings     warningList // without file and line
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
	if m.Stamps != "" && m.Stamps != "start" && m.Stamps != "end" {
		return parsed{}, fmt.Errorf(`"Stamps" is %.40q; use "start" or "end"`, m.Stamps)
	}
	p := parsed{symbol: strings.TrimSpace(m.Symbol), name: m.Name, about: m}
	series, err := p.series(fields)
	if err != nil {
		return parsed{}, err
	}
	p.bars = make([]packedBar, 0, len(series))
	// In the order of the text, and stable: of two spellings of one stamp always
	// the same one counts.
	for _, key := range slices.Sorted(maps.Keys(series)) {
		p.add(key, series[key])
	}
	slices.SortStableFunc(p.bars, func(a, b packedBar) int { return strings.Compare(string(a.stamp), string(b.stamp)) })
	p.bars = slices.CompactFunc(p.bars, func(a, b packedBar) bool {
		if a.stamp == b.stamp {
			p.warn("%s: a second bar at this stamp is left out", a.stamp)
		}
		return a.stamp == b.stamp
	})
	return p, nil
}

// series finds the only time series among the fields of the object, and records
// its interval.
func (p *parsed) series(fields map[string]json.RawMessage) (series map[string]rawBar, err error) {
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
		p.warn("the time series has no bars")
	}
	return series, nil
}

// add appends the bar that the file has under the key.
func (p *parsed) add(key string, f rawBar) {
	stamp, err := ParseStamp(key)
	if err != nil {
		p.warn("a bar is left out: %v", err)
		return
	}
	read := func(what string, f rawNumber, zeroToo bool) packedDecimal {
		n, err := f.pack(zeroToo)
		if err != nil {
			p.warn("%s: %s %.40q %v and is taken as unknown", stamp, what, string(f), err)
		}
		return n
	}
	p.bars = append(p.bars, packedBar{
		stamp:  stamp,
		open:   read("open", either(f.Buy, f.Open), false),
		high:   read("high", f.High, false),
		low:    read("low", f.Low, false),
		close:  read("close", either(f.Sell, f.Close), false),
		volume: read("volume", f.Volume, true),
	})
}

func (p *parsed) warn(format string, args ...any) {
	p.warnings.add(Warning{Problem: p.symbol + ": " + fmt.Sprintf(format, args...)})
}

func either(a, b rawNumber) rawNumber {
	if a != "" {
		return a
	}
	return b
}
