package market

import (
	"strings"
	"testing"
)

func TestInfo_Survivors(t *testing.T) {
	series := func(last ...Stamp) Info {
		i := Info{Symbols: len(last), Last: "2025-10-29"}
		for _, l := range last {
			i.Series = append(i.Series, SeriesInfo{Last: l})
		}
		return i
	}
	for name, c := range map[string]struct {
		info Info
		says bool
	}{
		"all to the end":      {series("2025-10-29", "2025-10-29"), true},
		"to hours of the end": {series("2025-10-29 10:00:00", "2025-10-29"), true},
		"one left":            {series("2025-10-29", "2025-10-28"), false},
		"one without bars":    {series("2025-10-29", ""), false},
		"one alone":           {series("2025-10-29"), false},
		"none":                {series(), false},
	} {
		if got := c.info.Survivors(); (got != "") != c.says || c.says && !strings.HasPrefix(got, "None of the 2 symbols leaves the prices before their end, 2025-10-29") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestInfo_MadeUp(t *testing.T) {
	madeUp := strings.Replace(seriesLine("A", "2025-10-02"), `"Meta Data": {`, `"Meta Data": {"Synthetic": "by hand", `, 1)
	for name, c := range map[string]struct{ text, says string }{
		"all":   {madeUp, "The prices are synthetic: made up, of no real market."},
		"some":  {madeUp + "\n" + seriesLine("B", "2025-10-02"), "The prices of 1 of the 2 symbols are synthetic: made up, of no real market."},
		"none":  {seriesLine("A", "2025-10-02"), ""},
		"other": {strings.Replace(madeUp, `"by hand"`, `{"seed": 1}`, 1), "The prices are synthetic: made up, of no real market."},
		"null":  {strings.Replace(madeUp, `"by hand"`, `null`, 1), ""},
	} {
		info, err := openText(t, c.text).Info()
		if got := info.MadeUp(); err != nil || got != c.says {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.says)
		}
	}
}
