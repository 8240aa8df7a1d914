// Many writers at once, and any sequence of commits against a simple model.

package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mcp-trade/store"
)

func concurrentAppends(t *testing.T, s store.Store) {
	const writers, each = 16, 10
	for _, account := range []string{"quiet", "busy"} {
		Fill(t, s, account, 1)
	}
	acknowledged := make([][]string, writers)
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				orderID := fmt.Sprintf("w%d-%d", w, i)
				if _, err := AppendNext(t.Context(), s, "busy", func(id int64) []byte { return Line(id, orderID) }); err != nil {
					errs[w] = err
					return
				}
				acknowledged[w] = append(acknowledged[w], orderID)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, text := range Whole(t, s, "busy")[1:] {
		_, orderID, _ := LineID([]byte(text)) // Whole has read them already
		count[orderID]++
	}
	for _, orderID := range slices.Concat(acknowledged...) {
		if count[orderID] != 1 {
			t.Errorf("order %s was acknowledged and is there %d times", orderID, count[orderID])
		}
	}
	if len(count) != writers*each {
		t.Errorf("%d orders, want %d", len(count), writers*each)
	}
	wantLines(t, s, "quiet", Line(0, ""))
}

// likeTheModel compares the engine with a ledger so simple that it is right by inspection.
func likeTheModel(t *testing.T, s store.Store) {
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		ctx := context.Background()
		account, model := fmt.Sprintf("a%d", run), fmt.Sprintf("m%d", run)
		names := []store.Key{{Model: model, Name: "SIGNATURE"}, {Model: model, Name: "TODAY_DATE"}, {Model: model, Name: "IF_TRADE"}}
		m := ledgerModel{names: names, orders: map[string]string{}, session: values{}}
		steps := rapid.IntRange(1, 12).Draw(t, "steps")
		for range steps {
			switch rapid.SampledFrom([]string{"commit", "commit", "commit", "set", "clear"}).Draw(t, "do") {
			case "set":
				v := rapid.MapOfN(rapid.SampledFrom(names), sessionText, 1, 3).Draw(t, "values")
				if err := s.SetValues(ctx, v, time.Hour); err != nil {
					t.Fatal(err)
				}
				maps.Copy(m.session, v)
			case "clear":
				k := rapid.SampledFrom(names).Draw(t, "key")
				if err := s.ClearValues(ctx, k); err != nil {
					t.Fatal(err)
				}
				delete(m.session, k)
			case "commit":
				m.commit(t, s, account)
			}
			if got, err := s.Values(ctx, names...); err != nil || !maps.Equal(got, m.session) {
				t.Fatalf("the session is %v, %v, want %v", got, err, m.session)
			}
			head, _, err := s.Head(ctx, account, "")
			if want := append([]string{""}, m.lines...)[len(m.lines)]; err != nil || string(head) != want {
				t.Fatalf("the head is %q, %v, want %q", head, err, want)
			}
		}
		var got []string
		for line, err := range s.Lines(ctx, account) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(line))
		}
		if !slices.Equal(got, m.lines) {
			t.Fatalf("the lines are %q, want %q", got, m.lines)
		}
	})
}

// ledgerModel is a ledger and a session as they must be.
type ledgerModel struct {
	names   []store.Key
	lines   []string
	orders  map[string]string // lines by order id
	session values
}

var (
	sessionText = rapid.SampledFrom([]string{`true`, `false`, `"gpt-5"`})
	wantedText  = rapid.SampledFrom([]string{"", "", `true`, `"gpt-5"`})
)

// commit has the engine judge a commit, and holds its answer against the model, which then takes the line.
func (m *ledgerModel) commit(t *rapid.T, s store.Store, account string) {
	id := max(0, int64(len(m.lines))+rapid.SampledFrom([]int64{0, 0, 0, 0, -1, 1}).Draw(t, "id"))
	c := Commit(account, id, rapid.SampledFrom([]string{"", "", "o-1", "o-2", "o-3"}).Draw(t, "order id"))
	if len(m.lines) > 0 {
		c.After = []byte(m.lines[len(m.lines)-1])
	}
	c.Guards = []store.Guard{{Backend: s, TTL: time.Hour, Update: rapid.MapOfN(rapid.SampledFrom(m.names), sessionText, 0, 2).Draw(t, "set")}}
	if rapid.Bool().Draw(t, "guarded") {
		c.Guards[0].Expect = rapid.MapOfN(rapid.SampledFrom(m.names), wantedText, 0, 2).Draw(t, "want")
	} else {
		c.Guards[0].Expect = maps.Clone(m.session)
	}
	err := s.Append(context.Background(), c)
	used := new(store.UsedError)
	switch earlier := m.orders[c.OrderID]; {
	case c.OrderID != "" && earlier != "":
		if !errors.As(err, &used) || string(used.Line) != earlier {
			t.Fatalf("used order id: %v", err)
		}
	case !agree(m.session, c.Guards[0].Expect):
		if !errors.Is(err, store.ErrSessionChanged) {
			t.Fatalf("changed session: %v", err)
		}
	case id != int64(len(m.lines)):
		if !errors.Is(err, store.ErrConflict) {
			t.Fatalf("other id: %v", err)
		}
	default:
		if err != nil {
			t.Fatal(err)
		}
		m.lines = append(m.lines, string(c.Line))
		m.orders[c.OrderID] = string(c.Line)
		maps.Copy(m.session, c.Guards[0].Update)
	}
}

func agree(session, want values) bool {
	for k, v := range want {
		if session[k] != v {
			return false
		}
	}
	return true
}
