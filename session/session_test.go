package session

// Tests of the layers: where a value comes from, when a layer counts, and what a halt reaches.

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-trade/store"
	"mcp-trade/store/filestore"
)

type values = map[store.Key]string

// The stores of most tests, by their names.
const (
	fromRedis Source = "redis"
	fromFile  Source = "file"
)

// fake is a Redis of the memory. With err set it answers nothing else.
type fake struct {
	values values
	ttl    map[store.Key]time.Duration
	err    error
	reads  int
}

func newFake(v values) *fake { return &fake{values: v, ttl: map[store.Key]time.Duration{}} }

func (f *fake) Name() string { return string(fromRedis) }

func (f *fake) Place() store.Place { return "redis:fake" }

func (f *fake) Prolong(_ context.Context, ttl time.Duration, keys ...store.Key) error {
	for _, k := range keys {
		f.ttl[k] = ttl
	}
	return f.err
}

func (f *fake) Values(_ context.Context, keys ...store.Key) (values, error) {
	f.reads++
	if f.err != nil {
		return nil, f.err
	}
	got := values{}
	for _, k := range keys {
		if v, ok := f.values[k]; ok {
			got[k] = v
		}
	}
	return got, nil
}

func (f *fake) SetValues(_ context.Context, v values, ttl time.Duration) error {
	if f.err != nil {
		return f.err
	}
	maps.Copy(f.values, v)
	for k := range v {
		f.ttl[k] = ttl
	}
	return nil
}

func (f *fake) SetValuesIf(ctx context.Context, want, v values, ttl time.Duration) error {
	if f.err != nil {
		return f.err
	}
	if err := (store.Guard{Expect: want}).Matches(f.values); err != nil {
		return err
	}
	return f.SetValues(ctx, v, ttl)
}

func (f *fake) ClearValues(_ context.Context, keys ...store.Key) error {
	if f.err != nil {
		return f.err
	}
	for _, k := range keys {
		delete(f.values, k)
	}
	return nil
}

// What a test says in place of the values of a Redis.
const (
	absent = "absent" // none is configured
	away   = "away"   // it cannot be read
)

func down() *fake {
	return &fake{err: &store.UnreachableError{Engine: "redis", Doing: "read the session", Err: errors.New("connection refused")}}
}

func key(name string) store.Key { return store.Key{Model: "26", Name: name} }

var allHalt = store.Key{Model: store.AllModels, Name: Halt}

// set reads "SIGNATURE=gpt-5 TODAY_DATE=2025-10-02"; a name that begins with "*" belongs to all models.
func set(text string) values {
	v := values{}
	for _, word := range strings.Fields(text) {
		name, value, _ := strings.Cut(word, "=")
		if all, ok := strings.CutPrefix(name, "*"); ok {
			v[store.Key{Model: store.AllModels, Name: all}] = value
		} else {
			v[key(name)] = value
		}
	}
	return v
}

type layers struct {
	*Resolver
	file   *filestore.Store
	warned []string
}

// newResolver returns the session of model 26. redis may be nil.
func newResolver(t *testing.T, redis Shared, file, env string) *layers {
	t.Helper()
	l := &layers{file: filestore.New(t.TempDir(), t.TempDir())}
	if v := set(file); len(v) > 0 {
		if err := l.file.SetValues(t.Context(), v, 0); err != nil {
			t.Fatal(err)
		}
	}
	environment := set(env)
	inner, err := New(Config{
		Model: "26", Shared: redis, Local: l.file, TTL: time.Minute,
		Env:  func(name string) (string, bool) { v, ok := environment[key(name)]; return v, ok },
		Warn: func(text string) { l.warned = append(l.warned, text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	l.Resolver = inner
	return l
}

// spell tells a session with the layer of each value, or the kind of error.
func spell(s Session, err error) string {
	missing, isMissing := errors.AsType[*MissingError](err)
	invalid, isInvalid := errors.AsType[*InvalidError](err)
	_, isUnreachable := errors.AsType[*store.UnreachableError](err)
	switch {
	case isMissing:
		return fmt.Sprintf("missing %s, redis %v", missing.Name, missing.Holder != "")
	case isInvalid:
		return fmt.Sprintf("invalid %s from %s", invalid.Name, invalid.Source)
	case isUnreachable:
		return "unreachable"
	case err != nil:
		return err.Error()
	}
	text := map[string]string{Signature: s.Signature, TodayDate: string(s.Today), IfTrade: fmt.Sprint(s.IfTrade), Halt: "set"}
	var words []string
	for _, name := range slices.Sorted(maps.Keys(s.Sources)) {
		words = append(words, text[name]+"@"+string(s.Sources[name]))
	}
	if s.Halted {
		words = append(words, "halted")
	}
	return strings.Join(words, " ")
}

func TestResolver_Read_Layers(t *testing.T) {
	for _, c := range []struct{ name, redis, file, env, want string }{
		{"nothing anywhere", "", "", "", "missing SIGNATURE, redis false"},
		{"nothing anywhere, no Redis", absent, "", "", "missing SIGNATURE, redis false"},
		{"a file, no Redis", absent, "SIGNATURE=f TODAY_DATE=2025-10-02", "", "f@file 2025-10-02@file"},
		{"a file and an empty Redis", "", "SIGNATURE=f TODAY_DATE=2025-10-02", "", "f@file 2025-10-02@file"},
		{"a file, and Redis is down", away, "SIGNATURE=f TODAY_DATE=2025-10-02", "", "f@file 2025-10-02@file"},
		{"no file, and Redis is down", away, "", "", "unreachable"},
		{"half a session in the file, and Redis is down", away, "SIGNATURE=f", "", "unreachable"},
		{"Redis before the file", "SIGNATURE=r TODAY_DATE=2025-10-03", "SIGNATURE=f TODAY_DATE=2025-10-02 IF_TRADE=true", "", "r@redis 2025-10-03@redis"},
		{"Redis alone", "SIGNATURE=r TODAY_DATE=2025-10-03 IF_TRADE=true", "", "", "true@redis r@redis 2025-10-03@redis"},
		{"no file stands in for what Redis lacks", "SIGNATURE=r", "SIGNATURE=f TODAY_DATE=2025-10-02", "", "missing TODAY_DATE, redis true"},
		{"a flag that is left in Redis is no session", "IF_TRADE=true", "SIGNATURE=f TODAY_DATE=2025-10-02", "", "f@file 2025-10-02@file"},
		{"values of another model are none", "*SIGNATURE=x *TODAY_DATE=2025-10-09", "SIGNATURE=f TODAY_DATE=2025-10-02", "", "f@file 2025-10-02@file"},
		{"the environment stands under Redis", "SIGNATURE=r", "TODAY_DATE=2025-10-02", "TODAY_DATE=2025-10-01 SIGNATURE=e", "r@redis 2025-10-01@environment"},
		{"the environment stands under the file", absent, "SIGNATURE=f", "TODAY_DATE=2025-10-01 SIGNATURE=e", "f@file 2025-10-01@environment"},
		{"the environment alone", "", "", "TODAY_DATE=2025-10-01 SIGNATURE=e IF_TRADE=true", "true@environment e@environment 2025-10-01@environment"},
		{"the environment when Redis is down", away, "", "TODAY_DATE=2025-10-01 SIGNATURE=e", "e@environment 2025-10-01@environment"},
		{"an empty variable is not set", absent, "SIGNATURE=f", "TODAY_DATE=", "missing TODAY_DATE, redis false"},
		{"JSON strings", `SIGNATURE="r" TODAY_DATE="2025-10-03" IF_TRADE=false`, "", "", "false@redis r@redis 2025-10-03@redis"},
		{"a signature of digits is text", `SIGNATURE=2024 TODAY_DATE=2025-10-03`, "", "", "2024@redis 2025-10-03@redis"},
		{"a signature of digits as a JSON string", absent, `SIGNATURE="2024" TODAY_DATE=2025-10-03`, "", "2024@file 2025-10-03@file"},
		{"a moment", absent, `SIGNATURE=f TODAY_DATE="2025-10-03T10:30"`, "", "f@file 2025-10-03 10:30:00@file"},
		{"a signature that is a path", absent, "SIGNATURE=../../etc TODAY_DATE=2025-10-03", "", "invalid SIGNATURE from file"},
		{"a signature that is a path, from outside", "", "", "SIGNATURE=/etc/passwd TODAY_DATE=2025-10-03", "invalid SIGNATURE from environment"},
		{"a signature that hides", "SIGNATURE=.x TODAY_DATE=2025-10-03", "", "", "invalid SIGNATURE from redis"},
		{"a signature that is an object", `SIGNATURE={"a":1} TODAY_DATE=2025-10-03`, "", "", "invalid SIGNATURE from redis"},
		{"a date of no calendar", "SIGNATURE=r TODAY_DATE=2025-02-30", "", "", "invalid TODAY_DATE from redis"},
		{"a date in digits alone", "SIGNATURE=r TODAY_DATE=20251003", "", "", "invalid TODAY_DATE from redis"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var redis Shared
			switch c.redis {
			case absent:
			case away:
				redis = down()
			default:
				redis = newFake(set(c.redis))
			}
			l := newResolver(t, redis, c.file, c.env)
			for range 3 {
				if got := spell(l.Read(t.Context())); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			}
			if wantWarning := c.redis == away && c.want != "unreachable"; len(l.warned) > 1 || (len(l.warned) == 1) != wantWarning {
				t.Errorf("the warnings of three readings are %q", l.warned)
			}
		})
	}
}

// Missing and unreachable are different errors.
func TestResolver_Read_Errors(t *testing.T) {
	l := newResolver(t, newFake(set("SIGNATURE=r")), "", "")
	_, err := l.Read(t.Context())
	const want = `TODAY_DATE environment variable is not set, and neither is the value in Redis, which holds other values of the session "26".`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	for name, redis := range map[string]Shared{"no Redis": nil, "Redis is down too": down(), "Redis holds nothing": newFake(values{})} {
		l := newResolver(t, redis, "SIGNATURE=f", "SIGNATURE=e TODAY_DATE=2025-10-02")
		if err := os.WriteFile(l.file.SessionFile("26"), []byte("{ torn"), 0o644); err != nil {
			t.Fatal(err)
		}
		// The environment could answer, but whether the file says otherwise is not known.
		if got := spell(l.Read(t.Context())); got != "unreachable" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestResolver_Read_Flags(t *testing.T) {
	for raw, want := range map[string]bool{
		"true": true, "True": true, "TRUE": true, `"true"`: true, `"True"`: true, "1": true, `"yes"`: true,
		"false": false, "False": false, `"False"`: false, "0": false, "no": false, "null": false, `""`: false, "x": false, "[true]": false,
	} {
		for where, l := range map[string]*layers{
			"Redis":           newResolver(t, newFake(set("SIGNATURE=r TODAY_DATE=2025-10-02 IF_TRADE="+raw+" HALT="+raw)), "", ""),
			"the file":        newResolver(t, nil, "SIGNATURE=r TODAY_DATE=2025-10-02 IF_TRADE="+raw+" HALT="+raw, ""),
			"the environment": newResolver(t, nil, "SIGNATURE=r TODAY_DATE=2025-10-02", "IF_TRADE="+strings.Trim(raw, `"`)+" HALT="+strings.Trim(raw, `"`)),
		} {
			s, err := l.Read(t.Context())
			if err != nil || s.IfTrade != want || s.Halted != want {
				t.Errorf("%s in %s is read as %v and halts %v, %v; want %v", raw, where, s.IfTrade, s.Halted, err, want)
			}
		}
	}
}

func TestResolver_Read_Halt(t *testing.T) {
	const in = "SIGNATURE=x TODAY_DATE=2025-10-02 "
	for _, c := range []struct {
		name, redis, file, env string
		want                   bool
	}{
		{"nobody halts", in, in, "", false},
		{"this model, in Redis", in + "HALT=true", "", "", true},
		{"all models, in Redis", in + "*HALT=true", "", "", true},
		{"this model, in its file", "", in + "HALT=true", "", true},
		{"all models, in a file", "", in + "*HALT=true", "", true},
		{"this model in Redis, and the session is a file", "HALT=true", in, "", true},
		{"all models in Redis, and the session is a file", "*HALT=true", in, "", true},
		{"all models in Redis, and the session is the environment", "*HALT=true", "", in, true},
		{"the environment, and the session is in Redis", in, "", "HALT=true", true},
		{"the environment, and the session is a file", "", in, "HALT=true", true},
		{"a halt that was lifted", in + "*HALT=false HALT=false", "", "", false},
	} {
		s, err := newResolver(t, newFake(set(c.redis)), c.file, c.env).Read(t.Context())
		if err != nil || s.Halted != c.want {
			t.Errorf("%s: halted is %v, %v; want %v", c.name, s.Halted, err, c.want)
		}
	}
}

// The guard holds the commit to what was read.
func TestSession_Guards(t *testing.T) {
	redis := newFake(set(`SIGNATURE=r TODAY_DATE="2025-10-02" HALT=false`))
	l := newResolver(t, redis, "SIGNATURE=f TODAY_DATE=2025-10-01", "")
	s, err := l.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g := s.Guards()[0]
	want := values{key(Signature): "r", key(TodayDate): `"2025-10-02"`, key(Halt): "false", allHalt: ""}
	if g.Backend.Place() != redis.Place() || !maps.Equal(g.Expect, want) || !maps.Equal(g.Update, values{key(IfTrade): "true"}) || g.TTL != time.Minute {
		t.Errorf("%+v", g)
	}
	if err := g.Check(t.Context()); err != nil {
		t.Error(err)
	}

	// A session of the environment is guarded by the absence of any other.
	l = newResolver(t, nil, "", "SIGNATURE=e TODAY_DATE=2025-10-02")
	if s, err = l.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	want = values{key(Signature): "", key(TodayDate): "", key(Halt): "", allHalt: ""}
	if g := s.Guards()[0]; g.Backend != store.Sessions(l.file) || !maps.Equal(g.Expect, want) {
		t.Errorf("%+v", g)
	}
	for _, change := range []string{"SIGNATURE=f", "TODAY_DATE=2025-10-03", "HALT=true", "*HALT=true"} {
		l := newResolver(t, nil, "SIGNATURE=x TODAY_DATE=2025-10-02", "")
		s, err := l.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := l.file.SetValues(t.Context(), set("IF_TRADE=true OTHER=1"), 0); err != nil {
			t.Fatal(err)
		}
		if err := s.Guards()[0].Check(t.Context()); err != nil {
			t.Errorf("what the guard is not about: %v", err)
		}
		if err := l.file.SetValues(t.Context(), set(change), 0); err != nil {
			t.Fatal(err)
		}
		if err := s.Guards()[0].Check(t.Context()); !errors.Is(err, store.ErrSessionChanged) {
			t.Errorf("%s: %v", change, err)
		}
	}
}

// goesAway is a Redis that answers so many reads and no more.
type goesAway struct {
	*fake
	reads int
}

func (g *goesAway) Values(ctx context.Context, keys ...store.Key) (values, error) {
	if g.reads--; g.reads < 0 {
		return nil, down().err
	}
	return g.fake.Values(ctx, keys...)
}

// A halt that was read holds though Redis goes away before it is copied.
func TestResolver_Read_HaltNotYetCopied(t *testing.T) {
	for _, halt := range []string{"HALT", "*HALT"} {
		redis := &goesAway{newFake(set("SIGNATURE=a TODAY_DATE=2025-10-02 " + halt + "=true")), 1}
		l := newResolver(t, redis, "SIGNATURE=a TODAY_DATE=2025-10-02", "")
		for reading := range 2 {
			s, err := l.Read(t.Context())
			if err != nil || !s.Halted || s.Sources[TodayDate] != fromFile {
				t.Errorf("%s, reading %d: %+v, %v", halt, reading, s, err)
			}
		}
	}
}

// A halt that is cleared is over though Redis has forgotten the session.
func TestResolver_Clear_HaltAfterRedisForgot(t *testing.T) {
	for _, halt := range []string{"", "*"} {
		redis := newFake(set("SIGNATURE=a TODAY_DATE=2025-10-02 " + halt + "HALT=true"))
		l := newResolver(t, redis, "SIGNATURE=a TODAY_DATE=2025-10-02", "")
		if s, err := l.Read(t.Context()); err != nil || !s.Halted {
			t.Fatalf("%+v, %v", s, err)
		}
		clear(redis.values)
		if s, err := l.Read(t.Context()); err != nil || !s.Halted {
			t.Errorf("Redis has forgotten it: %+v, %v", s, err)
		}
		model := map[string]string{"": "26", "*": store.AllModels}[halt]
		operator, err := New(Config{Model: model, Shared: redis, Local: l.file, Env: l.Env, Warn: l.Warn})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := operator.Clear(t.Context(), Halt); err != nil {
			t.Fatal(err)
		}
		if s, err := l.Read(t.Context()); err != nil || s.Halted {
			t.Errorf("it is cleared: %+v, %v", s, err)
		}
	}
}

// staleFile is a file that was read before somebody changed it.
type staleFile struct {
	Local
	before values
}

func (s *staleFile) Values(_ context.Context, keys ...store.Key) (values, error) {
	v := maps.Clone(s.before)
	maps.DeleteFunc(v, func(k store.Key, _ string) bool { return !slices.Contains(keys, k) })
	return v, nil
}

// A halt that was read is copied though its copy was taken out meanwhile.
func TestResolver_Read_HaltCopiedAgain(t *testing.T) {
	for _, halt := range []string{"", "*"} {
		redis := newFake(set("SIGNATURE=a TODAY_DATE=2025-10-02 " + halt + "HALT=true"))
		l := newResolver(t, redis, "SIGNATURE=a TODAY_DATE=2025-10-02", "")
		copied := set("SIGNATURE=a TODAY_DATE=2025-10-02 " + halt + `HALT=true ` + halt + NotesName + `={"halt_of":"redis"}`)
		l.Local = &staleFile{l.Local, copied}
		if s, err := l.Read(t.Context()); err != nil || !s.Halted {
			t.Fatalf("%+v, %v", s, err)
		}
		for k := range set(halt + "HALT=true") {
			if file, err := l.file.Values(t.Context(), k); err != nil || file[k] != "true" {
				t.Errorf("%v in the file: %v, %v", k, file, err)
			}
		}
	}
}

// A commit proves what could not be read, where it reaches Redis.
func TestSession_Guards_ProveTheUnread(t *testing.T) {
	redis := newFake(set("SIGNATURE=a TODAY_DATE=2025-10-03"))
	l := newResolver(t, &goesAway{redis, 0}, "SIGNATURE=a TODAY_DATE=2025-10-02", "")
	for _, inRedis := range []bool{false, true} {
		l.LedgersInShared = inRedis
		s, err := l.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		guarded := false
		for _, g := range s.Guards() {
			if g.Backend.Place() == redis.Place() {
				guarded = true
				for _, now := range []string{"SIGNATURE=a TODAY_DATE=2025-10-03", "*HALT=true", "HALT=true"} {
					if err := g.Matches(set(now)); !errors.Is(err, store.ErrSessionChanged) {
						t.Errorf("Redis holds %s: %v", now, err)
					}
				}
			}
		}
		if guarded != inRedis {
			t.Errorf("ledgers in Redis: %v, proved: %v", inRedis, guarded)
		}
	}
}

// A presumption is the last reading.
func TestSession_Guards_LastReading(t *testing.T) {
	redis := newFake(values{})
	l := newResolver(t, redis, "", "")
	if _, _, err := l.Cached(t.Context()); spell(Session{}, err) != "missing SIGNATURE, redis false" {
		t.Errorf("before there is a session: %v", err)
	}
	maps.Copy(redis.values, set("SIGNATURE=r TODAY_DATE=2025-10-02"))
	cached := func(ctx context.Context) (Session, error) {
		s, _, err := l.Cached(ctx)
		return s, err
	}
	for _, c := range []struct {
		name  string
		do    func(context.Context) (Session, error)
		reads int
		want  string
	}{
		{"the first cached session is read", cached, 1, "r@redis 2025-10-02@redis"},
		{"the next does not", cached, 0, "r@redis 2025-10-02@redis"},
		{"whatever happens", cached, 0, "r@redis 2025-10-02@redis"},
		{"a reading reads", l.Read, 1, "r@redis 2025-10-03@redis"},
		{"and is what is cached from then on", cached, 0, "r@redis 2025-10-03@redis"},
	} {
		redis.reads = 0
		if got := spell(c.do(t.Context())); got != c.want || redis.reads != c.reads {
			t.Errorf("%s: %s after %d readings, want %s after %d", c.name, got, redis.reads, c.want, c.reads)
		}
		if c.name == "the next does not" {
			redis.values[key(TodayDate)] = "2025-10-03"
		}
	}
}

// Values are set in every engine.
func TestResolver_Set(t *testing.T) {
	redis := newFake(values{})
	l := newResolver(t, redis, "", "")
	if err := l.Set(t.Context(), map[string]any{Signature: "gpt-5", TodayDate: "2025-10-02", IfTrade: false}); err != nil {
		t.Fatal(err)
	}
	want := set(`SIGNATURE="gpt-5" TODAY_DATE="2025-10-02" IF_TRADE=false`)
	file, err := l.file.Values(t.Context(), key(Signature), key(TodayDate), key(IfTrade), key(Halt))
	if err != nil || !maps.Equal(file, want) || !maps.Equal(redis.values, want) {
		t.Errorf("the file holds %v, %v\nRedis holds %v\nwant %v", file, err, redis.values, want)
	}
	if redis.ttl[key(Signature)] != time.Minute {
		t.Errorf("the session lives for %v", redis.ttl[key(Signature)])
	}
	if _, err := l.Clear(t.Context(), Signature, TodayDate, IfTrade, Halt); err != nil || len(redis.values) != 0 {
		t.Errorf("%v is left, %v", redis.values, err)
	}
	if got := spell(l.Read(t.Context())); got != "missing SIGNATURE, redis false" {
		t.Errorf("after all was cleared: %s", got)
	}
}

// Orders are refused while a halt lasts, so nothing would prolong it: if it expired, trading would begin again unasked.
func TestResolver_Set_HaltDoesNotExpire(t *testing.T) {
	redis := newFake(values{})
	l := newResolver(t, redis, "", "")
	if err := l.Set(t.Context(), map[string]any{Signature: "gpt-5", Halt: true}); err != nil {
		t.Fatal(err)
	}
	if ttl, ok := redis.ttl[key(Halt)]; !ok || ttl != 0 || redis.values[key(Halt)] != "true" {
		t.Errorf("the halt is %q for %v", redis.values[key(Halt)], ttl)
	}
	if redis.ttl[key(Signature)] != time.Minute {
		t.Errorf("the session lives for %v", redis.ttl[key(Signature)])
	}
}

// Only a halt must reach every engine.
func TestResolver_Set_UnreachableRedis(t *testing.T) {
	for _, c := range []struct {
		name   string
		do     func(*layers) error
		fails  bool
		warned int
	}{
		{"a date is set in the file alone, and that is told once", func(l *layers) error {
			return errors.Join(l.Set(t.Context(), map[string]any{TodayDate: "2025-10-02"}), l.Set(t.Context(), map[string]any{TodayDate: "2025-10-03"}))
		}, false, 1},
		{"a halt", func(l *layers) error { return l.Set(t.Context(), map[string]any{Halt: true}) }, true, 0},
		{"a halt beside other values", func(l *layers) error { return l.Set(t.Context(), map[string]any{TodayDate: "2025-10-02", Halt: true}) }, true, 0},
		{"the end of a halt", func(l *layers) error { return l.Set(t.Context(), map[string]any{Halt: false}) }, true, 0},
		{"clearing", func(l *layers) error { _, err := l.Clear(t.Context(), TodayDate); return err }, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newResolver(t, down(), "SIGNATURE=f TODAY_DATE=2025-10-01", "")
			err := c.do(l)
			if _, unreachable := errors.AsType[*store.UnreachableError](err); unreachable != c.fails || (err != nil) != c.fails {
				t.Errorf("%v", err)
			}
			if len(l.warned) != c.warned {
				t.Errorf("the warnings are %q", l.warned)
			}
		})
	}
	// What can be halted is halted, even though the error says that not all is.
	l := newResolver(t, down(), "SIGNATURE=f TODAY_DATE=2025-10-01", "")
	if err := l.Set(t.Context(), map[string]any{Halt: true}); err == nil {
		t.Error("no error")
	}
	if s, err := l.Read(t.Context()); err != nil || !s.Halted {
		t.Errorf("%+v, %v", s, err)
	}
}

// A value that no reader would take is not set.
func TestResolver_Set_BadValues(t *testing.T) {
	for _, c := range []struct {
		name  string
		value any
		ok    bool
	}{
		{Signature, "gpt-5", true},
		{Signature, "2024", true},
		{Signature, "../../etc", false},
		{Signature, "", false},
		{Signature, strings.Repeat("x", 65), false},
		{TodayDate, "2025-10-02 10:30:00", true},
		{TodayDate, "2025-02-30", false},
		{TodayDate, "", false},
		{IfTrade, true, true},
		{IfTrade, "false", true},
		{IfTrade, "False", false},
		{Halt, "on", false},
		{Halt, 1, false},
		{"MARKET", "us", true},
		{"market", "us", false},
		{"A B", "x", false},
		{"", "x", false},
		{"X", make(chan int), false},
	} {
		redis := newFake(values{})
		l := newResolver(t, redis, "", "")
		err := l.Set(t.Context(), map[string]any{c.name: c.value})
		if (err == nil) != c.ok || (len(redis.values) > 0) != c.ok {
			t.Errorf("%s = %v: %v, and %v is set", c.name, c.value, err, redis.values)
		}
	}
}

// Values are read as people write them.
func TestParseValue(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       any
	}{
		{IfTrade, "True", true}, {IfTrade, "0", false}, {Halt, "yes", true}, {Halt, "no", false}, {Halt, "maybe", "maybe"},
		{Signature, "true", "true"}, {Signature, "2024", "2024"}, {TodayDate, "2025-10-02", "2025-10-02"},
		{TodayDate, "2025/10/2", "2025-10-02"}, {TodayDate, "10/02/2025", "10/02/2025"},
	} {
		if got := ParseValue(c.name, c.text); got != c.want {
			t.Errorf("%s=%s is %v, want %v", c.name, c.text, got, c.want)
		}
	}
}

// Values are listed without being judged.
func TestResolver_Values(t *testing.T) {
	l := newResolver(t, newFake(set(`SIGNATURE=../x MARKET="us"`)), "TODAY_DATE=2025-10-02", "IF_TRADE=True")
	got, err := l.Values(t.Context(), Signature, TodayDate, IfTrade, "MARKET", "NONE")
	want := []Value{{Signature, "../x", fromRedis}, {IfTrade, "True", FromEnvironment}, {"MARKET", "us", fromRedis}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

// A model id must fit into a key.
func TestNew_ModelID(t *testing.T) {
	for id, ok := range map[string]bool{"global": true, "26": true, "gpt-5.1": true, store.AllModels: true, "": false, "a/b": false, "a:b": false, "**": false, ".x": false} {
		_, err := New(Config{Model: id})
		if _, named := errors.AsType[*store.NameError](err); (err == nil) != ok || named == ok {
			t.Errorf("%q: %v", id, err)
		}
	}
}
