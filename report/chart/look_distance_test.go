package chart

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
)

// sights are how people see red, green and blue light: all of it, and without one kind of cone (Machado, Oliveira, Fernandes 2009, severity 1).
var sights = map[string][3][3]float64{
	"everybody":    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// contrast is that of two grounds of the relative luminance given (WCAG 2.2).
func contrast(a, b float64) float64 { return (max(a, b) + 0.05) / (min(a, b) + 0.05) }

// luminance is the relative luminance of a colour.
func luminance(t *testing.T, color string) float64 {
	t.Helper()
	root := (seen(t, color, sights["everybody"])[0] + 16) / 116
	if y := root * root * root; y > 0.008856 {
		return y
	}
	return (root - 16.0/116) / 7.787
}

// Each colour has a contrast of 3 to white, to the page's light ground, and to the black of a terminal.
func TestLook_Contrast(t *testing.T) {
	for l := Benchmark; int(l) < len(palette); l++ {
		for _, ground := range []string{"#ffffff", "#faf9f6", "#000000"} {
			if c := contrast(luminance(t, l.Color()), luminance(t, ground)); c < 3 {
				t.Errorf("%s on %s has a contrast of %.2f", l.Color(), ground, c)
			}
		}
	}
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

// apart checks that no two colours are closer than 20 in CIELAB, where 2.3 is just noticed, whoever looks at them.
func apart(t *testing.T, colors []string) {
	t.Helper()
	for name, sight := range sights {
		for i, a := range colors {
			for _, b := range colors[:i] {
				p, q := seen(t, a, sight), seen(t, b, sight)
				if d := math.Sqrt((p[0]-q[0])*(p[0]-q[0]) + (p[1]-q[1])*(p[1]-q[1]) + (p[2]-q[2])*(p[2]-q[2])); d < 20 {
					t.Errorf("%s: %s and %s are %.1f apart", name, a, b, d)
				}
			}
		}
	}
}

func TestLook_Distance(t *testing.T) { apart(t, palette[:]) }

// On a dark background the page has colours of its own, which keep the same distance, and a contrast of 3 to its grounds.
func TestLook_Dark(t *testing.T) {
	style, err := os.ReadFile("../page/page.css")
	if err != nil {
		t.Fatal(err)
	}
	_, dark, _ := strings.Cut(string(style), "@media (prefers-color-scheme: dark)")
	variables := map[string]string{}
	for _, x := range regexp.MustCompile(`--(\w+): (#\w{6});`).FindAllStringSubmatch(dark, -1) {
		variables[x[1]] = x[2]
	}
	var colors []string
	for i := range palette {
		colors = append(colors, variables[fmt.Sprint("s", i)])
	}
	apart(t, colors)
	for _, color := range append(colors, variables["bench"]) {
		for _, ground := range []string{variables["ground"], variables["sheet"]} {
			if c := contrast(luminance(t, color), luminance(t, ground)); c < 3 {
				t.Errorf("%s on %s has a contrast of %.2f", color, ground, c)
			}
		}
	}
}
