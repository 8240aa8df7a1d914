package market

// This file has corporate actions: what they are, and their order.

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"mcp-trade/decimal"
)

// ActionKind is what a corporate action does. The actions of a symbol on a day come in the order of the kinds: a dividend is paid on the
// shares from before a split.
type ActionKind string

const (
	Dividend  ActionKind = "dividend"
	Split     ActionKind = "split"
	Rename    ActionKind = "rename"
	Delisting ActionKind = "delist"
)

var actionKinds = [...]ActionKind{Dividend, Split, Rename, Delisting}

func (k ActionKind) order() int { return slices.Index(actionKinds[:], k) }

// Action is a corporate action.
type Action struct {
	Date   Stamp // the ex day: holders of the evening before get it
	Symbol string
	Kind   ActionKind
	Ratio  Ratio               // of a split
	Amount decimal.NullDecimal // of money for a share, of a dividend and of a delisting; null where no price of a delisting is stated
	To     string              // the new symbol of a rename
}

// Compare orders actions by day, symbol and kind, as they are applied.
func (a Action) Compare(b Action) int {
	return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Kind.order(), b.Kind.order()))
}

// String is what happened, as a sentence without its full stop: "ORLY: split 15:1 on 2025-06-10".
func (a Action) String() string {
	switch a.Kind {
	case Split:
		return fmt.Sprintf("%s: split %s on %s", a.Symbol, a.Ratio, a.Date)
	case Dividend:
		return fmt.Sprintf("%s: dividend of %s a share on %s", a.Symbol, a.Amount.Decimal, a.Date)
	case Rename:
		return fmt.Sprintf("%s: renamed to %s on %s", a.Symbol, a.To, a.Date)
	case Delisting:
		if a.Amount.Valid {
			return fmt.Sprintf("%s: delisted on %s at %s a share", a.Symbol, a.Date, a.Amount.Decimal)
		}
	}
	return fmt.Sprintf("%s: delisted on %s at its last close", a.Symbol, a.Date)
}

// Equal tells whether two actions are the same.
func (a Action) Equal(b Action) bool {
	return a.Compare(b) == 0 && a.Ratio == b.Ratio && a.To == b.To && a.Amount.Valid == b.Amount.Valid && a.Amount.Decimal.Equal(b.Amount.Decimal)
}

// Ratio is how many new shares there are for how many old ones.
type Ratio struct{ Is, Was int64 }

func (r Ratio) String() string { return fmt.Sprintf("%d:%d", r.Is, r.Was) }

func (r Ratio) float() float64 { return float64(r.Is) / float64(r.Was) }

// after is what a price comes to by the action.
func (a Action) after(price float64) float64 {
	switch a.Kind {
	case Split:
		return price / a.Ratio.float()
	case Dividend:
		return price - a.Amount.Decimal.InexactFloat64()
	}
	return price
}

// maxRatio bounds both sides of a ratio.
const maxRatio = 1_000_000

// reduced is the ratio in its smallest numbers; ok is false if a side is not from 1 to maxRatio.
func (r Ratio) reduced() (_ Ratio, ok bool) {
	if r.Is < 1 || r.Was < 1 {
		return r, false
	}
	a, b := r.Is, r.Was
	for b != 0 {
		a, b = b, a%b
	}
	r = Ratio{r.Is / a, r.Was / a}
	return r, r.Is <= maxRatio && r.Was <= maxRatio
}

// ratioOfCoefficient is the ratio that a split coefficient stands for, c with so many of its digits behind the point. Coefficients are
// decimals: 0.0667 is 1:15, rounded.
func ratioOfCoefficient(c int64, places int) (Ratio, bool) {
	value := float64(c) * math.Pow10(-places)
	for ; places < 0; places++ {
		if c > maxRatio {
			return Ratio{}, false
		}
		c *= 10
	}
	exact, ok := Ratio{c, int64(math.Pow10(min(places, 18)))}.reduced()
	const small = 100 // as both sides of real splits are
	if ok && exact.Was <= small || places < 3 {
		return exact, ok
	}
	half := 0.5 * math.Pow10(-places)
	for was := int64(2); was <= small; was++ {
		is := math.Round(value * float64(was))
		if is >= 1 && math.Abs(is/float64(was)-value) <= half*(1+1e-9) {
			return Ratio{int64(is), was}.reduced()
		}
	}
	return exact, ok
}

// merged are the actions of a price file's rows, with those of an actions file in place of the ones of the same day and kind.
func merged(rows, told []Action) []Action {
	all := slices.Clone(told)
	for _, a := range rows {
		if !slices.ContainsFunc(told, func(t Action) bool { return t.Compare(a) == 0 }) {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, Action.Compare)
	return all
}
