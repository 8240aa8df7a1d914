// What a model is told of its newest decisions when a day begins: what became of them so far, as far as is known on that day.

package llm

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/internal/clip"
	"mcp-trade/internal/safetext"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// memoryOf tells what became of orders that were filled before the day of a view, the newest first in trades and the last one in the
// text: the return of the symbol from the price of the order to its newest close, and by how much that exceeds the return of the same
// money put into all symbols at the opens of the order's bar. What is not known is said to be so. Without trades there is no text.
func memoryOf(v market.View, trades []ledger.Record) (string, error) {
	if len(trades) == 0 {
		return "", nil
	}
	var b strings.Builder
	b.WriteString("\nYour newest decisions, and what became of them (the symbol's return from the price of the order to its last close; the return of all symbols in equal parts meanwhile; the excess of the first over the second):\n")
	markets := map[market.Stamp]decimal.NullDecimal{}
	for _, r := range slices.Backward(trades) {
		if _, known := markets[r.Date]; !known {
			all, err := marketReturn(v, r.Date)
			if err != nil {
				return "", err
			}
			markets[r.Date] = all
		}
		own, err := returnSince(v, r.Symbol, r.Date, r.Price)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %s %s %s", r.Date, r.Action, r.Amount, market.InText(r.Symbol))
		if r.Price.Valid {
			fmt.Fprintf(&b, " at %s", r.Price.Decimal)
		}
		fmt.Fprintf(&b, ": %s, all symbols %s, excess %s", percent(own), percent(markets[r.Date]), percent(difference(own, markets[r.Date])))
		if r.Note != "" {
			const longest = 200
			fmt.Fprintf(&b, "; your note: %q", clip.Bytes(safetext.OneLine(r.Note), longest))
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

// returnSince is the return of a symbol from a price at a stamp, or from the open there where the price is not known, to the newest
// close of a bar from then on. It is not known where one of the two is not.
func returnSince(v market.View, symbol string, at market.Stamp, price decimal.NullDecimal) (decimal.NullDecimal, error) {
	if !price.Valid {
		bar, err := v.Bar(symbol, at)
		if err != nil {
			return unpriced(err)
		}
		price = bar.Open
	}
	last, of, err := v.LastClose(symbol)
	if err != nil {
		return unpriced(err)
	}
	if !price.Valid || !price.Decimal.IsPositive() || of < at {
		return decimal.NullDecimal{}, nil
	}
	return decimal.NewNullDecimal(last.DivRound(price.Decimal, 12).Sub(decimal.NewFromInt(1))), nil
}

// unpriced is a return that is not known, since a price is not there; else reading it failed.
func unpriced(err error) (decimal.NullDecimal, error) {
	var none *market.NoPriceError
	var unknown *market.UnknownSymbolError
	var damaged *market.DamagedError
	if errors.As(err, &none) || errors.As(err, &unknown) || errors.As(err, &damaged) {
		err = nil
	}
	return decimal.NullDecimal{}, err
}

// marketReturn is the mean return of the symbols with an open at a stamp, since then.
func marketReturn(v market.View, at market.Stamp) (decimal.NullDecimal, error) {
	symbols, err := v.Symbols()
	if err != nil {
		return decimal.NullDecimal{}, err
	}
	sum, count := decimal.Zero, int64(0)
	for _, symbol := range symbols {
		r, err := returnSince(v, symbol, at, decimal.NullDecimal{})
		if err != nil {
			return r, err
		}
		if r.Valid {
			sum, count = sum.Add(r.Decimal), count+1
		}
	}
	if count == 0 {
		return decimal.NullDecimal{}, nil
	}
	return decimal.NewNullDecimal(sum.DivRound(decimal.NewFromInt(count), 12)), nil
}

func difference(a, b decimal.NullDecimal) decimal.NullDecimal {
	return decimal.NullDecimal{Decimal: a.Decimal.Sub(b.Decimal), Valid: a.Valid && b.Valid}
}

// percent is a return as people write it, with its sign.
func percent(r decimal.NullDecimal) string {
	if !r.Valid {
		return "not known"
	}
	text := r.Decimal.Shift(2).StringFixed(2)
	if r.Decimal.IsPositive() {
		text = "+" + text
	}
	return text + " %"
}
