// The commit protocol: what a server does with an order, step by step. Between two steps anything else may happen.

package protocol_test

// protocol is the one that is specified; each of its fields takes a rule away.
type protocol struct {
	byNumber         bool // a commit proves the number of the newest record, not its content
	trustsIndex      bool // a commit believes an index of order ids that lags
	guardsHomeOnly   bool // a commit proves the home that counts, not that the other one still does not
	replaysUnsynced  bool // a replay answers for a record that is not yet durable
	fileFirst        bool // an unmarked file beats Redis
	anyFallback      bool // a fallback may have any account and any date
	marksBeatAll     bool // a marked value beats whatever Redis holds
	mendsBlind       bool // Redis is mended though it may have been changed since it was read
	marksYield       bool // a marked value yields to whatever Redis holds
	haltNotWritten   bool // a halt that was read in Redis is not written to the file
	copyClearedBlind bool // a halt in the file is cleared after a look at Redis that was before the lock
	clearsFileAlone  bool // a clear of HALT that missed Redis clears the file
	presumesBlindly  bool // a session is presumed without a look at the marks in the file
	refusesNothing   bool // --on-redis-loss refuse is passed over
	haltStays        bool // a process that read a halt in Redis trades no more, whatever it reads there later
}

// server is a process.
type server struct {
	// What it remembers from order to order.
	seen     values // the session as it last saw it
	haltSeen bool   // Redis held a halt when it last read there
	view     view   // the session as it last read it, for a presumption
	head     book   // the newest book that it knows of the account headOf
	headOf   uint8

	// The order under way.
	phase phase
	order uint8
	read  look // at Redis

	// What the promises are held against.
	checked look   // at Redis, the last time before the commit that the protocol can have looked there
	owed    values // the marked values in its machine's file when the order came
	owes    bool   // a marked halt was in the file then
}

type phase uint8

const (
	waits   phase = iota
	reads         // Redis is read next
	decides       // the file is read next, under its lock, and it is decided which home counts
	judges        // the book is read next, unless it is known, and the order judged on it
	proves        // the values that the ledger's engine does not hold are proved next
	commits       // one step of the engine is next
	syncs         // the record is in its file, and made durable next
	answers       // the answer is next
)

func (p phase) String() string {
	return [...]string{"wait", "read Redis for", "decide on its file for", "judge", "prove the session of", "commit", "sync"}[p]
}

// look is what one look at Redis saw.
type look struct {
	reached bool
	values
	halt bool
}

func (w *world) look() look {
	if !w.up {
		return look{}
	}
	return look{true, w.redis.values, w.redis.halt}
}

// view is a session as it was read.
type view struct {
	home home
	values
	reached bool // Redis was, though it may hold no session
}

type home uint8

const (
	nowhere home = iota
	inRedis
	inFile
)

// serve adds what a server does next. What no other can see or change is part of the step before.
func (p protocol) serve(m *moves, i int) {
	do := func(what string, do func(w *world, s *server)) {
		m.add(serverNames[i], what, func(w *world) { do(w, &w.servers[i]) })
	}
	left := m.from.left
	switch s := &m.from.servers[i]; s.phase {
	case waits:
		for n, c := range m.from.client {
			if c.sends > 0 && (n == 0 || m.from.client[n-1].sends < m.from.kind.sends[n-1]) { // ids are used in their order
				do(orderNames[n], func(w *world, s *server) { p.take(w, s, i, uint8(n+1)) })
			}
		}
	case reads:
		do("reads Redis", func(w *world, s *server) { p.readRedis(w, s, i) })
	case decides:
		do("reads its file and decides", func(w *world, s *server) { p.decideAndMend(w, s, i) })
		if left.kill > 0 && p.decide(s.read, m.from.files[m.from.machine(i)], s).mend && p.mayMend(&m.from, s) {
			do("mends Redis and is killed before the mark is gone", func(w *world, s *server) {
				w.left.kill--
				p.mend(w, s, i)
				*s = server{}
			})
		}
	case judges:
		do("reads the ledger and judges the order", func(w *world, s *server) { p.judge(w, s) })
	case proves:
		do("proves the session where the ledger is not", func(w *world, s *server) { p.prove(w, s, i) })
	case commits:
		do("asks for the commit", func(w *world, s *server) { p.commit(w, s, i) })
		if left.lost > 0 && m.from.kind.redisLedgers && m.from.up {
			do("asks for the commit, and the reply of Redis is lost", func(w *world, s *server) {
				w.left.lost--
				before := w.client
				p.commit(w, s, i)
				w.client = before
				s.head, s.headOf = book{}, 0
				s.rest()
			})
		}
	case syncs:
		do("syncs the ledger", func(w *world, s *server) { p.sync(w, s) })
	}
	if s := &m.from.servers[i]; left.lost > 0 && (s.phase == commits || s.phase == syncs) {
		do("asks for the commit or syncs it, and its answer is lost", func(w *world, s *server) {
			before := w.client
			if s.phase == commits {
				p.commit(w, s, i)
			} else {
				p.sync(w, s)
			}
			if w.client != before {
				w.left.lost--
				w.client = before
			}
		})
	}
}

// sync makes a record in a file durable, and what stands before it.
func (p protocol) sync(w *world, s *server) {
	w.synced[s.view.account-1] = w.disk[s.view.account-1].length()
	w.answer(s)
}

// answer acknowledges the order.
func (w *world) answer(s *server) {
	if !w.kind.redisLedgers {
		at, _ := w.book(s.view.account).find(s.order)
		w.breaks(durable, at >= w.synced[s.view.account-1])
	}
	w.client[s.order-1].answered = s.view.account
	s.rest()
}

// rest ends an order; what is remembered stays.
func (s *server) rest() {
	s.phase, s.order, s.read, s.checked, s.owed, s.owes = waits, 0, look{}, look{}, values{}, false
}

// take begins an order. The session may be presumed to be as it was when the commit proves it, and when the file has no
// mark, of which the commit sees nothing.
func (p protocol) take(w *world, s *server, i int, order uint8) {
	w.client[order-1].sends--
	f := w.files[w.machine(i)]
	s.order, s.phase = order, reads
	if f.missed {
		s.owed = f.values
	}
	s.owes = f.haltMissed
	if s.view.home == inRedis && (p.presumesBlindly || !f.missed && !f.haltMissed) {
		s.read = look{reached: true, values: s.view.values}
		s.checked = s.read
		p.judgeKnown(w, s)
		return
	}
	p.readRedis(w, s, i)
}

func (p protocol) readRedis(w *world, s *server, i int) {
	s.read = w.look()
	s.checked, s.phase = s.read, decides
	if s.read.reached {
		s.haltSeen = s.read.halt || p.haltStays && s.haltSeen
		if !s.read.halt {
			w.haltRead[w.machine(i)] = false
		}
	}
}

// decision is which home counts, and what is to be written.
type decision struct {
	view
	halted   bool
	why      string // it is refused
	mend     bool   // the marked values belong into Redis
	mendHalt bool   // the marked halt does
	yield    bool   // the mark goes, and Redis stays as it is
	copyHalt bool   // the halt in Redis belongs into the file
	dropHalt bool   // the file's halt is of no more use: Redis says that there is none
}

// decide finds the home that counts: Redis where it was reached and holds a session, else the file.
func (p protocol) decide(r look, f file, s *server) (d decision) {
	d.view = view{inFile, f.values, r.reached}
	switch {
	case !r.reached:
		d.halted = f.halt || s.haltSeen && !p.haltNotWritten
	case p.fileFirst && !f.empty():
		d.halted = f.halt
	default:
		if f.missed && !p.marksYield {
			switch {
			case r.same(f.values), r.empty(), r.same(f.replaced), p.marksBeatAll:
				d.mend = true
				r.values = f.values
			default:
				d.why = "the file's session missed Redis, and Redis was changed since"
			}
		}
		d.yield = f.missed && p.marksYield
		d.mendHalt, d.copyHalt = f.haltMissed, r.halt && !p.haltNotWritten
		d.halted = r.halt || f.haltMissed || p.haltStays && s.haltSeen
		if !r.empty() {
			d.view = view{inRedis, r.values, true}
			d.dropHalt = f.halt && !f.haltMissed && !r.halt
		} else {
			d.halted = d.halted || f.halt
		}
	}
	last := s.seen
	switch {
	case d.why != "":
	case d.empty():
		d.why = "there is no session"
	case d.home == inFile && !p.anyFallback && !last.empty() && (d.account != last.account || d.date < last.date):
		d.why = "the file has another account or an earlier date"
	}
	return d
}

// decideAndMend decides under the lock of the file, and writes what belongs there and into Redis.
func (p protocol) decideAndMend(w *world, s *server, i int) {
	at := w.machine(i)
	f := &w.files[at]
	d := p.decide(s.read, *f, s)
	if d.mend && !p.mayMend(w, s) || d.mendHalt && !w.up {
		s.phase = reads
		return
	}
	if d.mend {
		p.mend(w, s, i)
	}
	if d.mend || d.yield {
		f.missed, f.replaced = false, values{}
	}
	if d.mendHalt {
		w.redis.halt, f.haltMissed = true, false
	}
	if d.copyHalt {
		f.halt, w.haltRead[at] = true, true
	}
	if again := w.look(); d.dropHalt && (p.copyClearedBlind || again.reached && !again.halt) {
		f.halt = false
		if again.reached && !again.halt {
			w.haltRead[at] = false
		}
	}
	if d.why != "" {
		s.rest()
		return
	}
	w.breaks(place, d.home == inFile && !s.seen.empty() && (d.account != s.seen.account || d.date < s.seen.date))
	s.seen, s.view = d.values, d.view
	if d.halted {
		s.view = view{} // nothing is presumed of a halted session
		s.rest()
		return
	}
	p.judgeKnown(w, s)
}

// mayMend tells whether Redis is what it was when it was read.
func (p protocol) mayMend(w *world, s *server) bool {
	return w.up && (p.mendsBlind || w.redis.same(s.read.values))
}

// mend writes the marked values of the file into Redis.
func (p protocol) mend(w *world, s *server, i int) {
	f := w.files[w.machine(i)]
	w.breaks(undone, !w.redis.empty() && w.redis.set > f.set && !w.redis.same(f.replaced) && !w.redis.same(f.values))
	f.set = max(f.set, w.redis.set) // a newer set of what the file's was to replace cannot be told from none
	w.redis.values = f.values
}

// judgeKnown judges the order on the book that the server knows, if it knows one. A refusal is not final then.
func (p protocol) judgeKnown(w *world, s *server) {
	switch {
	case s.view.home == inFile && w.kind.redisLedgers && !s.view.reached && !p.guardsHomeOnly: // nor can the ledger be reached
		s.rest()
	case !s.view.reached && w.kind.refuse && !p.refusesNothing:
		s.rest()
	case s.headOf != s.view.account || s.head.newest() > s.view.date:
		s.head, s.headOf, s.phase = book{}, 0, judges
	default:
		s.toCommit(w)
	}
}

// judge reads the book and judges the order on it.
func (p protocol) judge(w *world, s *server) {
	b := *w.book(s.view.account)
	if w.kind.redisLedgers && !w.up {
		s.rest()
	} else if at, times := b.find(s.order); times > 0 {
		p.replay(s, b[1+at], w)
	} else if b.newest() > s.view.date || !b.registered() {
		s.rest()
	} else {
		s.head, s.headOf = b, s.view.account
		s.toCommit(w)
	}
}

func (s *server) toCommit(w *world) {
	s.phase = commits
	if ledgerHome := map[bool]home{true: inRedis, false: inFile}[w.kind.redisLedgers]; s.view.home != ledgerHome || s.view.home == inFile && s.view.reached {
		s.phase = proves
	}
}

// replay answers an order whose id is in the ledger, if it is of the same date.
func (p protocol) replay(s *server, r record, w *world) {
	switch {
	case r.date() != s.view.date:
		s.rest()
	case w.kind.redisLedgers || p.replaysUnsynced:
		w.answer(s)
	default:
		s.phase = syncs
	}
}

// prove proves the values that are not where the ledger is, just before the commit.
func (p protocol) prove(w *world, s *server, i int) {
	v, f, r := s.view, w.files[w.machine(i)], w.look()
	s.phase = commits
	if w.kind.redisLedgers { // the script proves what is in Redis
		if !f.same(v.values) || f.halt {
			s.phase = reads
		}
		return
	}
	if v.home == inFile && (!v.reached || p.guardsHomeOnly) {
		return // Redis could not be reached when the session was read, just now
	}
	s.checked = r
	want := v.values
	if v.home == inFile {
		want = values{}
	}
	if !r.reached || !r.same(want) || r.halt {
		s.phase = reads
	}
}

// commit is the one step of the ledger's engine: the order id, the values that it holds, the book, the record.
func (p protocol) commit(w *world, s *server, i int) {
	v := s.view
	if w.kind.redisLedgers && !w.up {
		s.rest()
		return
	}
	b := w.book(v.account)
	if at, times := b.find(s.order); times > 0 && (!p.trustsIndex || !w.kind.redisLedgers || w.redis.index[v.account-1]&(1<<s.order) != 0) {
		p.replay(s, b[1+at], w)
		return
	}
	if !p.holds(w, v, w.files[w.machine(i)]) {
		s.phase = reads
		return
	}
	if s.head != *b && !(p.byNumber && s.head.length() == b.length()) || b.length() == records {
		s.head, s.headOf, s.phase = book{}, 0, judges
		return
	}
	w.hold(s, i)
	b[1+b.length()] = newRecord(s.order, v.date, s.head, *b)
	s.head, s.phase = *b, syncs
	if w.kind.redisLedgers {
		w.redis.index[v.account-1] |= 1 << s.order
		w.answer(s)
	}
}

// holds tells whether the values that are where the ledger is are those of the view.
func (p protocol) holds(w *world, v view, f file) bool {
	if !w.kind.redisLedgers {
		return v.home != inFile || f.same(v.values) && !f.halt
	}
	switch {
	case v.home == inRedis:
		return w.redis.same(v.values) && !w.redis.halt
	case p.guardsHomeOnly:
		return true
	}
	return w.redis.empty() && !w.redis.halt
}

// hold holds a commit against the promises.
func (w *world) hold(s *server, i int) {
	at := w.machine(i)
	f, v, checked := w.files[at], s.view, s.checked
	if w.kind.redisLedgers {
		checked = w.look() // it is one step
	}
	for _, proved := range []values{checked.values, f.values} { // by a later set of the same
		if proved.same(v.values) {
			v.set = max(v.set, proved.set)
		}
	}
	w.breaks(halted, checked.halt || s.haltSeen && !checked.reached || !checked.reached && w.haltRead[at])
	w.breaks(halted, s.owes && f.haltMissed || v.home == inFile && !w.kind.redisLedgers && f.halt)
	w.breaks(shared, checked.reached && !checked.empty() && v.set < checked.set && !v.same(checked.values))
	w.breaks(marked, v.set < s.owed.set && !v.same(s.owed))
	w.breaks(refused, w.kind.refuse && !checked.reached)
}
