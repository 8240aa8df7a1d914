// The record of answers: the same query at the same stamp gets the same answer again.

package search

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"time"

	"mcp-trade/internal/files"
)

// Cache keeps the answers of providers in a folder, each in a file of its own. Articles that the cutoff does not allow are not kept.
type Cache struct {
	dir    string
	access files.Access
	replay bool
}

// Record returns a cache that answers what it has, and keeps what it has not: the first answer is the one that counts, for
// all processes that use the folder.
func Record(dir string, access files.Access) *Cache { return &Cache{dir, access, false} }

// Replay returns a cache that answers what it has; nobody is asked for the rest.
func Replay(dir string) *Cache { return &Cache{dir: dir, replay: true} }

// maxEntry bounds a file, in bytes.
const maxEntry = 16 << 20

// entry is what a file holds.
type entry struct {
	Key     key       `json:"key"`
	Results []Article `json:"results"`
	Has     *Span     `json:"has,omitempty"`
}

// key is all that an answer depends on.
type key struct {
	Provider string   `json:"provider"`
	Query    string   `json:"query"`
	Symbols  []string `json:"symbols"`
	Topics   []string `json:"topics"`
	Limit    int      `json:"limit"`
	AsOf     string   `json:"as_of"`
	Zone     string   `json:"zone"`
}

func keyOf(provider string, q Query) key {
	return key{
		provider, q.Text, append([]string{}, q.Symbols...), append([]string{}, q.Topics...), q.Limit,
		string(q.Cutoff.Stamp()), q.Cutoff.Zone().String(),
	}
}

// file is where the answer to a query is kept.
func (c *Cache) file(k key) (string, error) {
	text, err := json.Marshal(k)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return filepath.Join(c.dir, k.Provider, hex.EncodeToString(sum[:16])+".json"), nil
}

// find returns the answer that is kept of any of the providers, the first that has one.
func (c *Cache) find(q Query, providers []string) (Answer, bool, error) {
	for _, p := range providers {
		if answer, ok, err := c.read(keyOf(p, q)); ok || err != nil {
			return answer, ok, err
		}
	}
	return Answer{}, false, nil
}

func (c *Cache) read(k key) (Answer, bool, error) {
	path, err := c.file(k)
	if err != nil {
		return Answer{}, false, err
	}
	text, err := files.Read(path, maxEntry)
	if errors.Is(err, fs.ErrNotExist) {
		return Answer{}, false, nil
	}
	var e entry
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	if err != nil {
		return Answer{}, false, fmt.Errorf("%s: %w", path, err)
	}
	if !reflect.DeepEqual(e.Key, k) || e.Results == nil {
		return Answer{}, false, fmt.Errorf("%s is not the record of this query", path)
	}
	return Answer{k.Provider, e.Results, e.Has}, true, nil
}

const lockTime = 10 * time.Second // waiting for other processes

// keep keeps an answer, and returns the one that counts: that of another process, if it was faster.
func (c *Cache) keep(q Query, a Answer, providers []string) (Answer, error) {
	e := entry{keyOf(a.Provider, q), a.Articles, a.Has}
	path, err := c.file(e.Key)
	if err != nil {
		return Answer{}, err
	}
	if err := c.access.MkdirAll(filepath.Dir(path)); err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), lockTime)
	defer cancel()
	lock := c.access.Lock(filepath.Join(c.dir, ".lock"))
	if err := lock.Take(ctx); err != nil {
		return Answer{}, fmt.Errorf("locking %s: %w", c.dir, err)
	}
	defer lock.Release()
	if earlier, ok, err := c.find(q, providers); ok || err != nil {
		return earlier, err
	}
	text, err := json.MarshalIndent(e, "", " ")
	if err != nil {
		return Answer{}, err
	}
	return a, c.access.Replace(path, append(text, '\n'))
}
