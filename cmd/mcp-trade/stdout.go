// Standard output, where a write that fails is not forgotten.

package main

import "io"

// checkedWriter keeps the first error of its writes, for tables and other printers that drop it.
type checkedWriter struct {
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if c.err == nil {
		c.err = err
	}
	return n, err
}
