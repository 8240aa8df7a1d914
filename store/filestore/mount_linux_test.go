// A store on a file system that may only be read.

package filestore_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

// readMounted reads everything below a folder that nobody may write, and prints what it reads.
func readMounted(dir string) error {
	if err := syscall.Mount(dir, dir, "", syscall.MS_BIND, ""); err != nil {
		return err
	}
	if err := syscall.Mount("", dir, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		return err
	}
	ctx := context.Background()
	s := filestore.New(filepath.Join(dir, "data"), filepath.Join(dir, "log"))
	head, ordered, err := s.Head(ctx, "a", "o-1")
	fmt.Println("head", len(head) > 0, string(ordered), err)
	forward, backward := 0, 0
	for _, err := range s.Lines(ctx, "a") {
		if forward++; err != nil {
			return err
		}
	}
	for _, err := range s.LinesBefore(ctx, "a", store.Filter{Before: store.MaxID, AsOf: "2025-10-02"}) {
		if backward++; err != nil {
			return err
		}
	}
	fmt.Println("lines", forward, backward)
	accounts, err := s.Accounts(ctx)
	fmt.Println("accounts", accounts, err)
	session, err := s.Values(ctx, signature)
	fmt.Println("session", session[signature], err)
	fmt.Println("append", s.Append(ctx, storetest.Commit("a", 2, "")))
	return s.Close()
}

func TestStore_ReadOnlyMount(t *testing.T) {
	const child = "FILESTORE_TEST_MOUNT" // in a process of its own: the folder
	if dir := os.Getenv(child); dir != "" {
		if err := readMounted(dir); err != nil {
			t.Fatal(err)
		}
		return
	}
	dir := t.TempDir()
	s := open(t, dir)
	if err := s.SetValues(t.Context(), values{signature: `"a"`}, 0); err != nil {
		t.Fatal(err)
	}
	ordered := string(storetest.Line(1, "o-1"))
	write(t, s.LedgerFile("a"), lines(1)+ordered+"\n")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestStore_ReadOnlyMount$")
	cmd.Env = append(os.Environ(), child+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS} // its mount ends with it
	out, err := cmd.CombinedOutput()
	refused := err != nil && strings.Contains(string(out)+err.Error(), "operation not permitted")
	testenv.Require(t, "mount", !refused, fmt.Sprintf("this process may not mount: %v: %s", err, out))
	want := "head true " + ordered + " <nil>\nlines 2 2\naccounts [a] <nil>\nsession \"a\" <nil>\nappend file: cannot write the ledger: "
	if err != nil || !strings.HasPrefix(string(out), want) || !strings.Contains(string(out), "read-only file system") {
		t.Errorf("%v\n%s", err, out)
	}
}
