// Looks: the colours and dashes of lines.

package chart

import "fmt"

// Look is a colour with dashes. The first ten looks differ in colour; the next ten are the same colours with dashes, and each further
// ten have one more dot between the dashes.
type Look int

// Looks of lines that are not accounts.
const (
	Benchmark Look = -1
	Cash      Look = -2
)

// Colour-blind readers tell the colours apart: in CIELAB no two are closer than 20 for them, see the test. The page uses the same ones on a
// light background.
var (
	palette   = [...]string{"#1f6afe", "#ec7406", "#45a593", "#a92952", "#6d2812", "#919660", "#7128aa", "#c52b00", "#0a4b76", "#2600e9"}
	benchGray = "#7d828a"
	cashGray  = "#c9cbc8"
)

// Color returns the colour on a light background, as #rrggbb.
func (l Look) Color() string {
	switch l {
	case Benchmark:
		return benchGray
	case Cash:
		return cashGray
	}
	return palette[int(l)%len(palette)]
}

// Class returns the class of the colour in the page's style: s0 to s9, bench or cash.
func (l Look) Class() string {
	switch l {
	case Benchmark:
		return "bench"
	case Cash:
		return "cash"
	}
	return fmt.Sprint("s", int(l)%len(palette))
}

// Dashes returns the lengths of strokes and gaps in turn, in pixels. None is a solid line.
func (l Look) Dashes() []float64 {
	switch l {
	case Benchmark:
		return []float64{5, 4}
	case Cash:
		return nil
	}
	turn := int(l) / len(palette)
	if turn == 0 {
		return nil
	}
	dashes := []float64{9, 4}
	for range turn - 1 {
		dashes = append(dashes, 2, 4)
	}
	return dashes
}
