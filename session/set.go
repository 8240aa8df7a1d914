// Writing the session: to the shared store and the local store, or to the local store alone with a note that the shared store
// missed it.

package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"mcp-trade/store"
)

// Reach tells how far a write got in the shared store.
type Reach string

// The reaches.
const (
	NoShared Reach = "none"    // none is configured
	Reached  Reach = "reached" // it has what was written
	Missed   Reach = "missed"  // it may have none, some or all of it
)

// Set writes values, each as text or as a bool, to the shared store, if one is configured, and to the local store. A value that
// misses the shared store is noted as missed in the local store. It counts before the older one in the shared store, which is
// corrected as soon as the shared store can be written. A miss is a warning; for a halt it is an error, because the halt may not
// hold on other machines yet.
func (l *Resolver) Set(ctx context.Context, values map[string]any) error {
	_, err := l.Write(ctx, values)
	return err
}

// Write is Set, and returns the backends that the values reached.
func (l *Resolver) Write(ctx context.Context, values map[string]any) (reached []Source, err error) {
	raw := make(map[string]string, len(values))
	for name, v := range values {
		if err := checkValue(name, v); err != nil {
			return nil, err
		}
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		raw[name] = string(text)
	}
	strict := ""
	if halt, is := raw[Halt]; is && truth(halt) {
		strict = fmt.Sprintf("only the %s of this machine was changed, and %s gets HALT when it is back", l.local(), l.shared().Title())
	} else if is {
		strict = "HALT is lifted everywhere or nowhere, and stands as it stood"
	}
	names := slices.Sorted(maps.Keys(raw))
	return l.writeBoth(ctx, strict, names, func() error { return l.setInShared(ctx, l.keyed(raw)) },
		func(held map[store.Key]string, r Reach) map[store.Key]string {
			return AfterSet(l.Model, l.shared(), held, raw, r)
		})
}

// Clear removes values from the shared store, if one is configured, and from the local store, and returns the backends that it
// reached. It is an error if one of the two is missed.
func (l *Resolver) Clear(ctx context.Context, names ...string) (reached []Source, err error) {
	keys := make([]store.Key, len(names))
	for i, name := range names {
		keys[i] = store.Key{Model: l.Model, Name: name}
	}
	strict := fmt.Sprintf("only the %s of this machine was changed", l.local())
	if slices.Contains(names, Halt) {
		strict = "HALT is lifted everywhere or nowhere, and stands as it stood"
	}
	return l.writeBoth(ctx, strict, names, func() error { return l.Shared.ClearValues(ctx, keys...) },
		func(held map[store.Key]string, r Reach) map[store.Key]string {
			return AfterClear(l.Model, held, names, r)
		})
}

// writeBoth changes the shared store and the local store as one step for every other writer of this machine. A failure of one
// backend does not keep the other from being changed. A miss of the shared store is an error if strict is not empty, and strict
// says what that means.
func (l *Resolver) writeBoth(ctx context.Context, strict string, names []string, inShared func() error, after func(map[store.Key]string, Reach) map[store.Key]string) (reached []Source, err error) {
	reach, tried := NoShared, false
	var missed error
	try := func() {
		if l.Shared == nil {
			return
		}
		reach, tried = Reached, true
		if missed = inShared(); missed != nil {
			reach = Missed
		}
	}
	own, _ := l.localKeys(names)
	err = l.Local.ChangeValues(ctx, own, func(held map[store.Key]string) map[store.Key]string {
		try()
		return after(held, reach)
	})
	if err != nil && !tried {
		try()
	}
	if reach == Reached {
		reached = append(reached, l.shared())
	}
	switch {
	case err != nil && missed != nil:
		return reached, fmt.Errorf("%w; %w", err, missed)
	case err != nil:
		return reached, err
	}
	reached = append(reached, l.local())
	l.mu.Lock()
	told := l.missing
	l.missing = missed != nil
	l.mu.Unlock()
	switch {
	case missed == nil:
		return reached, nil
	case strict != "":
		return reached, fmt.Errorf("%w; %s", missed, strict)
	case !told:
		l.Warn(fmt.Sprintf("%v; the session is written to its %s only, and %s gets it when it is back", missed, l.local(), l.shared().Title()))
	}
	return reached, nil
}

// setInShared sets values. A halt does not expire: it lasts until it is cleared.
func (l *Resolver) setInShared(ctx context.Context, values map[store.Key]string) error {
	halts, others := halts(values)
	if len(halts) > 0 {
		if err := l.Shared.SetValues(ctx, halts, 0); err != nil {
			return err
		}
	}
	if len(others) == 0 {
		return nil
	}
	return l.Shared.SetValues(ctx, others, l.TTL)
}

// halts splits values into HALT, which does not expire, and the others.
func halts(values map[store.Key]string) (halts, others map[store.Key]string) {
	halts, others = map[store.Key]string{}, map[store.Key]string{}
	for k, raw := range values {
		if k.Name == Halt {
			halts[k] = raw
		} else {
			others[k] = raw
		}
	}
	return halts, others
}

// AfterSet returns the changes of a model's local values after values were set: the values that change, "" for one to remove, and the
// notes on them. held is what the local store held, notes included. A halt is not lifted in the local store alone.
func AfterSet(model string, shared Source, held map[store.Key]string, values map[string]string, r Reach) map[store.Key]string {
	n, _, _ := readNotes(model, held) // what cannot be read is written anew
	key := func(name string) store.Key { return store.Key{Model: model, Name: name} }
	before := tradingDayOf(held[key(Signature)], held[key(TodayDate)])
	changes := map[store.Key]string{}
	for name, raw := range values {
		halts := name == Halt && truth(textOf(raw))
		if name == Halt {
			if r == Missed && !halts {
				continue
			}
			n.HaltOf = ""
			if r == Reached && halts {
				n.HaltOf = shared
			}
		}
		changes[key(name)] = raw
		if r == Missed {
			n.miss(name, raw)
		} else {
			n.reach(name)
		}
	}
	if r == Missed && (values[Signature] != "" || values[TodayDate] != "") {
		n.replace(before)
	}
	changes[notesKey(model)] = n.text()
	return changes
}

// AfterClear is [AfterSet] for values that were removed.
func AfterClear(model string, held map[store.Key]string, names []string, r Reach) map[store.Key]string {
	n, _, _ := readNotes(model, held)
	changes := map[store.Key]string{}
	for _, name := range names {
		if name == Halt && r == Missed {
			continue
		}
		n.reach(name)
		changes[store.Key{Model: model, Name: name}] = ""
		if name == Halt {
			n.HaltOf = ""
		}
	}
	changes[notesKey(model)] = n.text()
	return changes
}

// sharedBackend is the shared store as the backend of a commit's guard. A value that cannot be set after the commit is noted as
// missed in the file.
type sharedBackend struct {
	store.Sessions
	resolver *Resolver
}

// Prolong implements [store.Sessions]. If the shared store cannot prolong the values, that is a warning: the trade itself has not
// failed.
func (h *sharedBackend) Prolong(ctx context.Context, ttl time.Duration, keys ...store.Key) error {
	if err := h.Sessions.Prolong(ctx, ttl, keys...); err != nil {
		h.resolver.warnOnce(fmt.Sprintf("%v; the session in %s ends when it would have ended without the trade", err, h.resolver.shared().Title()))
	}
	return nil
}

// SetValues implements [store.Sessions].
func (h *sharedBackend) SetValues(ctx context.Context, values map[store.Key]string, ttl time.Duration) error {
	err := h.Sessions.SetValues(ctx, values, ttl)
	if err == nil {
		return nil
	}
	raw := map[string]string{}
	for k, v := range values {
		raw[k.Name] = v
	}
	own, _ := h.resolver.localKeys(slices.Collect(maps.Keys(raw)))
	return errors.Join(err, h.resolver.Local.ChangeValues(context.WithoutCancel(ctx), own, func(held map[store.Key]string) map[store.Key]string {
		return AfterSet(h.resolver.Model, h.resolver.shared(), held, raw, Missed)
	}))
}

func (l *Resolver) keyed(raw map[string]string) map[store.Key]string {
	values := make(map[store.Key]string, len(raw))
	for name, text := range raw {
		values[store.Key{Model: l.Model, Name: name}] = text
	}
	return values
}

func namesOf(values map[store.Key]string) []string {
	var names []string
	for k := range values {
		names = append(names, k.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
