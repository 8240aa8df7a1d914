// What changed between two values of JSON, so that a viewer who has the old one need not be sent the new one.

package page

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// A patch is null where nothing changed, ["=", value] where a value is replaced, and else ["~", {key: patch}, length, tail]: the changes
// of an object by key, ["-"] for a key that is gone, or those of a list by place, with its length before a tail is appended to it. The
// script applies it, see data.js.
type patch []any

// newPatch compares two texts of JSON that [encoding/json] wrote.
func newPatch(before, after json.RawMessage) patch {
	if bytes.Equal(before, after) {
		return nil
	}
	if len(before) > 0 && len(after) > 0 && before[0] == after[0] {
		switch before[0] {
		case '{':
			var old, now map[string]json.RawMessage
			if json.Unmarshal(before, &old) == nil && json.Unmarshal(after, &now) == nil {
				return objectPatch(old, now)
			}
		case '[':
			var old, now []json.RawMessage
			if json.Unmarshal(before, &old) == nil && json.Unmarshal(after, &now) == nil {
				return listPatch(old, now)
			}
		}
	}
	return patch{"=", after}
}

func objectPatch(old, now map[string]json.RawMessage) patch {
	changes := map[string]patch{}
	for key, value := range now {
		if p := newPatch(old[key], value); p != nil {
			changes[key] = p
		}
	}
	for key := range old {
		if _, ok := now[key]; !ok {
			changes[key] = patch{"-"}
		}
	}
	return patch{"~", changes}
}

func listPatch(old, now []json.RawMessage) patch {
	changes, common := map[string]patch{}, min(len(old), len(now))
	for i := range common {
		if p := newPatch(old[i], now[i]); p != nil {
			changes[strconv.Itoa(i)] = p
		}
	}
	return patch{"~", changes, common, now[common:]}
}
