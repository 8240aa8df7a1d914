package chart

// Tests of drawings: well formed, inert, the same twice. How they look is for eyes.

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"strings"
	"testing"

	"mcp-trade/market"
	"mcp-trade/report"
)

const hostile = `<script>alert(1)</script>"&'`

// sample is a report of two accounts, one of which has an unknown day.
func sample() report.Report {
	day := func(i int) market.Stamp { return market.Stamp(fmt.Sprintf("2025-10-%02d", i+1)) }
	r := report.Report{Benchmark: &report.Series{Name: hostile}}
	for _, name := range []string{"steady", hostile} {
		a := report.Account{Signature: name, Opening: report.Point{Date: day(0), Value: report.Known(100)}}
		a.Allocation = report.Allocation{Names: []string{"CASH", name}, Parts: [][]report.Number{nil, nil}}
		for i := 1; i < 12; i++ {
			p := report.Period{Date: day(i), Value: report.Known(100 + float64(i%5)), Drawdown: report.Known(float64(i%3) / 10)}
			if i == 6 {
				p.Value, p.Drawdown = report.Number{}, report.Number{}
			}
			a.Periods = append(a.Periods, p)
			a.Allocation.Parts[0] = append(a.Allocation.Parts[0], report.Known(0.25))
			a.Allocation.Parts[1] = append(a.Allocation.Parts[1], report.Known(0.75))
		}
		r.Accounts = append(r.Accounts, a)
	}
	for i := range 12 {
		r.Benchmark.Points = append(r.Benchmark.Points, report.Point{Date: day(i), Value: report.Known(50 + float64(i))})
	}
	return r
}

// drawings are all kinds of them.
func drawings() map[string]func(report.Report, Style) ([]byte, error) {
	return map[string]func(report.Report, Style) ([]byte, error){
		"equity":   Equity,
		"drawdown": Drawdown,
		"allocation": func(r report.Report, s Style) ([]byte, error) {
			if len(r.Accounts) == 0 {
				return Allocation(report.Account{}, s)
			}
			return Allocation(r.Accounts[1], s)
		},
		"price": func(r report.Report, s Style) ([]byte, error) {
			if r.Benchmark == nil {
				return PriceWithTrades(report.Series{}, nil, s)
			}
			trades := []report.Trade{
				{Date: "2025-10-02 10:30:00", Action: "buy", Symbol: hostile, Price: report.Known(51)},
				{Date: "2025-10-03", Action: "sell", Symbol: hostile, Price: report.Known(53)},
				{Date: "2025-10-04", Action: "buy", Symbol: "other", Price: report.Known(9999)},
				{Date: "2024-01-01", Action: "buy", Symbol: hostile, Price: report.Known(9999)},
			}
			return PriceWithTrades(*r.Benchmark, trades, s)
		},
	}
}

func TestAnSVGIsWellFormedAndInert(t *testing.T) {
	for name, draw := range drawings() {
		for _, dark := range []bool{false, true} {
			svg, err := draw(sample(), Style{Dark: dark, Title: hostile})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var words strings.Builder
			for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
				token, err := d.Token()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v in\n%s", name, err, svg)
				}
				switch x := token.(type) {
				case xml.StartElement:
					if x.Name.Local == "script" || x.Name.Local == "image" {
						t.Errorf("%s holds an element %s", name, x.Name.Local)
					}
				case xml.CharData:
					words.Write(x)
				}
			}
			if !strings.Contains(words.String(), hostile) {
				t.Errorf("%s does not name %s:\n%s", name, hostile, svg)
			}
			if strings.Contains(words.String(), "9999") {
				t.Errorf("%s draws a trade that is of another symbol or day", name)
			}
			if text := strings.ReplaceAll(string(svg), "http://www.w3.org/", ""); strings.Contains(text, "http") {
				t.Errorf("%s refers to an address:\n%s", name, svg)
			}
			again, err := draw(sample(), Style{Dark: dark, Title: hostile})
			if err != nil || !bytes.Equal(svg, again) {
				t.Errorf("%s is another drawing the second time, %v", name, err)
			}
		}
	}
}

func TestAPNGHasTheSizeAskedFor(t *testing.T) {
	for name, draw := range drawings() {
		image, err := draw(sample(), Style{Format: PNG, Width: 500, Height: 300})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := png.Decode(bytes.NewReader(image))
		if err != nil || got.Bounds().Dx() != 500 || got.Bounds().Dy() != 300 {
			t.Errorf("%s: %v, %v", name, got.Bounds(), err)
		}
	}
}

func TestNothingToDraw(t *testing.T) {
	for name, draw := range drawings() {
		if _, err := draw(report.Report{}, Style{}); !errors.Is(err, ErrEmpty) {
			t.Errorf("%s of an empty report: %v", name, err)
		}
	}
}
