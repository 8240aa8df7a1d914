// How much of a bar's volume an account may trade.
//
//	"volume_cap": "10%"          no key where there is no cap
//
// It bounds all fills of a symbol in a bar together. Those of a day's bars stand in the record, so that the newest record is the whole account:
//
//	"filled_today": {"2025-10-02": {"NVDA": 100, "AMD": 20}}
//
// At an open the volume of the bar before it counts, since its own is not known; inside of a bar that is over, its own.

package ledger

import (
	"fmt"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/internal/strict"
	"mcp-trade/market"
)

// NoVolumeCap is how no cap is written.
const NoVolumeCap = "none"

const volumeCapKey = "volume_cap"

var volumeCapTerm = term{
	key: volumeCapKey, preset: always(`"` + NoVolumeCap + `"`),
	knows: func(_ *market.Market, value string) bool {
		text, ok := strict.Text([]byte(value))
		part, err := ParseVolumeCap(text)
		return ok && err == nil && part.IsPositive() && part.Shift(2).String()+"%" == text
	},
	set: func(r *Rules, value string) {
		text, _ := strict.Text([]byte(value))
		r.volumeCap, _ = ParseVolumeCap(text) // it is known
	},
}

// ParseVolumeCap reads "10%", a part of a bar's volume, or "none", which is 0. The error is a sentence with what to do.
func ParseVolumeCap(text string) (decimal.Decimal, error) {
	if text == NoVolumeCap {
		return decimal.Zero, nil
	}
	number, percent := strings.CutSuffix(text, "%")
	d, err := decimal.NewFromString(number)
	if !percent || err != nil || len(number) > 20 || d.Exponent() < -8 || d.Exponent() > 2 || !d.IsPositive() || d.GreaterThan(hundred) {
		return decimal.Zero, fmt.Errorf("%.40q is no part of a volume; use a part above 0%% and up to 100%% such as 10%%, or none", text)
	}
	return d.Shift(-2), nil
}

// capped is how much of an amount the cap lets through in a bar, in whole steps, after what was filled in it before.
func (r Rules) capped(b Book, q market.Quote, amount decimal.Decimal, bar market.TimedBar, over bool) decimal.Decimal {
	if r.volumeCap.IsZero() {
		return amount
	}
	volume := bar.Prior
	if over {
		volume = bar.Volume
	}
	most := volume.Decimal.Mul(r.volumeCap) // nothing of a volume that is not known
	if most = most.Sub(b.filledOn(bar.Stamp).in(bar.Stamp, q.Symbol)); most.IsNegative() {
		return decimal.Zero
	}
	if !most.LessThan(amount) {
		return amount
	}
	return most.Sub(most.Mod(r.unit(q.Symbol, q.At).Step))
}

// filledIn returns the record of a fill with the fill counted in its bar, where a cap asks for it.
func (r Rules) filledIn(bar market.Stamp, rec Record) Record {
	if !r.volumeCap.IsZero() {
		rec.Filled = rec.Filled.with(bar, rec.Symbol, rec.Amount)
	}
	return rec
}
