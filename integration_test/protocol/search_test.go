// The search: every state that a model can come to, breadth first, so that the trace to a broken promise is a shortest one.

package protocol_test

import (
	"fmt"
	"hash/maphash"
	"strings"
)

// step is something that can happen in a state.
type step[S any] struct {
	who, what string
	next      S
}

// found is what a search came to.
type outcome struct {
	states int
	broken string   // the promise that does not hold, "" if all hold
	trace  []string // what happened until it was broken
}

func (f outcome) String() string {
	if f.broken == "" {
		return fmt.Sprintf("%d states, all promises hold", f.states)
	}
	return fmt.Sprintf("after %d states, broken: %s\n%s", f.states, f.broken, strings.Join(f.trace, "\n"))
}

// search visits every state that can be reached from first, unless one breaks a promise, which broken names. tell describes
// a state for the trace. States are told apart by 128 bits of hash.
func search[S comparable](first S, steps func(S) []step[S], broken, tell func(S) string) outcome {
	type origin struct {
		parent int32
		step   uint16 // which of the parent's
	}
	seeds := [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	key := func(s S) [2]uint64 {
		return [2]uint64{maphash.Comparable(seeds[0], s), maphash.Comparable(seeds[1], s)}
	}
	seen := map[[2]uint64]struct{}{key(first): {}}
	origins := []origin{{parent: -1}}
	trace := func(at int32) (lines []string) {
		var path []uint16
		for ; origins[at].parent >= 0; at = origins[at].parent {
			path = append(path, origins[at].step)
		}
		state := first
		for i := len(path) - 1; i >= 0; i-- {
			taken := steps(state)[path[i]]
			state = taken.next
			lines = append(lines, fmt.Sprintf("%3d. %s: %s    %s", len(lines)+1, taken.who, taken.what, tell(state)))
		}
		return lines
	}
	level, number := []S{first}, int32(0) // the states of one depth, and the number of the first of them
	for len(level) > 0 {
		var deeper []S
		for i, s := range level {
			for n, next := range steps(s) {
				k := key(next.next)
				if _, known := seen[k]; known {
					continue
				}
				seen[k] = struct{}{}
				origins = append(origins, origin{number + int32(i), uint16(n)})
				if promise := broken(next.next); promise != "" {
					return outcome{len(seen), promise, trace(int32(len(origins) - 1))}
				}
				deeper = append(deeper, next.next)
			}
		}
		number += int32(len(level))
		level = deeper
	}
	return outcome{states: len(seen)}
}
