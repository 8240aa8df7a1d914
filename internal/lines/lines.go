// Package lines reads files of one record a line.
package lines

import (
	"bufio"
	"bytes"
	"io/fs"
	"iter"
	"os"
)

// Of yields the lines of a file, or of standard input for "-", that are not blank.
func Of(path string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		f := os.Stdin
		if path != "-" {
			var err error
			if f, err = os.Open(path); err != nil {
				yield(nil, err)
				return
			}
			defer f.Close()
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			if line := bytes.TrimSpace(lines.Bytes()); len(line) > 0 && !yield(line, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(nil, &fs.PathError{Op: "read", Path: path, Err: err})
		}
	}
}
