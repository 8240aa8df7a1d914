// Looks: how the lines of a drawing are told apart.

package chart

import "fmt"

// Look is a colour and dashes: the first ten differ in colour, the next ten have the same colours with dashes, and so on with
// ever more dots between the dashes.
type Look int

// Looks of lines that are no accounts.
const (
	Benchmark Look = -1
	Cash      Look = -2
	Bought    Look = 2
	Sold      Look = 4
)

// The colours can be told apart by people who see colours differently. The page has the same ones on light ground.
var (
	palette   = [...]string{"#1769a6", "#c27a00", "#0c8763", "#b3528c", "#c4500c", "#3f9bd6", "#7656a8", "#857715", "#3d8a7d", "#a04d41"}
	benchGray = "#7d828a"
	cashGray  = "#c9cbc8"
)

// Color is the colour on light ground, as #rrggbb.
func (l Look) Color() string {
	switch l {
	case Benchmark:
		return benchGray
	case Cash:
		return cashGray
	}
	return palette[int(l)%len(palette)]
}

// Class is the class that stands for the colour on a page: s0 to s9, bench or cash.
func (l Look) Class() string {
	switch l {
	case Benchmark:
		return "bench"
	case Cash:
		return "cash"
	}
	return fmt.Sprint("s", int(l)%len(palette))
}

// Dashes are the lengths of strokes and gaps in turn, in pixels; none is a whole line.
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
