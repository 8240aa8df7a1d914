// Package store is the contract between trading and the place where its state lives.
//
// Four things are kept: the session values of each model (small, overwritten, may expire), the ledger of each account
// (lines, appended, for ever), the state of each account's run, and the tokens by which callers are known. An engine implements all: [mcp-trade/store/filestore] with plain files and
// [mcp-trade/store/redisstore] with Redis. Engines move text; what the text means is for the packages above.
package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"mcp-trade/internal/strict"
)

// Store is an engine that keeps sessions, ledgers, the state of runs and tokens, such as a data directory or a Redis.
type Store interface {
	Sessions
	Ledgers
	Runs
	Tokens
	// Name is how the engine is called in answers and logs: "file" or "redis".
	Name() string
	// Close gives back connections and file handles.
	Close() error
}

// Key names one session value: the model whose session it is, and the value's name, such as SIGNATURE.
type Key struct{ Model, Name string }

// AllModels is the model id of values that hold for every session, such as HALT.
const AllModels = "*"

// Place names where an engine keeps its state, such as "file:/srv/data". Two handles with the same place reach the same
// values. It holds no secret.
type Place string

// Sessions keeps the session values. A value is text as it was stored: JSON, or a raw string from another writer.
type Sessions interface {
	// Place is where the values live. A decorator returns the place of what it decorates.
	Place() Place
	// Values returns the values of those keys that are set, as one consistent reading. An engine that cannot be read is
	// an *[UnreachableError], never an empty answer.
	Values(ctx context.Context, keys ...Key) (map[Key]string, error)
	// SetValues sets the values together: a reader sees all those of one model or none, except in a Redis Cluster, which
	// sets them one after the other. They expire after ttl in an engine that can expire values; a ttl of 0 keeps them.
	SetValues(ctx context.Context, values map[Key]string, ttl time.Duration) error
	// ClearValues removes the values. A value that is not set is no error.
	ClearValues(ctx context.Context, keys ...Key) error
	// Prolong gives the values a new life of ttl in an engine that can expire values. A value that is not set is no error.
	Prolong(ctx context.Context, ttl time.Duration, keys ...Key) error
}

// Ledgers keeps one append-only sequence of lines per account. A line is a JSON object; of its meaning an engine knows
// what [ReadEntry] reads.
type Ledgers interface {
	// CommitsWith tells whether Append proves and sets the session values at a place in the same atomic step as the
	// line. Of any other place it proves them just before the line and sets them just after it.
	CommitsWith(Place) bool
	// Head returns the account's newest line (nil if it has none) and, when orderID is not empty, the line that
	// carries that order id (nil if none does).
	Head(ctx context.Context, account, orderID string) (head, ordered []byte, err error)
	// Append commits one line, wholly or not at all, and returns once that is durable. It fails with
	//   - *[UsedError] when the commit's order id is in the ledger already; the line with it is durable by then,
	//   - *[LeasedError] when it carries no fence and a run has the account, [ErrLeaseLost] when it carries one and another run
	//     has taken the account since,
	//   - [ErrSessionChanged] when one of the commit's guards no longer holds,
	//   - [ErrConflict] when the newest line is not the one that the commit follows, byte for byte, or when the commit's
	//     id is not the newest line's id + 1 (0 for the first line),
	//   - *[UnreachableError] when the engine cannot say; its Unknown tells whether the line may be there all the same.
	// The conditions are judged in this order.
	Append(ctx context.Context, c Commit) error
	// Lines yields the account's lines, oldest first. A line is the caller's to keep.
	Lines(ctx context.Context, account string) iter.Seq2[[]byte, error]
	// LinesBefore yields the account's lines that the filter lets through, newest first. Its cost grows with the lines
	// yielded, not with the length of the ledger.
	LinesBefore(ctx context.Context, account string, f Filter) iter.Seq2[[]byte, error]
	// Accounts returns the names of all accounts, sorted.
	Accounts(ctx context.Context) ([]string, error)
	// Repair returns what is wrong with how the engine keeps an account's ledger, such as a damaged newest line or an index
	// that lags, and repairs it if write is set. It never changes a line that can be read.
	Repair(ctx context.Context, account string, write bool) ([]Fault, error)
}

// MaxID is above the id of every line.
const MaxID = math.MaxInt64

// Filter says which lines [Ledgers].LinesBefore yields. The zero Filter yields none, since no id lies below 0.
type Filter struct {
	Before int64  // lines with an id below it; [MaxID]: all
	AsOf   string // lines with this date or an earlier one; "": any date
	Trades bool   // only lines that traded
}

// Matches tells whether the filter lets a line through.
func (f Filter) Matches(e Entry) bool {
	return e.ID < f.Before && (f.AsOf == "" || e.Date <= f.AsOf) && (e.Traded || !f.Trades)
}

// Fault is something wrong with how an engine keeps a ledger.
type Fault struct {
	What string `json:"what"` // a sentence
	Mend string `json:"mend"` // what repairs it, or has repaired it, in a sentence

	Minor bool `json:"minor,omitempty"` // the engine repairs it by itself, and no order is lost by it
}

// Commit is one line on its way into a ledger.
type Commit struct {
	Account string
	After   []byte // the newest line, as Head returned it, which this one follows; nil for the first line of a ledger
	Entry          // what [ReadEntry] reads in the line
	Line    []byte // one JSON object, without a line feed
	Guards  []Guard
	Fence   Fence // of the lease under which it is made

	// Placed, unless it is nil, is called once, when the line stands in the ledger and is not durable yet. From then on the
	// next order may be judged on it. It returns how many more orders on this ledger wait in this process, so that an engine
	// can make their lines durable together with this one. An engine that makes each line durable at once does not call it.
	Placed func() (waiting int)
}

// CommitOf returns the commit of a line, with the entry read from its text.
func CommitOf(account string, after, line []byte) (Commit, error) {
	e, err := ReadEntry(line)
	return Commit{Account: account, After: after, Entry: e, Line: line}, err
}

// Guard ties a line to the session that it was judged under: values that must not have changed, and values to set with the line.
type Guard struct {
	Backend Sessions       // holds the values
	Expect  map[Key]string // the values as the line was judged; "" stands for not set
	Update  map[Key]string // values to set with the commit
	TTL     time.Duration  // new life of all these values, in an engine that can expire values; 0: for ever
}

// SplitGuards splits guards into those whose values the ledgers commit together with a line, and the others.
func SplitGuards(l Ledgers, guards []Guard) (together, others []Guard) {
	for _, g := range guards {
		if l.CommitsWith(g.Backend.Place()) {
			together = append(together, g)
		} else {
			others = append(others, g)
		}
	}
	return together, others
}

// Check returns [ErrSessionChanged] unless the backend still has the expected values, and an *[UnprovedError] if the backend
// cannot be read. It is for a ledger whose session lives in another engine; an engine that holds both checks within its commit.
func (g Guard) Check(ctx context.Context) error {
	if len(g.Expect) == 0 {
		return nil
	}
	values, err := g.Backend.Values(ctx, slices.Collect(maps.Keys(g.Expect))...)
	if err != nil {
		return &UnprovedError{err}
	}
	return g.Matches(values)
}

// Matches returns [ErrSessionChanged] unless values are the expected ones.
func (g Guard) Matches(values map[Key]string) error {
	for k, want := range g.Expect {
		if values[k] != want {
			return ErrSessionChanged
		}
	}
	return nil
}

// ApplyAfter sets the values to update and prolongs the expected ones, after a commit that could not do so in the same step.
// Values of [AllModels] are not prolonged: they are no part of the session.
func (g Guard) ApplyAfter(ctx context.Context) error {
	var prolonged, set error
	var live []Key
	for k, want := range g.Expect {
		if want != "" && k.Model != AllModels {
			live = append(live, k)
		}
	}
	if len(live) > 0 {
		prolonged = g.Backend.Prolong(ctx, g.TTL, live...)
	}
	if len(g.Update) > 0 {
		set = g.Backend.SetValues(ctx, g.Update, g.TTL)
	}
	return errors.Join(prolonged, set)
}

// ErrConflict says that the newest line is not the one that the commit follows. The caller must read the head and judge again.
var ErrConflict = errors.New("the ledger has another newest line")

// ErrSessionChanged says that the session is no longer the one that the line was judged under.
var ErrSessionChanged error = sessionChanged{}

// UnprovedError says that the session may have changed: the values that a commit expected could not be read. The line was
// not committed. It is also an [ErrSessionChanged].
type UnprovedError struct{ Err error }

func (e *UnprovedError) Error() string { return e.Err.Error() }

func (e *UnprovedError) Unwrap() []error { return []error{ErrSessionChanged, e.Err} }

// UsedError says that the ledger has a line with the same order id.
type UsedError struct{ Line []byte }

func (e *UsedError) Error() string { return "the order id is in the ledger already" }

// UnreachableError says that an engine gave no usable answer: it refuses, hangs, or holds something unreadable.
type UnreachableError struct {
	Engine  string // "file" or "redis"
	Doing   string // what was asked of it, such as "read the session"
	Err     error
	Unknown bool // a commit was sent and may have happened
}

func (e *UnreachableError) Error() string {
	// Errors that came together stand on lines of their own; the text is one line.
	return fmt.Sprintf("%s: cannot %s: %s", e.Engine, e.Doing, strings.ReplaceAll(e.Err.Error(), "\n", "; "))
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// DamagedError says which part of a ledger cannot be read.
type DamagedError struct {
	Account    string // "" where only the ledger's place is known
	Repairable bool   // Repair tells more, and repairs it
	Err        error
}

func (e *DamagedError) Error() string { return e.Err.Error() }

func (e *DamagedError) Unwrap() error { return e.Err }

// Entry holds what an engine must know of a ledger line.
type Entry struct {
	ID      int64
	OrderID string // "" if the order had none
	Date    string // YYYY-MM-DD or YYYY-MM-DD HH:MM:SS; "" if the line has none
	Traded  bool   // something was bought or sold
}

// ReadEntry reads the keys "id", "order_id", "date" and "this_action" of a ledger line. It refuses a line that another JSON
// reader could understand differently: see [strict].
func ReadEntry(line []byte) (Entry, error) {
	var e Entry
	hasID := false
	err := strict.Object(line, func(key, value []byte) (err error) {
		switch string(key) {
		case "id":
			if e.ID, hasID = strict.Int(value); !hasID {
				err = fmt.Errorf("id: %.40s is not a whole number", value)
			}
		case "order_id":
			e.OrderID, err = text(key, value)
		case "date":
			e.Date, err = text(key, value)
		case "this_action":
			e.Traded, err = traded(value)
		default:
			err = strict.Unlike(key, "id", "order_id", "date", "this_action")
		}
		return err
	})
	if err == nil && !hasID {
		err = errors.New(`it has no "id"`)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("not a ledger line: %w", err)
	}
	return e, nil
}

// traded tells whether an action buys or sells.
func traded(action []byte) (is bool, err error) {
	if string(action) == "null" {
		return false, nil
	}
	err = strict.Object(action, func(key, value []byte) error {
		if string(key) != "action" {
			return strict.Unlike(key, "action")
		}
		name, err := text(key, value)
		is = Bought(name) || Sold(name)
		return err
	})
	return is, err
}

// text returns a value that is a string. It takes null for a value that was left out.
func text(key, value []byte) (string, error) {
	text, ok := strict.Text(value)
	if !ok && string(value) != "null" {
		return "", fmt.Errorf("%s: %.40s is not a string", key, value)
	}
	return text, nil
}

// Crypto is what AI-Trader adds to the name of an action where it trades crypto.
const Crypto = "_crypto"

// Bought tells whether a line with this action bought something, in a ledger of this program or of AI-Trader.
func Bought(action string) bool { return strings.TrimSuffix(action, Crypto) == "buy" }

// Sold tells whether it sold something.
func Sold(action string) bool { return strings.TrimSuffix(action, Crypto) == "sell" }

// hasNameForm tells whether a text is 1 to 64 letters, digits, dots, underscores and hyphens, and does not start with a dot. A regular
// expression that says so takes a third of a millisecond of each start.
func hasNameForm(name string) bool {
	for i := range len(name) {
		c := name[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' && i > 0) {
			return false
		}
	}
	return name != "" && len(name) <= maxName
}

// isDevice tells whether Windows takes a name for a device, whatever follows after a dot.
func isDevice(name string) bool {
	name, _, _ = strings.Cut(strings.ToLower(name), ".")
	switch name {
	case "con", "prn", "aux", "nul":
		return true
	}
	port, numbered := strings.CutPrefix(name, "com")
	if !numbered {
		port, numbered = strings.CutPrefix(name, "lpt")
	}
	return numbered && len(port) == 1 && port[0] >= '0' && port[0] <= '9'
}

// CheckName reports whether a signature or a model id, named by what, can stand in a path and in a key, on every system: 1 to
// 64 letters, digits, dots, underscores and hyphens, not starting or ending with a dot, and no device of Windows.
func CheckName(what, name string) error {
	if !hasNameForm(name) || strings.HasSuffix(name, ".") || isDevice(name) {
		return &NameError{What: what, Name: name}
	}
	return nil
}

// NameError is a signature or model id that [CheckName] refuses.
type NameError struct{ What, Name string }

func (e *NameError) Error() string {
	switch {
	case !hasNameForm(e.Name):
		return fmt.Sprintf("%s %.80q is not valid: use 1 to 64 letters, digits, '.', '_' or '-', not starting with a dot", e.What, e.Name)
	case strings.HasSuffix(e.Name, "."):
		return fmt.Sprintf("%s %q is not valid: it ends with a dot, which Windows leaves out", e.What, e.Name)
	}
	return fmt.Sprintf("%s %q is not valid: Windows takes it for a device; use another name", e.What, e.Name)
}
