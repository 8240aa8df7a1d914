// Package clip shortens texts that are too long.
package clip

import (
	"fmt"
	"unicode/utf8"
)

// Bytes cuts a text that is longer than a number of bytes, between characters, and says so on a line of its own.
func Bytes(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%s\n[cut: %d of %d bytes]", text[:end], end, len(text))
}
