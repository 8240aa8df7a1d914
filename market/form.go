package market

// This file says what a symbol may be written as. Symbols go into the prompts of models, into ledgers and tables, so anything else
// is no symbol, and the line that has it is damaged.

import (
	"fmt"
	"strconv"
	"strings"
)

// maxSymbol is how long a symbol may be, in bytes.
const maxSymbol = 32

const (
	symbolLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	symbolMarks   = ".-_=^/:&"
)

// reservedSymbol is the name of money in ledgers.
const reservedSymbol = "CASH"

// InText is a symbol as it stands in a text that people or models read. One that is not written as a symbol is, which a ledger or an older
// file may have, is quoted and cut there: whatever it says is no line of its own.
func InText(symbol string) string {
	if CheckSymbol(symbol) == nil {
		return symbol
	}
	const longest = 40 // characters, before they are quoted
	if text := []rune(symbol); len(text) > longest {
		symbol = string(text[:longest]) + "…"
	}
	return strconv.Quote(symbol)
}

// CheckSymbol returns an error if the text is not written as a symbol is: letters A to Z, digits and .-_=^/:& only, at most 32,
// a letter, a digit or ^ first; and not CASH, which is the name of money in ledgers.
func CheckSymbol(text string) error {
	switch {
	case text == "":
		return fmt.Errorf("no symbol")
	case strings.Trim(text, symbolLetters+symbolMarks) != "" || !strings.ContainsAny(text[:1], symbolLetters+"^"):
		return fmt.Errorf("%.40q is not written as a symbol: it may have letters A to Z, digits and %s, a letter, a digit or ^ first", text, symbolMarks)
	case len(text) > maxSymbol:
		return fmt.Errorf("the symbol %.40q is longer than %d characters", text, maxSymbol)
	case strings.EqualFold(text, reservedSymbol):
		return fmt.Errorf("%s cannot be a symbol: it is the name of money in ledgers", text)
	}
	return nil
}
