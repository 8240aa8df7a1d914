// Notes in the local store on its own values: which missed the shared store, and which sessions they replaced.

package session

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"mcp-trade/market"
	"mcp-trade/store"
)

// NotesName is the key in the local store under which notes on its values stand, beside the values. Other programs pass over
// it, and keep it when they write it anew. No value can have this name.
const NotesName = "mcp_trade"

// notes say which values of the local store are newer than those in the shared store. The age of values without notes is unknown.
type notes struct {
	// Missed are the values that were set while the shared store could not be written, as they were set. Only the value that still
	// stands in the local store counts: another program may have set its own since.
	Missed map[string]json.RawMessage `json:"missed,omitempty"`
	// Replaced are the sessions that stood in the local store before a missed SIGNATURE or TODAY_DATE replaced them, and since then:
	// the older sessions that the shared store may hold.
	Replaced []tradingDay `json:"replaced,omitempty"`
	// HaltOf is the name of the shared store if HALT is a copy of the halt there.
	HaltOf Source `json:"halt_of,omitempty"`
}

// tradingDay is an account and a date, "" for what is not set.
type tradingDay struct {
	Signature string `json:"SIGNATURE"`
	Today     string `json:"TODAY_DATE"`
}

// tradingDayOf reads an account and a date from values as they are stored.
func tradingDayOf(signature, today string) tradingDay {
	s := tradingDay{textOf(signature), textOf(today)}
	if stamp, err := market.ParseStamp(s.Today); err == nil {
		s.Today = string(stamp)
	}
	return s
}

// of tells whether a trading day may be what is left of another one.
func (s tradingDay) of(other tradingDay) bool {
	return (s.Signature == "" || s.Signature == other.Signature) && (s.Today == "" || s.Today == other.Today)
}

func notesKey(model string) store.Key { return store.Key{Model: model, Name: NotesName} }

// readNotes reads the notes of a model's local values and leaves out those on values that are no longer there. It also returns the
// text of all of them.
func readNotes(model string, held map[store.Key]string) (n notes, whole string, err error) {
	raw := held[notesKey(model)]
	if raw == "" {
		return n, "", nil
	}
	if err := json.Unmarshal([]byte(raw), &n); err != nil {
		return n, "", err
	}
	whole = n.text()
	maps.DeleteFunc(n.Missed, func(name string, missed json.RawMessage) bool {
		return textOf(held[store.Key{Model: model, Name: name}]) != textOf(string(missed))
	})
	if !truth(textOf(held[store.Key{Model: model, Name: Halt}])) {
		n.HaltOf = ""
	}
	n.reach()
	return n, whole, nil
}

// missed tells whether a value did not reach the shared store.
func (n *notes) missed(name string) bool { return n.Missed[name] != nil }

// miss notes that a value did not reach the shared store.
func (n *notes) miss(name, raw string) {
	if n.Missed == nil {
		n.Missed = map[string]json.RawMessage{}
	}
	if !json.Valid([]byte(raw)) {
		quoted, _ := json.Marshal(raw) // a string always marshals
		raw = string(quoted)
	}
	n.Missed[name] = json.RawMessage(raw)
}

// reach notes that the shared store holds values, or does not need them.
func (n *notes) reach(names ...string) {
	for _, name := range names {
		delete(n.Missed, name)
	}
	if !n.missedSitting() {
		n.Replaced = nil
	}
}

func (n *notes) missedSitting() bool { return n.missed(Signature) || n.missed(TodayDate) }

// over returns a trading day with what was missed in its place.
func (n *notes) over(s tradingDay) tradingDay {
	missed := tradingDayOf(string(n.Missed[Signature]), string(n.Missed[TodayDate]))
	return tradingDay{cmp.Or(missed.Signature, s.Signature), cmp.Or(missed.Today, s.Today)}
}

// maxReplaced bounds how many sessions are remembered as replaced: the first, which the shared store held for certain, and the
// newest.
const maxReplaced = 16

// replace notes a session whose place one takes that misses the shared store.
func (n *notes) replace(before tradingDay) {
	if before == (tradingDay{}) || slices.Contains(n.Replaced, before) {
		return
	}
	if n.Replaced = append(n.Replaced, before); len(n.Replaced) > maxReplaced {
		n.Replaced = slices.Delete(n.Replaced, 1, 2)
	}
}

// text is the notes as they are stored, "" if there are none.
func (n *notes) text() string {
	if len(n.Missed) == 0 && n.HaltOf == "" {
		return ""
	}
	text, _ := json.Marshal(n) // raw values are valid JSON
	return string(text)
}

// clone returns a copy that shares no memory that changes.
func (n notes) clone() notes {
	n.Missed, n.Replaced = maps.Clone(n.Missed), slices.Clone(n.Replaced)
	return n
}
