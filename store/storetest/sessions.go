// What must hold of session values.

package storetest

import (
	"encoding/json"
	"maps"
	"strconv"
	"testing"
	"time"

	"mcp-trade/store"
)

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
