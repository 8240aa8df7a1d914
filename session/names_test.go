package session

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"mcp-trade/store"
	"mcp-trade/store/filestore"
)

// named are stores that have other names than those of this program.
type (
	namedShared struct{ *fake }
	namedLocal  struct{ *filestore.Store }
)

func (namedShared) Name() string { return "postgres" }
func (namedLocal) Name() string  { return "disk" }

// What is said of a session, and noted in it, has the names that its stores have, whichever they are.
func TestResolver_StoresOfAnyName(t *testing.T) {
	shared, local := namedShared{newFake(set("SIGNATURE=a TODAY_DATE=2025-10-02 HALT=true"))}, namedLocal{filestore.New(t.TempDir(), t.TempDir())}
	var said []string
	l, err := New(Config{
		Model: "26", Shared: shared, Local: local, TTL: time.Minute,
		Env: func(string) (string, bool) { return "", false }, Warn: func(text string) { said = append(said, text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	read := func(want string) {
		t.Helper()
		s, err := l.Read(t.Context())
		if got := fmt.Sprint(s.Signature, " ", s.Today, " ", s.Sources[Signature], " halted ", s.Halted, " ", err); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	tell := func(want string) {
		t.Helper()
		if len(said) != 1 || said[0] != want {
			t.Errorf("it was said: %q\nwant %q", said, want)
		}
		said = nil
	}
	read("a 2025-10-02 postgres halted true <nil>")
	if held, err := local.Values(t.Context(), key(Halt), notesKey("26")); err != nil || held[notesKey("26")] != `{"halt_of":"postgres"}` {
		t.Errorf("the copy of the halt is noted as %v, %v", held, err)
	}
	if reached, err := l.Clear(t.Context(), Halt); err != nil || fmt.Sprint(reached) != "[postgres disk]" {
		t.Errorf("cleared in %v, %v", reached, err)
	}
	delete(shared.values, key(TodayDate))
	read(`   halted false TODAY_DATE environment variable is not set, and neither is the value in Postgres, which holds other values of the session "26".`)

	shared.err = &store.UnreachableError{Engine: "postgres", Doing: "write the session", Err: errors.New("connection refused")}
	if reached, err := l.Write(t.Context(), map[string]any{Signature: "a", TodayDate: "2025-10-03"}); err != nil || fmt.Sprint(reached) != "[disk]" {
		t.Errorf("written in %v, %v", reached, err)
	}
	tell("postgres: cannot write the session: connection refused; the session is written to its disk only, and Postgres gets it when it is back")
	read("a 2025-10-03 disk halted false <nil>")
	tell("postgres: cannot write the session: connection refused; the session is read from its disk")
	if _, err := l.Write(t.Context(), map[string]any{Halt: true}); err == nil || !strings.HasSuffix(err.Error(), "; only the disk of this machine was changed, and Postgres gets HALT when it is back") {
		t.Errorf("a halt that missed it: %v", err)
	}
	shared.err = nil
	read("a 2025-10-03 postgres halted true <nil>")
	tell(`Postgres has now what it missed of the session "26": HALT, TODAY_DATE`)
	clear(shared.values)
	read("a 2025-10-03 disk halted true <nil>")
	tell(`Postgres holds nothing of the session "26" any more; it is read from its disk`)
}

func TestResolver_HaltWithoutASharedStore(t *testing.T) {
	l := newResolver(t, nil, "SIGNATURE=a TODAY_DATE=2025-10-02", "")
	for _, halt := range []bool{true, false} {
		reached, err := l.Write(t.Context(), map[string]any{Halt: halt})
		if s, readErr := l.Read(t.Context()); err != nil || readErr != nil || s.Halted != halt || fmt.Sprint(reached) != "[file]" {
			t.Errorf("HALT=%v: in %v, %v, and read as %v, %v", halt, reached, err, s.Halted, readErr)
		}
	}
}

func TestNew_TwoStoresOfOneName(t *testing.T) {
	l, err := New(Config{Model: "26", Shared: newFake(nil), Local: sameName{filestore.New(t.TempDir(), t.TempDir())}})
	if l != nil || err == nil || !strings.Contains(err.Error(), `both named "redis"`) {
		t.Errorf("%v, %v", l, err)
	}
}

type sameName struct{ *filestore.Store }

func (sameName) Name() string { return string(fromRedis) }
