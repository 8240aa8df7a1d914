// Session values in plain files: one JSON object per model, replaced atomically.

package filestore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/store"
)

// SessionFile returns the path of a model's session file.
func (s *Store) SessionFile(model string) string {
	if s.runtimeEnv != "" && model == s.runtimeModel {
		return s.runtimeEnv
	}
	if model == store.AllModels {
		// No model id may hold an "@", and not every file system takes a "*".
		model = "@all"
	}
	return filepath.Join(s.dataDir, ".runtime_env_"+model+".json")
}

// Values implements [store.Sessions]. A file that is absent or empty holds nothing.
func (s *Store) Values(_ context.Context, keys ...store.Key) (map[store.Key]string, error) {
	values, _, err := s.readValues(keys, s.readCached)
	return values, err
}

// maxSession bounds a session file, in bytes.
const maxSession = 1 << 20

// sessionObject is what a session file holds.
type sessionObject map[string]json.RawMessage

// readValues reads the values, and returns with them the whole session of each model.
func (s *Store) readValues(keys []store.Key, read func(path string) (sessionObject, error)) (map[store.Key]string, map[string]sessionObject, error) {
	values, objects := make(map[store.Key]string, len(keys)), map[string]sessionObject{}
	for _, k := range keys {
		object, known := objects[k.Model]
		if !known {
			var err error
			if object, err = read(s.SessionFile(k.Model)); err != nil {
				return nil, nil, &store.UnreachableError{Engine: engine, Doing: "read the session", Err: err}
			}
			objects[k.Model] = object
		}
		if raw, ok := object[k.Name]; ok {
			values[k] = string(raw)
		}
	}
	return values, objects, nil
}

// SetValues implements [store.Sessions]. Files do not expire values. Other keys in the file stay as they are.
func (s *Store) SetValues(ctx context.Context, values map[store.Key]string, _ time.Duration) error {
	changes := make(map[store.Key]string, len(values))
	for k, text := range values {
		changes[k] = string(rawJSON(text))
	}
	return s.ChangeValues(ctx, keysOf(values), func(map[store.Key]string) map[store.Key]string { return changes })
}

// Prolong implements [store.Sessions]. Files do not expire values.
func (s *Store) Prolong(context.Context, time.Duration, ...store.Key) error { return nil }

// ClearValues implements [store.Sessions].
func (s *Store) ClearValues(ctx context.Context, keys ...store.Key) error {
	changes := map[store.Key]string{}
	for _, k := range keys {
		changes[k] = ""
	}
	return s.ChangeValues(ctx, keys, func(map[store.Key]string) map[store.Key]string { return changes })
}

// ChangeValues reads the values of the keys and sets those that change returns; "" removes one. Meanwhile no other process of this
// program changes a session of the keys' models. It may call change again. It does not write a file that would stay the same.
func (s *Store) ChangeValues(ctx context.Context, keys []store.Key, change func(map[store.Key]string) map[store.Key]string) error {
	models := modelsOf(keys)
	ofAll := len(models) == 1 && models[0] == store.AllModels // otherwise the loop below tells
	do := func() error {
		values, objects, err := s.readValues(keys, readSession)
		if err != nil {
			return err
		}
		changes := change(values)
		for _, model := range models {
			changed, err := s.setValues(model, objects[model], changes)
			if err != nil {
				return err
			}
			ofAll = ofAll || changed && model == store.AllModels
		}
		return nil
	}
	for _, model := range slices.Backward(models) { // locked in sorted order: otherwise two processes could wait for each other
		inner := do
		do = func() error { return s.withLock(ctx, sessionLock(s.SessionFile(model)), inner) }
	}
	err := do()
	if err == nil && ofAll {
		err = s.awaitCommits(ctx)
	}
	var unreachable *store.UnreachableError
	if err != nil && !errors.As(err, &unreachable) {
		err = &store.UnreachableError{Engine: engine, Doing: "write the session", Err: err}
	}
	return err
}

// awaitCommits waits for the commits under way. Later commits see the session as it is now.
func (s *Store) awaitCommits(ctx context.Context) error {
	accounts, err := s.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		use, err := s.useLedger(account)
		if err == nil {
			err = s.exclusively(ctx, use.Value, func() error { return nil })
			use.Done()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func sessionLock(path string) string { return path + ".lock" }

// readSession reads a session file. Other programs rewrite it in place, so it reads an empty or incomplete file again for a while
// before the file counts as empty, or as damaged.
func readSession(path string) (sessionObject, error) {
	const emptied, torn, pause = time.Second, 100 * time.Millisecond, time.Millisecond
	for start := time.Now(); ; time.Sleep(pause) {
		text, err := files.Read(path, maxSession)
		if errors.Is(err, fs.ErrNotExist) {
			return sessionObject{}, nil
		}
		if err != nil {
			return nil, err
		}
		var object sessionObject
		if err = json.Unmarshal(text, &object); err == nil && object != nil {
			return object, nil
		}
		switch waited := time.Since(start); {
		case len(bytes.TrimSpace(text)) == 0:
			if waited > emptied {
				return sessionObject{}, nil
			}
		case waited > torn:
			if err == nil {
				err = errors.New("it is null")
			}
			return nil, fmt.Errorf("%s is not a JSON object (%w); mend it or delete it", path, err)
		}
	}
}

// readCached reads a session file unless it is unchanged since it was last read: orders come far more often than sessions
// change.
func (s *Store) readCached(path string) (sessionObject, error) {
	now, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return sessionObject{}, nil
	case err != nil:
		return readSession(path)
	}
	last, _ := s.sessionCache.Get(path)
	if last.object != nil && os.SameFile(now, last.file) && now.Size() == last.file.Size() && now.ModTime().Equal(last.file.ModTime()) {
		return last.object, nil
	}
	object, err := readSession(path)
	// A file that has just been written may be written again without a new time.
	if err == nil && time.Since(now.ModTime()) > clockStep(now.ModTime()) {
		s.sessionCache.Put(path, cachedSession{now, object})
	}
	return object, err
}

// cachedSession is a session file as it was read. Its object must not be changed.
type cachedSession struct {
	file   fs.FileInfo
	object sessionObject
}

// clockStep returns more than the resolution of the file system's times, judged by one of them: one or two seconds, or else the
// step of the kernel's timer.
func clockStep(t time.Time) time.Duration {
	if t.Nanosecond() == 0 {
		return 3 * time.Second
	}
	return 50 * time.Millisecond
}

// setValues sets those of the values that are the model's in its session; "" removes one. It reports whether anything changed.
// The caller holds the lock of the session.
func (s *Store) setValues(model string, object sessionObject, values map[store.Key]string) (changed bool, err error) {
	for k, text := range values {
		switch old, is := object[k.Name]; {
		case k.Model != model, !is && text == "":
		case text == "":
			delete(object, k.Name)
			changed = true
		default:
			if raw := rawJSON(text); !bytes.Equal(old, raw) {
				object[k.Name], changed = raw, true
			}
		}
	}
	if !changed {
		return false, nil
	}
	return true, s.writeSession(s.SessionFile(model), object)
}

// writeSession writes each value as its exact text, since guards compare that later.
func (s *Store) writeSession(path string, object sessionObject) error {
	text, separator := []byte("{"), "\n    "
	for _, name := range slices.Sorted(maps.Keys(object)) {
		quoted, err := json.Marshal(name)
		if err != nil {
			return err
		}
		text = append(append(append(append(text, separator...), quoted...), ": "...), object[name]...)
		separator = ",\n    "
	}
	if err := s.access.MkdirAll(filepath.Dir(path)); err != nil {
		return err
	}
	return s.access.Replace(path, append(text, "\n}\n"...))
}

// rawJSON returns text unchanged if it is JSON, else as a JSON string.
func rawJSON(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	quoted, _ := json.Marshal(text) // a string always marshals
	return quoted
}

// modelsOf returns the models of keys, sorted.
func modelsOf(keys []store.Key) (models []string) {
	for _, k := range keys {
		if !slices.Contains(models, k.Model) {
			models = append(models, k.Model)
		}
	}
	slices.Sort(models)
	return models
}

func keysOf(values map[store.Key]string) []store.Key {
	keys := make([]store.Key, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	return keys
}
