// Reading the lines, and the proof that they are whole.

package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"mcp-trade/ledger"
)

// Chain is the files of a process, and what is wrong with them.
type Chain struct {
	Name  string  `json:"name"` // of its files, before their numbers
	Files int     `json:"files"`
	Lines int     `json:"lines"`
	First int64   `json:"first"` // number of its first line; above 1 the files before it were removed
	Head  string  `json:"head"`  // hash of its last line: kept elsewhere, it tells whether lines were removed at the end
	Torn  string  `json:"torn,omitempty"`
	Wrong []Fault `json:"wrong"`
}

// Fault is where a chain breaks.
type Fault struct {
	File string `json:"file"`
	Line int    `json:"line"` // of the file, from 1
	What string `json:"what"`
}

// Read reads all files of a folder. It calls each for every line that can be read, chain by chain, the oldest first.
func Read(dir string, each func(Entry)) ([]Chain, error) {
	files, err := os.ReadDir(dir) // sorted by name
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	chains := []Chain{}
	var r *reader
	for _, file := range files {
		name, number := split(file.Name())
		if number == 0 {
			continue // none of ours
		}
		if r == nil || r.Name != name {
			if r != nil {
				chains = append(chains, r.Chain)
			}
			r = &reader{Chain: Chain{Name: name, Wrong: []Fault{}}, number: number - 1, whole: number == 1, each: each}
		}
		if err := r.file(filepath.Join(dir, file.Name()), number); err != nil {
			return nil, err
		}
	}
	if r != nil {
		chains = append(chains, r.Chain)
	}
	return chains, nil
}

// split splits the name of a file into that of its chain and its number, 0 if it is none of ours.
func split(file string) (name string, number int) {
	base, isLines := strings.CutSuffix(file, ".jsonl")
	i := strings.LastIndexByte(base, '-')
	if i < 0 || !isLines {
		return "", 0
	}
	number, err := strconv.Atoi(base[i+1:])
	if err != nil {
		return "", 0
	}
	return base[:i], number
}

// reader reads a chain.
type reader struct {
	Chain
	number int   // of the file before
	whole  bool  // the first file is there
	next   int64 // number of the next line; 0: whichever is the first
	each   func(Entry)
}

func (r *reader) file(path string, number int) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	wrong := func(line int, format string, args ...any) {
		r.Wrong = append(r.Wrong, Fault{path, line, fmt.Sprintf(format, args...)})
	}
	if r.Torn != "" {
		r.Torn = "" // the process went on in the next file, and says in it what it follows
	}
	if number != r.number+1 {
		wrong(0, "the file before it is missing: it is number %d and the one before has the number %d", number, r.number)
	}
	r.number = number
	r.Files++
	n := 0
	for len(text) > 0 {
		n++
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			r.Torn = fmt.Sprintf("%s:%d was not finished: the process ended while it wrote it", path, n)
			break
		}
		r.line(text[:end], n, wrong)
		text = text[end+1:]
	}
	return nil
}

// line holds a line against the one before it.
func (r *reader) line(line []byte, n int, wrong func(line int, format string, args ...any)) {
	var e Entry
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	err := d.Decode(&e)
	again, _ := json.Marshal(e)
	switch {
	case err != nil:
		wrong(n, "it is no line of an audit: %v", err)
	case !bytes.Equal(again, line):
		wrong(n, "it is not as this program writes it")
	case r.next == 0 && r.whole && (e.Number != 1 || e.Prev != ""):
		wrong(n, "it has the number %d and is the first line: lines before it were taken out", e.Number)
	case r.next != 0 && e.Number != r.next:
		wrong(n, "it has the number %d, and %d was expected: lines were removed or moved", e.Number, r.next)
	case r.next != 0 && e.Prev != r.Head:
		wrong(n, "it does not follow the line before it: one of the two was changed")
	}
	if r.next == 0 {
		r.First = e.Number
	}
	r.Lines++
	r.next, r.Head = e.Number+1, ledger.Hash(line)
	if err == nil {
		r.each(e)
	}
}
