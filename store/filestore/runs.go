// The state of runs in plain files: checkpoints, journals and the manifest of a log path.

package filestore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/store"
)

// Bounds of what is read, in bytes.
const (
	maxCheckpoint = 16 << 20
	maxJournal    = 256 << 20
	maxManifest   = 64 << 20
)

func (s *Store) checkpointFile(account string) string {
	return filepath.Join(s.logPath, account, "run.json")
}

func (s *Store) journalsFolder(account string) string {
	return filepath.Join(s.logPath, account, "log")
}

func (s *Store) journalFile(account, day string) string {
	if runtime.GOOS == "windows" {
		day = strings.ReplaceAll(day, ":", "-")
	}
	return filepath.Join(s.journalsFolder(account), day, "transcript.jsonl")
}

// Checkpoint implements [store.Runs].
func (s *Store) Checkpoint(_ context.Context, account string) ([]byte, error) {
	if err := store.CheckName("signature", account); err != nil {
		return nil, err
	}
	text, err := files.Read(s.checkpointFile(account), maxCheckpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, s.cannotRun("read the checkpoint", err)
	}
	return bytes.TrimSuffix(text, []byte{'\n'}), nil
}

// SaveCheckpoint implements [store.Runs].
func (s *Store) SaveCheckpoint(_ context.Context, account string, f store.Fence, text []byte) error {
	if err := errors.Join(store.CheckName("signature", account), s.newest(account, f)); err != nil {
		return err
	}
	path := s.checkpointFile(account)
	err := s.access.MkdirAll(filepath.Dir(path))
	if err == nil {
		err = s.access.Replace(path, append(bytes.Clone(text), '\n'))
	}
	if err != nil {
		return s.cannotRun("save the checkpoint", err)
	}
	return nil
}

// JournalDays implements [store.Runs].
func (s *Store) JournalDays(_ context.Context, account string) (days []string, err error) {
	if err := store.CheckName("signature", account); err != nil {
		return nil, err
	}
	logs := s.journalsFolder(account)
	entries, err := os.ReadDir(logs)
	if err != nil && !absent(err) {
		return nil, s.cannotRun("list the journals", err)
	}
	for _, e := range entries {
		day := e.Name()
		if date, moment, ok := strings.Cut(day, " "); ok {
			day = date + " " + strings.ReplaceAll(moment, "-", ":") // as Windows has it
		}
		if _, err := os.Stat(filepath.Join(logs, e.Name(), "transcript.jsonl")); err == nil {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	return days, nil
}

// journal is a journal that is being written.
type journal struct {
	s       *Store
	account string
	fence   store.Fence
	lines   [][]byte
	path    string
	file    *os.File
}

// OpenJournal implements [store.Runs]. What follows the last whole line is cut off.
func (s *Store) OpenJournal(_ context.Context, account, day string, f store.Fence) (store.Journal, error) {
	if err := errors.Join(store.CheckName("signature", account), s.newest(account, f)); err != nil {
		return nil, err
	}
	j := &journal{s: s, account: account, fence: f, path: s.journalFile(account, day)}
	if err := j.open(); err != nil {
		return nil, s.cannotRun("open "+j.path, err)
	}
	return j, nil
}

func (j *journal) open() error {
	if err := j.s.access.MkdirAll(filepath.Dir(j.path)); err != nil {
		return err
	}
	text, err := files.Read(j.path, maxJournal)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var size int64
	for len(text) > 0 {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		if !whole || len(rest) == 0 && !json.Valid(line) {
			break
		}
		j.lines, size, text = append(j.lines, line), size+int64(len(line))+1, rest
	}
	if j.file, err = j.s.access.Append(j.path); err != nil {
		return err
	}
	if err := j.file.Truncate(size); err != nil {
		return errors.Join(err, j.file.Close())
	}
	// Whoever made the folders of a day that begins may have been killed before their names were on disk.
	for dir, levels := filepath.Dir(j.path), 3; size == 0 && levels > 0; dir, levels = filepath.Dir(dir), levels-1 { // the day's, log, and the account's
		if err := files.SyncFolder(dir); err != nil {
			return errors.Join(err, j.file.Close())
		}
	}
	return nil
}

func (j *journal) Lines() [][]byte { return j.lines }

// Append implements [store.Journal].
func (j *journal) Append(_ context.Context, line []byte) error {
	if err := j.s.newest(j.account, j.fence); err != nil {
		return err
	}
	if _, err := j.file.Write(append(slices.Clip(line), '\n')); err != nil {
		return j.s.cannotRun("write "+j.path, err)
	}
	return nil
}

// Sync implements [store.Journal].
func (j *journal) Sync(context.Context) error {
	if err := j.file.Sync(); err != nil {
		return j.s.cannotRun("write "+j.path, err)
	}
	return nil
}

// SaveLog implements [store.Journal].
func (j *journal) SaveLog(_ context.Context, name string, text []byte) error {
	if err := j.s.newest(j.account, j.fence); err != nil {
		return err
	}
	return j.s.access.Replace(filepath.Join(filepath.Dir(j.path), name), text)
}

// Log implements [store.Journal].
func (j *journal) Log(_ context.Context, name string) ([]byte, error) {
	text, err := files.Read(filepath.Join(filepath.Dir(j.path), name), maxJournal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

func (j *journal) Close() error { return j.file.Close() }

// manifest is the file of a log path as far as the store knows it: the runs of each account.
type manifest struct {
	Accounts map[string]json.RawMessage `json:"accounts"`
}

func (s *Store) manifestFile() string { return filepath.Join(s.logPath, "run-manifest.json") }

func (s *Store) readManifest() (m manifest, err error) {
	text, err := files.Read(s.manifestFile(), maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = []byte(`{}`), nil
	}
	if err == nil {
		if err = json.Unmarshal(text, &m); err != nil {
			err = fmt.Errorf("the manifest %s cannot be read: %w", s.manifestFile(), err)
		}
	}
	if m.Accounts == nil {
		m.Accounts = map[string]json.RawMessage{}
	}
	return m, err
}

// Manifest implements [store.Runs].
func (s *Store) Manifest(_ context.Context, account string) ([]byte, error) {
	m, err := s.readManifest()
	if err != nil || m.Accounts[account] == nil {
		return nil, err
	}
	var text bytes.Buffer
	err = json.Compact(&text, m.Accounts[account])
	return text.Bytes(), err
}

// manifestPatience is how long a run waits while others write the manifest.
const manifestPatience = 30 * time.Second

// UpdateManifest implements [store.Runs]. All accounts of a log path share the file.
func (s *Store) UpdateManifest(ctx context.Context, account string, f store.Fence, change func([]byte) ([]byte, error)) error {
	if err := errors.Join(store.CheckName("signature", account), s.newest(account, f), s.access.MkdirAll(s.logPath)); err != nil {
		return err
	}
	return s.changeManifest(ctx, func(m manifest) (changed bool, err error) {
		m.Accounts[account], err = change(m.Accounts[account])
		return true, err
	})
}

func (s *Store) changeManifest(ctx context.Context, change func(manifest) (changed bool, err error)) error {
	path := filepath.Join(s.logPath, ".run-manifest.lock")
	lock := s.access.Lock(path)
	patience, cancel := context.WithTimeout(ctx, manifestPatience)
	defer cancel()
	if err := lock.Take(patience); err != nil {
		return fmt.Errorf("locking %s: %w", path, err)
	}
	defer lock.Release()
	m, err := s.readManifest()
	if err != nil {
		return err
	}
	if changed, err := change(m); err != nil || !changed {
		return err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return s.access.Replace(s.manifestFile(), append(text, '\n'))
}
