package market

// This file tells whether what was shown of a series is in other bars and actions too.

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
)

var figureNames = [...]string{"open", "high", "low", "close", "volume"}

// changedBar returns the first figure of the bars of a window that was known and is another now, or gone; nil if there is none.
func changedBar(w window, is []packedBar) *ChangedError {
	for i := range w.bars {
		was := &w.bars[i]
		figures := w.shown(was)
		if figures == nil {
			break
		}
		at, found := slices.BinarySearchFunc(is, was.stamp, func(b packedBar, s Stamp) int { return cmp.Compare(b.stamp, s) })
		var now [len(figureNames)]packedDecimal
		if found {
			now = [...]packedDecimal{is[at].open, is[at].high, is[at].low, is[at].close, is[at].volume}
		}
		for n, f := range figures {
			if f.known && f.plain() != now[n].plain() {
				change := &ChangedError{Stamp: was.stamp, Figure: figureNames[n], Was: f.decimal().Decimal.String()}
				if now[n].known {
					change.Is = now[n].decimal().Decimal.String()
				}
				return change
			}
		}
	}
	return nil
}

// changedAction returns the first action up to the day of a stamp that is another now, or gone; nil if there is none.
func changedAction(was, is []Action, asOf Stamp) *ChangedError {
	for _, a := range was {
		if a.Date > asOf.Day() || slices.ContainsFunc(is, a.Equal) {
			continue
		}
		change := &ChangedError{Stamp: a.Date, Figure: string(a.Kind), Was: a.what()}
		if i := slices.IndexFunc(is, func(b Action) bool { return a.Compare(b) == 0 }); i >= 0 {
			change.Is = is[i].what()
		}
		return change
	}
	return nil
}

// what is what an action does, without its kind.
func (a Action) what() string {
	switch {
	case a.Kind == Split:
		return a.Ratio.String()
	case a.Kind == Rename:
		return a.To
	case a.Amount.Valid:
		return a.Amount.Decimal.String()
	}
	return "at the last close"
}

// digest stands for the figures that were shown of a series as of a stamp.
type digest struct {
	asOf Stamp
	sum  uint64
}

func digestOf(bars []packedBar, period time.Duration, asOf Stamp) digest {
	w, sum, text := window{asOf: asOf, period: period}, xxhash.New(), []byte(nil)
	for i := range bars {
		figures := w.shown(&bars[i])
		if figures == nil {
			break
		}
		text = append(text[:0], bars[i].stamp...)
		for n, f := range figures {
			if f = f.plain(); f.known {
				text = append(text, byte(n), byte(f.exponent))
				text = binary.LittleEndian.AppendUint64(text, uint64(f.coefficient))
			}
		}
		_, _ = sum.Write(text) // which never fails
	}
	return digest{asOf, sum.Sum64()}
}

// plain is the number without zeros at its end, so that equal ones are the same.
func (n packedDecimal) plain() packedDecimal {
	for n.coefficient != 0 && n.coefficient%10 == 0 {
		n.coefficient /= 10
		n.exponent++
	}
	if n.coefficient == 0 {
		n.exponent = 0
	}
	return n
}
