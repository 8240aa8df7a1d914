// Looking at runs from outside: at who has an account, how far it is, and what is being said. Whoever looks takes nothing and keeps
// nobody waiting.

package store

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
