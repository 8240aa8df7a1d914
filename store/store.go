// Package store is the contract between trading and the place where its state lives.
//
// Two things are kept: the session values of each model (small, overwritten, may expire) and the ledger of each
// account (lines, appended, for ever). An engine implements both: [mcp-trade/store/filestore] with plain files and
// [mcp-trade/store/redisstore] with Redis. Engines move text; what the text means is for the packages above.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"regexp"
	"time"
)

// Store is an engine that keeps sessions and ledgers, such as a data directory or a Redis.
type Store interface {
	Sessions
	Ledgers
	// Name is how the engine is called in answers and logs: "file" or "redis".
	Name() string
	// Close gives back connections and file handles.
	Close() error
}

// Key names one session value: the model whose session it is, and the value's name, such as SIGNATURE.
type Key struct{ Model, Name string }

// AllModels is the model id of values that hold for every session, such as HALT.
const AllModels = "*"

// Sessions keeps the session values. A value is text as it was stored: JSON, or a raw string from another writer.
type Sessions interface {
	// Values returns those of the keys that are set, as one consistent reading. An engine that cannot be read is
	// an *[UnreachableError], never an empty answer.
	Values(ctx context.Context, keys ...Key) (map[Key]string, error)
	// SetValues sets the values together: a reader sees all those of one model or none, except in a Redis Cluster, which
	// sets them one after the other. They expire after ttl in an engine that can expire values; a ttl of 0 keeps them.
	SetValues(ctx context.Context, values map[Key]string, ttl time.Duration) error
	// ClearValues removes the values; one that is not set is no error.
	ClearValues(ctx context.Context, keys ...Key) error
}

// Ledgers keeps one append-only sequence of lines per account. A line is a JSON object that carries its id, and the
// id of its order if the order had one, under the keys "id" and "order_id".
type Ledgers interface {
	// Head returns the account's newest line (nil if it has none) and, when orderID is not empty, the line that
	// carries that order id (nil if none does).
	Head(ctx context.Context, account, orderID string) (head, ordered []byte, err error)
	// Append commits one line, wholly or not at all, and returns once that is durable. It fails with
	//   - *[UsedError] when the commit's order id is in the ledger already,
	//   - [ErrSessionChanged] when the commit's guard no longer holds,
	//   - [ErrConflict] when the commit's id is not the newest line's id + 1 (0 for the first line),
	//   - *[UnreachableError] when the engine cannot say; its Unknown tells whether the line may be there all the same.
	// The conditions are judged in this order.
	Append(ctx context.Context, c Commit) error
	// Lines yields the account's lines, oldest first. A line is the caller's to keep.
	Lines(ctx context.Context, account string) iter.Seq2[[]byte, error]
	// LinesBefore yields the account's lines with an id below before, newest first. [Newest] starts at the newest.
	LinesBefore(ctx context.Context, account string, before int64) iter.Seq2[[]byte, error]
	// Accounts returns the names of all accounts, sorted.
	Accounts(ctx context.Context) ([]string, error)
}

// Newest is the id before which [Ledgers].LinesBefore yields every line.
const Newest = math.MaxInt64

// Commit is one line on its way into a ledger.
type Commit struct {
	Account string
	ID      int64  // the id that the line carries
	Line    []byte // one JSON object, without a line feed
	OrderID string // the order id that the line carries, "" if it has none
	Guard   Guard
}

// Guard is the part of a session under which a line was judged, and what the session is to hold once it is in.
// The zero Guard asks for nothing.
type Guard struct {
	Home Sessions       // the engine that holds the session
	Want map[Key]string // what the values must still be; "" stands for not set
	Set  map[Key]string // what is set with the commit
	TTL  time.Duration  // new life of the values wanted and set, in an engine that can expire values; 0 = for ever
}

// Check reports [ErrSessionChanged] unless the values wanted are still what they were. It is for a ledger whose
// session lives in another engine; an engine that holds both checks within its commit.
func (g Guard) Check(ctx context.Context) error {
	if g.Home == nil || len(g.Want) == 0 {
		return nil
	}
	keys := make([]Key, 0, len(g.Want))
	for k := range g.Want {
		keys = append(keys, k)
	}
	values, err := g.Home.Values(ctx, keys...)
	if err != nil {
		return err
	}
	return g.Holds(values)
}

// Holds reports [ErrSessionChanged] unless values agree with the values wanted.
func (g Guard) Holds(values map[Key]string) error {
	for k, want := range g.Want {
		if values[k] != want {
			return ErrSessionChanged
		}
	}
	return nil
}

// Follow sets what is to be set, after a commit that could not do it in the same step.
func (g Guard) Follow(ctx context.Context) error {
	if g.Home == nil || len(g.Set) == 0 {
		return nil
	}
	return g.Home.SetValues(ctx, g.Set, g.TTL)
}

// ErrConflict says that another line came first: read the head and judge again.
var ErrConflict = errors.New("the ledger has a newer line")

// ErrSessionChanged says that the session is no longer the one that the line was judged under.
var ErrSessionChanged = errors.New("the session changed before the commit")

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
	return fmt.Sprintf("%s: cannot %s: %v", e.Engine, e.Doing, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// LineID returns the id and the order id that a ledger line carries.
func LineID(line []byte) (id int64, orderID string, err error) {
	var l struct {
		ID      *int64 `json:"id"`
		OrderID string `json:"order_id"`
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return 0, "", fmt.Errorf("not a ledger line: %w", err)
	}
	if l.ID == nil {
		return 0, "", errors.New(`not a ledger line: it has no "id"`)
	}
	return *l.ID, l.OrderID, nil
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$`)

// CheckName reports whether a signature or a model id, named by what, can stand in a path and in a key: 1 to 64
// letters, digits, dots, underscores and hyphens, not starting with a dot.
func CheckName(what, name string) error {
	if !nameForm.MatchString(name) {
		return &NameError{What: what, Name: name}
	}
	return nil
}

// NameError is a signature or model id that [CheckName] refuses.
type NameError struct{ What, Name string }

func (e *NameError) Error() string {
	return fmt.Sprintf("%s %.80q is not valid: use 1 to 64 letters, digits, '.', '_' or '-', not starting with a dot", e.What, e.Name)
}
