//go:build unix

package files_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcp-trade/internal/files"
)

// umask sets the umask of this process for a test.
func umask(t *testing.T, mask int) {
	old := syscall.Umask(mask)
	t.Cleanup(func() { syscall.Umask(old) })
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, path, text string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("%s holds %q, %v, want %q", path, got, err, text)
	}
}

func TestAccess(t *testing.T) {
	for _, c := range []struct {
		name         string
		access       files.Access
		umask        int
		file, folder fs.FileMode
	}{
		{"the owner", files.Owner, 0o022, 0o600, 0o700 | fs.ModeDir},
		{"the owner, with an open umask", files.Owner, 0, 0o600, 0o700 | fs.ModeDir},
		{"the group", files.Group, 0o022, 0o660, 0o770 | fs.ModeDir | fs.ModeSetgid},
		{"the group, with a closed umask", files.Group, 0o077, 0o660, 0o770 | fs.ModeDir | fs.ModeSetgid},
		{"whoever the umask lets", files.Umask, 0o027, 0o640, 0o750 | fs.ModeDir},
	} {
		t.Run(c.name, func(t *testing.T) {
			umask(t, c.umask)
			dir := filepath.Join(t.TempDir(), "a", "b")
			if err := c.access.MkdirAll(dir); err != nil {
				t.Fatal(err)
			}
			made, err := c.access.Create(filepath.Join(dir, "made"))
			if err != nil {
				t.Fatal(err)
			}
			appended, err := c.access.Append(filepath.Join(dir, "appended"))
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(made.Close(), appended.Close(), c.access.Replace(filepath.Join(dir, "replaced"), nil)); err != nil {
				t.Fatal(err)
			}
			lock := c.access.Lock(filepath.Join(dir, "lock"))
			if taken, err := lock.Try(); err != nil || !taken {
				t.Fatal(taken, err)
			}
			lock.Release()
			for name, mode := range map[string]fs.FileMode{".": c.folder, "..": c.folder, "made": c.file, "appended": c.file, "replaced": c.file, "lock": c.file} {
				info, err := os.Stat(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				if info.Mode() != mode {
					t.Errorf("%s has the mode %v, want %v", name, info.Mode(), mode)
				}
			}
		})
	}
	t.Run("what was there keeps its access, unless it is shared now", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "f")
		write(t, path, "")
		for _, c := range []struct {
			access    files.Access
			was, want fs.FileMode
		}{{files.Owner, 0o644, 0o644}, {files.Owner, 0o640, 0o640}, {files.Group, 0o600, 0o660}} {
			if err := errors.Join(os.Chmod(path, c.was), c.access.Replace(path, []byte("x"))); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Mode() != c.want {
				t.Errorf("%v became %v, %v, want %v", c.was, info.Mode(), err, c.want)
			}
		}
	})
}

func TestAccess_MkdirAll(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "")
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"file", "file/x", "dangling", "dangling/x"} {
		if err := files.Owner.MkdirAll(filepath.Join(dir, path)); err == nil {
			t.Errorf("%s was made", path)
		}
	}
	for range 2 {
		if err := files.Owner.MkdirAll(filepath.Join(dir, "x", "y")); err != nil {
			t.Error(err)
		}
	}
}

// Whoever can put a link into a folder could have another file emptied or made by who writes there.
func TestAccess_ThroughALink(t *testing.T) {
	dir := t.TempDir()
	for name, target := range map[string]string{"to a file": "victim", "to nothing": "nothing"} {
		t.Run(name, func(t *testing.T) {
			write(t, filepath.Join(dir, "victim"), "secret")
			link := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			if err := os.Symlink(target, link); err != nil {
				t.Fatal(err)
			}
			_, errCreate := files.Owner.Create(link)
			_, errAppend := files.Owner.Append(link)
			_, errLock := files.Owner.Lock(link).Try()
			for what, err := range map[string]error{
				"create": errCreate, "append": errAppend, "lock": errLock, "replace": files.Owner.Replace(link, []byte("x")),
			} {
				if err == nil || what != "create" && !strings.Contains(err.Error(), "is a symbolic link") {
					t.Errorf("%s: %v", what, err)
				}
			}
			want(t, filepath.Join(dir, "victim"), "secret")
			if _, err := os.Lstat(filepath.Join(dir, "nothing")); err == nil {
				t.Error("the link's target was made")
			}
		})
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("file"), "12345")
	if err := errors.Join(syscall.Mkfifo(at("pipe"), 0o600), os.Mkdir(at("folder"), 0o700), os.Symlink("file", at("link")),
		os.Symlink("/dev/zero", at("endless"))); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"file": "", "link": "", "pipe": "is a named pipe", "folder": "is a folder", "endless": "is a device", "none": "no such file",
	} {
		text, err := files.Read(at(name), 5)
		if want == "" && (err != nil || string(text) != "12345") || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		if _, err := files.OpenAppend(at(name)); (err == nil) != (want == "") {
			t.Errorf("%s, to append to: %v", name, err)
		}
	}
	if _, err := files.Read(at("file"), 4); err == nil || !strings.Contains(err.Error(), "larger than 4 bytes") {
		t.Errorf("a file of 5 bytes of which 4 may be read: %v", err)
	}
}

func TestAccess_Replace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.json")
	write(t, path, "old")
	t.Run("a failure leaves the old text and nothing else", func(t *testing.T) {
		if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := files.Owner.Replace(filepath.Join(dir, "folder"), []byte("x")); err == nil {
			t.Error("a folder was replaced")
		}
		broken := errors.New("broken")
		if err := files.Owner.ReplaceWith(path, func(io.Writer) error { return broken }); !errors.Is(err, broken) {
			t.Errorf("answered %v", err)
		}
		want(t, path, "old")
		wantNames(t, dir, "folder", "run.json")
	})
	t.Run("what a killed process left is removed, what another one writes is not", func(t *testing.T) {
		long, short := time.Now().Add(-2*time.Hour), time.Now().Add(-time.Minute)
		for name, age := range map[string]time.Time{
			".run.json.ABC.tmp": long, ".run.json123456789": long, // as an earlier version named them
			".run.json.DEF.tmp": short, ".run.json987": short, ".run.json.lock": long, ".run.jsonl.ABC.tmp.x": long, ".other.json.ABC.tmp": long,
		} {
			write(t, filepath.Join(dir, name), "half")
			if err := os.Chtimes(filepath.Join(dir, name), age, age); err != nil {
				t.Fatal(err)
			}
		}
		if err := files.Owner.Replace(path, []byte("new")); err != nil {
			t.Fatal(err)
		}
		want(t, path, "new")
		wantNames(t, dir, ".other.json.ABC.tmp", ".run.json.DEF.tmp", ".run.json.lock", ".run.json987", ".run.jsonl.ABC.tmp.x", "folder", "run.json")
	})
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, want) {
		t.Errorf("the folder has %q, want %q", names, want)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, second := files.Owner.Lock(path), files.Owner.Lock(path)
	try := func(l *files.Lock, want bool) {
		t.Helper()
		if taken, err := l.Try(); err != nil || taken != want {
			t.Errorf("taken %v, %v, want %v", taken, err, want)
		}
	}
	try(first, true)
	try(second, false)
	if !first.Holds() {
		t.Error("the first one has lost it")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := second.Take(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waited for the lock: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	try(second, true) // of the file that is there now
	if first.Holds() || !second.Holds() {
		t.Error("the lock is with who has the file that was removed")
	}
	first.Release()
	if !second.Holds() {
		t.Error("the second one has lost it")
	}
	second.Release()
	if err := first.Take(t.Context()); err != nil || !first.Holds() {
		t.Error(err)
	}
	first.Release()
	if _, err := files.Owner.Lock(filepath.Join(path+"-folder", "lock")).Try(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a folder: %v", err)
	}
}

// Networks have file systems without locks. What is missing is said of the file, not "no locks available".
func TestLock_OnAFileSystemWithoutLocks(t *testing.T) {
	err := files.Untaken("/mnt/x.lock", syscall.ENOLCK)
	if !errors.Is(err, syscall.ENOLCK) || !strings.Contains(err.Error(), "/mnt/x.lock") || !strings.Contains(err.Error(), "gives no locks") {
		t.Error(err)
	}
	if err := files.Untaken("x", nil); err != nil {
		t.Error(err)
	}
}
