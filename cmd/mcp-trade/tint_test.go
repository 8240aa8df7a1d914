package main

import (
	"slices"
	"testing"
)

func TestTintStyle(t *testing.T) {
	for _, c := range []struct {
		color, colorterm, term string
		want                   []int
	}{
		{"#4140f3", "truecolor", "xterm", []int{38, 2, 65, 64, 243}},
		{"#4140f3", "24bit", "xterm-256color", []int{38, 2, 65, 64, 243}},
		{"#bb0009", "", "xterm-256color", []int{38, 5, 124}},  // 175, 0, 0
		{"#7d828a", "", "screen-256color", []int{38, 5, 244}}, // 128, 128, 128
		{"#767676", "", "xterm-256color", []int{38, 5, 243}},
		{"#4140f3", "", "xterm", nil},
		{"#4140f3", "", "dumb", nil},
	} {
		if got := tintStyle(c.color, c.colorterm, c.term); !slices.Equal(got, c.want) {
			t.Errorf("%s with COLORTERM=%s TERM=%s is %v, want %v", c.color, c.colorterm, c.term, got, c.want)
		}
	}
}
