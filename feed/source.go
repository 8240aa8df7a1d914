package feed

// This file says what a source of prices on the web is, and how it may fail.

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"mcp-trade/market"
)

// Job is what is asked of a source.
type Job struct {
	Symbol   string
	Interval string       // Daily or 60min
	From, To market.Stamp // days, both included; "" is no bound of a reply that is read
	Today    market.Stamp // in the zone of the market
	Now      time.Time    // the moment whose prices are asked for: of a bar that is not over by then only the open is taken
}

// Has tells whether a stamp is on one of the days.
func (j Job) Has(at market.Stamp) bool {
	return j.From <= at.Day() && (j.To == "" || at.Day() <= j.To)
}

// Source is a source of prices. Each is a package and a row in a table.
type Source interface {
	Name() string

	// Fetch returns the bars of a symbol, raw, with the actions if the source tells of them; bars that cannot be are left out and told.
	// A bar under way is as the source has it so far: [Fetch] leaves out what may change.
	// It returns an *Outcome, or the error of the context.
	Fetch(ctx context.Context, get Getter, job Job) (*Series, []string, error)
}

// Getter gets a page: from the web, or as it was got before.
type Getter interface {
	// Get returns the answer to a request. The address names no key; what is secret is in the header. An answer is one with the status
	// 200, or another that is accepted; anything else is an *Outcome.
	Get(ctx context.Context, address string, header http.Header, accepted ...int) (Reply, error)
}

// Reply is the answer of a source.
type Reply struct {
	Provenance
	Status int
	Body   []byte
}

// Kind is what came of a request.
type Kind string

const (
	Done    Kind = "done"
	NoSuch  Kind = "no such symbol"
	NoData  Kind = "no data in the range"
	Refused Kind = "refused"
	Broken  Kind = "broken"
)

// Outcome says why a source gave no bars. It holds no key and no address.
type Outcome struct {
	Kind Kind
	Says string
	Err  error // nil if there is no more to say

	Plan bool // the plan of the key does not have what was asked for

	// Closed says that further requests to the source would fail the same way: its limit is reached, or it does not serve here.
	Closed bool
}

func (o *Outcome) Error() string {
	if o.Err != nil {
		return fmt.Sprintf("%s: %s: %v", o.Kind, o.Says, o.Err)
	}
	return fmt.Sprintf("%s: %s", o.Kind, o.Says)
}

func (o *Outcome) Unwrap() error { return o.Err }
