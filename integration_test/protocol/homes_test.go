// The homes of the session as the program itself judges them: what a file holds and what is decided is computed by package
// session, once for each case, and known by a number from then on.

package protocol_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store"
)

const model = "m" // the model id of the one session

// The stores of the session.
const (
	redisStore session.Source = "redis"
	fileStore  session.Source = "file"
)

// fileID is the number of what a machine's session files hold, with the notes on it: the model's own, and that of all models.
type fileID uint16

// decisionID is the number of what was decided.
type decisionID uint16

// seenID is the number of what a process knows from its readings; 0: nothing.
type seenID uint8

// content is what a machine's session files hold.
type content struct {
	texts map[store.Key]string

	// The same, for the promises.
	values
	halt, missed, haltMissed bool
	replaced                 []values // by those that missed Redis
}

// look is what one look at Redis saw.
type look struct {
	reached bool
	inRedis
}

// inRedis is a session as Redis holds it.
type inRedis struct {
	values
	halt, traded bool
}

// decision is one of [session.Decide] in numbers.
type decision struct {
	session.Decision
	values
	seen     seenID
	fromFile bool
	changes  bool // something is to be put right
}

// trades tells whether an order can be judged in the session.
func (d decision) trades() bool { return d.Err == nil && !d.Session.Halted && d.Session.NoTrade == nil }

// homes are all that came up so far.
type homes struct {
	p         protocol
	haltOf    string // the model whose HALT the operator sets: the one, or all
	kind      setting
	files     []content
	fileIDs   map[string]fileID
	decisions []decision
	decided   map[decisionCase]decisionID
	views     map[string]decisionID // decisions by what makes a difference later
	seen      []session.Seen
	holding   map[holdCase]bool
	writings  map[writeCase]fileID
	moves     []step[world] // of the newest world whose steps were asked for: there are millions of them
}

// writeCase is a file that is written, by a command of the operator or after a commit.
type writeCase struct {
	file    fileID
	command action
	commit  decisionID
}

type decisionCase struct {
	look look
	file fileID
	seen seenID
}

type holdCase struct {
	of    decisionID
	home  session.Source
	file  fileID
	redis inRedis
}

func newHomes(p protocol, kind setting) *homes {
	h := &homes{
		p: p, haltOf: model, kind: kind, fileIDs: map[string]fileID{}, decided: map[decisionCase]decisionID{}, views: map[string]decisionID{},
		holding: map[holdCase]bool{}, writings: map[writeCase]fileID{}, seen: []session.Seen{{}}, decisions: []decision{{}},
	}
	if kind.haltsAll {
		h.haltOf = store.AllModels
	}
	return h
}

func key(name string) store.Key { return store.Key{Model: model, Name: name} }

func (h *homes) haltKey() store.Key { return store.Key{Model: h.haltOf, Name: session.Halt} }

func (v values) raw() map[string]string {
	return map[string]string{session.Signature: fmt.Sprintf("%q", string('a'-1+rune(v.account))), session.TodayDate: fmt.Sprintf(`"2025-01-%02d"`, v.date)}
}

// parsed is a session as a file or a decision has it.
func parsed(signature, today string) (v values) {
	signature, today = strings.Trim(signature, `"`), strings.Trim(today, `"`)
	if signature == "" || today == "" {
		return values{}
	}
	return values{account: signature[0] - 'a' + 1, date: today[len(today)-1] - '0'}
}

// file returns the number of a content.
func (h *homes) file(texts map[store.Key]string) fileID {
	maps.DeleteFunc(texts, func(_ store.Key, text string) bool { return text == "" })
	name := fmt.Sprint(texts) // in the order of the keys
	id, known := h.fileIDs[name]
	if !known {
		notes, all := texts[key(session.NotesName)], texts[store.Key{Model: store.AllModels, Name: session.NotesName}]
		c := content{
			texts: texts, values: parsed(texts[key(session.Signature)], texts[key(session.TodayDate)]), halt: texts[h.haltKey()] == "true",
			haltMissed: strings.Contains(notes+all, `"HALT":`),
		}
		var n struct {
			Replaced []struct {
				Signature string `json:"SIGNATURE"`
				Today     string `json:"TODAY_DATE"`
			} `json:"replaced"`
			Missed map[string]any `json:"missed"`
		}
		_ = json.Unmarshal([]byte(notes), &n) // "" where there are none
		for _, r := range n.Replaced {
			c.replaced = append(c.replaced, parsed(r.Signature, r.Today))
		}
		c.missed = n.Missed[session.TodayDate] != nil
		id = fileID(len(h.files))
		h.files, h.fileIDs[name] = append(h.files, c), id
	}
	return id
}

// changed is a content after changes; those of models whose file is not locked are left out.
func (h *homes) changed(of fileID, changes map[store.Key]string, models ...string) fileID {
	texts := maps.Clone(h.files[of].texts)
	for k, text := range changes {
		for _, m := range models {
			if k.Model == m {
				texts[k] = text
			}
		}
	}
	return h.file(texts)
}

// once computes how a file is written in a case, unless it is known.
func (h *homes) once(c writeCase, write func() fileID) fileID {
	is, known := h.writings[c]
	if !known {
		is = write()
		h.writings[c] = is
	}
	return is
}

// texts is what a look at Redis saw, as it is stored there.
func (h *homes) texts(r inRedis) map[store.Key]string {
	texts := map[store.Key]string{}
	if !r.empty() {
		for name, text := range r.raw() {
			texts[key(name)] = text
		}
	}
	if r.halt {
		texts[h.haltKey()] = "true"
	}
	if r.traded {
		texts[key(session.IfTrade)] = "true"
	}
	return texts
}

var errOutage = errors.New("it cannot be reached")

// decide is [session.Decide], in a world without the rules that the protocol lacks.
func (h *homes) decide(r look, file fileID, seen seenID) decisionID {
	r.set = 0
	c := decisionCase{r, file, seen}
	id, known := h.decided[c]
	if known {
		return id
	}
	d := decision{Decision: h.p.decide(h, r, h.files[file].texts, h.seen[seen])}
	d.values = parsed(d.Session.Signature, string(d.Session.Today))
	d.fromFile = d.Session.Sources[session.TodayDate] == fileStore
	d.changes = len(d.Local)+len(d.Mend) > 0
	d.seen = h.seenID(d.Seen)
	d.Lost = ""
	name := fmt.Sprint(d.Err != nil, d.Session.Halted, d.Session.NoTrade != nil, d.values, d.fromFile, d.Loss, d.seen, d.Local, d.Mend, d.Guards)
	if id, known = h.views[name]; !known {
		id = decisionID(len(h.decisions))
		h.decisions, h.views[name] = append(h.decisions, d), id
	}
	h.decided[c] = id
	return id
}

func (h *homes) seenID(s session.Seen) seenID {
	for id, known := range h.seen {
		if known == s {
			return seenID(id)
		}
	}
	h.seen = append(h.seen, s)
	return seenID(len(h.seen) - 1)
}

// lastSeen is the session that a process last saw.
func (h *homes) lastSeen(id seenID) values {
	return parsed(h.seen[id].Signature, string(h.seen[id].Today))
}

// holds tells whether the guards of a decision hold in one of the homes.
func (h *homes) holds(of decisionID, home session.Source, file fileID, r inRedis) bool {
	if r.set = 0; home == fileStore {
		r = inRedis{}
	} else {
		file = 0
	}
	c := holdCase{of, home, file, r}
	holds, known := h.holding[c]
	if known {
		return holds
	}
	texts := h.files[file].texts
	if home == redisStore {
		texts = h.texts(r)
	}
	holds = true
	for _, g := range h.decisions[of].Guards {
		if g.Home == home {
			holds = holds && store.Guard{Expect: g.Want}.Matches(texts) == nil
		}
	}
	h.holding[c] = holds
	return holds
}

// guarded tells whether a decision has a guard in a home, and what it sets there with a commit.
func (h *homes) guarded(of decisionID, home session.Source) (set map[store.Key]string, is bool) {
	for _, g := range h.decisions[of].Guards {
		if g.Home == home {
			return g.Set, true
		}
	}
	return nil, false
}

// decide calls [session.Decide], with what the protocol lacks taken from it.
func (p protocol) decide(h *homes, r look, file map[store.Key]string, seen session.Seen) session.Decision {
	in := session.Backends{Shared: &session.Backend{Name: redisStore, Values: h.texts(r.inRedis)}, Local: session.Backend{Name: fileStore, Values: maps.Clone(file)}, Env: func(string) (string, bool) { return "", false }}
	if !r.reached {
		in.Shared = &session.Backend{Name: redisStore, Err: errOutage}
	}
	if p.fileFirst && file[key(session.Signature)] != "" {
		in.Shared = nil
	}
	if p.marksYield {
		delete(in.Local.Values, key(session.NotesName))
	}
	known := seen
	if p.anyFallback {
		seen.Signature = ""
	}
	if p.marksBeatAll && !r.empty() { // as if it had been seen before
		seen.Signature, seen.Today = string('a'-1+rune(r.account)), market.Stamp(fmt.Sprintf("2025-01-%02d", r.date))
	}
	if p.haltNotWritten {
		seen.Halted, seen.AllHalted = false, false
	}
	d := session.Decide(model, in, seen, h.kind.refuse && !p.refusesNothing)
	if p.marksYield && d.Err == nil {
		d.Guards = withoutWant(d.Guards, fileStore, key(session.NotesName))
	}
	if p.haltNotWritten {
		maps.DeleteFunc(d.Local, func(k store.Key, _ string) bool {
			return k.Name == session.Halt || strings.Contains(d.Local[k], "halt_of")
		})
	}
	if p.haltStays && (known.Halted || known.AllHalted) {
		d.Seen.Halted, d.Seen.AllHalted, d.Session.Halted = known.Halted, known.AllHalted, true
	}
	counts := d.Session.Sources[session.TodayDate]
	d.Guards = slices.DeleteFunc(d.Guards, func(g session.Guard) bool {
		return g.Unread && !h.kind.redisLedgers || g.Home != counts && (p.guardsHomeOnly || p.presumesBlindly && counts == redisStore)
	})
	return d
}

func withoutWant(guards []session.Guard, home session.Source, k store.Key) []session.Guard {
	var all []session.Guard
	for _, g := range guards {
		if g.Home == home {
			g.Want = maps.Clone(g.Want)
			delete(g.Want, k)
		}
		all = append(all, g)
	}
	return all
}
