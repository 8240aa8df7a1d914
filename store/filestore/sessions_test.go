package filestore_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

// values is a short way to write the values of a session.
type values = map[store.Key]string

func wantValues(t *testing.T, s store.Sessions, want values) {
	t.Helper()
	got, err := s.Values(t.Context(), signature, today, ifTrade)
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("the session is %v, %v, want %v", got, err, want)
	}
}

// A session file has the name and the form of AI-Trader.
func TestStore_SetValues_FileOfAITrader(t *testing.T) {
	dir := t.TempDir()
	s := filestore.New(dir, dir)
	if err := s.SetValues(t.Context(), values{signature: `"gpt-5"`, ifTrade: `true`, today: `2025-10-02`}, 0); err != nil {
		t.Fatal(err)
	}
	wantFile(t, filepath.Join(dir, ".runtime_env_26.json"),
		"{\n    \"IF_TRADE\": true,\n    \"SIGNATURE\": \"gpt-5\",\n    \"TODAY_DATE\": \"2025-10-02\"\n}\n")
	if err := s.ClearValues(t.Context(), signature, ifTrade, today); err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(read(t, s.SessionFile("26"))), &object); err != nil || len(object) != 0 {
		t.Errorf("the file holds %v, %v", object, err)
	}
	if name := filepath.Base(s.SessionFile(store.AllModels)); name != ".runtime_env_@all.json" {
		t.Errorf("the values of all models are in %s", name)
	}
}

// The session file of one model may have another name.
func TestWithSessionFile(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "elsewhere", "env.json")
	s := filestore.New(dir, dir, filestore.WithSessionFile("26", other))
	if err := s.SetValues(t.Context(), values{signature: `"gpt-5"`, {Model: "27", Name: "SIGNATURE"}: `"x"`}, 0); err != nil {
		t.Fatal(err)
	}
	wantFile(t, other, "{\n    \"SIGNATURE\": \"gpt-5\"\n}\n")
	wantFile(t, filepath.Join(dir, ".runtime_env_27.json"), "{\n    \"SIGNATURE\": \"x\"\n}\n")
}

// A session file is read in any form.
func TestStore_Values_AnyForm(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       values
	}{
		{"as Python writes it", `{"SIGNATURE": "gpt-5", "IF_TRADE": false}`, values{signature: `"gpt-5"`, ifTrade: `false`}},
		{"with escapes", `{"SIGNATURE": "Z\u00fcrich"}`, values{signature: `"Z\u00fcrich"`}},
		{"empty", ``, values{}},
		{"blank", " \n\t", values{}},
		{"without keys", `{}`, values{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := filestore.New(dir, dir)
			write(t, s.SessionFile("26"), c.text)
			wantValues(t, s, c.want)
		})
	}
}

// A file that cannot be understood is not a file that holds nothing: who takes it for that trades under another name.
func TestStore_Values_Damaged(t *testing.T) {
	for _, text := range []string{`{"SIGNATURE": "gpt`, `["SIGNATURE"]`, `null`, `gpt-5`, "\x00\x00", `{"SIGNATURE": "gpt-5"} x`} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := filestore.New(dir, dir)
			path := s.SessionFile("26")
			write(t, path, text)
			_, err := s.Values(t.Context(), signature)
			wantUnreachable(t, err, path)
			wantUnreachable(t, s.SetValues(t.Context(), values{today: `"d"`}, 0), path)
			wantUnreachable(t, s.ClearValues(t.Context(), today), path)
			wantFile(t, path, text)
		})
	}
}

// AI-Trader keeps more in the file than this program knows of.
func TestStore_SetValues_UnknownKeys(t *testing.T) {
	dir := t.TempDir()
	s := filestore.New(dir, dir)
	write(t, s.SessionFile("26"), `{"MARKET": "us", "LOG_PATH": "./data/<a>&b", "n": 1.50, "nested": {"z": [1,  2], "a": null}, "SIGNATURE": "old"}`)
	if err := s.SetValues(t.Context(), values{signature: `"gpt-5"`}, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.ClearValues(t.Context(), today); err != nil {
		t.Fatal(err)
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal([]byte(read(t, s.SessionFile("26"))), &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"MARKET": `"us"`, "LOG_PATH": `"./data/<a>&b"`, "n": `1.50`, "nested": `{"z": [1,  2], "a": null}`, "SIGNATURE": `"gpt-5"`,
	} {
		if string(got[name]) != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
	}
}

// AI-Trader empties the file and then writes it. Between the two it holds nothing, and a reader must not believe it.
func TestStore_Values_RewrittenInPlace(t *testing.T) {
	dir := t.TempDir()
	s := filestore.New(dir, dir)
	path := s.SessionFile("26")
	rewrite := func(n int) error {
		return os.WriteFile(path, fmt.Appendf(nil, `{"SIGNATURE": "gpt-5", "TODAY_DATE": "%d"}`, n), 0o644)
	}
	if err := rewrite(0); err != nil {
		t.Fatal(err)
	}
	running, stop, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		for n := 0; ; n++ {
			if n == 100 {
				close(running)
			}
			select {
			case <-stop:
				done <- nil
				return
			default:
				if err := rewrite(n); err != nil {
					done <- err
					return
				}
			}
		}
	}()
	<-running
	for range 100 {
		got, err := s.Values(t.Context(), signature, today)
		if err != nil || got[signature] != `"gpt-5"` || got[today] == "" {
			t.Errorf("read %v, %v", got, err)
			break
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// Each store is a process. None takes a value from the file that another one set.
func TestStore_SetValues_SeveralStores(t *testing.T) {
	testenv.Slow(t)
	dir := t.TempDir()
	const writers, each = 4, 25
	done := make(chan error)
	for w := range writers {
		s := filestore.New(dir, dir)
		go func() {
			var errs error
			for i := range each {
				errs = errors.Join(errs, s.SetValues(t.Context(), values{{Model: "26", Name: fmt.Sprintf("K%d-%d", w, i)}: `true`}, 0))
			}
			done <- errs
		}()
	}
	for range writers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	var object map[string]bool
	if err := json.Unmarshal([]byte(read(t, filepath.Join(dir, ".runtime_env_26.json"))), &object); err != nil || len(object) != writers*each {
		t.Errorf("%d values, want %d: %v", len(object), writers*each, err)
	}
}

// A guard that was taken from the file must hold when nothing but another value was set since.
func TestStore_SetValues_ForeignSpelling(t *testing.T) {
	dir := t.TempDir()
	s := filestore.New(dir, dir)
	write(t, s.SessionFile("26"), `{"SIGNATURE": "a<b>&c", "IF_TRADE": false}`)
	before, err := s.Values(t.Context(), signature)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetValues(t.Context(), values{ifTrade: `true`}, 0); err != nil {
		t.Fatal(err)
	}
	wantValues(t, s, values{signature: before[signature], ifTrade: `true`})
}

// The flag is set already for every trade of a day but the first; those write no session file.
func TestStore_Append_UnchangedSession(t *testing.T) {
	for _, text := range []string{`true`, `"a<b>"`, `raw text`} {
		dir := t.TempDir()
		s := filestore.New(dir, dir)
		commit := func(id int64) os.FileInfo {
			c := storetest.Commit("a", id, "")
			c.Guards = []store.Guard{{Backend: s, Update: values{ifTrade: text}}}
			if err := s.Append(t.Context(), storetest.Follow(t, s, c)); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(s.SessionFile("26"))
			if err != nil {
				t.Fatal(err)
			}
			return info
		}
		if first, second := commit(0), commit(1); !os.SameFile(first, second) {
			t.Errorf("%s was written again", text)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
