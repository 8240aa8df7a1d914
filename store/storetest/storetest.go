// Package storetest holds the one suite that every engine of package store passes, and what such tests need around
// them: a real Redis, a proxy that fails on demand, the wish list of the machine that runs the tests.
package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mcp-trade/store"
)

// Run checks the store that open returns against the contract of package store. Each case gets a store of its own,
// empty, which open closes at the end of the test that it is given.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	cases := []struct {
		name string
		test func(*testing.T, store.Store)
	}{
		{"session values are set, read and cleared", sessionValues},
		{"a session value is kept as JSON or as the string that it was", sessionTexts},
		{"a model does not see the values of another", sessionsApart},
		{"values that are set together are seen together", sessionTogether},
		{"session values live beside those of all models", sessionAllModels},
		{"a ledger starts empty, at id 0", ledgerStart},
		{"an append has one outcome, and used comes before session before conflict", appendOutcomes},
		{"an append follows the content of the newest line, not only its number", appendFollows},
		{"a guard holds while the session is what it was", guards},
		{"a session behind a decorator is committed with the line all the same", decorated},
		{"a commit sets values in the same step", commitSets},
		{"lines are kept byte for byte", lineBytes},
		{"lines are read page by page from either end", linePages},
		{"lines that were read stay as they are", linesStay},
		{"an order id is found however old it is", orderIDs},
		{"accounts are sorted and apart from each other", accounts},
		{"a name that could leave its place is refused", badNames},
		{"writers at the same time lose nothing", concurrentAppends},
		{"any sequence of commits does what a simple ledger would", likeTheModel},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// Line returns a ledger line with that id and, if it is not empty, that order id.
func Line(id int64, orderID string) []byte {
	order := ""
	if orderID != "" {
		quoted, _ := json.Marshal(orderID) // a string always marshals
		order = `"order_id": ` + string(quoted) + `, `
	}
	return fmt.Appendf(nil, `{"date": "2025-10-02", "id": %d, %s"positions": {"AAPL": %d, "CASH": 9744.85}}`, id, order, id)
}

// LineID returns the id and the order id of a line.
func LineID(line []byte) (id int64, orderID string, err error) {
	e, err := store.ReadEntry(line)
	return e.ID, e.OrderID, err
}

// Commit returns the commit of [Line] to an account whose newest line is the [Line] before it, without an order id.
func Commit(account string, id int64, orderID string) store.Commit {
	c := store.Commit{Account: account, ID: id, Line: Line(id, orderID), OrderID: orderID}
	if id > 0 {
		c.After = Line(id-1, "")
	}
	return c
}

// Follow returns the commit as one that follows the newest line there is.
func Follow(t testing.TB, s store.Ledgers, c store.Commit) store.Commit {
	t.Helper()
	head, _, err := s.Head(t.Context(), c.Account, "")
	if err != nil {
		t.Fatal(err)
	}
	c.After = head
	return c
}

// Fill appends lines to an account that has none, with the ids 0 to n-1.
func Fill(t testing.TB, s store.Ledgers, account string, n int64) {
	t.Helper()
	for id := range n {
		if err := s.Append(t.Context(), Commit(account, id, "")); err != nil {
			t.Fatalf("append of line %d: %v", id, err)
		}
	}
}

// Texts collects the lines of an iterator; an error ends the test.
func Texts(t testing.TB, lines iter.Seq2[[]byte, error]) []string {
	t.Helper()
	var texts []string
	for line, err := range lines {
		if err != nil {
			t.Fatalf("after %d lines: %v", len(texts), err)
		}
		texts = append(texts, string(line))
	}
	return texts
}

// Whole checks that the account's lines have the ids 0, 1, 2 and so on, and returns them.
func Whole(t testing.TB, s store.Ledgers, account string) []string {
	t.Helper()
	texts := Texts(t, s.Lines(t.Context(), account))
	for i, text := range texts {
		if id, _, err := LineID([]byte(text)); err != nil || id != int64(i) {
			t.Fatalf("line %d has the id %d (%v): %.500s", i, id, err, text)
		}
	}
	return texts
}

// AppendNext appends a line that line makes for an id, as often as other writers come first, and returns its id.
func AppendNext(ctx context.Context, s store.Ledgers, account, orderID string, line func(id int64) []byte) (int64, error) {
	for {
		head, _, err := s.Head(ctx, account, "")
		if err != nil {
			return 0, err
		}
		var id int64
		if head != nil {
			last, _, err := LineID(head)
			if err != nil {
				return 0, err
			}
			id = last + 1
		}
		err = s.Append(ctx, store.Commit{Account: account, After: head, ID: id, Line: line(id), OrderID: orderID})
		if !errors.Is(err, store.ErrConflict) {
			return id, err
		}
	}
}

var (
	signature = store.Key{Model: "26", Name: "SIGNATURE"}
	today     = store.Key{Model: "26", Name: "TODAY_DATE"}
	ifTrade   = store.Key{Model: "26", Name: "IF_TRADE"}
	halt      = store.Key{Model: store.AllModels, Name: "HALT"}
)

// values is a short way to write the values of a session.
type values = map[store.Key]string

func set(t *testing.T, s store.Sessions, v values) {
	t.Helper()
	if err := s.SetValues(t.Context(), v, time.Hour); err != nil {
		t.Fatal(err)
	}
}

func wantValues(t *testing.T, s store.Sessions, want values) {
	t.Helper()
	got, err := s.Values(t.Context(), signature, today, ifTrade, halt)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		t.Errorf("the session is %v, want %v", got, want)
	}
}

func wantLines(t *testing.T, s store.Ledgers, account string, want ...[]byte) {
	t.Helper()
	got := Texts(t, s.Lines(t.Context(), account))
	if !slices.EqualFunc(got, want, func(g string, w []byte) bool { return g == string(w) }) {
		t.Errorf("%s has the lines\n%.1000s\nwant\n%.1000s", account, strings.Join(got, "\n"), bytes.Join(want, []byte("\n")))
	}
}

func wantHead(t *testing.T, s store.Ledgers, account, orderID string, wantHead, wantOrdered []byte) {
	t.Helper()
	head, ordered, err := s.Head(t.Context(), account, orderID)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(head, wantHead) || (head == nil) != (wantHead == nil) {
		t.Errorf("the head is %.500q, want %.500q", head, wantHead)
	}
	if !bytes.Equal(ordered, wantOrdered) || (ordered == nil) != (wantOrdered == nil) {
		t.Errorf("the line of order %q is %.500q, want %.500q", orderID, ordered, wantOrdered)
	}
}

func sessionValues(t *testing.T, s store.Store) {
	wantValues(t, s, values{})
	set(t, s, values{signature: `"gpt-5"`, today: `"2025-10-02"`})
	wantValues(t, s, values{signature: `"gpt-5"`, today: `"2025-10-02"`})
	set(t, s, values{today: `"2025-10-03"`, ifTrade: `true`})
	wantValues(t, s, values{signature: `"gpt-5"`, today: `"2025-10-03"`, ifTrade: `true`})
	for range 2 { // to clear what is not set is no error
		if err := s.ClearValues(t.Context(), today, ifTrade); err != nil {
			t.Fatal(err)
		}
		wantValues(t, s, values{signature: `"gpt-5"`})
	}
	if err := s.SetValues(t.Context(), values{today: `"2025-10-06"`}, 0); err != nil { // kept for ever
		t.Fatal(err)
	}
	wantValues(t, s, values{signature: `"gpt-5"`, today: `"2025-10-06"`})
	if none, err := s.Values(t.Context()); err != nil || len(none) != 0 {
		t.Errorf("no keys: %v, %v", none, err)
	}
}

func sessionTexts(t *testing.T, s store.Store) {
	for _, json := range []string{
		`true`, `null`, `2024`, `1.50`, `12345678901234567890.10`, `""`, `"gpt-5"`, `"2024"`, `"Zürich 東京"`, `"Z\u00fcrich"`,
		`"<b> & \u2028"`, `["AAPL",  "MSFT"]`, `{"b": 1,"a": [ ]}`,
	} {
		set(t, s, values{signature: json})
		wantValues(t, s, values{signature: json})
		set(t, s, values{today: `"2025-10-02"`}) // the neighbour's change leaves it as it is
		wantValues(t, s, values{signature: json, today: `"2025-10-02"`})
		if err := s.ClearValues(t.Context(), today); err != nil {
			t.Fatal(err)
		}
	}
	// A raw string comes back as itself, or as JSON from an engine that can hold nothing else.
	for _, raw := range []string{"gpt-5", "2025-10-02 10:30:00", "a<b & \"c\"", "Zürich", "True"} {
		set(t, s, values{signature: raw})
		got, err := s.Values(t.Context(), signature)
		if err != nil {
			t.Fatal(err)
		}
		var text string
		if got[signature] != raw && (json.Unmarshal([]byte(got[signature]), &text) != nil || text != raw) {
			t.Errorf("%q came back as %q", raw, got[signature])
		}
	}
}

func sessionsApart(t *testing.T, s store.Store) {
	models := []string{"26", "2", "126", "26.b", "global", "gpt_5-mini", "-"}
	key := func(model string) store.Key { return store.Key{Model: model, Name: "SIGNATURE"} }
	for _, m := range models {
		set(t, s, values{key(m): strconv.Quote("of " + m)})
	}
	if err := s.ClearValues(t.Context(), key("global")); err != nil {
		t.Fatal(err)
	}
	for _, m := range models {
		got, err := s.Values(t.Context(), key(m))
		if err != nil {
			t.Fatal(err)
		}
		want := values{key(m): strconv.Quote("of " + m)}
		if m == "global" {
			want = values{}
		}
		if !maps.Equal(got, want) {
			t.Errorf("model %s has %v, want %v", m, got, want)
		}
	}
}

func sessionTogether(t *testing.T, s store.Store) {
	set(t, s, values{signature: `0`, today: `0`})
	done := make(chan error)
	go func() {
		for i := range 100 {
			text := strconv.Itoa(i)
			if err := s.SetValues(t.Context(), values{signature: text, today: text}, time.Hour); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
		got, err := s.Values(t.Context(), signature, today)
		if err != nil || got[signature] == "" || got[signature] != got[today] {
			t.Errorf("read %v, %v", got, err)
			<-done
			return
		}
	}
}

func sessionAllModels(t *testing.T, s store.Store) {
	set(t, s, values{signature: `"gpt-5"`, halt: `true`})
	wantValues(t, s, values{signature: `"gpt-5"`, halt: `true`})
	if err := s.ClearValues(t.Context(), halt); err != nil {
		t.Fatal(err)
	}
	wantValues(t, s, values{signature: `"gpt-5"`})
}

func ledgerStart(t *testing.T, s store.Store) {
	wantHead(t, s, "gpt-5", "", nil, nil)
	wantHead(t, s, "gpt-5", "o-1", nil, nil)
	wantLines(t, s, "gpt-5")
	if got := Texts(t, s.LinesBefore(t.Context(), "gpt-5", store.Filter{Before: store.Newest})); len(got) != 0 {
		t.Errorf("an empty ledger has the lines %q", got)
	}
	for _, id := range []int64{1, 2, 1 << 40} {
		if err := s.Append(t.Context(), Commit("gpt-5", id, "")); !errors.Is(err, store.ErrConflict) {
			t.Errorf("first line with id %d: %v", id, err)
		}
	}
	wantHead(t, s, "gpt-5", "", nil, nil)
	Fill(t, s, "gpt-5", 3)
	wantHead(t, s, "gpt-5", "", Line(2, ""), nil)
	wantLines(t, s, "gpt-5", Line(0, ""), Line(1, ""), Line(2, ""))
}

// appendOutcomes goes through every mixture of an id, an order id and a session. The ledger has the lines 0 and 1,
// and line 1 carries the order id "used".
func appendOutcomes(t *testing.T, s store.Store) {
	first, second := Line(0, ""), Line(1, "used")
	for _, order := range []string{"", "new", "used"} {
		for _, session := range []string{`"held"`, `"changed"`} {
			for _, id := range []int64{0, 1, 2, 3, 1000} {
				name := fmt.Sprintf("id %d, order id %q, session %s", id, order, session)
				account := strings.NewReplacer(`"`, "", " ", "").Replace(fmt.Sprintf("a%d-%s-%s", id, order, session))
				set(t, s, values{today: session})
				for i, line := range [][]byte{first, second} {
					c := store.Commit{Account: account, After: [][]byte{nil, first}[i], ID: int64(i), Line: line, OrderID: []string{"", "used"}[i]}
					if err := s.Append(t.Context(), c); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
				}
				c := Commit(account, id, order)
				c.After = second
				c.Guards = []store.Guard{{Home: s, Want: values{today: `"held"`}, Set: values{ifTrade: strconv.Quote(name)}, TTL: time.Hour}}
				err := s.Append(t.Context(), c)

				var used *store.UsedError
				ok, lines := false, [][]byte{first, second}
				switch {
				case order == "used":
					ok = errors.As(err, &used) && bytes.Equal(used.Line, second)
				case session != `"held"`:
					ok = errors.Is(err, store.ErrSessionChanged)
				case id != 2:
					ok = errors.Is(err, store.ErrConflict)
				default:
					ok, lines = err == nil, append(lines, c.Line)
				}
				if !ok {
					t.Errorf("%s: %v", name, err)
				}
				wantLines(t, s, account, lines...)
				got, errRead := s.Values(t.Context(), ifTrade)
				if announced := got[ifTrade] == strconv.Quote(name); errRead != nil || announced != (err == nil) {
					t.Errorf("%s: answered %v, and the session holds %v (%v)", name, err, got, errRead)
				}
			}
		}
	}
}

func appendFollows(t *testing.T, s store.Store) {
	other := []byte(strings.Replace(string(Line(1, "")), "9744.85", "9744.86", 1))
	for name, after := range map[string][]byte{"none": nil, "another": other, "an older one": Line(0, ""), "a part": Line(1, "")[:20], "more": append(Line(1, ""), ' ')} {
		t.Run(name, func(t *testing.T) {
			account := strings.ReplaceAll(name, " ", "-")
			Fill(t, s, account, 2)
			c := Commit(account, 2, "o-1")
			c.After = after
			if err := s.Append(t.Context(), c); !errors.Is(err, store.ErrConflict) {
				t.Errorf("answered %v", err)
			}
			wantLines(t, s, account, Line(0, ""), Line(1, ""))
			if err := s.Append(t.Context(), Commit(account, 2, "o-1")); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("one of a ledger that is empty", func(t *testing.T) {
		c := Commit("empty", 0, "")
		c.After = Line(1, "")
		if err := s.Append(t.Context(), c); !errors.Is(err, store.ErrConflict) {
			t.Errorf("answered %v", err)
		}
		wantLines(t, s, "empty")
	})
}

// decorator is a session behind another, as a room for metrics or a prefix would put it. It counts what passes through.
type decorator struct {
	store.Sessions
	calls int
}

func (d *decorator) Values(ctx context.Context, keys ...store.Key) (map[store.Key]string, error) {
	d.calls++
	return d.Sessions.Values(ctx, keys...)
}

func (d *decorator) SetValues(ctx context.Context, v map[store.Key]string, ttl time.Duration) error {
	d.calls++
	return d.Sessions.SetValues(ctx, v, ttl)
}

func decorated(t *testing.T, s store.Store) {
	set(t, s, values{today: `"d"`})
	behind := &decorator{Sessions: s}
	c := Commit("gpt-5", 0, "")
	c.Guards = []store.Guard{{Home: behind, Want: values{today: `"d"`}, Set: values{ifTrade: `true`}, TTL: time.Hour}}
	if err := s.Append(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantValues(t, s, values{today: `"d"`, ifTrade: `true`})
	if within := s.CommitsWith(behind.Place()); within != (behind.calls == 0) {
		t.Errorf("the engine commits with it: %v, and the decorator was called %d times", within, behind.calls)
	}
}

func guards(t *testing.T, s store.Store) {
	homes := []struct {
		name string
		home store.Sessions
	}{
		{"in the same engine", s},
		{"in another engine", &elsewhere{}},
	}
	want := values{signature: `"gpt-5"`, today: `"2025-10-02"`, halt: ""}
	cases := []struct {
		name   string
		set    values
		clear  []store.Key
		refuse bool
	}{
		{name: "what it was"},
		{name: "one value changed", set: values{today: `"2025-10-03"`}, refuse: true},
		{name: "a value appeared", set: values{halt: `true`}, refuse: true},
		{name: "a value vanished", clear: []store.Key{signature}, refuse: true},
		{name: "a value vanished and came back", clear: []store.Key{signature}, set: values{signature: `"gpt-5"`}},
		{name: "values changed that nobody asked for", set: values{ifTrade: `false`, {Model: "27", Name: "SIGNATURE"}: `"x"`}},
	}
	for h, home := range homes {
		for i, c := range cases {
			t.Run("session "+home.name+", "+c.name, func(t *testing.T) {
				account := fmt.Sprintf("a-%d-%d", h, i)
				if err := home.home.ClearValues(t.Context(), signature, today, ifTrade, halt); err != nil {
					t.Fatal(err)
				}
				set(t, home.home, values{signature: `"gpt-5"`, today: `"2025-10-02"`})
				Fill(t, s, account, 1)
				if err := home.home.ClearValues(t.Context(), c.clear...); err != nil {
					t.Fatal(err)
				}
				set(t, home.home, c.set)
				commit := Commit(account, 1, "o-1")
				commit.Guards = []store.Guard{{Home: home.home, Want: want, Set: values{ifTrade: `true`}, TTL: time.Hour}}
				err := s.Append(t.Context(), commit)
				got, errRead := home.home.Values(t.Context(), ifTrade)
				if errRead != nil {
					t.Fatal(errRead)
				}
				if c.refuse {
					if !errors.Is(err, store.ErrSessionChanged) {
						t.Errorf("answered %v", err)
					}
					wantLines(t, s, account, Line(0, ""))
					wantHead(t, s, account, "o-1", Line(0, ""), nil)
					if got[ifTrade] == `true` {
						t.Error("the refused commit was announced")
					}
					return
				}
				if err != nil {
					t.Errorf("answered %v", err)
				}
				wantLines(t, s, account, Line(0, ""), Line(1, "o-1"))
				if got[ifTrade] != `true` {
					t.Errorf("the commit was not announced: %v", got)
				}
			})
		}
	}
	t.Run("session in another engine that cannot be read", func(t *testing.T) {
		broken := &elsewhere{err: &store.UnreachableError{Engine: "other", Doing: "read the session", Err: errors.New("gone")}}
		c := Commit("unread", 0, "")
		c.Guards = []store.Guard{{Home: broken, Want: want}}
		var unreachable *store.UnreachableError
		if err := s.Append(t.Context(), c); !errors.As(err, &unreachable) || unreachable.Unknown {
			t.Errorf("answered %v", err)
		}
		wantLines(t, s, "unread")
	})
	t.Run("session in another engine that cannot be told", func(t *testing.T) {
		c := Commit("untold", 0, "")
		c.Guards = []store.Guard{{Home: &elsewhere{err: errors.New("gone")}, Set: values{ifTrade: `true`}}}
		if err := s.Append(t.Context(), c); err != nil { // the ledger is the truth, the flag announces it
			t.Errorf("answered %v", err)
		}
		wantLines(t, s, "untold", Line(0, ""))
	})
}

func commitSets(t *testing.T, s store.Store) {
	for id := range int64(3) {
		c := Commit("gpt-5", id, "")
		c.Guards = []store.Guard{{Home: s, Set: values{ifTrade: strconv.FormatInt(id, 10), today: `"d"`}, TTL: time.Hour}}
		if err := s.Append(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		wantValues(t, s, values{ifTrade: strconv.FormatInt(id, 10), today: `"d"`})
	}
	// Values that a commit only asks for stay as they are.
	c := Commit("gpt-5", 3, "")
	c.Guards = []store.Guard{{Home: s, Want: values{ifTrade: `2`, signature: ""}}}
	if err := s.Append(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantValues(t, s, values{ifTrade: `2`, today: `"d"`})
}

// Halt checks that no line follows a halt: a trader goes on until a commit is refused, and once the value that stops it
// is set, the ledger has come to its end. It stands apart from [Run] because it holds only for an engine that checks the
// session within the commit, which in a cluster is impossible.
func Halt(t *testing.T, s store.Store) {
	t.Helper()
	for round := range 20 {
		account := fmt.Sprintf("a%d", round)
		started, refused := make(chan struct{}), make(chan error)
		go func() {
			for id := int64(0); ; id++ {
				if id == 3 {
					close(started)
				}
				c := Commit(account, id, "")
				c.Guards = []store.Guard{{Home: s, Want: values{halt: "", today: ""}, Set: values{ifTrade: `true`}, TTL: time.Hour}}
				if err := s.Append(t.Context(), c); err != nil {
					refused <- err
					return
				}
			}
		}()
		<-started
		set(t, s, values{halt: `true`})
		before := Whole(t, s, account)
		if err := <-refused; !errors.Is(err, store.ErrSessionChanged) {
			t.Fatal(err)
		}
		if after := Whole(t, s, account); len(after) != len(before) {
			t.Fatalf("round %d: %d lines at the halt, %d in the end", round, len(before), len(after))
		}
		if err := s.ClearValues(t.Context(), halt); err != nil {
			t.Fatal(err)
		}
	}
}

func lineBytes(t *testing.T, s store.Store) {
	lines := []string{
		`{"id":0}`,
		`{"date": "2025-10-02",   "id":1	,"positions":{ "AAPL" : 10 ,"CASH":9744.850000000000000000001}}`,
		`{"id": 2, "note": "Zürich 東京 🙂 \u00e9\ud83d\ude42 \u2028   <b>&amp;</b>"}`,
		`{"id": 3, "note": "a \"quoted\" \\n line \t \u0000 end", "id_": 7, "x": null}`,
		`{"z": [1e400, 0.10, -0, 1E+2], "id": 4, "order_id": "o \" ü 4"}`,
		`{"id": 5, "note": "` + strings.Repeat("x", 300_000) + `"}`,
		`{"id": 6, "tail": {"id": 99, "order_id": "inner"}}`,
	}
	for i, line := range lines {
		_, orderID, err := LineID([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Append(t.Context(), Follow(t, s, store.Commit{Account: "a", ID: int64(i), Line: []byte(line), OrderID: orderID})); err != nil {
			t.Fatalf("line %d: %v", i, err)
		}
		wantHead(t, s, "a", "", []byte(line), nil)
	}
	if got := Texts(t, s.Lines(t.Context(), "a")); !slices.Equal(got, lines) {
		t.Errorf("lines changed: %.2000q", got)
	}
	back := Texts(t, s.LinesBefore(t.Context(), "a", store.Filter{Before: store.Newest}))
	slices.Reverse(back)
	if !slices.Equal(back, lines) {
		t.Errorf("lines changed, read backwards: %.2000q", back)
	}
	wantHead(t, s, "a", `o " ü 4`, []byte(lines[6]), []byte(lines[4]))
	wantHead(t, s, "a", "inner", []byte(lines[6]), nil)
}

func linePages(t *testing.T, s store.Store) {
	const n = 700
	Fill(t, s, "a", n)
	span := func(from, step, count int64) []string {
		var texts []string
		for ; count > 0; count-- {
			texts, from = append(texts, string(Line(from, ""))), from+step
		}
		return texts
	}
	if got := Texts(t, s.Lines(t.Context(), "a")); !slices.Equal(got, span(0, 1, n)) {
		t.Errorf("forward: %d lines", len(got))
	}
	for _, c := range []struct{ before, first, count int64 }{
		{store.Newest, n - 1, n},
		{n + 1000, n - 1, n},
		{n, n - 1, n},
		{n - 1, n - 2, n - 1},
		{513, 512, 513}, {512, 511, 512}, {257, 256, 257}, {256, 255, 256}, {255, 254, 255}, // around pages
		{1, 0, 1},
		{0, 0, 0},
		{-1, 0, 0},
	} {
		if got := Texts(t, s.LinesBefore(t.Context(), "a", store.Filter{Before: c.before})); !slices.Equal(got, span(c.first, -1, c.count)) {
			t.Errorf("before %d: %d lines, want %d from %d down", c.before, len(got), c.count, c.first)
		}
	}
	for _, stop := range []int{1, 2, 256, 257, 699} {
		for name, lines := range map[string]iter.Seq2[[]byte, error]{
			"forward":  s.Lines(t.Context(), "a"),
			"backward": s.LinesBefore(t.Context(), "a", store.Filter{Before: store.Newest}),
		} {
			seen := 0
			for range lines {
				if seen++; seen == stop {
					break
				}
			}
			if seen != stop {
				t.Errorf("%s, to be left after %d lines: %d seen", name, stop, seen)
			}
		}
	}
	// The same iterator may be used again.
	lines := s.Lines(t.Context(), "a")
	if a, b := Texts(t, lines), Texts(t, lines); len(a) != n || len(b) != n {
		t.Errorf("%d lines at first, %d lines the second time", len(a), len(b))
	}
	// Lines that come while it is read do not disturb it.
	seen := int64(0)
	for line, err := range s.Lines(t.Context(), "a") {
		if err != nil || !bytes.Equal(line, Line(seen, "")) {
			t.Fatalf("line %d: %s, %v", seen, line, err)
		}
		if seen%100 == 0 && seen < n {
			if err := s.Append(t.Context(), Commit("a", n+seen/100, "")); err != nil {
				t.Fatal(err)
			}
		}
		seen++
	}
	if seen < n {
		t.Errorf("%d lines", seen)
	}
}

func linesStay(t *testing.T, s store.Store) {
	Fill(t, s, "a", 300)
	var forward, backward [][]byte
	for line := range s.Lines(t.Context(), "a") {
		forward = append(forward, line)
	}
	for line := range s.LinesBefore(t.Context(), "a", store.Filter{Before: store.Newest}) {
		backward = append(backward, line)
	}
	slices.Reverse(backward)
	for id := range int64(300) {
		if want := Line(id, ""); !bytes.Equal(forward[id], want) || !bytes.Equal(backward[id], want) {
			t.Fatalf("line %d became %s forward, %s backward", id, forward[id], backward[id])
		}
	}
}

func orderIDs(t *testing.T, s store.Store) {
	ids := []string{"o-1", "O-1", "o-1 ", "", "1", "ünï", "a/b{c}*", "\"\\", strings.Repeat("x", 200), "<&>"}
	for i, orderID := range ids {
		wantHead(t, s, "a", "never", headOf(i, ids), nil)
		if err := s.Append(t.Context(), Follow(t, s, Commit("a", int64(i), orderID))); err != nil {
			t.Fatalf("order id %q: %v", orderID, err)
		}
	}
	for i, orderID := range ids {
		if orderID == "" {
			continue // a line without an order id is found by none
		}
		wantHead(t, s, "a", orderID, headOf(len(ids), ids), Line(int64(i), orderID))
		var used *store.UsedError
		if err := s.Append(t.Context(), Commit("a", int64(len(ids)), orderID)); !errors.As(err, &used) || !bytes.Equal(used.Line, Line(int64(i), orderID)) {
			t.Errorf("order id %q again: %v", orderID, err)
		}
	}
	wantHead(t, s, "a", "order_id", headOf(len(ids), ids), nil)
	// Another account may use the same order ids.
	if err := s.Append(t.Context(), Commit("b", 0, "o-1")); err != nil {
		t.Error(err)
	}
}

func headOf(n int, orderIDs []string) []byte {
	if n == 0 {
		return nil
	}
	return Line(int64(n-1), orderIDs[n-1])
}

func accounts(t *testing.T, s store.Store) {
	list := func(want ...string) {
		t.Helper()
		if got, err := s.Accounts(t.Context()); err != nil || !slices.Equal(got, want) {
			t.Errorf("the accounts are %q, %v, want %q", got, err, want)
		}
	}
	list()
	names := []string{"gpt-5", "a", "B", "_", "-x", "gpt-5-mini", "gpt", "a.b", "10", "9", strings.Repeat("n", 64)}
	for i, name := range names {
		Fill(t, s, name, int64(i+1))
	}
	if err := s.Append(t.Context(), Commit("refused", 7, "")); !errors.Is(err, store.ErrConflict) {
		t.Error(err)
	}
	for i, name := range names {
		if got := Whole(t, s, name); len(got) != i+1 {
			t.Errorf("%s has %d lines, want %d", name, len(got), i+1)
		}
	}
	slices.Sort(names)
	list(names...) // a refused line opens no account
}

func badNames(t *testing.T, s store.Store) {
	for _, name := range []string{
		"", ".", "..", ".x", "../../etc", "a/b", `a\b`, "/etc", "a b", "a:b", "{a}", "a}", "*", "ü", "a\n", "a\x00", strings.Repeat("n", 65),
	} {
		_, _, errHead := s.Head(t.Context(), name, "")
		_, _, errOrder := s.Head(t.Context(), name, "o-1")
		for what, err := range map[string]error{
			"head":         errHead,
			"order":        errOrder,
			"append":       s.Append(t.Context(), Commit(name, 0, "")),
			"lines":        firstError(s.Lines(t.Context(), name)),
			"lines before": firstError(s.LinesBefore(t.Context(), name, store.Filter{Before: store.Newest})),
		} {
			if refused := new(store.NameError); !errors.As(err, &refused) || refused.Name != name {
				t.Errorf("%s of %q: %v", what, name, err)
			}
		}
	}
	if got, err := s.Accounts(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("the accounts are %q, %v", got, err)
	}
}

func firstError(lines iter.Seq2[[]byte, error]) (first error) {
	for _, err := range lines {
		if first == nil {
			first = err
		}
	}
	return first
}

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
				if _, err := AppendNext(t.Context(), s, "busy", orderID, func(id int64) []byte { return Line(id, orderID) }); err != nil {
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
		text := rapid.SampledFrom([]string{`true`, `false`, `"gpt-5"`})
		wanted := rapid.SampledFrom([]string{"", "", `true`, `"gpt-5"`})
		var lines []string
		orders, session := map[string]string{}, values{}

		steps := rapid.IntRange(1, 12).Draw(t, "steps")
		for range steps {
			switch rapid.SampledFrom([]string{"commit", "commit", "commit", "set", "clear"}).Draw(t, "do") {
			case "set":
				v := rapid.MapOfN(rapid.SampledFrom(names), text, 1, 3).Draw(t, "values")
				if err := s.SetValues(ctx, v, time.Hour); err != nil {
					t.Fatal(err)
				}
				maps.Copy(session, v)
			case "clear":
				k := rapid.SampledFrom(names).Draw(t, "key")
				if err := s.ClearValues(ctx, k); err != nil {
					t.Fatal(err)
				}
				delete(session, k)
			case "commit":
				id := max(0, int64(len(lines))+rapid.SampledFrom([]int64{0, 0, 0, 0, -1, 1}).Draw(t, "id"))
				c := Commit(account, id, rapid.SampledFrom([]string{"", "", "o-1", "o-2", "o-3"}).Draw(t, "order id"))
				if len(lines) > 0 {
					c.After = []byte(lines[len(lines)-1])
				}
				c.Guards = []store.Guard{{Home: s, TTL: time.Hour, Set: rapid.MapOfN(rapid.SampledFrom(names), text, 0, 2).Draw(t, "set")}}
				if rapid.Bool().Draw(t, "guarded") {
					c.Guards[0].Want = rapid.MapOfN(rapid.SampledFrom(names), wanted, 0, 2).Draw(t, "want")
				} else {
					c.Guards[0].Want = maps.Clone(session)
				}
				err := s.Append(ctx, c)
				used := new(store.UsedError)
				switch earlier := orders[c.OrderID]; {
				case c.OrderID != "" && earlier != "":
					if !errors.As(err, &used) || string(used.Line) != earlier {
						t.Fatalf("used order id: %v", err)
					}
				case !agree(session, c.Guards[0].Want):
					if !errors.Is(err, store.ErrSessionChanged) {
						t.Fatalf("changed session: %v", err)
					}
				case id != int64(len(lines)):
					if !errors.Is(err, store.ErrConflict) {
						t.Fatalf("other id: %v", err)
					}
				default:
					if err != nil {
						t.Fatal(err)
					}
					lines = append(lines, string(c.Line))
					orders[c.OrderID] = string(c.Line)
					maps.Copy(session, c.Guards[0].Set)
				}
			}
			if got, err := s.Values(ctx, names...); err != nil || !maps.Equal(got, session) {
				t.Fatalf("the session is %v, %v, want %v", got, err, session)
			}
			head, _, err := s.Head(ctx, account, "")
			if want := append([]string{""}, lines...)[len(lines)]; err != nil || string(head) != want {
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
		if !slices.Equal(got, lines) {
			t.Fatalf("the lines are %q, want %q", got, lines)
		}
	})
}

func agree(session, want values) bool {
	for k, v := range want {
		if session[k] != v {
			return false
		}
	}
	return true
}

// elsewhere is a session in an engine other than the ledger's. With err set it answers nothing else.
type elsewhere struct {
	values    values
	prolonged []store.Key
	err       error
}

func (e *elsewhere) Place() store.Place { return "elsewhere" }

func (e *elsewhere) Prolong(_ context.Context, _ time.Duration, keys ...store.Key) error {
	e.prolonged = append(e.prolonged, keys...)
	return e.err
}

func (e *elsewhere) Values(_ context.Context, keys ...store.Key) (map[store.Key]string, error) {
	got := values{}
	for _, k := range keys {
		if v, ok := e.values[k]; ok {
			got[k] = v
		}
	}
	return got, e.err
}

func (e *elsewhere) SetValues(_ context.Context, v map[store.Key]string, _ time.Duration) error {
	if e.values == nil {
		e.values = values{}
	}
	maps.Copy(e.values, v)
	return e.err
}

func (e *elsewhere) ClearValues(_ context.Context, keys ...store.Key) error {
	for _, k := range keys {
		delete(e.values, k)
	}
	return e.err
}
