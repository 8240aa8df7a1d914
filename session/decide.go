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
	Redis *Backend // nil: none is configured
	File  Backend
	Env   func(name string) (string, bool) // looks up an environment variable
}

// Backend is what one backend answered: the values that are set, as they are stored, or why it could not be read. The values are
// those of the model and HALT of [store.AllModels]; of a file also the notes of both.
type Backend struct {
	Values map[store.Key]string
	Err    error
}

// Seen is what a process knows of a session from its own readings. The zero Seen is that of a process that has read none.
type Seen struct {
	Signature string // "" before the first reading
	Today     market.Stamp
	Redis     bool // the session was once read from Redis

	// Redis held a halt of this model, or of all, when it was last read, and the file may have no copy of it.
	Halted, AllHalted bool
}

// Loss is what keeps Redis, though configured, from being the backend of the session.
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
	Lost    string  // tells of the loss, where the file stands in

	// File holds the values to set in the files, "" for one to remove. Mend holds the values to set in Redis afterwards. After
	// either step, the caller reads the backends and decides again.
	File, Mend map[store.Key]string

	values map[string]Value
}

// changes are the values to set in any backend.
func (d *Decision) changes() map[store.Key]string {
	all := maps.Clone(d.File)
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
// Redis is the backend if it answers and holds any value of the session but flags. What it holds is taken as it is, with one
// exception: a value that the file notes as missed, because Redis could not be written when it was set, comes before the
// older one in Redis, and is set there. An account and a date in Redis are older if they stood in the file before, or were
// what the process last saw. Any other account and date may be older or newer than the missed
// ones, so neither is served until the session is set again. A file without notes never comes before Redis.
//
// Otherwise the file is the backend. If Redis cannot be read, or held the session and has lost it, the file may only go on with what
// the process has seen: with the same account, on the same date or a later one. A process that has seen nothing may use it.
// With refuse, nothing is traded while Redis cannot be read.
//
// A halt holds wherever it stands. One that is read in Redis is copied into the file, and the copy holds until Redis is read
// without it. A Redis without any value of the session does not lift a halt: it has lost the halt too.
func Decide(model string, h Backends, seen Seen, refuse bool) Decision {
	j := judge{model: model, h: h, d: Decision{Seen: seen, File: map[store.Key]string{}, Mend: map[store.Key]string{}, values: map[string]Value{}}}
	if err := j.readNotes(); err != nil {
		j.d.Err = unreachable("file", err)
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
			j.d.File[notesKey(m)] = text
		}
	}
	s, err := j.interpret()
	s.Halted = halted || truth(j.d.values[Halt].Text)
	if err == nil && refuse && j.d.Loss == Unreachable {
		s.NoTrade = unreachable("redis", fmt.Errorf("%w; %w", cause(h.Redis.Err), ErrRedisRequired))
	}
	if j.d.Err = j.allow(s, err); j.d.Err == nil {
		j.d.Session, j.d.Guards = s, j.guards()
		j.d.Seen.Signature, j.d.Seen.Today = s.Signature, s.Today
		j.d.Seen.Redis = j.d.Seen.Redis || j.source == FromRedis
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
	redis  map[string]string // the session's values in Redis as they are to be, by name
	source Source            // the backend

	conflict bool // Redis holds an account or a date of unknown age in place of a missed one
}

func (j *judge) key(name string) store.Key { return store.Key{Model: j.model, Name: name} }

func (j *judge) answered() bool { return j.h.Redis != nil && j.h.Redis.Err == nil }

// models are those whose values concern the session.
func (j *judge) models() []string {
	if j.model == store.AllModels {
		return []string{j.model}
	}
	return []string{j.model, store.AllModels}
}

func (j *judge) readNotes() error {
	j.notes, j.before = map[string]*notes{}, map[string]string{}
	if j.h.File.Err != nil {
		return j.h.File.Err
	}
	for _, m := range j.models() {
		n, whole, err := readNotes(m, j.h.File.Values)
		if err != nil {
			return err
		}
		j.notes[m], j.before[m] = &n, whole
	}
	return nil
}

// missed sets in Redis the values that missed it, unless Redis holds newer ones by now.
func (j *judge) missed() {
	j.redis = map[string]string{}
	for k, raw := range j.h.Redis.Values {
		if k.Model == j.model {
			j.redis[k.Name] = raw
		}
	}
	n := j.notes[j.model]
	names := slices.DeleteFunc(slices.Collect(maps.Keys(n.Missed)), func(name string) bool { return name == Halt })
	if !j.holds() {
		n.reach(names...) // Redis holds no older value to replace
		return
	}
	if j.unknown(n) {
		j.conflict = true
		return
	}
	for _, name := range []string{Signature, TodayDate} {
		j.mend(n, name)
	}
	if !j.fileAgrees() {
		n.reach(IfTrade) // the flag is of another day
	}
	for _, name := range names {
		if name != Signature && name != TodayDate {
			j.mend(n, name)
		}
	}
}

// mend adds a missed value to those to set in Redis.
func (j *judge) mend(n *notes, name string) {
	if !n.missed(name) {
		return
	}
	raw := string(n.Missed[name])
	if textOf(j.redis[name]) == textOf(raw) {
		n.reach(name)
		return
	}
	j.redis[name], j.d.Mend[j.key(name)] = raw, raw
}

// unknown reports whether Redis holds an account or a date of unknown age in place of one that missed it.
func (j *judge) unknown(n *notes) bool {
	if !n.missedSitting() {
		return false
	}
	there := j.there()
	known := append([]tradingDay{n.over(there), {j.d.Seen.Signature, string(j.d.Seen.Today)}}, n.Replaced...)
	return !slices.ContainsFunc(known, there.of)
}

// there returns the account and the date in Redis.
func (j *judge) there() tradingDay { return tradingDayOf(j.redis[Signature], j.redis[TodayDate]) }

// fileAgrees reports whether the file has the account and the date that Redis will have.
func (j *judge) fileAgrees() bool {
	for _, name := range []string{Signature, TodayDate} {
		if textOf(j.redis[name]) != textOf(j.h.File.Values[j.key(name)]) {
			return false
		}
	}
	return true
}

// holds reports whether Redis holds any value of the session other than flags, which do not name an account.
func (j *judge) holds() bool {
	for name, raw := range j.redis {
		if name != IfTrade && name != Halt && raw != "" {
			return true
		}
	}
	return false
}

// halts reports whether a halt stands in Redis or in a file, and copies the halts of Redis to the file.
func (j *judge) halts() bool {
	halted := false
	for _, m := range j.models() {
		seen := &j.d.Seen.Halted
		if m == store.AllModels {
			seen = &j.d.Seen.AllHalted
		}
		k, n := store.Key{Model: m, Name: Halt}, j.notes[m]
		inFile := truth(textOf(j.h.File.Values[k]))
		if !j.answered() {
			halted = halted || inFile || *seen
			continue
		}
		raw := j.h.Redis.Values[k]
		says := raw != "" || j.holds()
		if says {
			*seen = truth(textOf(raw))
		}
		switch {
		case truth(textOf(raw)):
			if !inFile {
				j.d.File[k] = "true"
			}
			if !inFile || n.missed(Halt) {
				n.HaltOf = FromRedis
			}
			n.reach(Halt)
			halted = true
		case inFile && n.missed(Halt):
			j.d.Mend[k] = "true"
			halted = true
		case inFile && n.HaltOf == FromRedis && says:
			j.d.File[k], n.HaltOf = "", ""
		case inFile, *seen:
			halted = true
		}
	}
	return halted
}

// chooseBackend chooses the backend that counts.
func (j *judge) chooseBackend() {
	j.source = FromFile
	switch {
	case j.h.Redis == nil:
	case !j.answered():
		j.d.Loss = Unreachable
	case j.holds():
		j.source = FromRedis
	case j.d.Seen.Redis:
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
	if j.source == FromFile {
		for k := range j.h.File.Values {
			put(k, j.fileAfter(k), FromFile)
		}
	}
	for name, raw := range j.redis {
		switch _, missed := j.d.Mend[j.key(name)]; {
		case j.source != FromRedis:
		case missed:
			put(j.key(name), raw, FromFile)
		default:
			put(j.key(name), raw, FromRedis)
		}
	}
	// A halt holds wherever it stands.
	k := j.key(Halt)
	if raw := j.fileAfter(k); truth(textOf(raw)) {
		put(k, raw, FromFile)
	}
	if j.answered() && (truth(textOf(j.h.Redis.Values[k])) || j.d.values[Halt].Name == "") {
		put(k, j.h.Redis.Values[k], FromRedis)
	}
}

// fileAfter is a value of the file as it is to be.
func (j *judge) fileAfter(k store.Key) string {
	if raw, changed := j.d.File[k]; changed {
		return raw
	}
	return j.h.File.Values[k]
}

// value returns a value's text and where it comes from.
func (d *Decision) value(name string, env func(string) (string, bool)) (Value, bool) {
	if v, ok := d.values[name]; ok {
		return v, true
	}
	if text, ok := env(name); ok && text != "" {
		return Value{name, text, FromEnvironment}, true
	}
	return Value{}, false
}

// interpret gives the texts their types.
func (j *judge) interpret() (Session, error) {
	s := Session{Model: j.model, Sources: map[string]Source{}}
	for _, name := range Names {
		if v, ok := j.d.value(name, j.h.Env); ok {
			j.d.values[name], s.Sources[name] = v, v.Source
		} else if name == Signature || name == TodayDate {
			return s, &MissingError{name, j.model, j.source == FromRedis}
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

// allow refuses a session of the file that the process must not go on with.
func (j *judge) allow(s Session, err error) error {
	if j.conflict {
		there := j.there()
		here := j.notes[j.model].over(there)
		return unreachable("redis", &UndecidedError{j.model, fmt.Errorf("it holds %s on %s, and %s on %s was set on this machine when Redis could not be written: which of the two is newer nobody knows",
			there.Signature, there.Today, here.Signature, here.Today)})
	}
	if j.d.Loss == NoLoss {
		return err
	}
	reason := errors.New("it holds none any more")
	if j.d.Loss == Unreachable {
		reason = cause(j.h.Redis.Err)
	}
	seen := j.d.Seen
	var missing *MissingError
	switch {
	case errors.As(err, &missing) && j.d.Loss == Unreachable:
		return unreachable("redis", fmt.Errorf("%w; the file of the session %q has no %s", reason, j.model, missing.Name))
	case err != nil:
		return err
	case seen.Signature != "" && (s.Signature != seen.Signature || s.Today < seen.Today):
		return unreachable("redis", &UndecidedError{j.model, fmt.Errorf("%w; outside Redis the session %q is %s on %s, and this process has seen %s on %s",
			reason, j.model, s.Signature, s.Today, seen.Signature, seen.Today)})
	}
	if j.d.Loss == Unreachable {
		j.d.Lost = j.h.Redis.Err.Error() + "; the session is read from its file"
	} else {
		j.d.Lost = fmt.Sprintf("Redis holds nothing of the session %q any more; it is read from its file", j.model)
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
	if j.h.Redis == nil {
		return []Guard{{Home: FromFile, Want: of(j.h.File, signature, today, halt, all), Set: map[store.Key]string{traded: "true"}}}
	}
	file := Guard{Home: FromFile, Want: of(j.h.File, notesKey(j.model), halt, all), Set: map[store.Key]string{}}
	if j.source == FromFile || j.d.Mend[signature] != "" || j.d.Mend[today] != "" {
		file.Want[signature], file.Want[today] = j.h.File.Values[signature], j.h.File.Values[today]
	}
	if !truth(textOf(j.h.File.Values[traded])) {
		file.Set[traded] = "true"
		if j.d.Loss == Unreachable {
			n := j.notes[j.model].clone()
			n.miss(IfTrade, "true")
			file.Set[notesKey(j.model)] = n.text()
		}
	}
	redis := Guard{Home: FromRedis, Want: of(*j.h.Redis, signature, today, halt, all), Unread: !j.answered()}
	if j.source == FromRedis {
		redis.Set = map[store.Key]string{traded: "true"}
	}
	return []Guard{redis, file}
}
