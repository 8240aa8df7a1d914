package chart

import (
	"encoding/xml"
	"math"
	"regexp"
	"strconv"
	"testing"

	"mcp-trade/report"
)

// An experiment has its variants and their differences in place of accounts; what has no interval is left out.
func TestForests(t *testing.T) {
	known := report.Known
	told := report.Comparison{Account: "good", Against: "poor", Ahead: known(0.2), AheadInterval: report.Interval{Low: known(0.1), High: known(0.3)}, Adjusted: known(0.01)}
	short := report.Comparison{Account: "good", Against: "new", Ahead: known(0.2), Undefined: "it takes 10 returns, not 3"}
	accounts := []report.Account{{Signature: "a", Certainty: told}, {Signature: "b", Certainty: short}}
	list := Forests(report.Report{Accounts: accounts}, Looks{"a": 3})
	if len(list) != 1 || len(list[0].Rows) != 1 || list[0].Rows[0].Name != "a" || list[0].Rows[0].Look != 3 || !list[0].Rows[0].Told() {
		t.Errorf("accounts: %+v", list)
	}
	v := report.Variants{Each: []report.VariantReport{{Name: "good", Certainty: report.VariantComparison{Comparison: told}}},
		Pairs: []report.VariantComparison{{Comparison: told}, {Comparison: short}}}
	list = Forests(report.Report{Accounts: accounts, Variants: &v}, nil)
	if len(list) != 2 || list[0].Rows[0].Name != "good" || len(list[1].Rows) != 1 || list[1].Rows[0].Name != "good against poor" {
		t.Errorf("variants: %+v", list)
	}
}

// What is drawn is read back by its key: interval and figure on one axis of logarithms.
func TestForest_SVG(t *testing.T) {
	f := Forest{Title: hostile}
	want := map[string][3]float64{"good": {0.1, 0.2, 0.3}, hostile: {-0.5, -0.2, 1.5}}
	for name, v := range want {
		c := report.Comparison{Ahead: report.Known(v[1]), AheadInterval: report.Interval{Low: report.Known(v[0]), High: report.Known(v[2])}, Adjusted: report.Known(0.5)}
		if name == "good" {
			c.Adjusted = report.Known(0.01)
		}
		f.add(name, 1, c)
	}
	image, err := f.SVG(800)
	if err != nil {
		t.Fatal(err)
	}
	var svg struct {
		Groups []struct {
			Key  string `xml:"data-key,attr"`
			Path struct {
				D string `xml:"d,attr"`
			} `xml:"path"`
			Dot struct {
				X    string `xml:"cx,attr"`
				Fill string `xml:"fill,attr"`
			} `xml:"circle"`
		} `xml:"g"`
	}
	if err := xml.Unmarshal(image, &svg); err != nil {
		t.Fatalf("%v in %s", err, image)
	}
	drawn := map[string][3]float64{}
	for _, group := range svg.Groups {
		ends := regexp.MustCompile(`[ML]([0-9.]+) `).FindAllStringSubmatch(group.Path.D, -1)
		if group.Key == "" || len(ends) != 2 {
			continue
		}
		var at [3]float64
		for i, text := range []string{ends[0][1], group.Dot.X, ends[1][1]} {
			if at[i], err = strconv.ParseFloat(text, 64); err != nil {
				t.Fatal(err)
			}
		}
		drawn[group.Key] = at
		if full := group.Dot.Fill != ground; full != (group.Key == "good") {
			t.Errorf("that %s has a full dot is %v", group.Key, full)
		}
	}
	wide := drawn[hostile]
	scale := (wide[2] - wide[0]) / (math.Log1p(1.5) - math.Log1p(-0.5))
	for name, values := range want {
		for i, v := range values {
			if x := wide[0] + scale*(math.Log1p(v)-math.Log1p(-0.5)); scale <= 0 || math.Abs(x-drawn[name][i]) > 0.3 {
				t.Errorf("%v of %s is drawn at %v, want %v", v, name, drawn[name][i], x)
			}
		}
	}
}
