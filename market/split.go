package market

// This file recognises a jump of the price that looks like a split. Price files
// without corporate actions do not tell of one.

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"mcp-trade/decimal"
)

// LikelySplit is a day whose open is close to an exact small ratio of the last
// close before it, as after a split and seldom otherwise. Volume does not decide,
// since it is not known when the day opens.
type LikelySplit struct {
	Symbol string          `json:"symbol"`
	Date   Stamp           `json:"date"`  // of the bar whose open jumped
	Ratio  string          `json:"ratio"` // "15:1": 15 new shares for one; "1:10": one for 10
	Close  decimal.Decimal `json:"close"` // the last before it
	Open   decimal.Decimal `json:"open"`
	Volume string          `json:"volume,omitempty"` // times that of the bar before; "" while the bar is not over
	Told   bool            `json:"-"`                // a corporate action explains it
}

// String says what was seen: "ORLY: split 15:1 on 2025-06-10? It opened at 90, after a close of 1348.1".
func (s LikelySplit) String() string {
	text := fmt.Sprintf("%s: split %s on %s? It opened at %s, after a close of %s", s.Symbol, s.Ratio, s.Date, s.Open, s.Close)
	if s.Volume != "" {
		text += fmt.Sprintf(", on %s times the volume", s.Volume)
	}
	return text
}

// Compare orders likely splits by date and symbol.
func (s LikelySplit) Compare(o LikelySplit) int {
	return cmp.Or(cmp.Compare(s.Date, o.Date), cmp.Compare(s.Symbol, o.Symbol))
}

// AllLikelySplits returns those of every symbol up to a day that no corporate action explains, by date. Damaged series are left out.
func (v View) AllLikelySplits(to Stamp) ([]LikelySplit, error) {
	symbols, err := v.Symbols()
	if err != nil {
		return nil, err
	}
	var all []LikelySplit
	for _, symbol := range symbols {
		found, err := v.LikelySplits(symbol, "")
		if err != nil && !isDamage(err) {
			return nil, err
		}
		for _, s := range found {
			if s.Date.until(to) && !s.Told {
				all = append(all, s)
			}
		}
	}
	slices.SortFunc(all, LikelySplit.Compare)
	return all, nil
}

// LikelySplits returns the days after one stamp, as of the view, on which the price of a symbol jumped as in a split, ascending.
func (v View) LikelySplits(symbol string, after Stamp) ([]LikelySplit, error) {
	s, err := v.find(symbol)
	if err != nil {
		return nil, err
	}
	if about := s.metadata.Load(); about != nil && len(about.jumps) == 0 {
		return nil, nil // nearly always; no series need be read
	}
	w, err := v.visibleWindow(s)
	if err != nil {
		return nil, err
	}
	var found []LikelySplit
	for _, j := range s.metadata.Load().jumps {
		if j.stamp <= after || j.stamp > v.asOf {
			continue
		}
		split := LikelySplit{s.symbol, j.stamp.Day(), j.ratio.String(), j.close.decimal().Decimal, j.open.decimal().Decimal, "", j.told}
		if w.hasEnded(j.stamp) && j.volumes > 0 {
			split.Volume = strconv.FormatFloat(j.volumes, 'g', 3, 64)
		}
		found = append(found, split)
	}
	return found, nil
}
