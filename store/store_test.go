package store_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-trade/code"
	"mcp-trade/store"
)

// A line carries its id and its order id.
func TestReadEntry(t *testing.T) {
	for _, c := range []struct {
		line, orderID string
		id            int64
		ok            bool
	}{
		{`{"date": "2025-10-02", "id": 0, "positions": {"CASH": 10000.0}}`, "", 0, true},
		{`{"id":7,"order_id":"o-1"}`, "o-1", 7, true},
		{`{"order_id": "\u00fc \"", "id": 9223372036854775807}`, `ü "`, 9223372036854775807, true},
		{`{"id": 1, "order_id": null}`, "", 1, true},
		{`{"id": 1, "this_action": {"id": 2, "order_id": "inner"}}`, "", 1, true},
		{"", "", 0, false},
		{"{}", "", 0, false},
		{"null", "", 0, false},
		{`[{"id": 1}]`, "", 0, false},
		{`{"id": null}`, "", 0, false},
		{`{"id": "1"}`, "", 0, false},
		{`{"id": 1.5}`, "", 0, false},
		{`{"id": 9223372036854775808}`, "", 0, false},
		{`{"id": 1, "order_id": 5}`, "", 0, false},
		{`{"id": 1`, "", 0, false},
		{`{"id": 1}{"id": 2}`, "", 0, false},
		{`{"id": 1}` + "\x00", "", 0, false},
		{`{"id": 1, "order\u005fid": "o-1"}`, "o-1", 1, true},
		{`{"id": 1, "id": 2}`, "", 0, false},
		{`{"id": 1, "ID": 2}`, "", 0, false},
		{`{"id": 1, "Order_id": "o-1"}`, "", 0, false},
		{`{"id": 1, "order_id": "a", "order_id": "b"}`, "", 0, false},
		{`{"id": 1, "positions": {"CASH": 1, "Cash": 2}}`, "", 0, false},
		{"{\"id\": 1, \"note\": \"\xff\"}", "", 0, false},
	} {
		e, err := store.ReadEntry([]byte(c.line))
		if e.ID != c.id || e.OrderID != c.orderID || (err == nil) != c.ok {
			t.Errorf("%s: id %d, order id %q, %v", c.line, e.ID, e.OrderID, err)
		}
	}
}

// A name must fit into a path and a key.
func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"gpt-5": true, "a": true, "_": true, "-": true, "9": true, "claude-3.7-sonnet_x": true, "a..b": true, strings.Repeat("n", 64): true,
		"": false, ".": false, "..": false, ".a": false, "a.": false, "a..": false,
		"con": false, "NUL": false, "Aux.txt": false, "prn.": false, "com1": false, "COM0": false, "lpt9.x": false,
		"console": true, "com": true, "com10": true, "my-con": true, "con-1": true, "a/b": false, `a\b`: false, "a b": false, "a\n": false, "{a}": false,
		"*": false, "ü": false, strings.Repeat("n", 65): false, strings.Repeat("../", 1000): false,
	} {
		err := store.CheckName("signature", name)
		if (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
		if refused := new(store.NameError); !ok && (!errors.As(err, &refused) || len(err.Error()) > 300) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestFilter_Passes(t *testing.T) {
	e := store.Entry{ID: 5, Date: "2025-10-02 10:30:00", Traded: true}
	for _, c := range []struct {
		f    store.Filter
		want bool
	}{
		{store.Filter{}, false},
		{store.Filter{Before: 5}, false},
		{store.Filter{Before: 6}, true},
		{store.Filter{Before: store.MaxID, AsOf: "2025-10-02"}, false},
		{store.Filter{Before: store.MaxID, AsOf: "2025-10-02 10:30:00"}, true},
		{store.Filter{Before: store.MaxID, Trades: true}, true},
	} {
		if got := c.f.Matches(e); got != c.want {
			t.Errorf("%+v: %v", c.f, got)
		}
	}
	if (store.Filter{Before: store.MaxID, Trades: true}).Matches(store.Entry{ID: 5}) {
		t.Error("a line that traded nothing passes for a trade")
	}
}

// A guard holds while the values agree.
func TestGuard_Check(t *testing.T) {
	a, b := store.Key{Model: "26", Name: "A"}, store.Key{Model: "26", Name: "B"}
	type values = map[store.Key]string
	for _, c := range []struct {
		want, are values
		holds     bool
	}{
		{nil, values{a: "1"}, true},
		{values{a: "1"}, values{a: "1", b: "2"}, true},
		{values{a: "1", b: ""}, values{a: "1"}, true},
		{values{a: "1", b: ""}, values{a: "1", b: ""}, true},
		{values{a: "1"}, values{a: "2"}, false},
		{values{a: "1"}, values{}, false},
		{values{a: ""}, values{a: "1"}, false},
		{values{a: "1"}, values{a: `"1"`}, false},
	} {
		if err := (store.Guard{Expect: c.want}).Matches(c.are); (err == nil) != c.holds || err != nil && !errors.Is(err, store.ErrSessionChanged) {
			t.Errorf("wanted %v, there are %v: %v", c.want, c.are, err)
		}
	}
}

// home is a place of session values that remembers what it was asked to do.
type home struct {
	store.Sessions
	err       error
	prolonged []store.Key
	set       map[store.Key]string
}

func (h *home) Values(context.Context, ...store.Key) (map[store.Key]string, error) { return nil, h.err }

func (h *home) Prolong(_ context.Context, _ time.Duration, keys ...store.Key) error {
	h.prolonged = keys
	return nil
}

func (h *home) SetValues(_ context.Context, values map[store.Key]string, _ time.Duration) error {
	h.set = values
	return h.err
}

// A home that cannot be read proves nothing.
func TestGuard_Check_Unreadable(t *testing.T) {
	gone := &store.UnreachableError{Engine: "redis", Doing: "read the session", Err: errors.New("gone")}
	g := store.Guard{Backend: &home{err: gone}, Expect: map[store.Key]string{{Model: "26", Name: "A"}: ""}}
	err := g.Check(t.Context())
	var unreachable *store.UnreachableError
	var coded code.Error
	if !errors.Is(err, store.ErrSessionChanged) || !errors.As(err, &unreachable) || !errors.As(err, &coded) || coded.Code() != code.SessionUnreachable {
		t.Errorf("%v", err)
	}
}

// A commit prolongs the values of the session.
func TestGuard_ApplyAfter(t *testing.T) {
	a, b, all := store.Key{Model: "26", Name: "A"}, store.Key{Model: "26", Name: "B"}, store.Key{Model: store.AllModels, Name: "HALT"}
	h := &home{}
	g := store.Guard{Backend: h, Expect: map[store.Key]string{a: "1", b: "", all: "false"}, Update: map[store.Key]string{b: "2"}}
	if err := g.ApplyAfter(t.Context()); err != nil || !slices.Equal(h.prolonged, []store.Key{a}) || !maps.Equal(h.set, g.Update) {
		t.Errorf("%v: %v lives on, %v is set", err, h.prolonged, h.set)
	}
}

func TestArchiveName(t *testing.T) {
	long := strings.Repeat("n", 64)
	for _, c := range []struct {
		account string
		n       int
		want    string
	}{
		{"gpt-5", 1, "gpt-5.archived-1"},
		{"gpt-5", 12, "gpt-5.archived-12"},
		{long, 3, long[:53] + ".archived-3"},
	} {
		got := store.ArchiveName(c.account, c.n)
		if got != c.want || !store.IsArchive(got) || store.IsArchive(c.account) || store.CheckName("signature", got) != nil {
			t.Errorf("%s, %d: %s, want %s", c.account, c.n, got, c.want)
		}
	}
}
