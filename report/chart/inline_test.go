package chart

// Tests of drawings for pages.

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
)

func TestADrawingForAPageHasClassesInPlaceOfStyles(t *testing.T) {
	for name, draw := range drawings() {
		svg, err := draw(sample(), Style{Bare: true})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		inline, err := Inline(svg)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		classes := map[string]bool{}
		for d := xml.NewDecoder(bytes.NewReader(inline)); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v in\n%s", name, err, inline)
			}
			if x, ok := token.(xml.StartElement); ok {
				for _, a := range x.Attr {
					if a.Name.Local == "style" {
						t.Errorf("%s has the style %s", name, a.Value)
					}
					if a.Name.Local == "class" {
						classes[a.Value] = true
					}
				}
			}
		}
		want := map[string][]string{
			"equity":     {"s0 line", "s1 line", "bench line", "axis", "grid"},
			"drawdown":   {"s0 line", "s1 line", "axis", "grid"},
			"allocation": {"s0 line", "s0 fill", "s1 line", "s1 fill", "axis", "grid"},
			"price":      {"s0 line", "s2 fill", "s4 fill", "axis", "grid"},
		}
		for _, class := range want[name] {
			if !classes[class] {
				t.Errorf("%s has no %q among %v", name, class, classes)
			}
		}
		if strings.Contains(string(inline), "script") {
			t.Errorf("%s names what a page has a legend for", name)
		}
		line := regexp.MustCompile(`class="s0 line" d="M(\d+)(?:[^"]*L(\d+) \d+)"`).FindAllSubmatch(inline, -1)
		if want := fmt.Sprintf(`data-first="%s" data-last="%s"`, line[0][1], line[len(line)-1][2]); !strings.Contains(string(inline), want) {
			t.Errorf("%s has dates at %s, but says %.120s", name, want, inline)
		}
		if len(inline) > len(svg)*2/3 {
			t.Errorf("%s has %d bytes for a page, %d before", name, len(inline), len(svg))
		}
	}
}

func TestWhatIsNoDrawingIsRefused(t *testing.T) {
	if out, err := Inline([]byte("<svg><path")); err == nil {
		t.Errorf("it became %s", out)
	}
}

// A value between unknown ones has no line through it, so its dot must stay.
func TestALonelyValueIsStillSeen(t *testing.T) {
	r := sample()
	periods := r.Accounts[0].Periods
	for i := range periods {
		if i != 3 {
			periods[i].Drawdown = periods[5].Drawdown // that of the unknown day
		}
	}
	r.Accounts = r.Accounts[:1]
	svg, err := Drawdown(r, Style{Bare: true})
	if err != nil {
		t.Fatal(err)
	}
	inline, err := Inline(svg)
	if err != nil || strings.Count(string(inline), "<circle") != 1 {
		t.Errorf("%v\n%s", err, inline)
	}
}
