// The world of the model: what a Redis, the session files of two machines, the ledgers and two servers hold, and the promises
// that are to hold of it. All of it is small numbers, so that two states are the same when all of it is.

package protocol_test

import (
	"fmt"
	"strings"

	"mcp-trade/session"
	"mcp-trade/store"
)

const (
	accounts = 2 // numbered from 1; 0: none
	orderIDs = 2 // that the client uses, numbered from 1
	records  = 3 // that a book has room for: more than there are order ids break a promise
)

// values are SIGNATURE and TODAY_DATE of the one session that there is.
type values struct {
	account, date uint8 // both 0: not set
	set           uint8 // number of the set that wrote them, for the promises: no protocol can see it
}

func (v values) same(w values) bool { return v.account == w.account && v.date == w.date }
func (v values) empty() bool        { return v.account == 0 }

func (v values) String() string {
	if v.empty() {
		return "-"
	}
	return fmt.Sprintf("%c%d", 'a'-1+v.account, v.date)
}

// book is the content of a ledger: the number of its registration, then a record for each order.
type book [1 + records]record

// record is an order id, the date, and whether it was computed from another book than the one before it.
type record uint8

const (
	dateShift = 2
	misplaced = 1 << 6
)

func newRecord(order, date uint8, base, is book) record {
	r := record(order | date<<dateShift)
	if base != is {
		r |= misplaced
	}
	return r
}

func (r record) order() uint8 { return uint8(r & 3) }
func (r record) date() uint8  { return uint8(r >> dateShift & 3) }

func (b book) registered() bool { return b[0] > 0 }

func (b book) length() (n uint8) {
	for n < records && b[1+n] != 0 {
		n++
	}
	return n
}

// find returns where the first record with an order id is, from 0, and how many there are.
func (b book) find(order uint8) (at uint8, times int) {
	for i := records; i >= 1; i-- {
		if b[i].order() == order {
			at = uint8(i - 1)
			times++
		}
	}
	return at, times
}

func (b book) newest() (date uint8) {
	for _, r := range b[1:] {
		date = max(date, r.date())
	}
	return date
}

func (b book) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d[", b[0])
	for _, r := range b[1 : 1+b.length()] {
		fmt.Fprintf(&text, " #%d@%d", r.order(), r.date())
		if r&misplaced != 0 {
			text.WriteByte('!')
		}
	}
	return text.String() + "]"
}

// redis is what a Redis holds.
type redis struct {
	inRedis
	books [accounts]book
	index [accounts]uint8 // the order ids that the index of the book knows, a bit for each
}

// file are the session files of a machine.
type file struct {
	is    fileID
	set   uint8    // that wrote its values
	locks [2]actor // who holds the lock of the model's file, and that of all models'
}

// actor is one that can hold a lock: 0 nobody, 1 the operator, then the servers.
type actor uint8

const theOperator actor = 1

func theServer(i int) actor { return actor(i + 2) }

// release gives the locks of one that ends back.
func (w *world) release(a actor) {
	for m := range w.files {
		for l, holder := range w.files[m].locks {
			if holder == a {
				w.files[m].locks[l] = 0
			}
		}
	}
}

// world is one state of everything.
type world struct {
	kind    setting
	up      bool // Redis can be reached
	redis   redis
	replica redis // what a failover leaves, where one can still come
	files   [2]file
	disk    [accounts]book  // the ledgers in files, on machine A
	synced  [accounts]uint8 // how many records of them outlive a power failure
	servers [2]server
	action  action // of the operator, under way
	client  [orderIDs]struct {
		sends    uint8 // left
		answered uint8 // the account in which the order was acknowledged
	}
	left limits

	// What the promises are held against; no protocol can see it.
	sets     uint8   // that were begun
	haltRead [2]bool // a server of the machine read a halt in Redis and noted it, and none read since that there is none
	broken   promise
}

// setting never changes.
type setting struct {
	redisLedgers bool            // else they are files of machine A, where both servers are then
	refuse       bool            // --on-redis-loss refuse
	haltsAll     bool            // HALT is set for all models, not for the one
	haltedFirst  bool            // it was set before, and machine A has read it
	sends        [orderIDs]uint8 // how often the client sends each order
}

// limits are how often each of these can still happen.
type limits struct {
	acts, outage, failover, flush, expiry, eviction, kill, power, lost uint8
}

// machine is where a server is.
func (w *world) machine(server int) int {
	if w.kind.redisLedgers {
		return server
	}
	return 0
}

// book is where an account is kept.
func (w *world) book(account uint8) *book {
	if w.kind.redisLedgers {
		return &w.redis.books[account-1]
	}
	return &w.disk[account-1]
}

// promise is one that was broken.
type promise uint8

const (
	kept promise = iota
	once
	proved
	durable
	halted
	place
	shared
	marked
	undone
	refused
	recovery
)

func (p promise) String() string {
	return [...]string{
		"",
		"an order is in the ledger at most once, and exactly once when it was acknowledged",
		"a record follows the book before it",
		"what is acknowledged outlives a power failure",
		"nothing is committed under a halt",
		"a fallback never has another account or an earlier date than the process last saw",
		"where Redis can be reached, its session counts",
		"a session that missed Redis beats the older one there",
		"a session that missed Redis undoes no newer one",
		"nothing is committed without Redis where that is to be refused",
		"a server trades again once the operator has set everything anew",
	}[p]
}

func (w *world) breaks(p promise, when bool) {
	if when && w.broken == kept {
		w.broken = p
	}
}

// judge holds what was acknowledged against the books.
func (w *world) judge() {
	for account := uint8(1); account <= accounts; account++ {
		b := w.book(account)
		for order := uint8(1); order <= orderIDs; order++ {
			_, times := b.find(order)
			w.breaks(once, times > 1 || w.client[order-1].answered == account && times == 0)
		}
		for _, r := range b[1:] {
			w.breaks(proved, r&misplaced != 0)
		}
	}
}

// forgive takes back what Redis lost: acknowledgements, and sessions that it was mended with.
func (w *world) forgive() {
	for i := range w.servers {
		w.servers[i].owed = values{}
	}
	for i := range w.client {
		if c := &w.client[i]; c.answered > 0 {
			if _, times := w.book(c.answered).find(uint8(i + 1)); times == 0 {
				c.answered = 0
			}
		}
	}
}

// tell tells a state in one line.
func (h *homes) tell(w world) string {
	var text strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&text, format, args...) }
	say("| Redis %s: %v%s", map[bool]string{true: "up", false: "down"}[w.up], w.redis.values, map[bool]string{true: " HALT"}[w.redis.halt])
	for i, f := range w.files {
		if i == 0 || w.kind.redisLedgers {
			c := h.files[f.is]
			say(" | file %c: %v%s", 'A'+i, c.values, map[bool]string{true: " HALT"}[c.halt])
			for _, m := range []string{model, store.AllModels} {
				if notes := c.texts[store.Key{Model: m, Name: session.NotesName}]; notes != "" {
					say(" %s", notes)
				}
			}
		}
	}
	for account := uint8(1); account <= accounts; account++ {
		say(" | %c: %v", 'a'-1+account, *w.book(account))
	}
	for i, s := range w.servers {
		if s.phase != waits {
			say(" | server %d is to %v order %d", i+1, s.phase, s.order)
		}
	}
	return text.String()
}
