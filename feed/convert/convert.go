// Package convert reads prices from files of other programs, and from replies that were kept, and makes one price file of them.
package convert

// This file opens files and recognises what they are.

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"

	"mcp-trade/internal/files"
)

// forms are tried in their order.
var forms = append(slices.Clone(replyForms), []form{
	{"price object", func(head []byte) bool { return bytes.HasPrefix(head, []byte("{")) }, readObjects},
	{"csv", func(head []byte) bool { return bytes.IndexByte(head, 0) < 0 && len(head) > 0 }, readCSV},
}...)

// Read reads files, one after the other. What is wrong with a file or a row stands in Files.
func Read(paths []string) *Converted {
	c := &Converted{symbols: map[string]*gathered{}}
	for i, path := range paths {
		c.Files = append(c.Files, File{File: path, Notes: []string{}})
		f := &c.Files[i]
		if err := c.read(int32(i), f); err != nil {
			f.fault(0, "", "%v", err)
		}
	}
	return c
}

func (c *Converted) read(index int32, f *File) error {
	file, err := files.Open(f.File)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, headSize)
	head, err := in.Peek(headSize)
	if err != nil && err != io.EOF {
		return fmt.Errorf("%s: %w", f.File, err)
	}
	head = bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))
	for _, form := range forms {
		if form.is(head) {
			f.Form = form.name
			r := &reader{c: c, index: index, file: f, in: in, seen: map[string]bool{}}
			err := form.read(r)
			f.Symbols = len(r.seen)
			return err
		}
	}
	return fmt.Errorf("%s is empty, or neither text nor JSON", f.File)
}
