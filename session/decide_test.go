package session

// Tests of the decision: a table of situations, and what must hold in every combination of them.

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
	"mcp-trade/market"
	"mcp-trade/store"
)

var errDown = &store.UnreachableError{Engine: "redis", Doing: "read the session", Err: errors.New("connection refused")}

// homesOf spells what the homes hold; see set. In the file, "missed:NAME" notes that the value of that name missed Redis,
// "replaced:ACCOUNT/DATE" that a session stood there before, "copied" that HALT is Redis', "*copied" that the HALT of all is.
func homesOf(redis, file string) Backends {
	h := Backends{Local: Backend{Name: fromFile}, Env: func(string) (string, bool) { return "", false }}
	switch redis {
	case absent:
	case away:
		h.Shared = &Backend{Name: fromRedis, Err: errDown}
	default:
		h.Shared = &Backend{Name: fromRedis, Values: set(redis)}
	}
	var n, all notes
	var plain []string
	for _, word := range strings.Fields(file) {
		if before, ok := strings.CutPrefix(word, "replaced:"); ok {
			account, date, _ := strings.Cut(before, "/")
			n.replace(tradingDay{account, date})
			continue
		}
		switch word {
		case "copied":
			n.HaltOf = fromRedis
		case "*copied":
			all.HaltOf = fromRedis
		default:
			plain = append(plain, strings.TrimPrefix(strings.TrimPrefix(word, "missed:"), "*missed:"))
		}
	}
	h.Local.Values = set(strings.Join(plain, " "))
	for _, word := range strings.Fields(file) {
		if text, ok := strings.CutPrefix(word, "missed:"); ok {
			name, value, _ := strings.Cut(text, "=")
			n.miss(name, value)
		}
	}
	for m, n := range map[string]notes{"26": n, store.AllModels: all} {
		if text := n.text(); text != "" {
			h.Local.Values[notesKey(m)] = text
		}
	}
	return h
}

// putRight does what decisions say until nothing is left to be done.
func putRight(t *testing.T, h Backends, seen Seen, refuse bool) Decision {
	t.Helper()
	for range 5 {
		d := Decide("26", h, seen, refuse)
		switch {
		case len(d.Local) > 0:
			for k, raw := range d.Local {
				if h.Local.Values[k] = raw; raw == "" {
					delete(h.Local.Values, k)
				}
			}
		case len(d.Mend) > 0:
			maps.Copy(h.Shared.Values, d.Mend)
		default:
			return d
		}
	}
	t.Fatal("there is always something left to be put right")
	return Decision{}
}

// spelled tells values in the order of their names.
func spelled(v values) string {
	var words []string
	for k, raw := range v {
		if k.Name == NotesName {
			continue
		}
		word := k.Name + "=" + textOf(raw)
		if k.Model == store.AllModels {
			word = "*" + word
		}
		words = append(words, word)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func TestDecide(t *testing.T) {
	const a2, a3, a4, b2 = "SIGNATURE=a TODAY_DATE=2025-10-02", "SIGNATURE=a TODAY_DATE=2025-10-03", "SIGNATURE=a TODAY_DATE=2025-10-04", "SIGNATURE=b TODAY_DATE=2025-10-02"
	const missedDate, missedBoth = "SIGNATURE=a missed:TODAY_DATE=2025-10-03", "missed:SIGNATURE=a missed:TODAY_DATE=2025-10-03"
	inRedis := func(signature, today string) Seen {
		return Seen{Signature: signature, Today: market.Stamp(today), Shared: true}
	}
	for _, c := range []struct {
		name, redis, file string
		seen              Seen
		want              string // the session, or the error
		redisAfter        string // "=" for as before
		noted             bool   // whether the file has notes afterwards
	}{
		// A write that missed Redis.
		{"a missed date comes before the one that it replaced, and goes into Redis", a2, missedDate + " replaced:a/2025-10-02", Seen{}, "a@redis 2025-10-03@redis", a3, false},
		{"before a later one", a4, missedDate + " replaced:a/2025-10-04", Seen{}, "a@redis 2025-10-03@redis", a3, false},
		{"before any that it replaced", a2, missedDate + " replaced:b/2025-10-02 replaced:a/2025-10-02", Seen{}, "a@redis 2025-10-03@redis", a3, false},
		{"so do an account and a date", b2, missedBoth + " replaced:b/2025-10-02", Seen{}, "a@redis 2025-10-03@redis", a3, false},
		{"before what this process last saw", a2, missedDate, inRedis("a", "2025-10-02"), "a@redis 2025-10-03@redis", a3, false},
		{"Redis holds a later date that nobody here knows", a4, missedDate + " replaced:a/2025-10-02", Seen{}, "unreachable", "=", true},
		{"Redis holds an earlier date that nobody here knows", a2, missedDate, Seen{}, "unreachable", "=", true},
		{"Redis holds another account that nobody here knows", "SIGNATURE=b TODAY_DATE=2025-10-04", missedBoth + " replaced:a/2025-10-02", Seen{}, "unreachable", "=", true},
		{"Redis has it by now", a3, missedDate, Seen{}, "a@redis 2025-10-03@redis", "=", false},
		{"Redis lost the date alone", "SIGNATURE=a", missedDate + " replaced:a/2025-10-02", Seen{}, "a@redis 2025-10-03@redis", a3, false},
		{"Redis lost all: what was missed alone would be half a session", "", missedDate, Seen{}, "a@file 2025-10-03@file", "=", false},
		{"Redis is away still", away, missedDate, Seen{}, "a@file 2025-10-03@file", "=", true},
		{"no Redis is configured", absent, missedDate, Seen{}, "a@file 2025-10-03@file", "=", true},
		{"a value that another program wrote over the missed one", a4, "SIGNATURE=a TODAY_DATE=2025-10-02", Seen{}, "a@redis 2025-10-04@redis", "=", false},
		{"an unmarked file never comes before Redis", a2, a3, Seen{}, "a@redis 2025-10-02@redis", "=", false},
		{"the flag of a trade", a2 + " IF_TRADE=false", a2 + " missed:IF_TRADE=true", Seen{}, "true@redis a@redis 2025-10-02@redis", a2 + " IF_TRADE=true", false},
		{"the flag of a trade on another day", a3 + " IF_TRADE=false", a2 + " missed:IF_TRADE=true", Seen{}, "false@redis a@redis 2025-10-03@redis", "=", false},
		{"other values", a2 + " MARKET=cn", a2 + " missed:MARKET=us", Seen{}, "a@redis 2025-10-02@redis", a2 + " MARKET=us", false},

		// The file stands in.
		{"a process that has seen nothing", away, a2, Seen{}, "a@file 2025-10-02@file", "=", false},
		{"the same session", away, a2, inRedis("a", "2025-10-02"), "a@file 2025-10-02@file", "=", false},
		{"a later date", away, a3, inRedis("a", "2025-10-02"), "a@file 2025-10-03@file", "=", false},
		{"an earlier date", away, a2, inRedis("a", "2025-10-03"), "unreachable", "=", false},
		{"another account", away, b2, inRedis("a", "2025-10-02"), "unreachable", "=", false},
		{"an earlier date that was set on this machine", away, "SIGNATURE=a missed:TODAY_DATE=2025-10-02", inRedis("a", "2025-10-03"), "unreachable", "=", true},
		{"no session at all", away, "", inRedis("a", "2025-10-02"), "unreachable", "=", false},
		{"Redis lost it, the same session", "", a2, inRedis("a", "2025-10-02"), "a@file 2025-10-02@file", "=", false},
		{"Redis lost it, a flag is left", "IF_TRADE=true", a2, inRedis("a", "2025-10-02"), "a@file 2025-10-02@file", "=", false},
		{"Redis lost it, an earlier date", "", a2, inRedis("a", "2025-10-03"), "unreachable", "=", false},
		{"Redis lost it, another account", "", b2, inRedis("a", "2025-10-02"), "unreachable", "=", false},
		{"Redis lost it, and there is no file", "", "", inRedis("a", "2025-10-02"), "missing SIGNATURE, redis false", "=", false},
		{"Redis lost half of it", "SIGNATURE=a", a2, inRedis("a", "2025-10-02"), "missing TODAY_DATE, redis true", "=", false},
		{"Redis never had it: the file is the home", "", b2, Seen{Signature: "a", Today: "2025-10-03"}, "b@file 2025-10-02@file", "=", false},
		{"Redis never had it, and is away now", away, b2, Seen{Signature: "a", Today: "2025-10-03"}, "unreachable", "=", false},
		{"Redis answers and may change the account and go back", b2, a3, inRedis("a", "2025-10-03"), "b@redis 2025-10-02@redis", "=", false},
		{"so may the file where no Redis is configured", absent, b2, Seen{Signature: "a", Today: "2025-10-03"}, "b@file 2025-10-02@file", "=", false},

		// Halts.
		{"a halt in Redis is copied", a2 + " HALT=true", a2, Seen{}, "set@redis a@redis 2025-10-02@redis halted", "=", true},
		{"a halt of all", a2 + " *HALT=true", a2, Seen{}, "a@redis 2025-10-02@redis halted", "=", true},
		{"the copy holds while Redis is away", away, a2 + " HALT=true copied", Seen{}, "set@file a@file 2025-10-02@file halted", "=", true},
		{"the copy of all", away, a2 + " *HALT=true *copied", Seen{}, "a@file 2025-10-02@file halted", "=", true},
		{"where the copy could not be written", away, a2, Seen{Halted: true}, "a@file 2025-10-02@file halted", "=", false},
		{"that of all", away, a2, Seen{AllHalted: true}, "a@file 2025-10-02@file halted", "=", false},
		{"the copy goes once Redis is read without", a2, a2 + " HALT=true copied", Seen{Halted: true}, "a@redis 2025-10-02@redis", "=", false},
		{"the copy of all goes", a2, a2 + " *HALT=true *copied", Seen{AllHalted: true}, "a@redis 2025-10-02@redis", "=", false},
		{"a halt that is lifted in words", "HALT=false", a2 + " HALT=true copied", Seen{Halted: true}, "false@redis a@file 2025-10-02@file", "=", false},
		{"a Redis that lost everything lost the halt too", "", a2 + " HALT=true copied", Seen{Halted: true}, "set@file a@file 2025-10-02@file halted", "=", true},
		{"that of all too", "", a2 + " *HALT=true *copied", Seen{}, "a@file 2025-10-02@file halted", "=", true},
		{"a halt that missed Redis", a2, a2 + " missed:HALT=true", Seen{}, "set@redis a@redis 2025-10-02@redis halted", a2 + " HALT=true", true},
		{"a halt of the file alone", a2, a2 + " HALT=true", Seen{}, "set@file a@redis 2025-10-02@redis halted", "=", false},
		{"a halt of the file for all", a2, a2 + " *HALT=true", Seen{}, "a@redis 2025-10-02@redis halted", "=", false},
		{"a copy that no Redis is there to lift", absent, a2 + " HALT=true copied", Seen{}, "set@file a@file 2025-10-02@file halted", "=", true},
		{"a halt in Redis and one of the file's own", a2 + " HALT=true", a2 + " HALT=true", Seen{}, "set@redis a@redis 2025-10-02@redis halted", "=", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := homesOf(c.redis, c.file)
			before := c.redis
			d := putRight(t, h, c.seen, false)
			got := spell(d.Session, d.Err)
			if d.values != nil && d.values[Halt].Text == "false" {
				got = strings.Replace(got, "set@", "false@", 1)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if want := c.redisAfter; h.Shared != nil && h.Shared.Err == nil {
				if want == "=" {
					want = before
				}
				if got := spelled(h.Shared.Values); got != spelled(set(want)) {
					t.Errorf("Redis holds %q, want %q", got, want)
				}
			}
			if noted := h.Local.Values[notesKey("26")]+h.Local.Values[notesKey(store.AllModels)] != ""; noted != c.noted {
				t.Errorf("the notes are %v", h.Local.Values)
			}
		})
	}
}

// combinations yields every way to take one of each.
func combinations(parts ...[]string) []string {
	all := []string{""}
	for _, part := range parts {
		var next []string
		for _, a := range all {
			for _, b := range part {
				next = append(next, strings.TrimSpace(a+" "+b))
			}
		}
		all = next
	}
	return all
}

// Every combination of a few values in each backend, with and without notes, for processes that have seen this or that; and
// every combination of halts in a few sessions.
func TestDecide_EveryCombination(t *testing.T) {
	testenv.Slow(t)
	const day2, day3 = "TODAY_DATE=2025-10-02", "TODAY_DATE=2025-10-03"
	seen := []Seen{
		{}, {Signature: "a", Today: "2025-10-02"}, {Signature: "a", Today: "2025-10-02", Shared: true}, {Signature: "a", Today: "2025-10-03", Shared: true},
		{Signature: "b", Today: "2025-10-02", Shared: true, Halted: true}, {Signature: "a", Today: "2025-10-02", AllHalted: true},
	}
	for _, c := range []struct{ redis, file []string }{
		{combinations(
			[]string{"", "SIGNATURE=a", "SIGNATURE=a " + day2, "SIGNATURE=a " + day3, "SIGNATURE=b " + day2, day3}, []string{"", "IF_TRADE=false"},
		), combinations(
			[]string{"", "SIGNATURE=a", "missed:SIGNATURE=a", "SIGNATURE=b", "missed:SIGNATURE=b"},
			[]string{"", day2, "missed:" + day2, "missed:" + day2 + " replaced:a/2025-10-03", day3, "missed:" + day3}, []string{"", "missed:IF_TRADE=true"},
		)},
		{combinations(
			[]string{"", "SIGNATURE=a " + day2, "SIGNATURE=b " + day3}, []string{"", "HALT=true", "HALT=false"}, []string{"", "*HALT=true", "*HALT=false"},
		), combinations(
			[]string{"", "SIGNATURE=a " + day2, "SIGNATURE=a missed:" + day3}, []string{"", "HALT=true", "HALT=true copied", "missed:HALT=true", "HALT=false"},
			[]string{"", "*HALT=true", "*HALT=true *copied"},
		)},
	} {
		for _, r := range append(c.redis, absent, away) {
			for _, f := range c.file {
				for _, s := range seen {
					for _, refuse := range []bool{false, r == away} {
						if c := (combination{t, homesOf(r, f), homesOf(r, f), s, refuse}); !c.check() {
							t.Fatalf("with %q in Redis, %q in the file, for %+v, refuse %v", r, f, s, refuse)
						}
					}
				}
			}
		}
	}
}

type combination struct {
	*testing.T
	h, after Backends // after is changed as the decisions say
	seen     Seen
	refuse   bool
}

// check tells whether everything holds that must.
func (c combination) check() bool {
	d := Decide("26", c.h, c.seen, c.refuse)
	then := putRight(c.T, c.after, c.seen, c.refuse)
	ok := true
	must := func(holds bool, what string, args ...any) {
		if !holds {
			ok = false
			c.Errorf(what, args...)
		}
	}
	same := (d.Err == nil) == (then.Err == nil) && d.Session.Signature == then.Session.Signature && d.Session.Today == then.Session.Today && d.Session.Halted == then.Session.Halted
	must(same, "putting right what is to be put right changes the session from %+v, %v to %+v, %v", d.Session, d.Err, then.Session, then.Err)
	for k := range d.Local {
		must(k.Name == Halt || k.Name == NotesName, "%v of the file is changed", k)
	}
	answered := c.h.Shared != nil && c.h.Shared.Err == nil
	must(answered || len(d.Mend) == 0, "a Redis that does not answer is to be put right: %v", d.Mend)
	n, _, _ := readNotes("26", c.h.Local.Values)
	for k, raw := range d.Mend {
		must(n.missed(k.Name) && string(n.Missed[k.Name]) == noted(raw), "Redis is to hold %v = %s, which it did not miss", k, raw)
	}
	c.checkHalts(then, answered, must)
	if d.Err == nil {
		c.checkSession(d, answered, n, must)
		c.checkGuards(then, must)
	}
	return ok
}

// noted is a value as notes keep it.
func noted(raw string) string {
	if raw == "true" || strings.HasPrefix(raw, `"`) {
		return raw
	}
	return `"` + raw + `"`
}

func (c combination) checkSession(d Decision, answered bool, n notes, must func(bool, string, ...any)) {
	s := d.Session
	if d.Loss != NoLoss && c.seen.Signature != "" {
		must(s.Signature == c.seen.Signature && s.Today >= c.seen.Today, "%s on %s is served from a fallback", s.Signature, s.Today)
	}
	must((s.NoTrade != nil) == (c.refuse && d.Loss == Unreachable), "trades are refused: %v", s.NoTrade)
	must(d.Loss != NoLoss == (d.Lost != ""), "the loss %q is told as %q", d.Loss, d.Lost)
	if !answered || len(d.Guards[0].Set) == 0 {
		return // the file is the backend
	}
	if !n.missed(Signature) && !n.missed(TodayDate) {
		r := c.h.Shared.Values
		must(s.Signature == r[key(Signature)] && string(s.Today) == r[key(TodayDate)], "%s on %s is served before what Redis holds", s.Signature, s.Today)
	}
	for name, is := range map[string]string{Signature: s.Signature, TodayDate: string(s.Today)} {
		if n.missed(name) {
			must(is == textOf(string(n.Missed[name])), "%s is %s, not what was set last on this machine", name, is)
		}
	}
	there := tradingDayOf(c.h.Shared.Values[key(Signature)], c.h.Shared.Values[key(TodayDate)])
	last := tradingDay{c.seen.Signature, string(c.seen.Today)}
	must(!n.missedSitting() || there.of(n.over(there)) || there.of(last) || slices.ContainsFunc(n.Replaced, there.of), "what nobody here knows is overwritten in Redis")
}

func (c combination) checkHalts(then Decision, answered bool, must func(bool, string, ...any)) {
	inFile, inRedis, says := false, false, false
	own, _, _ := readNotes("26", c.h.Local.Values)
	all, _, _ := readNotes(store.AllModels, c.h.Local.Values)
	if answered {
		for _, k := range []store.Key{key(Halt), allHalt} {
			inRedis = inRedis || c.h.Shared.Values[k] == "true"
			if c.h.Shared.Values[k] == "true" {
				must(c.after.Local.Values[k] == "true", "the halt %v is not copied", k)
			}
		}
		says = c.h.Shared.Values[key(Signature)] != "" || c.h.Shared.Values[key(TodayDate)] != ""
	}
	ownSays, allSays := says, says
	if answered {
		ownSays, allSays = says || c.h.Shared.Values[key(Halt)] != "", says || c.h.Shared.Values[allHalt] != ""
	}
	inFile = c.h.Local.Values[key(Halt)] == "true" && (own.HaltOf == "" || !ownSays) || c.h.Local.Values[allHalt] == "true" && (all.HaltOf == "" || !allSays)
	known := c.seen.Halted && !ownSays || c.seen.AllHalted && !allSays
	if then.Err == nil {
		must(then.Session.Halted == (inFile || inRedis || known), "halted is %v", then.Session.Halted)
	}
}

// checkGuards sees to it that a commit is held to all that the decision hangs on.
func (c combination) checkGuards(then Decision, must func(bool, string, ...any)) {
	wanted := map[Source]values{}
	for _, g := range then.Guards {
		home := c.after.Local
		if g.Home == fromRedis {
			home = *c.after.Shared
		}
		for k, want := range g.Want {
			must(home.Values[k] == want, "the guard wants %v = %q in %s, where it is %q", k, want, g.Home, home.Values[k])
		}
		wanted[g.Home] = g.Want
	}
	has := func(home Source, keys ...store.Key) {
		for _, k := range keys {
			_, is := wanted[home][k]
			must(is, "no guard is on %v in %s", k, home)
		}
	}
	has(fromFile, key(Halt), allHalt)
	if c.h.Shared != nil {
		has(fromFile, notesKey("26"))
	}
	if then.Loss == NoLoss && c.h.Shared != nil {
		has(fromRedis, key(Signature), key(TodayDate), key(Halt), allHalt)
	}
	if then.Session.Sources[Signature] == fromFile {
		has(fromFile, key(Signature), key(TodayDate))
	}
}
