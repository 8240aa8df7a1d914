package market

// This file says which price files hold adjusted prices: what their series tell together.

import (
	"fmt"

	"mcp-trade/internal/clip"
)

// Adjusted says that the prices of a file are adjusted, or seem to be.
type Adjusted struct {
	File    string `json:"file"`
	Certain bool   `json:"certain"`
	Why     string `json:"why"` // a clause
}

func (a Adjusted) String() string {
	verb := "seems to hold"
	if a.Certain {
		verb = "holds"
	}
	return fmt.Sprintf("%s %s adjusted prices, which know of later splits or dividends: %s", a.File, verb, a.Why)
}

// Adjusted lists the price files that hold adjusted prices, with the reason of each. Without corporate actions only the digits of the
// prices can tell, and prices that were adjusted by whole cents pass. It reads every series; damaged ones are left out.
func (p *Prices) Adjusted() ([]Adjusted, error) {
	c := p.content()
	return c.adjusted(c.about)
}

// RefuseAdjusted is an error if the files hold adjusted prices. From then on [Prices.Refresh] takes none.
func (p *Prices) RefuseAdjusted() error {
	p.refreshing.Lock()
	defer p.refreshing.Unlock()
	p.rawOnly = true
	c := p.content()
	return c.refuseAdjusted(c.about)
}

// AdjustedError says that prices are refused, since they are adjusted.
type AdjustedError struct{ Adjusted }

func (e *AdjustedError) Error() string { return e.String() + "; take the raw prices" }

func (c *content) refuseAdjusted(about func(*series) (*metadata, error)) error {
	adjusted, err := c.adjusted(about)
	if err == nil && len(adjusted) > 0 {
		err = &AdjustedError{adjusted[0]}
	}
	return err
}

func (c *content) adjusted(about func(*series) (*metadata, error)) ([]Adjusted, error) {
	files := map[*priceFile]*adjustedFile{}
	for _, symbol := range c.symbols {
		s := c.series[symbol]
		known, err := about(s)
		if isDamage(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if files[s.source] == nil {
			files[s.source] = &adjustedFile{}
		}
		files[s.source].add(symbol, known.adjustment)
	}
	var all []Adjusted
	for _, source := range c.sources {
		if f := files[source]; f != nil {
			all = append(all, f.verdicts(source.path)...)
		}
	}
	return all, nil
}

// adjustedFile sums up the series of a file.
type adjustedFile struct {
	closes, splits, finer []string // what was seen, by symbol
	dividends, series     int
	odds                  float64
}

func (f *adjustedFile) add(symbol string, a adjustment) {
	if a.closes != "" {
		f.closes = append(f.closes, fmt.Sprintf("%s on %s", symbol, a.closes))
	}
	for _, day := range a.splits {
		f.splits = append(f.splits, fmt.Sprintf("%s on %s", symbol, day))
	}
	if f.dividends += a.dividends; a.dividends > 0 {
		f.series++
	}
	f.odds += a.odds
	const few = 20
	if Of(symbol).ID != Crypto && a.prices >= few && a.offTick*2 > a.prices {
		f.finer = append(f.finer, symbol)
	}
}

// verdicts are what the series of a file tell together. One dividend is lost in the moves of a night; those of all series together are
// not.
func (f *adjustedFile) verdicts(path string) (all []Adjusted) {
	say := func(certain bool, format string, args ...any) {
		all = append(all, Adjusted{path, certain, fmt.Sprintf(format, args...)})
	}
	const certain, likely = 9.2, 4.6 // 10,000 and 100 to one
	const named = 3                  // symbols
	if len(f.closes) > 0 {
		say(true, "the close before an action is the adjusted close (%s)", clip.List(f.closes, named, ", "))
	}
	if len(f.splits) > 0 {
		say(true, "the price makes no jump at a split (%s)", clip.List(f.splits, named, ", "))
	}
	if f.odds > likely {
		say(f.odds > certain, "%d dividends of %d symbols leave no gap on their ex days", f.dividends, f.series)
	}
	if len(f.finer) > 0 {
		say(false, "most prices lie between ticks (%s)", clip.List(f.finer, named, ", "))
	}
	return all
}
