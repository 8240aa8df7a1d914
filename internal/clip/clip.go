// Package clip shortens texts and lists that are too long.
package clip

import (
	"fmt"
	"strings"
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

// List names the first few of a list, and says how many more there are: "A, B, C and 4 more".
func List(list []string, most int, between string) string {
	text := strings.Join(list[:min(most, len(list))], between)
	if more := len(list) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
