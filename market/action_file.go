package market

// This file reads an actions file: one JSON object a line.
//
//	{"date": "2025-06-10", "symbol": "ORLY", "split": "15:1"}
//	{"date": "2025-08-11", "symbol": "AAPL", "dividend": 0.26}
//	{"date": "2022-06-09", "symbol": "FB", "rename": "META"}
//	{"date": "2025-07-01", "symbol": "DEAD", "delist": true, "price": 0.1}

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/internal/strict"
)

// maxActionsFile bounds an actions file, in bytes.
const maxActionsFile = 16 << 20

// actionsFile is an actions file that was read.
type actionsFile struct {
	path  string
	state os.FileInfo
}

// readActions returns the actions of a file, and the state in which they were read. An error names the file and the line.
func readActions(path string) ([]Action, os.FileInfo, error) {
	stat, err := os.Stat(path) // opening a pipe may wait for ever
	switch {
	case err != nil:
		return nil, nil, err
	case !stat.Mode().IsRegular() || stat.Size() > maxActionsFile:
		return nil, nil, fmt.Errorf("%s is no actions file, which is a regular file of at most %d bytes", path, maxActionsFile)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	state, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxActionsFile))
	if err != nil {
		return nil, nil, err
	}
	actions, err := ParseActions(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s:%w", path, err)
	}
	return actions, state, nil
}

// ParseActions reads the text of an actions file. The actions are in the order in which they are applied. An error begins with the line.
func ParseActions(text []byte) ([]Action, error) {
	actions, lines := []Action{}, map[[3]string]int{} // of day, symbol and kind
	number := 0
	for line := range bytes.Lines(bytes.TrimPrefix(text, []byte("\ufeff"))) {
		number++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		a, err := parseAction(line)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", number, err)
		}
		key := [3]string{string(a.Date), a.Symbol, string(a.Kind)}
		if a.Kind == Delisting {
			key[2] = string(Rename) // what is delisted has no other name
		}
		if first, twice := lines[key]; twice {
			i := slices.IndexFunc(actions, func(b Action) bool { return a.Equal(b) })
			if i < 0 {
				return nil, fmt.Errorf("%d: %s has another %s on %s in line %d; leave one of the two", number, a.Symbol, a.Kind, a.Date, first)
			}
			continue
		}
		lines[key] = number
		actions = append(actions, a)
	}
	slices.SortFunc(actions, Action.Compare)
	return actions, nil
}

var actionKeys = []string{"date", "symbol", "split", "dividend", "rename", "delist", "price"}

// parseAction reads a line.
func parseAction(line []byte) (a Action, err error) {
	var kinds []string
	price := false
	err = strict.Object(line, func(key, value []byte) (err error) {
		switch name := string(key); name {
		case "date":
			a.Date, err = parseDay(value)
		case "symbol":
			a.Symbol, err = parseSymbol(value)
		case "split":
			kinds, a.Kind = append(kinds, name), Split
			text, _ := strict.Text(value)
			if a.Ratio, err = ParseRatio(text); err != nil {
				err = fmt.Errorf("%.40s %w", value, err)
			}
		case "dividend":
			kinds, a.Kind = append(kinds, name), Dividend
			a.Amount, err = parseMoney(value, false)
		case "rename":
			kinds, a.Kind = append(kinds, name), Rename
			a.To, err = parseSymbol(value)
		case "delist":
			if kinds, a.Kind = append(kinds, name), Delisting; string(value) != "true" {
				err = fmt.Errorf("%.40s is not true", value)
			}
		case "price":
			price = true
			a.Amount, err = parseMoney(value, true)
		default:
			return unknownKey(key, "an action has", actionKeys)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", key, err)
		}
		return err
	})
	switch {
	case err != nil:
		return a, err
	case a.Date == "" || a.Symbol == "":
		return a, errors.New(`"date" or "symbol" is missing`)
	case len(kinds) != 1:
		return a, fmt.Errorf("%d actions in a line; write one of split, dividend, rename and delist", len(kinds))
	case price && a.Kind != Delisting:
		return a, fmt.Errorf(`a %s has no "price"; that of a delisting has one`, a.Kind)
	case a.Kind == Rename && strings.EqualFold(a.To, a.Symbol):
		return a, fmt.Errorf("%s is renamed to itself; name another symbol", a.Symbol)
	case a.Kind == Rename && Of(a.To) != Of(a.Symbol):
		return a, fmt.Errorf("%s is renamed to %s, a symbol of another market", a.Symbol, a.To)
	}
	return a, nil
}

func parseDay(value []byte) (Stamp, error) {
	text, _ := strict.Text(value)
	stamp, err := ParseStamp(text)
	if err != nil || !stamp.IsDay() || string(stamp) != text {
		return "", fmt.Errorf("%.40s is not a day; write it as \"2025-06-10\"", value)
	}
	return stamp, nil
}

func parseSymbol(value []byte) (string, error) {
	text, ok := strict.Text(value)
	if !ok {
		return "", fmt.Errorf("%.40s is not a symbol", value)
	}
	if err := CheckSymbol(text); err != nil {
		return "", err
	}
	return text, nil
}

// ParseRatio reads the ratio of a split, "15:1".
func ParseRatio(text string) (Ratio, error) {
	is, was, two := strings.Cut(text, ":")
	a, errA := strconv.ParseUint(is, 10, 32)
	b, errB := strconv.ParseUint(was, 10, 32)
	r, ok := Ratio{int64(a), int64(b)}.reduced()
	if !two || errA != nil || errB != nil || !ok || r == (Ratio{1, 1}) {
		return Ratio{}, errors.New(`is not a ratio; write "15:1" for 15 new shares in place of one, "1:10" for one in place of 10`)
	}
	return r, nil
}

// parseMoney reads an amount of money for a share.
func parseMoney(value []byte, zeroToo bool) (m decimal.NullDecimal, err error) {
	if len(value) == 0 || value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return m, fmt.Errorf("%.40s is not a number", value)
	}
	n, err := rawNumber(value).pack(zeroToo)
	if err != nil {
		least := "above 0"
		if zeroToo {
			least = "0 or more"
		}
		return m, fmt.Errorf("%.40s %w; write the money for one share, %s", value, err, least)
	}
	return n.decimal(), nil
}
