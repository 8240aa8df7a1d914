// Package session says who trades, and on which date: the values SIGNATURE, TODAY_DATE, IF_TRADE and HALT that an agent
// and the tools in its subprocess share.
//
// A session has up to two backends, each a store that the caller names, and the environment gives the values that neither has. The
// shared store, if there is one, counts first: other machines use it too, and it can be out of reach. The local store of this
// machine counts next, and keeps notes on what the shared one missed.
// Values are written to both backends and read from one, so that no session mixes values of the two. [Decide] says which backend
// counts, and what to do after a write has missed one. "Not set anywhere" and "cannot be read" are different errors.
package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"mcp-trade/market"
	"mcp-trade/store"
)

// The names of the values.
const (
	Signature = "SIGNATURE"  // whose account
	TodayDate = "TODAY_DATE" // the simulated date: YYYY-MM-DD or YYYY-MM-DD HH:MM:SS
	IfTrade   = "IF_TRADE"   // true once a trade was committed; the agent resets it
	Halt      = "HALT"       // true: no trade is committed, for this model or, under [store.AllModels], for any
)

// Names lists the values that a session consists of.
var Names = []string{Signature, TodayDate, IfTrade, Halt}

// DefaultModel is the model id of an agent that has none.
const DefaultModel = "global"

// DefaultTTL is how long a session lives in the shared store after its last use.
const DefaultTTL = time.Hour

// Session is one reading of a model's session.
type Session struct {
	Model     string
	Signature string       // never empty
	Today     market.Stamp // never empty
	IfTrade   bool
	Halted    bool
	Sources   map[string]Source // by name; a value that is not set has none

	// NoTrade is why nothing may be traded in this session, although it can be read: an *[UnreachableError], or nil.
	NoTrade error

	guards    []store.Guard
	readingNo int
}

// Guards bind a commit to this session. The commit fails if SIGNATURE, TODAY_DATE or HALT has changed since the reading, or
// if the local store's notes on its values have. The commit sets IF_TRADE.
func (s Session) Guards() []store.Guard { return s.guards }

// Same tells whether two readings found the same session in the same backend.
func (s Session) Same(other Session) bool {
	return slices.EqualFunc(s.guards, other.guards, func(a, b store.Guard) bool {
		return a.Backend.Place() == b.Backend.Place() && maps.Equal(a.Expect, b.Expect)
	})
}

// Local is the backend of this machine.
type Local interface {
	store.Sessions
	// Name is how the backend is called, such as "file".
	Name() string
	// ChangeValues reads the keys' values and sets what change makes of them, "" removing one, while nobody else changes the
	// sessions of the keys' models. It may call change again.
	ChangeValues(ctx context.Context, keys []store.Key, change func(map[store.Key]string) map[store.Key]string) error
}

// Shared is the backend that machines share.
type Shared interface {
	store.Sessions
	// Name is how the backend is called, such as "redis".
	Name() string
	// SetValuesIf is SetValues if the values wanted are still what they were, "" standing for one that is not set; else it sets
	// nothing and is [store.ErrSessionChanged]. In a store that is spread over machines, such as a Redis Cluster, another write
	// may come in between.
	SetValuesIf(ctx context.Context, want, values map[store.Key]string, ttl time.Duration) error
}

// Config says where the session of one model lives.
type Config struct {
	Model  string
	Shared Shared // comes before Local; nil without one
	Local  Local
	Env    func(string) (string, bool) // looks up an environment variable
	EnvOf  func(string) Source         // where it found one; nil: [FromEnvironment]
	TTL    time.Duration               // of the values in the shared store
	Refuse bool                        // nothing is traded while the shared store cannot be read
	Warn   func(string)                // is told of each fallback, once as long as it lasts

	LedgersInShared bool // the ledgers are in the shared store's store
}

// Resolver reads and writes the session of one model. It is safe for concurrent use.
type Resolver struct {
	Config

	mu       sync.Mutex
	readings int // how many have begun
	newest   int // the number of the reading that set the fields below
	lastSeen Seen
	cached   *Session        // nil: the next Cached must read
	lost     Loss            // of the last warning
	missing  bool            // the newest write missed the shared store
	warned   map[string]bool // texts of warnings
}

// New returns the session of a model, which may not be set yet. A model id that cannot stand in a key is a *[store.NameError].
func New(c Config) (*Resolver, error) {
	if c.Model != store.AllModels {
		if err := store.CheckName("model id", c.Model); err != nil {
			return nil, err
		}
	}
	if c.Shared != nil && c.Shared.Name() == c.Local.Name() {
		return nil, fmt.Errorf("the shared store and the local store of a session are both named %q: nobody could tell which of the two a value is from", c.Local.Name())
	}
	return &Resolver{Config: c, warned: map[string]bool{}}, nil
}

// shared is the name of the shared store, "" without one.
func (l *Resolver) shared() Source {
	if l.Shared == nil {
		return ""
	}
	return Source(l.Shared.Name())
}

func (l *Resolver) local() Source { return Source(l.Local.Name()) }

// Read reads the session. Errors: *[MissingError], *[InvalidError], *[OtherError], *[UnreachableError].
func (l *Resolver) Read(ctx context.Context) (Session, error) {
	d := l.decide(ctx, Names)
	if d.Err != nil {
		return Session{}, d.Err
	}
	return d.Session, checkMeant(ctx, d.Session)
}

// Cached returns the session as it was last read. It reads the session if it never was read, or if a reading now may find
// another backend. A caller must pass the session's guards to a commit: the commit checks that the session still holds, or
// fails with [store.ErrSessionChanged]. fresh reports whether the session was read just now.
func (l *Resolver) Cached(ctx context.Context) (s Session, fresh bool, err error) {
	l.mu.Lock()
	last := l.cached
	l.mu.Unlock()
	if last != nil && checkMeant(ctx, *last) == nil {
		return *last, false, nil
	}
	s, err = l.Read(ctx)
	return s, true, err
}

// Traded records that a trade was committed in the session. Until the session is read again, the next commit does not check
// IF_TRADE in the local store beside the shared store.
func (l *Resolver) Traded(s Session) {
	if l.Shared == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cached == nil || l.cached.readingNo != s.readingNo {
		return
	}
	last := *l.cached
	last.guards = slices.Clone(last.guards)
	for i := range last.guards {
		if last.guards[i].Backend.Place() == l.Local.Place() {
			last.guards[i].Update = nil
		}
	}
	l.cached = &last
}

// Value is one value with the layer that it came from.
type Value struct {
	Name   string `json:"name"`
	Text   string `json:"value"`
	Source Source `json:"source"`
}

// Values returns those of the named values that are set, as text, without judging them. If none is found, and not every backend
// could be read, that is an *[UnreachableError].
func (l *Resolver) Values(ctx context.Context, names ...string) ([]Value, error) {
	d := l.decide(ctx, names)
	var values []Value
	for _, name := range names {
		if v, ok := d.value(name, l.Env, l.EnvOf); ok {
			values = append(values, v)
		}
	}
	if e, ok := errors.AsType[*UnreachableError](d.Err); ok && (len(values) == 0 || d.Loss == NoLoss) {
		return nil, e
	}
	return values, nil
}

// decide reads the backends, decides what the session is, and makes the changes that the decision asks for.
func (l *Resolver) decide(ctx context.Context, names []string) Decision {
	l.mu.Lock()
	l.readings++
	reading := l.readings
	l.mu.Unlock()
	h := Backends{Local: l.readLocal(ctx, names), Env: l.Env, EnvOf: l.EnvOf}
	if l.Shared != nil {
		h.Shared = l.readShared(ctx, names)
	}
	l.mu.Lock()
	seen := l.lastSeen // another reading may have seen a halt meanwhile
	l.mu.Unlock()
	d := Decide(l.Model, h, seen, l.Refuse)
	// A halt in the shared store is copied even where the local store seemed to have it: it may have been taken out there since it
	// was read.
	halted := h.Shared != nil && h.Shared.Err == nil && (d.Seen.Halted || d.Seen.AllHalted)
	if len(d.Local)+len(d.Mend) > 0 || halted {
		d = l.settle(ctx, names, d)
	}
	l.conclude(reading, &d)
	return d
}

// ownKeys are the keys of the named values and of those that make up the session.
func (l *Resolver) ownKeys(names []string) []store.Key {
	var keys []store.Key
	for _, name := range slices.Concat(Names, names) {
		if k := (store.Key{Model: l.Model, Name: name}); !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// allKeys are the keys of what holds for all models.
func (l *Resolver) allKeys() []store.Key {
	if l.Model == store.AllModels {
		return nil // they are its own
	}
	return []store.Key{{Model: store.AllModels, Name: Halt}}
}

func (l *Resolver) readShared(ctx context.Context, names []string) *Backend {
	values, err := l.Shared.Values(ctx, append(l.ownKeys(names), l.allKeys()...)...)
	return &Backend{Name: l.shared(), Values: values, Err: err}
}

func (l *Resolver) localKeys(names []string) (own, all []store.Key) {
	own, all = append(l.ownKeys(names), notesKey(l.Model)), l.allKeys()
	if len(all) > 0 {
		all = append(all, notesKey(store.AllModels))
	}
	return own, all
}

func (l *Resolver) readLocal(ctx context.Context, names []string) Backend {
	own, all := l.localKeys(names)
	values, err := l.Local.Values(ctx, append(own, all...)...)
	return Backend{Name: l.local(), Values: values, Err: err}
}

// settle makes the changes that a decision asks for, and decides again. Another process may do the same, or set a newer value, at
// the same time. So settle reads again and writes under the lock of the local store, which every writer of this machine takes. It
// keeps first.Seen, in case the shared store is lost by now. If the local store cannot be changed, settle returns first, which
// relies on no change.
func (l *Resolver) settle(ctx context.Context, names []string, first Decision) Decision {
	own, all := l.localKeys(names)
	keys := own
	ofAll := func(k store.Key) bool { return k.Model != l.Model }
	if first.Seen.AllHalted || slices.ContainsFunc(slices.Collect(maps.Keys(first.changes())), ofAll) {
		keys = slices.Concat(own, all)
	}
	var d Decision
	var missed error
	var h Backends
	err := l.Local.ChangeValues(ctx, keys, func(held map[store.Key]string) map[store.Key]string {
		h = Backends{Local: Backend{Name: l.local(), Values: maps.Clone(held)}, Env: l.Env, EnvOf: l.EnvOf}
		if len(keys) == len(own) {
			beside, err := l.Local.Values(ctx, all...)
			if err != nil {
				h.Local.Err = err
			}
			maps.Copy(h.Local.Values, beside)
		}
		if l.Shared != nil {
			h.Shared = l.readShared(ctx, names)
		}
		var changes map[store.Key]string
		d, changes, missed = l.putRight(ctx, h, first.Seen, func() *Backend { return l.readShared(ctx, names) })
		return changes
	})
	if err != nil {
		if ctx.Err() == nil {
			l.warnOnce(fmt.Sprintf("%v; what the %s should say of the session could not be put right", err, l.local()))
		}
		return first
	}
	if missed != nil {
		l.warnOnce(fmt.Sprintf("%v; what %s missed stays in the %s and counts", missed, l.shared().Title(), l.local()))
	}
	// A halt that the local store holds is the local store's from now on, and over once it is cleared there.
	inLocal := func(model string) bool { return truth(textOf(h.Local.Values[store.Key{Model: model, Name: Halt}])) }
	d.Seen.Halted = d.Seen.Halted && !inLocal(l.Model)
	d.Seen.AllHalted = d.Seen.AllHalted && !(len(keys) > len(own) && inLocal(store.AllModels))
	return d
}

// mendTries bounds how often the shared store is read again because it changed before it could be put right.
const mendTries = 5

// putRight decides until no change is left to make. It makes the changes of the shared store itself, and returns those of the
// local store. missed is why the shared store could not be changed.
func (l *Resolver) putRight(ctx context.Context, h Backends, seen Seen, reread func() *Backend) (d Decision, local map[store.Key]string, missed error) {
	local = map[store.Key]string{}
	for tries := 0; ; {
		d = Decide(l.Model, h, seen, l.Refuse)
		seen = d.Seen
		switch {
		case len(d.Local) > 0:
			maps.Copy(local, d.Local)
			for k, raw := range d.Local {
				if h.Local.Values[k] = raw; raw == "" {
					delete(h.Local.Values, k)
				}
			}
		case len(d.Mend) > 0:
			missed = l.mend(ctx, h.Shared.Values, d.Mend)
			switch {
			case missed == nil:
				l.Warn(fmt.Sprintf("%s has now what it missed of the session %q: %s", l.shared().Title(), l.Model, strings.Join(namesOf(d.Mend), ", ")))
				maps.Copy(h.Shared.Values, d.Mend)
			case errors.Is(missed, store.ErrSessionChanged) && tries < mendTries:
				tries++
				h.Shared = reread()
			default:
				return d, local, missed
			}
		default:
			return d, local, nil
		}
	}
}

// mend sets in the shared store the values that it missed, unless another process has set another session there since it was read. A
// halt is set in any case.
func (l *Resolver) mend(ctx context.Context, shared, values map[store.Key]string) error {
	halts, others := halts(values)
	if len(halts) > 0 {
		if err := l.Shared.SetValues(ctx, halts, 0); err != nil {
			return err
		}
	}
	if len(others) == 0 {
		return nil
	}
	want := map[store.Key]string{}
	for _, name := range []string{Signature, TodayDate} {
		k := store.Key{Model: l.Model, Name: name}
		want[k] = shared[k]
	}
	return l.Shared.SetValuesIf(ctx, want, others, l.TTL)
}

// conclude stores the result of a reading unless a later reading has stored its own, and warns of the loss of the shared store once.
func (l *Resolver) conclude(reading int, d *Decision) {
	d.Session.readingNo = reading
	d.Session.guards = l.guards(d.Guards)
	l.mu.Lock()
	lost := ""
	if reading > l.newest {
		l.newest, l.lastSeen = reading, d.Seen
		if l.cached = nil; d.Err == nil && d.Loss != Unreachable {
			last := d.Session
			l.cached = &last
		}
		switch {
		case d.Loss != l.lost && d.Lost != "":
			lost, l.lost = d.Lost, d.Loss
		case d.Loss == NoLoss:
			l.lost = NoLoss
		}
	}
	l.mu.Unlock()
	if lost != "" {
		l.Warn(lost)
	}
}

// guards turns the guards of a decision into those of a commit, each with its engine. A commit checks a shared store that could not
// be read only if the commit itself goes to the shared store.
func (l *Resolver) guards(of []Guard) []store.Guard {
	var guards []store.Guard
	for _, g := range of {
		guard := store.Guard{Backend: l.Local, Expect: g.Want, Update: g.Set, TTL: l.TTL}
		if g.Home != l.local() {
			guard.Backend = &sharedBackend{l.Shared, l}
		}
		if !g.Unread || l.LedgersInShared {
			guards = append(guards, guard)
		}
	}
	return guards
}

// warnOnce warns of a failure that was not warned of before.
func (l *Resolver) warnOnce(text string) {
	l.mu.Lock()
	told := l.warned[text] || len(l.warned) >= 100
	if !told {
		l.warned[text] = true
	}
	l.mu.Unlock()
	if !told {
		l.Warn(text)
	}
}
