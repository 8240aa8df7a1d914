// The contract for the queue of runs, from which workers on any machine take accounts to trade.

package store

import (
	"context"
	"time"
)

// Queue keeps runs, and the tasks of their accounts. A task is an account that a worker trades until it ends, or in lockstep until the
// end of a day. Who trades is decided by the lease of the account alone: a task that two workers have costs time, and no order. An engine that
// gives no answer is an *[UnreachableError].
type Queue interface {
	// Submit begins a run, or goes on with one that has ended or was stopped: accounts that did not come to their end get a task again.
	// created is false if there is a run of that id.
	Submit(ctx context.Context, r QueuedRun, accounts []QueuedAccount) (created bool, err error)
	// Take gives a task to a worker, nil if there is none. A task whose worker has not been heard of for [TaskLife] is given to the next.
	Take(ctx context.Context, worker string) (*Task, error)
	// Beat says that a worker lives, with its tasks. It returns those that the worker must let go: another one has them, or their run
	// was paused or stopped.
	Beat(ctx context.Context, worker string, tasks []*Task) (lost []*Task, err error)
	// Passed notes that the account of a task is through with so many days, and how it stands. It is false if the task is another's.
	Passed(ctx context.Context, worker string, t *Task, done int, standing []byte) (own bool, err error)
	// Finish ends a task. It is false if the task is another's.
	Finish(ctx context.Context, worker string, t *Task, how Finish, result []byte) (own bool, err error)
	// Sweep gives a task to accounts that wait for one and have none, and returns how many. Of those who sweep at the same time one does.
	Sweep(ctx context.Context) (found int, err error)
	// Control changes the state of a run to [RunRunning], [RunPaused] or [RunStopped]. It is false if there is no such run, or it has ended.
	Control(ctx context.Context, run string, state RunState) (ok bool, err error)
	// Runs lists the runs, newest first, without their jobs.
	Runs(ctx context.Context) ([]QueuedRun, error)
	// Run returns a run, nil if there is none.
	Run(ctx context.Context, run string) (*QueuedRun, error)
	// Standings tell how the accounts of a run stand, by name.
	Standings(ctx context.Context, run string) (map[string]Standing, error)
	// Workers lists those that have been heard of for [TaskLife].
	Workers(ctx context.Context) ([]string, error)
}

// TaskLife is how long a task stays with a worker that is not heard of.
const TaskLife = 5 * time.Second

// RunKept is how long a run is kept after it ended.
const RunKept = 30 * 24 * time.Hour

// RunState is what is done with the tasks of a run.
type RunState string

const (
	RunRunning RunState = "running"
	RunPaused  RunState = "paused"
	RunStopped RunState = "stopped"
	RunEnded   RunState = "ended" // every account came to its end, or stopped with an error
)

// The priorities of runs: all tasks of a higher one are taken first.
const (
	HighPriority   = "high"
	NormalPriority = "normal"
	LowPriority    = "low"
)

// Priorities are all of them, the highest first.
func Priorities() []string { return []string{HighPriority, NormalPriority, LowPriority} }

// QueuedRun is a run in the queue.
type QueuedRun struct {
	ID       string
	Job      []byte // what is to be done, in the words of the program
	Priority string // one of [Priorities]
	Lockstep bool   // no account of a group begins a day before all of it have ended the day before
	Created  time.Time

	State    RunState // what Submit is given of these does not count
	Accounts int
	Left     int // accounts that have not come to their end
}

// QueuedAccount is an account of a run.
type QueuedAccount struct {
	Name  string
	Group int // those that are in lockstep with each other
	Days  int
}

// Task is an account in the hands of a worker.
type Task struct {
	ID       string
	Run      string
	Priority string
	Account  string
	Done     int  // days
	Tries    int  // that ended with an error since the account last completed a day
	OneDay   bool // the task ends with a day
}

// Finish is how a task ended.
type Finish string

const (
	FinishEnded   Finish = "ended"   // the account came to its end
	FinishStopped Finish = "stopped" // it stopped with an error that does not pass
	FinishLeft    Finish = "left"    // it goes on with another task: at once, or in lockstep when the others have ended the day
	FinishFailed  Finish = "failed"  // likewise, after an error that may pass
)

// Standing is how an account of a run stands.
type Standing struct {
	State  string // waiting, trading, ended or stopped
	Worker string // that trades it
	Done   int    // days
	Days   int
	Passed []byte // as [Queue.Passed] was told last, nil before
	Result []byte // as [Queue.Finish] was told last, nil before
}
