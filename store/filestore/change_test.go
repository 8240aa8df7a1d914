package filestore_test

// Tests of session files that are changed by what they hold, and of those that are not read again.

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"mcp-trade/store"
	"mcp-trade/store/filestore"
)

func TestStore_ChangeValues(t *testing.T) {
	t.Run("no change is lost among many", func(t *testing.T) {
		const writers, each = 4, 25
		dir := t.TempDir()
		all := store.Key{Model: store.AllModels, Name: "HALT"}
		var wait sync.WaitGroup
		for range writers {
			s := filestore.New(dir, dir) // as another process does
			wait.Go(func() {
				for range each {
					err := s.ChangeValues(t.Context(), []store.Key{today, all}, func(v values) values {
						n, _ := strconv.Atoi(v[today])
						return values{today: strconv.Itoa(n + 1), all: strconv.Itoa(n + 1)}
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		got, err := filestore.New(dir, dir).Values(t.Context(), today, all)
		if want := fmt.Sprint(writers * each); err != nil || got[today] != want || got[all] != want {
			t.Errorf("the values are %v, %v, want %s", got, err, want)
		}
	})
	t.Run("a value is removed, and others stay", func(t *testing.T) {
		s := filestore.New(t.TempDir(), t.TempDir())
		if err := s.SetValues(t.Context(), values{signature: `"a"`, today: `"d"`}, 0); err != nil {
			t.Fatal(err)
		}
		err := s.ChangeValues(t.Context(), []store.Key{today}, func(values) values { return values{today: "", ifTrade: "true"} })
		if err != nil {
			t.Error(err)
		}
		wantValues(t, s, values{signature: `"a"`, ifTrade: "true"})
	})
	t.Run("a file that would be as it is is left alone", func(t *testing.T) {
		s := filestore.New(t.TempDir(), t.TempDir())
		if err := s.ChangeValues(t.Context(), []store.Key{today}, func(values) values { return values{today: ""} }); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.SessionFile("26")); !os.IsNotExist(err) {
			t.Errorf("there is a file: %v", err)
		}
	})
	t.Run("a damaged file is not changed", func(t *testing.T) {
		s := filestore.New(t.TempDir(), t.TempDir())
		if err := os.WriteFile(s.SessionFile("26"), []byte("{ torn"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := s.ChangeValues(t.Context(), []store.Key{today}, func(values) values { return values{today: "1"} }); err == nil {
			t.Error("no error")
		}
		wantFile(t, s.SessionFile("26"), "{ torn")
	})
}

// Another program rewrites a session in place: with as many bytes, and within a step of the file system's clock.
func TestStore_Values_FileChanged(t *testing.T) {
	s := filestore.New(t.TempDir(), t.TempDir())
	path := s.SessionFile("26")
	write := func(text string, age time.Duration) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if at := time.Now().Add(-age); age > 0 {
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 200 {
		write(fmt.Sprintf(`{"TODAY_DATE": %d}`, 1000+i), 0)
		wantValues(t, s, values{today: fmt.Sprint(1000 + i)})
	}
	write(`{"TODAY_DATE": 1}`, time.Minute)
	wantValues(t, s, values{today: "1"})
	wantValues(t, s, values{today: "1"})
	for name, change := range map[string]func(){
		"its time":     func() { write(`{"TODAY_DATE": 2}`, 30*time.Second) },
		"its length":   func() { write(`{"TODAY_DATE":2}`, time.Minute) },
		"another file": func() { _ = os.Rename(path, path+".old"); write(`{"TODAY_DATE": 2}`, time.Minute) },
	} {
		write(`{"TODAY_DATE": 1}`, time.Minute)
		wantValues(t, s, values{today: "1"})
		change()
		t.Log(name)
		wantValues(t, s, values{today: "2"})
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	wantValues(t, s, values{})
}
