package serve

// Tests of the lanes, with a handler that knows nothing but names: an order is a call of a tool "lane/order".

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"

	"mcp-trade/internal/jsonrpc"
)

// orders is a handler that notes the orders of each lane as they trade.
type orders struct {
	mu     sync.Mutex
	traded map[string][]string
	now    map[string]*atomic.Int32 // orders that trade at this moment, by lane
	hold   func(lane string)
}

func (o *orders) Lane(_ context.Context, m *jsonrpc.Message) (string, bool) {
	lane, _, isOrder := strings.Cut(m.Name, "/")
	return lane, isOrder
}

func (o *orders) Handle(_ context.Context, r *jsonrpc.Request) any {
	lane, order, isOrder := strings.Cut(r.Name, "/")
	if !isOrder || !r.Begin() {
		return nil
	}
	if n := o.now[lane].Add(1); n > 1 {
		return jsonrpc.ErrorMessage(r.ID, 1, fmt.Sprintf("%d orders trade at once", n))
	}
	o.hold(lane)
	o.mu.Lock()
	o.traded[lane] = append(o.traded[lane], order)
	o.mu.Unlock()
	o.now[lane].Add(-1)
	return jsonrpc.ErrorMessage(r.ID, 0, order)
}

func orderLine(lane string, n int) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"%s/%d"}}`+"\n", n, lane, n)
}

func newOrders(hold func(lane string), lanes ...string) *orders {
	o := &orders{traded: map[string][]string{}, now: map[string]*atomic.Int32{}, hold: hold}
	for _, lane := range lanes {
		o.now[lane] = &atomic.Int32{}
	}
	return o
}

// Orders of a lane keep their order.
func TestServer_OneLane(t *testing.T) {
	const each = 300
	lanes := []string{"a", "b", "c"}
	h := newOrders(func(string) {}, lanes...)
	s := New(h, zerolog.Nop())
	var wait sync.WaitGroup
	for c := range 2 * len(lanes) { // each lane has two connections
		wait.Go(func() {
			var in strings.Builder
			for n := range each {
				in.WriteString(orderLine(lanes[c%len(lanes)], c*each+n))
			}
			var out strings.Builder
			if err := s.Stdio(t.Context(), strings.NewReader(in.String()), &out); err != nil {
				t.Error(err)
			}
			if n := strings.Count(out.String(), `"code":0`); n != each {
				t.Errorf("%d of %d orders were done: %.300s", n, each, out.String())
			}
		})
	}
	wait.Wait()
	for _, lane := range lanes {
		last := map[int]int{} // of each connection
		for _, text := range h.traded[lane] {
			var n int
			_, _ = fmt.Sscan(text, &n)
			if before, any := last[n/each]; any && n != before+1 {
				t.Fatalf("on the lane %s %d came after %d", lane, n, before)
			}
			last[n/each] = n
		}
	}
	if len(s.lanes.open) > 0 {
		t.Errorf("%d lanes are open, and nobody uses them", len(s.lanes.open))
	}
}

// Lanes run side by side.
func TestServer_SeveralLanes(t *testing.T) {
	both := make(chan struct{})
	var trading atomic.Int32
	h := newOrders(func(string) {
		if trading.Add(1) == 2 {
			close(both)
		}
		<-both // an order of each lane
	}, "a", "b")
	s := New(h, zerolog.Nop())
	if err := s.Stdio(t.Context(), strings.NewReader(orderLine("a", 1)+orderLine("b", 1)), io.Discard); err != nil {
		t.Fatal(err)
	}
	if len(h.traded["a"]) != 1 || len(h.traded["b"]) != 1 {
		t.Errorf("%v", h.traded)
	}
}
