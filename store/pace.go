// The contract for what processes on all machines may ask of something together.

package store

import (
	"context"
	"time"
)

// Pacer bounds calls that are made by processes on any machine: of an API, how often and how many at once; of a run, what they cost.
// An engine that gives no answer is an *[UnreachableError].
type Pacer interface {
	// BeginCall asks for a call to be made. Its decision may be to wait, and to ask again; or to make it in a while.
	BeginCall(ctx context.Context, c Call) (Pace, error)
	// EndCall says what a call cost. It may be called again.
	EndCall(ctx context.Context, c Call, cost int64) error
}

// Call is a call that may be bounded. Money is in billionths of the unit of a budget.
type Call struct {
	ID  string        // unlike that of any other
	API string        // whose Every and AtOnce hold for all who name it; "" for none
	Run string        // whose Budget likewise
	Of  time.Duration // its longest time, after which it counts as made, and as having cost Worst

	Every  time.Duration // between two calls of the API; 0: any
	AtOnce int           // of them; 0: any
	Budget int64         // of the run; 0: any
	Spent  int64         // by its accounts before the first call
	Worst  int64         // that the call may cost
}

// Pace is what becomes of a call.
type Pace struct {
	Go    bool          // it may be made, after After
	Over  bool          // it may never be made: it could cost more than is left
	After time.Duration // when to make it, or to ask again
	Spent int64         // by the run, with what calls under way may cost
}
