// Package session says who trades, and on which date: the values SIGNATURE, TODAY_DATE, IF_TRADE and HALT that an agent
// and the tools in its subprocess share.
//
// A value is looked for in three layers: Redis when one is configured, the model's file, the environment. The first two
// exclude each other as a whole, so that no session is ever put together from two: Redis counts when it answers and holds
// any value of the model's session; else the file does. The environment stands under either. "Not set anywhere" and
// "cannot be read" are different errors.
package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
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

	guards []store.Guard
}

// Guards hold a commit to this session: it fails once SIGNATURE, TODAY_DATE or HALT is no longer what was read, and sets
// IF_TRADE where the session lives.
func (s Session) Guards() []store.Guard { return s.guards }

// MissingError says that a value is set in no layer that counts.
type MissingError struct {
	Name  string
	Model string
	Redis bool // Redis holds other values of this session, so its file does not count
}

func (e *MissingError) Error() string {
	how := fmt.Sprintf("Set it with: mcp-trade session set %s=VALUE --model-id %s", e.Name, e.Model)
	if e.Redis {
		return fmt.Sprintf("%s environment variable is not set, and neither is the value in Redis, which holds other values of the session %q. %s", e.Name, e.Model, how)
	}
	return fmt.Sprintf("%s environment variable is not set, and neither is the value in the session %q. %s", e.Name, e.Model, how)
}

func (e *MissingError) Code() code.Code { return code.SessionMissing }

func (e *MissingError) Details() map[string]any {
	return map[string]any{"missing": e.Name, "model_id": e.Model}
}

// InvalidError says that a value is set to something that it cannot be.
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

// UnreachableError says that no engine tells what the session is.
type UnreachableError struct{ *store.UnreachableError }

func (e *UnreachableError) Unwrap() error { return e.UnreachableError }

func (e *UnreachableError) Code() code.Code { return code.SessionUnreachable }

func (e *UnreachableError) Details() map[string]any { return map[string]any{"engine": e.Engine} }

// Config says where the session of one model lives.
type Config struct {
	Model string
	Redis store.Sessions              // nil without Redis
	File  store.Sessions              // never nil
	Env   func(string) (string, bool) // looks up an environment variable
	TTL   time.Duration               // of the values in Redis
	Warn  func(string)                // is told of each fallback once
}

// Layers reads and writes the session of one model. It is safe for concurrent use.
type Layers struct {
	Config

	mu     sync.Mutex
	last   *Session
	warned map[string]bool
}

// New returns the session of a model, which may not be set yet. A model id that cannot stand in a key is a *[store.NameError].
func New(c Config) (*Layers, error) {
	if c.Model != store.AllModels {
		if err := store.CheckName("model id", c.Model); err != nil {
			return nil, err
		}
	}
	return &Layers{Config: c, warned: map[string]bool{}}, nil
}

// Read reads the session. Errors: *[MissingError], *[InvalidError], *[OtherError], *[UnreachableError].
func (l *Layers) Read(ctx context.Context) (Session, error) {
	r, err := l.read(ctx, Names)
	var unreachable *store.UnreachableError
	if errors.As(err, &unreachable) {
		return Session{}, &UnreachableError{unreachable}
	}
	if err != nil {
		return Session{}, err
	}
	s, err := l.interpret(r)
	if err != nil {
		return Session{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = &s
	return s, checkMeant(ctx, s)
}

// Presume returns the session as it was last read, reading it only if it never was. It serves whoever passes its Guard to
// a commit: the commit proves the presumption, or fails with [store.ErrSessionChanged].
func (l *Layers) Presume(ctx context.Context) (Session, error) {
	l.mu.Lock()
	last := l.last
	l.mu.Unlock()
	if last != nil && checkMeant(ctx, *last) == nil {
		return *last, nil
	}
	return l.Read(ctx)
}

// Value is one value with the layer that it came from.
type Value struct {
	Name   string `json:"name"`
	Text   string `json:"value"`
	Source Source `json:"source"`
}

// Values returns those of the named values that are set, as text, without judging them.
func (l *Layers) Values(ctx context.Context, names ...string) ([]Value, error) {
	r, err := l.read(ctx, names)
	if err != nil {
		return nil, err
	}
	var values []Value
	for _, name := range names {
		if text, source, ok := r.lookup(name); ok {
			values = append(values, Value{name, text, source})
		}
	}
	return values, nil
}

// reading is what the layers hold at one moment.
type reading struct {
	model  string
	home   store.Sessions // the engine that counts
	source Source
	raw    map[store.Key]string
	env    func(string) (string, bool)
	halted bool // by a value in Redis, whichever engine counts
}

// read finds the engine that counts and reads the names from it.
func (l *Layers) read(ctx context.Context, names []string) (reading, error) {
	halts := []store.Key{{Model: l.Model, Name: Halt}, {Model: store.AllModels, Name: Halt}}
	var keys []store.Key
	for _, name := range append([]string{Signature, TodayDate, IfTrade}, names...) {
		if k := (store.Key{Model: l.Model, Name: name}); name != Halt && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	all := append(slices.Clone(keys), halts...)
	r := reading{model: l.Model, home: l.File, source: FromFile, env: l.Env}
	var fallback string
	if l.Redis != nil {
		raw, err := l.Redis.Values(ctx, all...)
		if err != nil {
			fallback = err.Error()
		}
		if slices.ContainsFunc(keys, func(k store.Key) bool { return raw[k] != "" }) {
			r.home, r.source, r.raw = l.Redis, FromRedis, raw
			return r, nil
		}
		// A halt in Redis reaches a session that lives in files, but does not make it live in Redis.
		r.halted = slices.ContainsFunc(halts, func(k store.Key) bool { return truth(textOf(raw[k])) })
	}
	raw, err := l.File.Values(ctx, all...)
	if err != nil {
		return r, err
	}
	r.raw = raw
	if fallback != "" {
		l.warnOnce(fallback + "; the session is read from its file")
	}
	return r, nil
}

// lookup returns a value's text and layer.
func (r reading) lookup(name string) (string, Source, bool) {
	if raw := r.raw[store.Key{Model: r.model, Name: name}]; raw != "" {
		return textOf(raw), r.source, true
	}
	if text, ok := r.env(name); ok && text != "" {
		return text, FromEnvironment, true
	}
	return "", "", false
}

// interpret gives the texts their types.
func (l *Layers) interpret(r reading) (Session, error) {
	s := Session{Model: l.Model, Sources: map[string]Source{}}
	texts := map[string]string{}
	for _, name := range Names {
		text, source, ok := r.lookup(name)
		if ok {
			texts[name], s.Sources[name] = text, source
		} else if name == Signature || name == TodayDate {
			return s, &MissingError{name, l.Model, r.source == FromRedis}
		}
	}
	s.Signature = texts[Signature]
	if err := store.CheckName("signature", s.Signature); err != nil {
		return s, &InvalidError{Signature, s.Sources[Signature], err}
	}
	today, err := market.ParseStamp(texts[TodayDate])
	if err != nil {
		return s, &InvalidError{TodayDate, s.Sources[TodayDate], err}
	}
	all := store.Key{Model: store.AllModels, Name: Halt}
	s.Today, s.IfTrade = today, truth(texts[IfTrade])
	s.Halted = r.halted || truth(texts[Halt]) || truth(textOf(r.raw[all]))

	key := func(name string) store.Key { return store.Key{Model: l.Model, Name: name} }
	s.guards = []store.Guard{{Home: r.home, Set: map[store.Key]string{key(IfTrade): "true"}, TTL: l.TTL, Want: map[store.Key]string{
		key(Signature): r.raw[key(Signature)],
		key(TodayDate): r.raw[key(TodayDate)],
		key(Halt):      r.raw[key(Halt)],
		all:            r.raw[all],
	}}}
	return s, nil
}

// Set writes values, each as text or as a bool, to Redis, if one is configured, and to the file. If only Redis cannot be
// reached the file is written and the fallback told, except for a halt: what a halt does not reach would go on.
func (l *Layers) Set(ctx context.Context, values map[string]any) error {
	raw, halt := map[store.Key]string{}, map[store.Key]string{}
	for name, v := range values {
		if err := checkValue(name, v); err != nil {
			return err
		}
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if name == Halt {
			halt[store.Key{Model: l.Model, Name: name}] = string(text)
		} else {
			raw[store.Key{Model: l.Model, Name: name}] = string(text)
		}
	}
	return l.both(len(halt) > 0, func(s store.Sessions) error {
		if len(halt) > 0 { // a halt lasts until it is cleared: nobody decides that it is over because nobody traded
			if err := s.SetValues(ctx, halt, 0); err != nil {
				return err
			}
		}
		if len(raw) == 0 {
			return nil
		}
		return s.SetValues(ctx, raw, l.TTL)
	})
}

// Clear removes values from Redis, if one is configured, and from the file.
func (l *Layers) Clear(ctx context.Context, names ...string) error {
	keys := make([]store.Key, len(names))
	for i, name := range names {
		keys[i] = store.Key{Model: l.Model, Name: name}
	}
	return l.both(true, func(s store.Sessions) error { return s.ClearValues(ctx, keys...) })
}

func (l *Layers) both(strict bool, do func(store.Sessions) error) error {
	var redisErr error
	if l.Redis != nil {
		redisErr = do(l.Redis)
	}
	if err := do(l.File); err != nil {
		return errors.Join(redisErr, err)
	}
	if redisErr != nil && !strict {
		l.warnOnce(redisErr.Error() + "; the session is written to its file only")
		return nil
	}
	return redisErr
}

func (l *Layers) warnOnce(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.warned[text] && len(l.warned) < 100 {
		l.warned[text] = true
		l.Warn(text)
	}
}

var valueName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)

// checkValue refuses a value that a reader would refuse.
func checkValue(name string, v any) error {
	if !valueName.MatchString(name) {
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

// Typed returns the value to store for a text given by a person: a bool where the name stands for one, else the text.
func Typed(name, text string) any {
	if name == IfTrade || name == Halt {
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

// truth reads a flag as the writers of sessions spell it.
func truth(text string) bool {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "1", "yes":
		return true
	}
	return false
}
