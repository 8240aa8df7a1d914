// The values: what can be one, and how each is spelled.

package session

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"mcp-trade/market"
	"mcp-trade/store"
)

var valueName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`) })

// checkValue refuses a value that a reader would refuse.
func checkValue(name string, v any) error {
	if !valueName().MatchString(name) {
		return fmt.Errorf("%q cannot be the name of a session value: use capital letters, digits and '_'; known are %s", name, strings.Join(Names, ", "))
	}
	text := fmt.Sprint(v)
	switch name {
	case Signature:
		return store.CheckName("signature", text)
	case TodayDate:
		_, err := market.ParseStamp(text)
		return err
	case IfTrade, Halt:
		if !slices.Contains([]string{"true", "false"}, text) {
			return fmt.Errorf("%s is %q; use true or false", name, text)
		}
	}
	return nil
}

// ParseValue returns the value to store for a text given by a person: a bool where the name stands for one, a date in the form
// that every reader knows, else the text.
func ParseValue(name, text string) any {
	switch name {
	case TodayDate:
		if stamp, err := market.ReadStamp(text); err == nil {
			return string(stamp)
		}
	case IfTrade, Halt:
		switch strings.ToLower(text) {
		case "true", "1", "yes":
			return true
		case "false", "0", "no":
			return false
		}
	}
	return text
}

// textOf returns the text of a stored value: JSON strings are unquoted, everything else is taken as it is written, so
// that a signature of digits stays the text it is.
func textOf(raw string) string {
	var text string
	if json.Unmarshal([]byte(raw), &text) == nil {
		return text
	}
	return raw
}

// Halted tells whether values, as they are stored, halt a model, and whether they halt all.
func Halted(values map[store.Key]string, model string) (own, all bool) {
	of := func(model string) bool { return truth(textOf(values[store.Key{Model: model, Name: Halt}])) }
	return of(model), of(store.AllModels)
}

// truth reads a flag as the writers of sessions spell it.
func truth(text string) bool {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "1", "yes":
		return true
	}
	return false
}
