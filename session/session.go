// Package session says who trades, and on which date: the values SIGNATURE, TODAY_DATE, IF_TRADE and HALT that an agent
// and the tools in its subprocess share.
//
// A session has two backends, Redis if one is configured and the model's file. The environment gives the values that neither has.
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

	"mcp-trade/code"
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

// DefaultTTL is how long a session lives in Redis after its last use.
const DefaultTTL = time.Hour

// Source is the layer that a value came from.
type Source string

// The layers.
const (
	FromRedis       Source = "redis"
	FromFile        Source = "file"
	FromEnvironment Source = "environment"
)

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
// if the file's notes on its values have. The commit sets IF_TRADE.
func (s Session) Guards() []store.Guard { return s.guards }

// Same tells whether two readings found the same session in the same backend.
func (s Session) Same(other Session) bool {
	return slices.EqualFunc(s.guards, other.guards, func(a, b store.Guard) bool {
		return a.Home.Place() == b.Home.Place() && maps.Equal(a.Want, b.Want)
	})
}

// MissingError says that a value is set in no layer that counts.
type MissingError struct {
	Name  string
	Model string
	Redis bool // Redis holds other values of this session, so its file does not count
}

func (e *MissingError) Error() string {
	if e.Redis {
		return fmt.Sprintf("%s environment variable is not set, and neither is the value in Redis, which holds other values of the session %q.", e.Name, e.Model)
	}
	return fmt.Sprintf("%s environment variable is not set, and neither is the value in the session %q.", e.Name, e.Model)
}

func (e *MissingError) Code() code.Code { return code.SessionMissing }

func (e *MissingError) Details() map[string]any {
	return map[string]any{"missing": e.Name, "model_id": e.Model}
}

// InvalidError says that a value is set to an invalid text.
type InvalidError struct {
	Name   string
	Source Source
	Err    error
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("%s in the session (from: %s): %v", e.Name, e.Source, e.Err)
}

func (e *InvalidError) Unwrap() error { return e.Err }

func (e *InvalidError) Code() code.Code { return code.SessionInvalid }

func (e *InvalidError) Details() map[string]any {
	return map[string]any{"value": e.Name, "source": e.Source}
}

// UnreachableError says that the session is unknown: Redis cannot be read or has lost it, and the file cannot be read or must not
// replace it.
type UnreachableError struct{ *store.UnreachableError }

func (e *UnreachableError) Unwrap() error { return e.UnreachableError }

func (e *UnreachableError) Code() code.Code { return code.SessionUnreachable }

func (e *UnreachableError) Details() map[string]any { return map[string]any{"engine": e.Engine} }

// UndecidedError is why a session is unknown although values of it can be read: nobody can tell which of them count, until it is
// set again.
type UndecidedError struct {
	Model string
	Err   error
}

func (e *UndecidedError) Error() string { return e.Err.Error() }

func (e *UndecidedError) Unwrap() error { return e.Err }

// ErrRedisRequired is why nothing is traded while Redis cannot be read, where [Config] says so.
var ErrRedisRequired = errors.New("without Redis nothing is traded")

// unreachable is an error of reading the session from an engine.
func unreachable(engine string, err error) *UnreachableError {
	known, ok := errors.AsType[*store.UnreachableError](err)
	if !ok || known != err {
		known = &store.UnreachableError{Engine: engine, Doing: "read the session", Err: err}
	}
	return &UnreachableError{known}
}

// cause is the reason why an engine did not answer, without the request.
func cause(err error) error {
	if e, ok := errors.AsType[*store.UnreachableError](err); ok {
		return e.Err
	}
	return err
}

// File is the backend on this machine.
type File interface {
	store.Sessions
	// ChangeValues reads the keys' values and sets what change makes of them, "" removing one, while nobody else changes the
	// sessions of the keys' models. It may call change again.
	ChangeValues(ctx context.Context, keys []store.Key, change func(map[store.Key]string) map[store.Key]string) error
}

// Redis is the backend that machines share.
type Redis interface {
	store.Sessions
	// SetValuesIf is SetValues if the values wanted are still what they were, "" standing for one that is not set; else it sets
	// nothing and is [store.ErrSessionChanged]. In a Redis Cluster another write may come in between.
	SetValuesIf(ctx context.Context, want, values map[store.Key]string, ttl time.Duration) error
}

// Config says where the session of one model lives.
type Config struct {
	Model  string
	Redis  Redis // nil without Redis
	File   File
	Env    func(string) (string, bool) // looks up an environment variable
	TTL    time.Duration               // of the values in Redis
	Refuse bool                        // nothing is traded while Redis cannot be read
	Warn   func(string)                // is told of each fallback, once as long as it lasts

	LedgersInRedis bool // the ledgers are in the same Redis
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
	missing  bool            // the newest write missed Redis
	warned   map[string]bool // texts of warnings
}

// New returns the session of a model, which may not be set yet. A model id that cannot stand in a key is a *[store.NameError].
func New(c Config) (*Resolver, error) {
	if c.Model != store.AllModels {
		if err := store.CheckName("model id", c.Model); err != nil {
			return nil, err
		}
	}
	return &Resolver{Config: c, warned: map[string]bool{}}, nil
}

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
// IF_TRADE in the file beside Redis.
func (l *Resolver) Traded(s Session) {
	if l.Redis == nil {
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
		if last.guards[i].Home == store.Sessions(l.File) {
			last.guards[i].Set = nil
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
		if v, ok := d.value(name, l.Env); ok {
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
	h := Backends{File: l.readFile(ctx, names), Env: l.Env}
	if l.Redis != nil {
		h.Redis = l.readRedis(ctx, names)
	}
	l.mu.Lock()
	seen := l.lastSeen // another reading may have seen a halt meanwhile
	l.mu.Unlock()
	d := Decide(l.Model, h, seen, l.Refuse)
	// A halt in Redis is copied even where the file seemed to have it: it may have been taken out there since it was read.
	halted := h.Redis != nil && h.Redis.Err == nil && (d.Seen.Halted || d.Seen.AllHalted)
	if len(d.File)+len(d.Mend) > 0 || halted {
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

func (l *Resolver) readRedis(ctx context.Context, names []string) *Backend {
	values, err := l.Redis.Values(ctx, append(l.ownKeys(names), l.allKeys()...)...)
	return &Backend{values, err}
}

func (l *Resolver) fileKeys(names []string) (own, all []store.Key) {
	own, all = append(l.ownKeys(names), notesKey(l.Model)), l.allKeys()
	if len(all) > 0 {
		all = append(all, notesKey(store.AllModels))
	}
	return own, all
}

func (l *Resolver) readFile(ctx context.Context, names []string) Backend {
	own, all := l.fileKeys(names)
	values, err := l.File.Values(ctx, append(own, all...)...)
	return Backend{values, err}
}

// settle makes the changes that a decision asks for, and decides again. Another process may do the same, or set a newer
// value, at the same time. So settle reads again and writes under the lock of the file, which every writer of this machine
// takes. It keeps first.Seen, in case Redis is lost by now. If the file cannot be changed, settle returns first, which relies
// on no change.
func (l *Resolver) settle(ctx context.Context, names []string, first Decision) Decision {
	own, all := l.fileKeys(names)
	keys := own
	ofAll := func(k store.Key) bool { return k.Model != l.Model }
	if first.Seen.AllHalted || slices.ContainsFunc(slices.Collect(maps.Keys(first.changes())), ofAll) {
		keys = slices.Concat(own, all)
	}
	var d Decision
	var missed error
	var h Backends
	err := l.File.ChangeValues(ctx, keys, func(file map[store.Key]string) map[store.Key]string {
		h = Backends{File: Backend{Values: maps.Clone(file)}, Env: l.Env}
		if len(keys) == len(own) {
			beside, err := l.File.Values(ctx, all...)
			if err != nil {
				h.File.Err = err
			}
			maps.Copy(h.File.Values, beside)
		}
		if l.Redis != nil {
			h.Redis = l.readRedis(ctx, names)
		}
		var changes map[store.Key]string
		d, changes, missed = l.putRight(ctx, h, first.Seen, func() *Backend { return l.readRedis(ctx, names) })
		return changes
	})
	if err != nil {
		if ctx.Err() == nil {
			l.warnOnce(err.Error() + "; what the file should say of the session could not be put right")
		}
		return first
	}
	if missed != nil {
		l.warnOnce(missed.Error() + "; what Redis missed stays in the file and counts")
	}
	// A halt that the file holds is the file's from now on, and over once it is cleared there.
	inFile := func(model string) bool { return truth(textOf(h.File.Values[store.Key{Model: model, Name: Halt}])) }
	d.Seen.Halted = d.Seen.Halted && !inFile(l.Model)
	d.Seen.AllHalted = d.Seen.AllHalted && !(len(keys) > len(own) && inFile(store.AllModels))
	return d
}

// mendTries bounds how often Redis is read again because it changed before it could be put right.
const mendTries = 5

// putRight decides until no change is left to make. It makes the changes of Redis itself, and returns those of the file.
// missed is why Redis could not be changed.
func (l *Resolver) putRight(ctx context.Context, h Backends, seen Seen, reread func() *Backend) (d Decision, file map[store.Key]string, missed error) {
	file = map[store.Key]string{}
	for tries := 0; ; {
		d = Decide(l.Model, h, seen, l.Refuse)
		seen = d.Seen
		switch {
		case len(d.File) > 0:
			maps.Copy(file, d.File)
			for k, raw := range d.File {
				if h.File.Values[k] = raw; raw == "" {
					delete(h.File.Values, k)
				}
			}
		case len(d.Mend) > 0:
			missed = l.mend(ctx, h.Redis.Values, d.Mend)
			switch {
			case missed == nil:
				l.Warn(fmt.Sprintf("Redis has now what it missed of the session %q: %s", l.Model, strings.Join(namesOf(d.Mend), ", ")))
				maps.Copy(h.Redis.Values, d.Mend)
			case errors.Is(missed, store.ErrSessionChanged) && tries < mendTries:
				tries++
				h.Redis = reread()
			default:
				return d, file, missed
			}
		default:
			return d, file, nil
		}
	}
}

// mend sets in Redis the values that it missed, unless another process has set another session there since it was read. A
// halt is set in any case.
func (l *Resolver) mend(ctx context.Context, redis, values map[store.Key]string) error {
	halts, others := halts(values)
	if len(halts) > 0 {
		if err := l.Redis.SetValues(ctx, halts, 0); err != nil {
			return err
		}
	}
	if len(others) == 0 {
		return nil
	}
	want := map[store.Key]string{}
	for _, name := range []string{Signature, TodayDate} {
		k := store.Key{Model: l.Model, Name: name}
		want[k] = redis[k]
	}
	return l.Redis.SetValuesIf(ctx, want, others, l.TTL)
}

// conclude stores the result of a reading unless a later reading has stored its own, and warns of a lost Redis once.
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

// guards turns the guards of a decision into those of a commit, each with its engine. A commit checks a Redis that could not
// be read only if the commit itself goes to Redis.
func (l *Resolver) guards(of []Guard) []store.Guard {
	var guards []store.Guard
	for _, g := range of {
		guard := store.Guard{Home: l.File, Want: g.Want, Set: g.Set, TTL: l.TTL}
		if g.Home == FromRedis {
			guard.Home = &redisBackend{l.Redis, l}
		}
		if !g.Unread || l.LedgersInRedis {
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
