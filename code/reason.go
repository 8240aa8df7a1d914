// Why orders were refused, and how often.

package code

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Reason says why an order was refused: its code, and of a limit that the operator set which one, as in "limit_exceeded max_positions".
type Reason string

// For is the reason of a refusal. limit is "" unless a limit was exceeded.
func (c Code) For(limit string) Reason { return Reason(strings.TrimSpace(string(c) + " " + limit)) }

// Reasons counts refused orders by their reasons.
type Reasons map[Reason]int

// Of counts reasons.
func Of(reasons ...Reason) Reasons {
	all := Reasons{}
	for _, r := range reasons {
		all[r]++
	}
	return all
}

// Plus adds two counts up. Of none it is nil.
func (r Reasons) Plus(more Reasons) Reasons {
	var sum Reasons
	for _, part := range []Reasons{r, more} {
		for reason, n := range part {
			if sum == nil {
				sum = Reasons{}
			}
			sum[reason] += n
		}
	}
	return sum
}

// String lists the reasons, the most frequent first: "3 insufficient_cash, 2 limit_exceeded max_positions".
func (r Reasons) String() string {
	var parts []string
	for _, reason := range slices.SortedFunc(maps.Keys(r), func(a, b Reason) int { return cmp.Or(r[b]-r[a], strings.Compare(string(a), string(b))) }) {
		parts = append(parts, fmt.Sprintf("%d %s", r[reason], reason))
	}
	return strings.Join(parts, ", ")
}
