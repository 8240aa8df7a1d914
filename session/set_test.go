package session

// Tests of what a write leaves in the file.

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"mcp-trade/market"
	"mcp-trade/store"
)

func TestAfterSet(t *testing.T) {
	const before = "SIGNATURE=a TODAY_DATE=2025-10-02"
	for _, c := range []struct {
		name, file, set string // set: "-NAME" clears one
		reach           Reach
		want            string // values of the file, then its notes
	}{
		{"both homes", before, "TODAY_DATE=2025-10-03", Reached, `SIGNATURE=a TODAY_DATE=2025-10-03`},
		{"no Redis", before, "TODAY_DATE=2025-10-03", NoShared, `SIGNATURE=a TODAY_DATE=2025-10-03`},
		{"Redis is missed", before, "TODAY_DATE=2025-10-03", Missed,
			`SIGNATURE=a TODAY_DATE=2025-10-03 {"missed":{"TODAY_DATE":"2025-10-03"},"replaced":[{"SIGNATURE":"a","TODAY_DATE":"2025-10-02"}]}`},
		{"and again", "SIGNATURE=a missed:TODAY_DATE=2025-10-03 replaced:a/2025-10-02", "TODAY_DATE=2025-10-04", Missed,
			`SIGNATURE=a TODAY_DATE=2025-10-04 {"missed":{"TODAY_DATE":"2025-10-04"},"replaced":[{"SIGNATURE":"a","TODAY_DATE":"2025-10-02"},{"SIGNATURE":"a","TODAY_DATE":"2025-10-03"}]}`},
		{"and reached then", "SIGNATURE=a missed:TODAY_DATE=2025-10-03 replaced:a/2025-10-02", "TODAY_DATE=2025-10-04", Reached, `SIGNATURE=a TODAY_DATE=2025-10-04`},
		{"a flag that misses replaces no session", before, "IF_TRADE=true", Missed, `IF_TRADE=true SIGNATURE=a TODAY_DATE=2025-10-02 {"missed":{"IF_TRADE":true}}`},
		{"what another program wrote over a missed value counts for nothing", "SIGNATURE=a TODAY_DATE=2025-10-06", "IF_TRADE=true", Reached, `IF_TRADE=true SIGNATURE=a TODAY_DATE=2025-10-06`},
		{"a halt in both homes", before, "HALT=true", Reached, before + ` HALT=true {"halt_of":"redis"}`},
		{"a halt without Redis", before, "HALT=true", NoShared, before + ` HALT=true`},
		{"a halt that misses Redis", before, "HALT=true", Missed, before + ` HALT=true {"missed":{"HALT":true}}`},
		{"a halt is lifted everywhere", before + " HALT=true copied", "HALT=false", Reached, before + ` HALT=false`},
		{"a halt is not lifted in the file alone", before + " HALT=true", "HALT=false", Missed, before + ` HALT=true`},
		{"nor one of Redis", before + " HALT=true copied", "HALT=false", Missed, before + ` HALT=true {"halt_of":"redis"}`},
		{"nor by clearing it", before + " HALT=true copied", "-HALT", Missed, before + ` HALT=true {"halt_of":"redis"}`},
		{"it is cleared everywhere", before + " HALT=true copied", "-HALT", Reached, before},
		{"without Redis, of which it is a copy", before + " HALT=true copied", "-HALT", NoShared, before},
		{"a missed value is cleared", "SIGNATURE=a missed:TODAY_DATE=2025-10-03 replaced:a/2025-10-02", "-TODAY_DATE", Reached, "SIGNATURE=a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := homesOf(absent, c.file).Local.Values
			var changes values
			if name, clear := strings.CutPrefix(c.set, "-"); clear {
				changes = AfterClear("26", file, []string{name}, c.reach)
			} else {
				raw := map[string]string{}
				for k, v := range set(c.set) {
					raw[k.Name] = v
				}
				changes = AfterSet("26", fromRedis, file, raw, c.reach)
			}
			maps.Copy(file, changes)
			maps.DeleteFunc(file, func(_ store.Key, raw string) bool { return raw == "" })
			words := strings.Fields(c.want)
			notes := ""
			if last := words[len(words)-1]; strings.HasPrefix(last, "{") {
				notes, words = last, words[:len(words)-1]
			}
			if got := spelled(file); got != spelled(set(strings.Join(words, " "))) || file[notesKey("26")] != notes {
				t.Errorf("the file holds %s, and notes %s\nwant %s", got, file[notesKey("26")], c.want)
			}
		})
	}
}

// However long Redis is away, the notes stay small, and still know what it held when it went.
func TestAfterSet_LongOutage(t *testing.T) {
	file := set("SIGNATURE=a TODAY_DATE=2025-01-01")
	for day := range 200 {
		date := string(dateOf(day))
		maps.Copy(file, AfterSet("26", fromRedis, file, map[string]string{TodayDate: date}, Missed))
	}
	n, _, err := readNotes("26", file)
	if err != nil || len(n.Replaced) != maxReplaced || n.Replaced[0] != (tradingDay{"a", "2025-01-01"}) || n.Replaced[maxReplaced-1] != (tradingDay{"a", string(dateOf(198))}) {
		t.Errorf("%+v, %v", n, err)
	}
}

// A write that misses Redis is told once per outage.
func TestResolver_Set_WarnsOncePerOutage(t *testing.T) {
	redis := newFake(values{})
	l := newResolver(t, redis, "", "")
	for n := 1; n <= 2; n++ {
		redis.err = errDown
		for range 3 {
			if homes, err := l.Write(t.Context(), map[string]any{TodayDate: "2025-10-02"}); err != nil || len(homes) != 1 || homes[0] != fromFile {
				t.Errorf("reached %v, %v", homes, err)
			}
		}
		if len(l.warned) != n {
			t.Errorf("after %d outages the warnings are %q", n, l.warned)
		}
		redis.err = nil
		if homes, err := l.Write(t.Context(), map[string]any{TodayDate: "2025-10-02"}); err != nil || len(homes) != 2 {
			t.Errorf("reached %v, %v", homes, err)
		}
	}
}

func TestResolver_Traded(t *testing.T) {
	redis := newFake(set("SIGNATURE=a TODAY_DATE=2025-10-02"))
	l := newResolver(t, redis, "SIGNATURE=a TODAY_DATE=2025-10-02 IF_TRADE=false", "")
	sets := func() (redis, file int) {
		t.Helper()
		s, _, err := l.Cached(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range s.Guards() {
			if g.Backend.Place() == l.file.Place() {
				file += len(g.Update)
			} else {
				redis += len(g.Update)
			}
		}
		return redis, file
	}
	s, err := l.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r, f := sets(); r != 1 || f != 1 {
		t.Errorf("before the first trade %d values are set in Redis and %d in the file", r, f)
	}
	l.Traded(s)
	if r, f := sets(); r != 1 || f != 0 {
		t.Errorf("after it %d and %d", r, f)
	}
	old := s
	if _, err := l.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.Traded(old)
	if _, f := sets(); f != 1 {
		t.Error("a trade in a session that was read before says nothing of the one that was read since")
	}
}

// What a commit cannot set in Redis afterwards is noted in the file.
func TestResolver_Set_FlagMissesRedis(t *testing.T) {
	redis := newFake(set("SIGNATURE=a TODAY_DATE=2025-10-02 IF_TRADE=false"))
	l := newResolver(t, redis, "SIGNATURE=a TODAY_DATE=2025-10-02", "")
	s, err := l.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	redis.err = errDown
	if err := s.Guards()[0].ApplyAfter(t.Context()); !errors.Is(err, errDown) {
		t.Errorf("%v", err)
	}
	redis.err = nil
	if s, err = l.Read(t.Context()); err != nil || !s.IfTrade || s.Sources[IfTrade] != fromRedis {
		t.Errorf("%+v, %v", s, err)
	}
}

func dateOf(day int) market.Stamp { return market.Stamp("2025-01-02").AddDays(day) }

// movesOn is a Redis in which somebody else sets a date just before it is put right.
type movesOn struct {
	*fake
	to string
}

func (m *movesOn) SetValuesIf(ctx context.Context, want, v values, ttl time.Duration) error {
	if m.to != "" {
		m.values[key(TodayDate)], m.to = m.to, ""
	}
	return m.fake.SetValuesIf(ctx, want, v, ttl)
}

// What is set in Redis before it is put right is not overwritten.
func TestResolver_Read_NewerValueInRedis(t *testing.T) {
	for to, want := range map[string]string{"2025-10-09": "unreachable", "2025-10-03": "a@redis 2025-10-03@redis", "2025-10-02": "a@redis 2025-10-03@redis"} {
		redis := &movesOn{newFake(set("SIGNATURE=a TODAY_DATE=2025-10-02")), ""}
		l := newResolver(t, redis, "SIGNATURE=a TODAY_DATE=2025-10-02", "")
		redis.err = errDown
		if err := l.Set(t.Context(), map[string]any{TodayDate: "2025-10-03"}); err != nil {
			t.Fatal(err)
		}
		redis.err, redis.to = nil, to
		if got := spell(l.Read(t.Context())); got != want {
			t.Errorf("somebody set %s: %s, want %s", to, got, want)
		}
		if now := textOf(redis.values[key(TodayDate)]); now != max(to, "2025-10-03") {
			t.Errorf("somebody set %s, and Redis holds %s", to, now)
		}
	}
}
