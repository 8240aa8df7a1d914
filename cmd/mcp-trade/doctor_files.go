// What doctor says of the folders: it commits a line to a ledger of its own in them, as a trade would.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mcp-trade/internal/files"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
)

// checkFiles tries the folders of sessions and of ledgers.
func checkFiles(ctx context.Context, access files.Access, dataDir, logPath string) []finding {
	found := []finding{tryFolder("data dir", access, dataDir, func(dir string) error {
		s := filestore.New(dir, dir, filestore.WithAccess(access))
		defer s.Close()
		return s.SetValues(ctx, map[store.Key]string{{Model: "doctor", Name: "DOCTOR"}: "true"}, 0)
	})}
	found = append(found, tryFolder("log path", access, logPath, func(dir string) error {
		s := filestore.New(dir, dir, filestore.WithAccess(access))
		defer s.Close()
		return s.Append(ctx, store.Commit{Account: "doctor", Line: []byte(`{"id": 0, "note": "` + strings.Repeat("x", trialBytes) + `"}`)})
	}))
	if found[1].State == "ok" {
		found = append(found, finding{"durability of files", "ok",
			"an acknowledged trade was synced: it outlives a kill of this program and a power failure, as far as the disk keeps what it says is synced; a copy on another disk is yours to make"})
	}
	return found
}

const (
	trialBytes = 64 << 10  // more than a ledger line of hundreds of symbols
	littleFree = 100 << 20 // bytes: some eighty thousand trades
)

// tryFolder has try write in a new folder below dir, and tells how much room there is.
func tryFolder(what string, access files.Access, dir string, try func(dir string) error) finding {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return finding{what, "failed", explain(err)}
	}
	if err := access.MkdirAll(dir); err != nil {
		return finding{what, "failed", fmt.Sprintf("%v; name another with --%s", err, strings.ReplaceAll(what, " ", "-"))}
	}
	trial, err := os.MkdirTemp(dir, ".doctor-")
	if err != nil {
		return finding{what, "failed", fmt.Sprintf("cannot be written: %v", err)}
	}
	if err := errors.Join(try(trial), os.RemoveAll(trial)); err != nil {
		return finding{what, "failed", fmt.Sprintf("%s: a trial of what a trade writes failed: %v", abs, err)}
	}
	free, known := freeBytes(dir)
	switch {
	case !known:
		return finding{what, "ok", abs + " was written and synced"}
	case free < littleFree:
		return finding{what, "warning", fmt.Sprintf("%s was written and synced, but only %d MB are free there", abs, free/1e6)}
	}
	return finding{what, "ok", fmt.Sprintf("%s was written and synced; %.1f GB are free there", abs, float64(free)/1e9)}
}
