package market

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
)

// twoDays is a series that closes at one price and opens at another on the next day.
func twoDays(close, open string) string {
	return fmt.Sprintf(`{"Meta Data": {"2. Symbol": "A"}, "Time Series (Daily)": {"2025-06-09": {"1. open": "77", "4. close": "%s", "5. volume": "100"}, "2025-06-10": {"1. open": "%s", "5. volume": "250"}}}`, close, open)
}

func TestView_LikelySplits(t *testing.T) {
	for _, c := range []struct{ close, open, ratio string }{
		{"100", "50", "2:1"}, {"100", "48.6", "2:1"}, {"100", "51.4", "2:1"},
		{"100", "48.4", ""}, {"100", "51.6", ""}, // further off than a night moves a price
		{"1348.10", "90.00", "15:1"}, {"90", "60", "3:2"}, {"100", "40", "5:2"}, {"1000", "10", "100:1"},
		{"1", "10", "1:10"}, {"2", "3", "2:3"}, {"0.0001", "0.0002", "1:2"},
		{"88.33", "56.64", ""}, // bad news
		{"643.41", "390.94", ""}, {"164.67", "226.445", ""}, {"100", "75", ""}, {"100", "100", ""},
	} {
		p := openText(t, twoDays(c.close, c.open))
		found, err := p.AsOf("2025-06-11").LikelySplits("A", "")
		got := ""
		for _, s := range found {
			got += s.Ratio
		}
		if err != nil || got != c.ratio {
			t.Errorf("from %s to %s: %q, %v, want %q", c.close, c.open, got, err, c.ratio)
		}
	}
}

// Nothing is known of a split before its day, and nothing of that day's volume before it is over.
func TestView_LikelySplitsFromTheirDay(t *testing.T) {
	p := openText(t, twoDays("100", "50"))
	for _, c := range []struct {
		asOf, after Stamp
		want        string
	}{
		{"2025-06-09", "", ""},
		{"2025-06-10", "", "A: split 2:1 on 2025-06-10? It opened at 50, after a close of 100"},
		{"2025-06-11", "", "A: split 2:1 on 2025-06-10? It opened at 50, after a close of 100, on 2.5 times the volume"},
		{"2025-06-11", "2025-06-09", "A: split 2:1 on 2025-06-10? It opened at 50, after a close of 100, on 2.5 times the volume"},
		{"2025-06-11", "2025-06-10", ""},
	} {
		found, err := p.AsOf(c.asOf).LikelySplits("A", c.after)
		got := ""
		for _, s := range found {
			got += s.String()
		}
		if err != nil || got != c.want {
			t.Errorf("as of %s after %q: %q, %v, want %q", c.asOf, c.after, got, err, c.want)
		}
	}
}

// A price falls within a day as it may.
func TestView_LikelySplitsAreBetweenDays(t *testing.T) {
	bars := `{"Meta Data": {"2. Symbol": "A"}, "Time Series (60min)": {"2025-06-09 15:00:00": {"4. close": "100"}, "%s": {"1. open": "50"}}}`
	for stamp, want := range map[string]int{"2025-06-09 16:00:00": 0, "2025-06-10 09:00:00": 1} {
		found, err := openText(t, fmt.Sprintf(bars, stamp)).AsOf("2025-06-12").LikelySplits("A", "")
		if err != nil || len(found) != want {
			t.Errorf("at %s: %v, %v, want %d", stamp, found, err, want)
		}
	}
}

// Of all the series of real prices one has a split.
func TestView_LikelySplitsOfRealPrices(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.TestData(t), "*", "merged.jsonl"))
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	var all []string
	for _, file := range files {
		p, err := Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		for _, symbol := range p.content().symbols {
			found, err := p.AsOf("2030-01-01").LikelySplits(symbol, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range found {
				all = append(all, filepath.Base(filepath.Dir(file))+" "+s.String())
			}
		}
	}
	want := []string{"us_split ORLY: split 15:1 on 2025-06-10? It opened at 90, after a close of 1348.1, on 13.9 times the volume"}
	if !slices.Equal(all, want) {
		t.Errorf("%s\nwant %s", strings.Join(all, "\n"), want)
	}
}
