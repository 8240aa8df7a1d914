package market

// This file holds the errors of the market, and the warnings for operators.

import (
	"cmp"
	"fmt"

	"mcp-trade/code"
)

// UnknownSymbolError says that no such symbol exists as of the view.
type UnknownSymbolError struct {
	Symbol     string   // as the caller gave it, without the space around it
	DidYouMean []string // visible symbols that may have been meant, the likely ones first, at most 5
}

func (e *UnknownSymbolError) Error() string {
	return fmt.Sprintf("Symbol %s not found! This action will not be allowed.", e.Symbol)
}

func (e *UnknownSymbolError) Code() code.Code { return code.UnknownSymbol }

func (e *UnknownSymbolError) Details() map[string]any {
	return map[string]any{"symbol": e.Symbol, "did_you_mean": e.DidYouMean}
}

// NoPriceError says that the symbol exists as of the view but has no bar, or
// not the price asked for, at the stamp.
type NoPriceError struct {
	Symbol  string
	At      Stamp
	Nearest Stamp // the newest visible bar before At, "" if there is none
	First   Stamp // then, the first visible bar after At, "" if there is none
}

func (e *NoPriceError) Error() string {
	switch {
	case e.Nearest == "" && e.First != "":
		return fmt.Sprintf("%s has no price at %s, and none before it; its first bar is %s", e.Symbol, e.At, e.First)
	case e.Nearest == "":
		return fmt.Sprintf("%s has no price at %s, and none before it", e.Symbol, e.At)
	}
	return fmt.Sprintf("%s has no price at %s; its newest bar before that is %s", e.Symbol, e.At, e.Nearest)
}

func (e *NoPriceError) Code() code.Code { return code.NoPrice }

func (e *NoPriceError) Details() map[string]any {
	return map[string]any{"symbol": e.Symbol, "date": e.At, "nearest_date": cmp.Or(e.Nearest, e.First)}
}

// NotYetError says that the caller asked for a stamp after that of the view.
type NotYetError struct{ At, AsOf Stamp }

func (e *NotYetError) Error() string {
	return fmt.Sprintf("%s is not yet known: it is %s now", e.At, e.AsOf)
}

func (e *NotYetError) Code() code.Code { return code.NotYet }

func (e *NotYetError) Details() map[string]any {
	return map[string]any{"date": e.At, "today_date": e.AsOf}
}

// DamagedError says that the series of a symbol cannot be read, because its
// line is broken or the file was changed underneath. It stays until the files
// are opened again.
type DamagedError struct {
	Symbol string
	File   string
	Line   int // from 1
	Err    error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("prices of %s cannot be read (%s:%d): %v", e.Symbol, e.File, e.Line, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

func (e *DamagedError) Code() code.Code { return code.NoPrice }

func (e *DamagedError) Details() map[string]any { return map[string]any{"symbol": e.Symbol} }

// RefreshError says why the files are not taken as they are now. What was read before stays in force.
type RefreshError struct{ Err error }

func (e *RefreshError) Error() string {
	return e.Err.Error() + ". The prices that were read before stay in force; put the file right, or start again to take it as it is"
}

func (e *RefreshError) Unwrap() error { return e.Err }

func (e *RefreshError) Code() code.Code { return code.PricesChanged }

// Details are none: a change may be of a bar that the caller does not know yet.
func (e *RefreshError) Details() map[string]any { return nil }

// ChangedError says that a figure which was shown is another now.
type ChangedError struct {
	Symbol  string
	Stamp   Stamp  // of the bar, or the day of the action
	Figure  string // open, high, low, close, volume or the kind of an action; "" where it is only known that something up to the stamp changed
	Was, Is string // Is is "" if it is gone
	File    string
	Line    int // from 1; 0 if the symbol is gone
}

func (e *ChangedError) Error() string {
	place, is := e.File, e.Is+" now"
	if e.Line > 0 {
		place = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.Is == "" {
		is = "gone now"
	}
	if e.Figure == "" {
		return fmt.Sprintf("%s: a figure up to %s is another than it was shown, in %s; the file was rewritten in place, so which one is not known", e.Symbol, e.Stamp, place)
	}
	return fmt.Sprintf("%s %s: the %s was %s and is %s, in %s", e.Symbol, e.Stamp, e.Figure, e.Was, is, place)
}

// Warning is a fault in a price file. The rest of the file is still served.
type Warning struct {
	File    string `json:"file"`             // "" if the warning is about no single place
	Line    int    `json:"line,omitempty"`   // from 1; 0 if it is about no single line
	Symbol  string `json:"symbol,omitempty"` // "" if it is about none
	At      string `json:"at,omitempty"`     // the bar, or the first of them, as a stamp or as the file writes it; "" if it is about none
	Problem string `json:"problem"`          // in words that name symbol and bar
}

func (w Warning) String() string {
	if w.Line == 0 {
		return w.Problem
	}
	return fmt.Sprintf("%s:%d: %s", w.File, w.Line, w.Problem)
}

const maxWarnings = 100

// warningList keeps the first warnings and counts the others, so that a damaged
// file cannot fill the memory.
type warningList struct {
	kept []Warning
	more int
}

func (l *warningList) add(w Warning) {
	if len(l.kept) == maxWarnings {
		l.more++
		return
	}
	l.kept = append(l.kept, w)
}

func (l *warningList) addAll(other warningList) {
	for _, w := range other.kept {
		l.add(w)
	}
	l.more += other.more
}

func (l *warningList) list() []Warning {
	all := append([]Warning(nil), l.kept...)
	if l.more > 0 {
		all = append(all, Warning{Problem: fmt.Sprintf("%d more problems are not listed", l.more)})
	}
	return all
}
