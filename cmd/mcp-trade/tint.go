// The colours of accounts on a terminal.

package main

import (
	"fmt"
	"slices"
	"strings"
)

// tintStyle is the style, as numbers of "select graphic rendition", that has a colour such as #4140f3 where the variables COLORTERM and TERM
// tell that the terminal has colours by their red, green and blue light, or the nearest of the 256 that many have; nil where neither is told.
func tintStyle(color, colorterm, term string) []int {
	var rgb [3]int
	if _, err := fmt.Sscanf(color, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
		return nil
	}
	switch {
	case slices.Contains([]string{"truecolor", "24bit"}, colorterm) || strings.HasSuffix(term, "-direct"):
		return append([]int{38, 2}, rgb[:]...)
	case strings.Contains(term, "256color"):
		return []int{38, 5, nearestOf256(rgb)}
	}
	return nil
}

// nearestOf256 is the number of the nearest colour in the cube of 6 by 6 by 6, or among the 24 grays, that xterm has.
func nearestOf256(rgb [3]int) int {
	steps := [6]int{0, 95, 135, 175, 215, 255}
	best, least := 0, 3*256*256
	try := func(number int, of [3]int) {
		far := 0
		for i := range rgb {
			far += (rgb[i] - of[i]) * (rgb[i] - of[i])
		}
		if far < least {
			best, least = number, far
		}
	}
	for i := range 216 {
		try(16+i, [3]int{steps[i/36], steps[i/6%6], steps[i%6]})
	}
	for i := range 24 {
		gray := 8 + 10*i
		try(232+i, [3]int{gray, gray, gray})
	}
	return best
}
