package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"mcp-trade/store"
	"mcp-trade/store/filestore"
)

// A guard has a line committed only while the session is what it was when the line was judged.
func ExampleGuard() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	s := filestore.New(dir, filepath.Join(dir, "log"))
	defer s.Close()
	ctx := context.Background()
	halt := store.Key{Model: "alice", Name: "HALT"}
	commit, err := store.CommitOf("alice", nil, []byte(`{"date": "2025-10-02", "id": 0, "positions": {"CASH": 1000}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	commit.Guards = []store.Guard{{Backend: s, Expect: map[store.Key]string{halt: ""}}} // trading was not halted

	if err := s.SetValues(ctx, map[store.Key]string{halt: "true"}, 0); err != nil { // somebody halts it meanwhile
		fmt.Println(err)
	}
	err = s.Append(ctx, commit)
	fmt.Println("halted meanwhile:", errors.Is(err, store.ErrSessionChanged))

	if err := s.ClearValues(ctx, halt); err != nil {
		fmt.Println(err)
	}
	fmt.Println("not halted:", s.Append(ctx, commit))
	// Output:
	// halted meanwhile: true
	// not halted: <nil>
}
