// Deciding what the session is, from what its backends hold. The functions here are pure: they read and write no backend.

package session

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"mcp-trade/market"
	"mcp-trade/store"
)

// Backends is what the backends of a model's session hold at one moment.
type Backends struct {
	Shared *Backend // nil: none is configured
	Local  Backend
	Env    func(name string) (string, bool) // looks up an environment variable
	EnvOf  func(name string) Source         // where it found one; nil: [FromEnvironment]
}

// Backend is what one backend answered: the values that are set, as they are stored, or why it could not be read. The values are
// those of the model and HALT of [store.AllModels]; of the local store also the notes of both.
type Backend struct {
	Name   Source
	Values map[store.Key]string
	Err    error
}

// Seen is what a process knows of a session from its own readings. The zero Seen is that of a process that has read none.
type Seen struct {
	Signature string // "" before the first reading
	Today     market.Stamp
	Shared    bool // the session was once read from the shared store

	// The shared store held a halt of this model, or of all, when it was last read, and the local store may have no copy of it.
	Halted, AllHalted bool
}

// Loss is what keeps the shared store, though configured, from being the backend of the session.
type Loss string

// The losses.
const (
	NoLoss      Loss = ""
	Unreachable Loss = "unreachable" // it cannot be read
	Forgotten   Loss = "forgotten"   // it answers, and holds nothing of the session that it held
)

// Decision is the outcome of [Decide].
type Decision struct {
	Session Session // what is served, if Err is nil
	Err     error   // a *[MissingError], *[InvalidError] or *[UnreachableError]
	Seen    Seen    // what the process knows from now on
	Loss    Loss
	Guards  []Guard // of a commit in the session
	Lost    string  // tells of the loss, where the local store stands in

	// Local holds the values to set in the local store, "" for one to remove. Mend holds the values to set in the shared store
	// afterwards. After either step, the caller reads the backends and decides again.
	Local, Mend map[store.Key]string

	values map[string]Value
}

// changes are the values to set in any backend.
func (d *Decision) changes() map[store.Key]string {
	all := maps.Clone(d.Local)
	maps.Copy(all, d.Mend)
	return all
}

// Guard holds the values that one backend must still have when a trade is committed, and the values that the commit sets there.
type Guard struct {
	Home      Source
	Want, Set map[store.Key]string

	// Unread says that the backend could not be read. Such a guard expects the backend to be empty: if a commit reaches it and finds
	// values, the session has changed.
	Unread bool
}

// Decide says which backend counts, what its session is, and what must be corrected. The rules:
//
// The shared store is the backend if it answers and holds any value of the session but flags. What it holds is taken as it is,
// with one exception: a value that the local store notes as missed, because the shared store could not be written when it was set,
// comes before the older one in the shared store, and is set there. An account and a date in the shared store are older if they
// stood in the local store before, or were what the process last saw. Any other account and date may be older or newer than the
// missed ones, so neither is served until the session is set again. The local store without notes never comes before the shared
// store.
//
// Otherwise the local store is the backend. If the shared store cannot be read, or held the session and has lost it, the local
// store may only go on with what the process has seen: with the same account, on the same date or a later one. A process that has
// seen nothing may use it. With refuse, nothing is traded while the shared store cannot be read.
//
// A halt holds wherever it stands. One that is read in the shared store is copied into the local store, and the copy holds until
// the shared store is read without it. A shared store without any value of the session does not lift a halt: it has lost the halt
// too.
func Decide(model string, h Backends, seen Seen, refuse bool) Decision {
	j := judge{model: model, h: h, d: Decision{Seen: seen, Local: map[store.Key]string{}, Mend: map[store.Key]string{}, values: map[string]Value{}}}
	if err := j.readNotes(); err != nil {
		j.d.Err = unreachable(h.Local.Name, err)
		return j.d
	}
	if j.answered() {
		j.missed()
	}
	halted := j.halts()
	j.chooseBackend()
	j.lookup()
	for m, n := range j.notes {
		if text := n.text(); text != j.before[m] {
			j.d.Local[notesKey(m)] = text
		}
	}
	s, err := j.interpret()
	s.Halted = halted || truth(j.d.values[Halt].Text)
	if err == nil && refuse && j.d.Loss == Unreachable {
		s.NoTrade = unreachable(h.Shared.Name, fmt.Errorf("%w; %w", cause(h.Shared.Err), &RequiredError{h.Shared.Name}))
	}
	if j.d.Err = j.allow(s, err); j.d.Err == nil {
		j.d.Session, j.d.Guards = s, j.guards()
		j.d.Seen.Signature, j.d.Seen.Today = s.Signature, s.Today
		j.d.Seen.Shared = j.d.Seen.Shared || j.fromShared()
	}
	return j.d
}

// judge is a decision under way.
type judge struct {
	model  string
	h      Backends
	d      Decision
	notes  map[string]*notes // by model, as they are to be
	before map[string]string // the same as they are
	shared map[string]string // the session's values in the shared store as they are to be, by name
	source Source            // the backend

	conflict bool // the shared store holds an account or a date of unknown age in place of a missed one
}

func (j *judge) key(name string) store.Key { return store.Key{Model: j.model, Name: name} }

func (j *judge) answered() bool { return j.h.Shared != nil && j.h.Shared.Err == nil }

// fromShared tells whether the shared store is the one that counts.
func (j *judge) fromShared() bool { return j.h.Shared != nil && j.source == j.h.Shared.Name }

// models are those whose values concern the session.
func (j *judge) models() []string {
	if j.model == store.AllModels {
		return []string{j.model}
	}
	return []string{j.model, store.AllModels}
}

func (j *judge) readNotes() error {
	j.notes, j.before = map[string]*notes{}, map[string]string{}
	if j.h.Local.Err != nil {
		return j.h.Local.Err
	}
	for _, m := range j.models() {
		n, whole, err := readNotes(m, j.h.Local.Values)
		if err != nil {
			return fmt.Errorf("the notes under %q in the session %s of %q cannot be read (%w); remove them", NotesName, j.h.Local.Name, m, err)
		}
		j.notes[m], j.before[m] = &n, whole
	}
	return nil
}

// missed sets in the shared store the values that missed it, unless the shared store holds newer ones by now.
func (j *judge) missed() {
	j.shared = map[string]string{}
	for k, raw := range j.h.Shared.Values {
		if k.Model == j.model {
			j.shared[k.Name] = raw
		}
	}
	n := j.notes[j.model]
	names := slices.DeleteFunc(slices.Collect(maps.Keys(n.Missed)), func(name string) bool { return name == Halt })
	if !j.holds() {
		n.reach(names...) // The shared store holds no older value to replace
		return
	}
	if j.unknown(n) {
		j.conflict = true
		return
	}
	for _, name := range []string{Signature, TodayDate} {
		j.mend(n, name)
	}
	if !j.localAgrees() {
		n.reach(IfTrade) // the flag is of another day
	}
	for _, name := range names {
		if name != Signature && name != TodayDate {
			j.mend(n, name)
		}
	}
}

// mend adds a missed value to those to set in the shared store.
func (j *judge) mend(n *notes, name string) {
	if !n.missed(name) {
		return
	}
	raw := string(n.Missed[name])
	if textOf(j.shared[name]) == textOf(raw) {
		n.reach(name)
		return
	}
	j.shared[name], j.d.Mend[j.key(name)] = raw, raw
}

// unknown reports whether the shared store holds an account or a date of unknown age in place of one that missed it.
func (j *judge) unknown(n *notes) bool {
	if !n.missedSitting() {
		return false
	}
	there := j.there()
	known := append([]tradingDay{n.over(there), {j.d.Seen.Signature, string(j.d.Seen.Today)}}, n.Replaced...)
	return !slices.ContainsFunc(known, there.of)
}

// there returns the account and the date in the shared store.
func (j *judge) there() tradingDay { return tradingDayOf(j.shared[Signature], j.shared[TodayDate]) }

// localAgrees reports whether the local store has the account and the date that the shared store will have.
func (j *judge) localAgrees() bool {
	for _, name := range []string{Signature, TodayDate} {
		if textOf(j.shared[name]) != textOf(j.h.Local.Values[j.key(name)]) {
			return false
		}
	}
	return true
}

// holds reports whether the shared store holds any value of the session other than flags, which do not name an account.
func (j *judge) holds() bool {
	for name, raw := range j.shared {
		if name != IfTrade && name != Halt && raw != "" {
			return true
		}
	}
	return false
}

// halts reports whether a halt stands in the shared store or the local one, and copies the halts of the shared store to the local
// store.
func (j *judge) halts() bool {
	halted := false
	for _, m := range j.models() {
		seen := &j.d.Seen.Halted
		if m == store.AllModels {
			seen = &j.d.Seen.AllHalted
		}
		k, n := store.Key{Model: m, Name: Halt}, j.notes[m]
		inLocal := truth(textOf(j.h.Local.Values[k]))
		if !j.answered() {
			halted = halted || inLocal || *seen
			continue
		}
		raw := j.h.Shared.Values[k]
		says := raw != "" || j.holds()
		if says {
			*seen = truth(textOf(raw))
		}
		switch {
		case truth(textOf(raw)):
			if !inLocal {
				j.d.Local[k] = "true"
			}
			if !inLocal || n.missed(Halt) {
				n.HaltOf = j.h.Shared.Name
			}
			n.reach(Halt)
			halted = true
		case inLocal && n.missed(Halt):
			j.d.Mend[k] = "true"
			halted = true
		case inLocal && n.HaltOf == j.h.Shared.Name && says:
			j.d.Local[k], n.HaltOf = "", ""
		case inLocal, *seen:
			halted = true
		}
	}
	return halted
}

// chooseBackend chooses the backend that counts.
func (j *judge) chooseBackend() {
	j.source = j.h.Local.Name
	switch {
	case j.h.Shared == nil:
	case !j.answered():
		j.d.Loss = Unreachable
	case j.holds():
		j.source = j.h.Shared.Name
	case j.d.Seen.Shared:
		j.d.Loss = Forgotten
	}
}

// lookup finds the values, each with where it comes from.
func (j *judge) lookup() {
	put := func(k store.Key, raw string, source Source) {
		if k.Model == j.model && k.Name != NotesName && raw != "" {
			j.d.values[k.Name] = Value{k.Name, textOf(raw), source}
		}
	}
	if j.source == j.h.Local.Name {
		for k := range j.h.Local.Values {
			put(k, j.localAfter(k), j.h.Local.Name)
		}
	}
	for name, raw := range j.shared {
		switch _, missed := j.d.Mend[j.key(name)]; {
		case !j.fromShared():
		case missed:
			put(j.key(name), raw, j.h.Local.Name)
		default:
			put(j.key(name), raw, j.h.Shared.Name)
		}
	}
	// A halt holds wherever it stands.
	k := j.key(Halt)
	if raw := j.localAfter(k); truth(textOf(raw)) {
		put(k, raw, j.h.Local.Name)
	}
	if j.answered() && (truth(textOf(j.h.Shared.Values[k])) || j.d.values[Halt].Name == "") {
		put(k, j.h.Shared.Values[k], j.h.Shared.Name)
	}
}

// localAfter is a value of the local store as it is to be.
func (j *judge) localAfter(k store.Key) string {
	if raw, changed := j.d.Local[k]; changed {
		return raw
	}
	return j.h.Local.Values[k]
}

// value returns a value's text and where it comes from.
func (d *Decision) value(name string, env func(string) (string, bool), envOf func(string) Source) (Value, bool) {
	if v, ok := d.values[name]; ok {
		return v, true
	}
	if text, ok := env(name); ok && text != "" {
		from := FromEnvironment
		if envOf != nil {
			from = envOf(name)
		}
		return Value{name, text, from}, true
	}
	return Value{}, false
}

// interpret gives the texts their types.
func (j *judge) interpret() (Session, error) {
	s := Session{Model: j.model, Sources: map[string]Source{}}
	for _, name := range Names {
		if v, ok := j.d.value(name, j.h.Env, j.h.EnvOf); ok {
			j.d.values[name], s.Sources[name] = v, v.Source
		} else if name == Signature || name == TodayDate {
			e := &MissingError{Name: name, Model: j.model}
			if j.fromShared() {
				e.Holder = j.source
			}
			return s, e
		}
	}
	s.Signature = j.d.values[Signature].Text
	if err := store.CheckName("signature", s.Signature); err != nil {
		return s, &InvalidError{Signature, s.Sources[Signature], err}
	}
	today, err := market.ParseStamp(j.d.values[TodayDate].Text)
	if err != nil {
		return s, &InvalidError{TodayDate, s.Sources[TodayDate], err}
	}
	s.Today, s.IfTrade = today, truth(j.d.values[IfTrade].Text)
	return s, nil
}

// allow refuses a session of the local store that the process must not go on with.
func (j *judge) allow(s Session, err error) error {
	if j.conflict {
		there := j.there()
		here := j.notes[j.model].over(there)
		return unreachable(j.h.Shared.Name, &UndecidedError{j.model, fmt.Errorf("it holds %s on %s, and %s on %s was set on this machine when %s could not be written: which of the two is newer nobody knows",
			there.Signature, there.Today, here.Signature, here.Today, j.h.Shared.Name.Title())})
	}
	if j.d.Loss == NoLoss {
		return err
	}
	reason := errors.New("it holds none any more")
	if j.d.Loss == Unreachable {
		reason = cause(j.h.Shared.Err)
	}
	seen := j.d.Seen
	var missing *MissingError
	switch {
	case errors.As(err, &missing) && j.d.Loss == Unreachable:
		return unreachable(j.h.Shared.Name, fmt.Errorf("%w; the %s of the session %q has no %s", reason, j.h.Local.Name, j.model, missing.Name))
	case err != nil:
		return err
	case seen.Signature != "" && (s.Signature != seen.Signature || s.Today < seen.Today):
		return unreachable(j.h.Shared.Name, &UndecidedError{j.model, fmt.Errorf("%w; outside %s the session %q is %s on %s, and this process has seen %s on %s",
			reason, j.h.Shared.Name.Title(), j.model, s.Signature, s.Today, seen.Signature, seen.Today)})
	}
	if j.d.Loss == Unreachable {
		j.d.Lost = fmt.Sprintf("%v; the session is read from its %s", j.h.Shared.Err, j.h.Local.Name)
	} else {
		j.d.Lost = fmt.Sprintf("%s holds nothing of the session %q any more; it is read from its %s", j.h.Shared.Name.Title(), j.model, j.h.Local.Name)
	}
	return nil
}

// guards bind a commit to the session: the commit fails if a value that decided the session has changed.
func (j *judge) guards() []Guard {
	of := func(h Backend, keys ...store.Key) map[store.Key]string {
		want := map[store.Key]string{}
		for _, k := range keys {
			want[k] = h.Values[k]
		}
		return want
	}
	signature, today, traded := j.key(Signature), j.key(TodayDate), j.key(IfTrade)
	halt, all := j.key(Halt), store.Key{Model: store.AllModels, Name: Halt}
	if j.h.Shared == nil {
		return []Guard{{Home: j.h.Local.Name, Want: of(j.h.Local, signature, today, halt, all), Set: map[store.Key]string{traded: "true"}}}
	}
	local := Guard{Home: j.h.Local.Name, Want: of(j.h.Local, notesKey(j.model), halt, all), Set: map[store.Key]string{}}
	if j.source == j.h.Local.Name || j.d.Mend[signature] != "" || j.d.Mend[today] != "" {
		local.Want[signature], local.Want[today] = j.h.Local.Values[signature], j.h.Local.Values[today]
	}
	if !truth(textOf(j.h.Local.Values[traded])) {
		local.Set[traded] = "true"
		if j.d.Loss == Unreachable {
			n := j.notes[j.model].clone()
			n.miss(IfTrade, "true")
			local.Set[notesKey(j.model)] = n.text()
		}
	}
	shared := Guard{Home: j.h.Shared.Name, Want: of(*j.h.Shared, signature, today, halt, all), Unread: !j.answered()}
	if j.fromShared() {
		shared.Set = map[store.Key]string{traded: "true"}
	}
	return []Guard{shared, local}
}
