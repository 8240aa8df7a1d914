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

// Colour-blind readers tell the colours apart: in CIELAB no two are closer than 20 for them. Each has a contrast of at least 3 to white and to
// black, so that they serve on a terminal of any ground too, see the test. The page uses the same ones on a light background.
var (
	palette   = [...]string{"#4140f3", "#d77312", "#2e684e", "#bb0009", "#1f9bc9", "#803cb0", "#7b9556", "#c07b89", "#9e78ff", "#9f3980"}
	benchGray = "#7d828a"
	cashGray  = "#c9cbc8"
)

// printed are the dashes of the first ten looks where their colours may be lost. The first is solid.
var printed = [...][]float64{nil, {1, 5}, {14, 6}, {14, 5, 2, 5}, {28, 6}, {1, 10}, {14, 5, 2, 5, 2, 5}, {28, 5, 8, 5}, {6, 4, 6, 4, 22, 4}, {28, 5, 2, 5}}

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

// Printed returns dashes likewise, as a printer needs them that has no colours: those of the first ten looks differ too.
func (l Look) Printed() []float64 {
	if l >= 0 && int(l) < len(printed) {
		return printed[l]
	}
	return l.Dashes()
}
