// Summaries of a ledger of any length, of bounded size.

package report

import (
	"fmt"
	"slices"
)

// lastN keeps the last max values of a sequence, and counts all.
type lastN[T any] struct {
	max, all int
	kept     []T
}

func (n *lastN[T]) add(v T) {
	n.all++
	if len(n.kept) >= 2*n.max {
		n.kept = slices.Delete(n.kept, 0, len(n.kept)-n.max)
	}
	n.kept = append(n.kept, v)
}

func (n *lastN[T]) list() []T {
	return append([]T{}, n.kept[max(0, len(n.kept)-n.max):]...)
}

// warnings collects sentences by kind. Of each kind it keeps the first sentence and a count.
type warnings struct {
	kinds []string
	first map[string]string
	count map[string]int
}

func (w *warnings) add(kind, format string, args ...any) {
	if w.count == nil {
		w.first, w.count = map[string]string{}, map[string]int{}
	}
	if w.count[kind]++; w.count[kind] == 1 {
		w.kinds = append(w.kinds, kind)
		w.first[kind] = plain(fmt.Sprintf(format, args...))
	}
}

func (w *warnings) list() []string {
	list := []string{}
	for _, kind := range w.kinds {
		text := w.first[kind]
		if more := w.count[kind] - 1; more > 0 {
			text = fmt.Sprintf("%s, and %d more like it", text, more)
		}
		list = append(list, text+".")
	}
	return list
}

// tradeStats sums up round trips.
type tradeStats struct {
	closed, won  int
	days         int     // that they were held
	gained, lost float64 // lost is above 0
}

func (w *tradeStats) add(t RoundTrip) {
	w.closed++
	w.days += t.Days
	if t.Gain > 0 {
		w.won++
		w.gained += t.Gain
	} else {
		w.lost -= t.Gain
	}
}
