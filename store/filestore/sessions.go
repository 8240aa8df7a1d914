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
	values := make(map[store.Key]string, len(keys))
	for model, names := range byModel(keys) {
		object, err := readSession(s.SessionFile(model))
		if err != nil {
			return nil, &store.UnreachableError{Engine: engine, Doing: "read the session", Err: err}
		}
		for _, name := range names {
			if raw, ok := object[name]; ok {
				values[store.Key{Model: model, Name: name}] = string(raw)
			}
		}
	}
	return values, nil
}

// SetValues implements [store.Sessions]. Files do not expire values. Other keys in the file stay as they are.
func (s *Store) SetValues(ctx context.Context, values map[store.Key]string, _ time.Duration) error {
	return s.change(ctx, keysOf(values), func(object map[string]json.RawMessage, k store.Key) {
		object[k.Name] = rawJSON(values[k])
	})
}

// ClearValues implements [store.Sessions].
func (s *Store) ClearValues(ctx context.Context, keys ...store.Key) error {
	return s.change(ctx, keys, func(object map[string]json.RawMessage, k store.Key) { delete(object, k.Name) })
}

// change rewrites the files of the keys' models under their locks.
func (s *Store) change(ctx context.Context, keys []store.Key, apply func(map[string]json.RawMessage, store.Key)) error {
	for model, names := range byModel(keys) {
		path := s.SessionFile(model)
		err := s.withLock(ctx, sessionLock(path), func() error {
			object, err := readSession(path)
			if err != nil {
				return err
			}
			for _, name := range names {
				apply(object, store.Key{Model: model, Name: name})
			}
			return writeSession(path, object)
		})
		if err != nil {
			return &store.UnreachableError{Engine: engine, Doing: "write the session", Err: err}
		}
	}
	return nil
}

func sessionLock(path string) string { return path + ".lock" }

// readSession reads a session file. Other programs rewrite it in place, so one that is empty or cut short is read again
// for a while before it counts as holding nothing, or as damaged.
func readSession(path string) (map[string]json.RawMessage, error) {
	const emptied, torn, pause = time.Second, 100 * time.Millisecond, time.Millisecond
	for start := time.Now(); ; time.Sleep(pause) {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return map[string]json.RawMessage{}, nil
		}
		if err != nil {
			return nil, err
		}
		var object map[string]json.RawMessage
		if err = json.Unmarshal(text, &object); err == nil && object != nil {
			return object, nil
		}
		switch waited := time.Since(start); {
		case len(bytes.TrimSpace(text)) == 0:
			if waited > emptied {
				return map[string]json.RawMessage{}, nil
			}
		case waited > torn:
			if err == nil {
				err = errors.New("it is null")
			}
			return nil, fmt.Errorf("%s is not a JSON object (%w); mend it or delete it", path, err)
		}
	}
}

// setSession sets values in a session file, whose lock the caller holds, if they are not what they should be already.
func setSession(path string, names []string, value func(name string) string) error {
	object, err := readSession(path)
	if err != nil {
		return err
	}
	changed := false
	for _, name := range names {
		if raw := rawJSON(value(name)); !bytes.Equal(object[name], raw) {
			object[name], changed = raw, true
		}
	}
	if !changed {
		return nil
	}
	return writeSession(path, object)
}

// writeSession writes each value as the very text that it is: who compares it later must find it unchanged.
func writeSession(path string, object map[string]json.RawMessage) error {
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
