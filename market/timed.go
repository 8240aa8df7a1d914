package market

// This file has the bars of a symbol with their ends, for orders that wait.

import "mcp-trade/decimal"

// TimedBar is a bar as of a view, with its end.
type TimedBar struct {
	Bar                       // of one that is not whole, the open alone
	End   Stamp               // from which all of it is known: of a bar within a day the end of its period, else the next day
	Whole bool                // End is reached
	Prior decimal.NullDecimal // of the whole bar before it
}

// BarsFrom returns the bars of a symbol that begin at a stamp or later, ascending, as far as they are known. A bar within a day
// whose length is not known is whole when its day is over.
func (v View) BarsFrom(symbol string, from Stamp) ([]TimedBar, error) {
	w, err := v.window(symbol)
	if err != nil {
		return nil, err
	}
	var bars []TimedBar
	for i := w.from(from); i < len(w.bars); i++ {
		b := TimedBar{Bar: w.bars[i].bar(), End: w.end(w.bars[i].stamp)}
		if b.Whole = b.End <= v.asOf; !b.Whole {
			b.Bar = Bar{Stamp: b.Stamp, Open: b.Open}
		}
		if i > 0 {
			b.Prior = w.bars[i-1].volume.decimal()
		}
		if b.Whole || b.Open.Valid { // a bar that has begun without an open stays hidden
			bars = append(bars, b)
		}
	}
	return bars, nil
}

// end is the stamp from which all of a bar is known.
func (w window) end(stamp Stamp) Stamp {
	if !stamp.IsDay() && w.period > 0 {
		if end := stamp.add(w.period); end.Day() == stamp.Day() {
			return end
		}
	}
	return stamp.AddDays(1)
}
