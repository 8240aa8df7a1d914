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

	"github.com/google/renameio/v2/maybe"

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
	values, _, err := s.readValues(keys)
	return values, err
}

// sessionObject is what a session file holds.
type sessionObject map[string]json.RawMessage

// readValues reads the values, and with them the whole sessions, by model.
func (s *Store) readValues(keys []store.Key) (map[store.Key]string, map[string]sessionObject, error) {
	values, objects := make(map[store.Key]string, len(keys)), map[string]sessionObject{}
	for model, names := range byModel(keys) {
		object, err := readSession(s.SessionFile(model))
		if err != nil {
			return nil, nil, &store.UnreachableError{Engine: engine, Doing: "read the session", Err: err}
		}
		objects[model] = object
		for _, name := range names {
			if raw, ok := object[name]; ok {
				values[store.Key{Model: model, Name: name}] = string(raw)
			}
		}
	}
	return values, objects, nil
}

// SetValues implements [store.Sessions]. Files do not expire values. Other keys in the file stay as they are.
func (s *Store) SetValues(ctx context.Context, values map[store.Key]string, _ time.Duration) error {
	return s.change(ctx, keysOf(values), func(model string, object sessionObject) error {
		return s.setValues(model, object, values)
	})
}

// Prolong implements [store.Sessions]. Files do not expire values.
func (s *Store) Prolong(context.Context, time.Duration, ...store.Key) error { return nil }

// ClearValues implements [store.Sessions].
func (s *Store) ClearValues(ctx context.Context, keys ...store.Key) error {
	return s.change(ctx, keys, func(model string, object sessionObject) error {
		for _, k := range keys {
			if k.Model == model {
				delete(object, k.Name)
			}
		}
		return writeSession(s.SessionFile(model), object)
	})
}

// change changes the sessions of the keys' models under their locks.
func (s *Store) change(ctx context.Context, keys []store.Key, apply func(model string, object sessionObject) error) error {
	for model := range byModel(keys) {
		path := s.SessionFile(model)
		err := s.withLock(ctx, sessionLock(path), func() error {
			object, err := readSession(path)
			if err != nil {
				return err
			}
			return apply(model, object)
		})
		if err == nil && model == store.AllModels {
			err = s.awaitCommits(ctx)
		}
		if err != nil {
			return &store.UnreachableError{Engine: engine, Doing: "write the session", Err: err}
		}
	}
	return nil
}

// awaitCommits waits for the commits that are under way: later ones see the session as it is now.
func (s *Store) awaitCommits(ctx context.Context) error {
	accounts, err := s.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		if err := s.withLock(ctx, s.ledgerLock(account), func() error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

func sessionLock(path string) string { return path + ".lock" }

// readSession reads a session file. Other programs rewrite it in place, so one that is empty or cut short is read again
// for a while before it counts as holding nothing, or as damaged.
func readSession(path string) (sessionObject, error) {
	const emptied, torn, pause = time.Second, 100 * time.Millisecond, time.Millisecond
	for start := time.Now(); ; time.Sleep(pause) {
		text, err := os.ReadFile(path)
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

// setValues sets those of the values that are the model's in its session, if they are not what they should be already.
// The caller holds the lock of the session.
func (s *Store) setValues(model string, object sessionObject, values map[store.Key]string) error {
	changed := false
	for k, text := range values {
		if raw := rawJSON(text); k.Model == model && !bytes.Equal(object[k.Name], raw) {
			object[k.Name], changed = raw, true
		}
	}
	if !changed {
		return nil
	}
	return writeSession(s.SessionFile(model), object)
}

// writeSession writes each value as the very text that it is: who compares it later must find it unchanged.
func writeSession(path string, object sessionObject) error {
	text, separator := []byte("{"), "\n    "
	for _, name := range slices.Sorted(maps.Keys(object)) {
		quoted, err := json.Marshal(name)
		if err != nil {
			return err
		}
		text = append(append(append(append(text, separator...), quoted...), ": "...), object[name]...)
		separator = ",\n    "
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return maybe.WriteFile(path, append(text, "\n}\n"...), 0o644)
}

// rawJSON returns text as it is if it is JSON, else as a JSON string.
func rawJSON(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	quoted, _ := json.Marshal(text) // a string always marshals
	return quoted
}

func byModel(keys []store.Key) map[string][]string {
	models := map[string][]string{}
	for _, k := range keys {
		models[k.Model] = append(models[k.Model], k.Name)
	}
	return models
}

func keysOf(values map[store.Key]string) []store.Key {
	keys := make([]store.Key, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	return keys
}
