// Package bounded reads what may be longer than anybody wants to hold.
package bounded

import (
	"errors"
	"io"
)

// ErrTooLong says that there was more to read than the limit.
var ErrTooLong = errors.New("longer than the limit")

// Read reads r to its end. What is longer than limit bytes is [ErrTooLong], and of it no more is read than tells that.
func Read(r io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		return nil, ErrTooLong
	}
	return text, err
}
