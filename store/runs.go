// The contract for what a run of an account must know to go on: who runs it, how far it is, and what was said and done.

package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mcp-trade/code"
)

// Runs keeps the state of runs. A run holds the lease of its account and carries its number, the fence, in all that it
// writes: once a later lease was given, that is refused with [ErrLeaseLost] and nothing is written. A fence of 0 stands for
// no lease and is not checked here. An engine that gives no answer is an *[UnreachableError].
type Runs interface {
	// Lease gives an account to a run. It is a *[LeasedError] while another one has it.
	Lease(ctx context.Context, account string, o Owner) (Lease, error)
	// Look tells how the runs of accounts stand, in the order of the looks. It takes no lease, and never keeps a run from one.
	Look(ctx context.Context, looks ...Look) ([]Seen, error)
	// Checkpoint is the newest one, nil if there is none.
	Checkpoint(ctx context.Context, account string) ([]byte, error)
	// SaveCheckpoint replaces it, and returns once that is durable.
	SaveCheckpoint(ctx context.Context, account string, f Fence, text []byte) error
	// JournalDays are the days that have a journal, sorted.
	JournalDays(ctx context.Context, account string) ([]string, error)
	// OpenJournal opens the journal of a day, such as "2025-10-01" or "2025-10-01 10:00:00", or begins it. A last line that
	// was not finished is gone.
	OpenJournal(ctx context.Context, account, day string, f Fence) (Journal, error)
	// Manifest is what an account was run with: a JSON array of runs, nil if there is none.
	Manifest(ctx context.Context, account string) ([]byte, error)
	// UpdateManifest replaces it with what change makes of it. Accounts may do so side by side; of one account only its run does.
	UpdateManifest(ctx context.Context, account string, f Fence, change func(old []byte) ([]byte, error)) error
	// Archive moves an account to another name: its ledger, and the state of its runs. It is [ErrTaken] if there is anything of
	// that name, and nothing is moved. What was interrupted is completed by doing it again.
	Archive(ctx context.Context, account, as string, f Fence) error
}

// Journal is the lines of a day of an account, each a JSON object. It is for one goroutine at a time.
type Journal interface {
	// Lines are those that it had when it was opened.
	Lines() [][]byte
	// Append adds a line, without a line feed, which is then safe from the end of this process.
	Append(ctx context.Context, line []byte) error
	// Sync returns once every line is durable.
	Sync(ctx context.Context) error
	// SaveLog replaces a text beside the journal, such as [DayLog]; Log is that text, nil if there is none.
	SaveLog(ctx context.Context, name string, text []byte) error
	Log(ctx context.Context, name string) ([]byte, error)
	Close() error
}

// DayLog is the day of a journal in AI-Trader's form.
const DayLog = "log.jsonl"

// Lease is an account in the hands of one run.
type Lease interface {
	Fence() Fence
	// Renew has it live on. It is [ErrLeaseLost] once another run has the account.
	Renew(ctx context.Context) error
	// Release gives the account back.
	Release(ctx context.Context) error
}

// Fence numbers the leases of an account: a later one has a higher number. 0 stands for none.
type Fence int64

// Owner is who holds a lease.
type Owner struct {
	Name  string    // for people: a machine and a process
	Nonce string    // without spaces, and unlike that of any other owner
	Since time.Time // when the run began
}

// Held is a lease as it is kept: "{fence} {nonce} {since} {name}", or "{fence}" alone when it was given back.
type Held struct {
	Fence
	Owner
}

func (h Held) String() string {
	return fmt.Sprintf("%d %s %s %s", h.Fence, h.Nonce, h.Since.UTC().Format(time.RFC3339), h.Name)
}

// ParseHeld reads a lease; text that is none is the zero one.
func ParseHeld(text string) (h Held) {
	parts := strings.SplitN(strings.TrimSpace(text), " ", 4)
	n, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return Held{}
	}
	h.Fence = Fence(n)
	if len(parts) == 4 {
		since, _ := time.Parse(time.RFC3339, parts[2]) // the zero time is said to be unknown
		h.Owner = Owner{Name: parts[3], Nonce: parts[1], Since: since}
	}
	return h
}

// Next is the fence of a lease that follows. It also follows the clock, so that one given after the numbers were lost is
// still higher than those before.
func (f Fence) Next(o Owner) Fence { return max(f+1, Fence(o.Since.UnixMilli())) }

// ---- A look at runs takes nothing, and keeps nobody waiting ----

// Look is a look at the run of an account.
type Look struct {
	Account string
	Day     string // whose journal is read, such as "2025-10-01"; "" for none
	From    int64  // where in it: 0, or [Seen].Next of the look before
}

// Seen is what a look found.
type Seen struct {
	Holder     Owner    // who has the account now; the zero one is nobody: a run that was killed has it no more
	Checkpoint []byte   // the newest one, nil if there is none
	Lines      [][]byte // of the journal, from the place on: some of them, none only if there are no more
	Next       int64    // the place behind them
}

// Held tells whether somebody has the account.
func (s Seen) Held() bool { return s.Holder.Nonce != "" }

// ErrLeaseLost says that a lease is not the newest one of its account: nothing was written.
var ErrLeaseLost error = leaseLost{}

type leaseLost struct{}

func (leaseLost) Error() string {
	return "this run has lost the account: another run took it over, or what is kept of its lease was removed; nothing more is written, and the same command goes on where it stopped once the account is free"
}
func (leaseLost) Code() code.Code         { return code.LeaseLost }
func (leaseLost) Details() map[string]any { return nil }

// LeasedError says that a run has the account.
type LeasedError struct {
	Account string
	By      Owner
	Life    time.Duration // after which the lease ends unless it is renewed; 0: it ends with its process
}

func (e *LeasedError) Error() string {
	return fmt.Sprintf("another run trades this account: %s has %s since %s; wait for it, or end it", e.who(), e.Account, e.since())
}

func (e *LeasedError) who() string {
	if e.By.Name == "" {
		return "a process that does not say who it is"
	}
	return e.By.Name
}

func (e *LeasedError) since() string {
	if e.By.Since.IsZero() {
		return "an unknown time"
	}
	return e.By.Since.UTC().Format(time.RFC3339)
}

func (e *LeasedError) Code() code.Code { return code.AccountInUse }

func (e *LeasedError) Details() map[string]any {
	return map[string]any{"signature": e.Account, "held_by": e.who(), "since": e.since()}
}

// Refused tells whether an error says that a lease stands against what was asked for.
func Refused(err error) bool {
	var leased *LeasedError
	return errors.Is(err, ErrLeaseLost) || errors.As(err, &leased)
}
