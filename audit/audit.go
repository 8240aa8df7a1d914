// Package audit keeps one line for each call that a server answered or refused: who called, what, and what became of it. Each line holds
// the hash of the one before, so that a line that was changed, removed or moved is found.
//
//	audit.go    what a line says, and how it is appended
//	observe.go  the calls of a handler, of which others may hear too, and the requests that never come to one
//	read.go     reading the lines, and the proof that they are whole
//
// A process writes files of its own, DIR/{start}-{random}-{number}.jsonl, and begins the next one where one has [maxFile] bytes. A line is with the
// system before its call is answered, so that the end of the process loses none; the disk has it within a second.
package audit

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/ledger"
)

// Outcomes of a call.
const (
	OK      = "ok"
	Refused = "refused" // the answer is no, or the call was wrong as it was written
	Failed  = "failed"  // something has to be mended first
	Denied  = "denied"  // it was turned away before it was looked at: by its token, its origin, its size
)

// Entry is a line: a JSON object. A value that is not known is left out.
type Entry struct {
	Number int64     `json:"n"`    // of the line, from 1, over all files of a process
	Prev   string    `json:"prev"` // SHA-256 of the line before, without its line feed, in hex; "" of the first
	Time   time.Time `json:"time"` // when it was answered, UTC

	Caller
	Transport string `json:"transport"` // stdio or http
	Method    string `json:"method,omitempty"`
	Name      string `json:"name,omitempty"`      // of a tool or prompt
	Arguments string `json:"arguments,omitempty"` // SHA-256 of the arguments as JSON with sorted keys, in hex
	Result
	Status  int     `json:"status,omitempty"` // of HTTP, if it was denied
	Reason  string  `json:"reason,omitempty"` // if it was denied
	MS      float64 `json:"ms"`               // milliseconds until the answer
	Request string  `json:"request_id,omitempty"`
}

// Result is what became of a call.
type Result struct {
	Outcome string `json:"outcome"`
	Code    string `json:"code,omitempty"` // of a refusal or failure; of JSON-RPC where the answer is an error of it
	OrderID string `json:"order_id,omitempty"`
	Record  *int64 `json:"record_id,omitempty"` // of the ledger
}

// Caller is who made a call.
type Caller struct {
	Token   string `json:"token_id,omitempty"`
	Account string `json:"account,omitempty"`
	Model   string `json:"model_id,omitempty"`
	Remote  string `json:"remote,omitempty"` // address and port
}

const (
	maxFile   = 64 << 20 // bytes, after which the next file begins
	syncEvery = time.Second
)

// Log appends lines. It is safe for concurrent use.
type Log struct {
	dir     string
	access  files.Access
	name    string // of its files, before their numbers
	maxFile int64
	failed  func(error)

	mu      sync.Mutex
	file    *os.File // nil where the next one could not begin
	files   int
	bytes   int64
	lines   int64
	prev    string
	wrong   error // why the newest line is not there; nil if it is
	dirty   bool
	closing chan struct{}
}

// Open returns a log that writes to files of its own in a folder, which it makes. failed is told when lines can be written no more; calls go on.
func Open(dir string, access files.Access, now time.Time, failed func(error)) (*Log, error) {
	if err := access.MkdirAll(dir); err != nil {
		return nil, err
	}
	name := now.UTC().Format("20060102T150405Z") + "-" + strings.ToLower(rand.Text()[:8])
	l := &Log{dir: dir, access: access, name: name, maxFile: maxFile, failed: failed, closing: make(chan struct{})}
	if err := l.next(); err != nil {
		return nil, err
	}
	go l.syncSometimes()
	return l, nil
}

// next begins the next file.
func (l *Log) next() error {
	if err := l.end(); err != nil && l.wrong == nil {
		return err
	}
	l.files++
	file, err := l.access.Create(filepath.Join(l.dir, fmt.Sprintf("%s-%04d.jsonl", l.name, l.files)))
	if err != nil {
		return err
	}
	l.file, l.bytes = file, 0
	return files.SyncFolder(l.dir)
}

// end has the disk hold the file that is being written, if there is one.
func (l *Log) end() error {
	if l.file == nil {
		return nil
	}
	err := errors.Join(l.file.Sync(), l.file.Close())
	l.file = nil
	return err
}

// Append numbers, chains and writes an entry.
func (l *Log) Append(e Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.append(e)
	if err != nil && l.wrong == nil {
		l.failed(fmt.Errorf("a call is missing in the audit: %w", err))
	}
	l.wrong = err
}

func (l *Log) append(e Entry) error {
	if l.file == nil || l.wrong != nil || l.bytes >= l.maxFile { // a line may have been written in part: nothing is to stand behind it
		if err := l.next(); err != nil {
			return err
		}
	}
	e.Number, e.Prev, e.Time = l.lines+1, l.prev, e.Time.UTC().Round(0)
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := l.file.Write(append(line, '\n')); err != nil {
		return err
	}
	l.lines, l.prev, l.dirty = e.Number, ledger.Hash(line), true
	l.bytes += int64(len(line)) + 1
	return nil
}

// Err is why the newest call is missing, nil if it is not.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wrong
}

func (l *Log) syncSometimes() {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.sync()
		case <-l.closing:
			return
		}
	}
}

func (l *Log) sync() {
	l.mu.Lock()
	file, dirty := l.file, l.dirty
	l.dirty = false
	l.mu.Unlock()
	if dirty && file != nil {
		_ = file.Sync() // a file that was closed meanwhile was synced before
	}
}

// Close has the disk hold all lines.
func (l *Log) Close() error {
	close(l.closing)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end()
}
