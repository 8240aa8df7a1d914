package chart

import (
	"fmt"
	"math"
	"testing"
)

// sights are how people see red, green and blue light: all of it, and without one kind of cone (Machado, Oliveira, Fernandes 2009, severity 1).
var sights = map[string][3][3]float64{
	"everybody":    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// seen is a colour in CIELAB (D65), as a kind of sight has it.
func seen(t *testing.T, color string, sight [3][3]float64) [3]float64 {
	t.Helper()
	var rgb [3]int
	if _, err := fmt.Sscanf(color, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
		t.Fatal(err)
	}
	var light, cones [3]float64
	for i, v := range rgb {
		if light[i] = float64(v) / 255 / 12.92; v > 10 {
			light[i] = math.Pow((float64(v)/255+0.055)/1.055, 2.4)
		}
	}
	for i, row := range sight {
		cones[i] = min(1, max(0, row[0]*light[0]+row[1]*light[1]+row[2]*light[2]))
	}
	root := func(v float64) float64 {
		if v > 0.008856 {
			return math.Cbrt(v)
		}
		return 7.787*v + 16.0/116
	}
	x := root((0.4124*cones[0] + 0.3576*cones[1] + 0.1805*cones[2]) / 0.95047)
	y := root(0.2126*cones[0] + 0.7152*cones[1] + 0.0722*cones[2])
	z := root((0.0193*cones[0] + 0.1192*cones[1] + 0.9505*cones[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// No two colours are closer than 20 in CIELAB, where 2.3 is just noticed, whoever looks at them.
func TestLook_Distance(t *testing.T) {
	for name, sight := range sights {
		for a := range Look(len(palette)) {
			for b := range a {
				p, q := seen(t, a.Color(), sight), seen(t, b.Color(), sight)
				if d := math.Sqrt((p[0]-q[0])*(p[0]-q[0]) + (p[1]-q[1])*(p[1]-q[1]) + (p[2]-q[2])*(p[2]-q[2])); d < 20 {
					t.Errorf("%s: %s and %s are %.1f apart", name, a.Color(), b.Color(), d)
				}
			}
		}
	}
}
