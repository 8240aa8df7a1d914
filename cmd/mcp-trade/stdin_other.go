//go:build !unix

package main

import (
	"io"
	"os"
)

// nonblocking returns f.
func nonblocking(f *os.File) io.Reader { return f }
