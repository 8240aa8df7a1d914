//go:build unix

package filestore_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"mcp-trade/internal/files"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

// commitAll opens an account, trades and sets a session: it makes every kind of file that the store keeps.
func commitAll(t *testing.T, s *filestore.Store) {
	t.Helper()
	if err := s.SetValues(t.Context(), values{signature: `"a"`, halt: `false`}, 0); err != nil {
		t.Fatal(err)
	}
	appendLine(t, s, 0)
	if err := s.Append(t.Context(), row(1, store.Guard{Backend: s, Expect: values{signature: `"a"`}, Update: values{ifTrade: `true`}})); err != nil {
		t.Fatal(err)
	}
}

func TestWithAccess(t *testing.T) {
	for _, c := range []struct {
		access       files.Access
		file, folder fs.FileMode
	}{
		{files.Owner, 0o600, 0o700 | fs.ModeDir},
		{files.Group, 0o660, 0o770 | fs.ModeDir | fs.ModeSetgid},
	} {
		old := syscall.Umask(0o027)
		t.Cleanup(func() { syscall.Umask(old) })
		dir, seen := t.TempDir(), 0
		s := open(t, filepath.Join(dir, "made"), filestore.WithAccess(c.access))
		commitAll(t, s)
		err := filepath.WalkDir(filepath.Join(dir, "made"), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			want := c.file
			if d.IsDir() {
				want = c.folder
			}
			if err == nil && info.Mode() != want {
				t.Errorf("%s has the mode %v, want %v", path, info.Mode(), want)
			}
			seen++
			return err
		})
		if err != nil || seen != 11 {
			t.Errorf("%d files and folders, %v", seen, err)
		}
	}
}

// Each case is a ledger that is a link, or another thing that is no file of lines.
func TestStore_Append_NoPlainFile(t *testing.T) {
	const secret = "a token of somebody, 31 bytes.."
	for _, c := range []struct {
		name   string
		make   func(t *testing.T, path, victim string) error
		victim string // what is there before, and after
		says   string
	}{
		{"a link to another file of one line", func(_ *testing.T, path, victim string) error { return os.Symlink(victim, path) }, secret, "symbolic link"},
		{"a link to an empty file", func(_ *testing.T, path, victim string) error { return os.Symlink(victim, path) }, "", "symbolic link"},
		{"a link to nothing", func(_ *testing.T, path, victim string) error {
			return errors.Join(os.Remove(victim), os.Symlink(victim, path))
		}, "-", "symbolic link"},
		{"another file of one line", func(t *testing.T, path, victim string) error { return os.Link(victim, path) }, secret, "no ledger"},
		{"another file of some lines", func(t *testing.T, path, victim string) error { return os.Link(victim, path) }, "x\ny\n" + secret, "damaged"},
		{"another file with a ledger line in it", func(t *testing.T, path, victim string) error { return os.Link(victim, path) }, "x\n" + line(0) + "\n" + secret, "no ledger"},
		{"a named pipe", func(_ *testing.T, path, _ string) error { return syscall.Mkfifo(path, 0o600) }, "x", "named pipe"},
		{"an endless device", func(_ *testing.T, path, _ string) error { return os.Symlink("/dev/zero", path) }, "x", "device"},
		{"a device that takes everything", func(_ *testing.T, path, _ string) error { return os.Symlink("/dev/null", path) }, "x", "device"},
		{"a folder", func(_ *testing.T, path, _ string) error { return os.Mkdir(path, 0o700) }, "x", "folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			path, victim := s.LedgerFile("a"), filepath.Join(dir, "victim")
			write(t, path, "")
			write(t, victim, c.victim)
			remove(t, path)
			if err := c.make(t, path, victim); err != nil {
				t.Fatal(err)
			}
			for _, id := range []int64{0, 1} {
				commit := storetest.Commit("a", id, "")
				head, _, err := s.Head(t.Context(), "a", "o-1")
				if err != nil {
					wantUnreachable(t, err, path)
				}
				commit.After = head
				if err := s.Append(t.Context(), commit); !errors.Is(err, store.ErrConflict) {
					wantUnreachable(t, err, path, c.says)
				}
			}
			if _, err := os.Stat(victim); c.victim == "-" {
				if err == nil {
					t.Error("the link's target was made")
				}
				return
			}
			wantFile(t, victim, c.victim)
		})
	}
	t.Run("a link to a ledger", func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir)
		path := s.LedgerFile("a")
		write(t, path, "")
		write(t, filepath.Join(dir, "ledger"), lines(2))
		remove(t, path)
		if err := os.Symlink(filepath.Join(dir, "ledger"), path); err != nil {
			t.Fatal(err)
		}
		wantHead(t, s, line(1))
		appendLine(t, s, 2)
		wantFile(t, filepath.Join(dir, "ledger"), lines(3))
		add(t, path, "torn")
		wantUnreachable(t, s.Append(t.Context(), row(3)), path, "symbolic link")
		wantFile(t, filepath.Join(dir, "ledger"), lines(3)+"torn")
	})
}

func TestStore_Values_NoPlainFile(t *testing.T) {
	dir := t.TempDir()
	s := filestore.New(dir, dir)
	path := s.SessionFile("26")
	write(t, filepath.Join(dir, "victim"), `{"SIGNATURE": "x"}`)
	write(t, filepath.Join(dir, "huge"), `{"SIGNATURE": "`+strings.Repeat("x", 1<<20)+`"}`)
	for _, c := range []struct {
		name       string
		make       func() error
		read, set  string
		readsValue string
	}{
		{"a named pipe", func() error { return syscall.Mkfifo(path, 0o600) }, "named pipe", "named pipe", ""},
		{"an endless device", func() error { return os.Symlink("/dev/zero", path) }, "device", "device", ""},
		{"a link to a session", func() error { return os.Symlink("victim", path) }, "", "symbolic link", `"x"`},
		{"a link to nothing", func() error { return os.Symlink("nothing", path) }, "", "symbolic link", ""},
		{"a file beyond all bounds", func() error { return os.Rename(filepath.Join(dir, "huge"), path) }, "larger than 1048576 bytes", "larger than 1048576 bytes", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.make(); err != nil {
				t.Fatal(err)
			}
			defer remove(t, path)
			got, err := s.Values(t.Context(), signature)
			if c.read != "" {
				wantUnreachable(t, err, path, c.read)
			} else if err != nil || got[signature] != c.readsValue {
				t.Errorf("the session is %v, %v", got, err)
			}
			wantUnreachable(t, s.SetValues(t.Context(), values{today: `"d"`}, 0), path, c.set)
			wantFile(t, filepath.Join(dir, "victim"), `{"SIGNATURE": "x"}`)
		})
	}
}

// Orders queue behind each other. Those that come after one that waited for a lock in vain do not each wait as long.
func TestStore_Append_LockHeldForGood(t *testing.T) {
	s := open(t, t.TempDir(), filestore.WithPatience(200*time.Millisecond, time.Millisecond))
	appendLine(t, s, 0)
	lock := flock.New(filepath.Join(filepath.Dir(s.LedgerFile("a")), ".position.lock"))
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"has held", "still holds", "still holds"} {
		wantUnreachable(t, s.Append(t.Context(), row(1)), lock.Path(), says, "end that process")
	}
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	appendLine(t, s, 1)
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	wantUnreachable(t, s.Append(t.Context(), row(2)), lock.Path(), "has held")
}

// A ledger that nobody can read is an account all the same, and hides no other.
func TestStore_Accounts_Unreadable(t *testing.T) {
	s := open(t, t.TempDir())
	for _, account := range []string{"good", "empty", "damaged", "foreign", "folder"} {
		write(t, s.LedgerFile(account), map[string]string{"good": lines(1), "damaged": lines(1) + "x\n", "foreign": "x"}[account])
	}
	remove(t, s.LedgerFile("folder"))
	if err := os.Mkdir(s.LedgerFile("folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	got, err := s.Accounts(t.Context())
	if want := "[damaged empty folder foreign good]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("the accounts are %v, %v, want %v", got, err, want)
	}
	if err := s.SetValues(t.Context(), values{halt: `true`}, 0); err != nil {
		t.Errorf("a halt for all: %v", err)
	}
}
