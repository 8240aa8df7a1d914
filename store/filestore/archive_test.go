package filestore_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

// What was interrupted between two files is completed by doing it again.
func TestStore_Archive_Interrupted(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if err := errors.Join(s.Append(t.Context(), storetest.Commit("a", 0, "")), s.SaveCheckpoint(t.Context(), "a", 0, []byte(`{}`))); err != nil {
		t.Fatal(err)
	}
	moved := filepath.Join(dir, "log", "b")
	if err := errors.Join(os.Mkdir(moved, 0o755), os.Rename(filepath.Join(dir, "log", "a", "run.json"), filepath.Join(moved, "run.json"))); err != nil {
		t.Fatal(err)
	}
	if err := s.Archive(t.Context(), "a", "b", 0); err != nil {
		t.Fatal(err)
	}
	if names, err := s.Accounts(t.Context()); err != nil || len(names) != 1 || names[0] != "b" {
		t.Errorf("the accounts are %q, %v", names, err)
	}
	if text, err := s.Checkpoint(t.Context(), "b"); err != nil || string(text) != `{}` {
		t.Errorf("its checkpoint is %q, %v", text, err)
	}
}

func TestStore_Archive_WhileARunHasTheAccount(t *testing.T) {
	dir := t.TempDir()
	s, other := open(t, dir), filestore.New(filepath.Join(dir, "data"), filepath.Join(dir, "log"))
	defer other.Close()
	if err := s.Append(t.Context(), storetest.Commit("a", 0, "")); err != nil {
		t.Fatal(err)
	}
	l, err := other.Lease(t.Context(), "a", store.Owner{Name: "a run", Nonce: "n"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release(t.Context())
	if err := s.Archive(t.Context(), "a", "b", 0); !store.Refused(err) {
		t.Errorf("beside a run: %v", err)
	}
	if head, _, err := s.Head(t.Context(), "a", ""); err != nil || head == nil {
		t.Errorf("the ledger is %q, %v", head, err)
	}
}
