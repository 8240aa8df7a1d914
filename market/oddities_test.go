package market

// Tests of what is odd about days: a holiday is no gap, and of a day that no calendar tells of neither is said.

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
)

func TestPrices_Oddities(t *testing.T) {
	for name, c := range map[string]struct{ lines, odd, unknown string }{
		"a week and a weekend":                     {seriesLine("A", "2025-10-02", "2025-10-03", "2025-10-06"), "", ""},
		"Independence Day":                         {seriesLine("A", "2025-07-03", "2025-07-07"), "", ""},
		"a day before and after it":                {seriesLine("A", "2025-07-02", "2025-07-08"), "A gap 2 [2025-07-03 2025-07-07]", ""},
		"a closing that was not scheduled":         {seriesLine("A", "2012-10-26", "2012-10-31"), "", ""},
		"a bar on it":                              {seriesLine("A", "2012-10-26", "2012-10-29", "2012-10-31"), "A closed 1 [2012-10-29]", ""},
		"bars on a weekend":                        {seriesLine("A", "2025-10-03", "2025-10-04", "2025-10-05", "2025-10-06"), "A closed 2 [2025-10-04 2025-10-05]", ""},
		"more gaps than are told":                  {seriesLine("A", "2025-10-01", "2025-10-13"), "A gap 7 [2025-10-02 2025-10-03 2025-10-06 2025-10-07 2025-10-08]", ""},
		"a symbol that ends early, or begins late": {seriesLine("A", "2025-10-01", "2025-10-02", "2025-10-03") + "\n" + seriesLine("B", "2025-10-02", "2025-10-03") + "\n" + seriesLine("C", "2025-10-01", "2025-10-02"), "", ""},
		"the golden week":                          {seriesLine("600519.SH", "2025-09-30", "2025-10-09"), "", ""},
		"a work day on which exchanges are closed": {seriesLine("600519.SH", "2024-02-08", "2024-02-09", "2024-02-19"), "600519.SH closed 1 [2024-02-09]", ""},
		"a year that is not published":             {seriesLine("600519.SH", "2026-12-31", "2027-01-06"), "", "cn 3 [2027-01-01 2027-01-04 2027-01-05], calendar 2024-01-01 to 2026-12-31"},
		"where another symbol has a bar":           {seriesLine("600519.SH", "2027-01-04", "2027-01-06") + "\n" + seriesLine("600036.SH", "2027-01-05", "2027-01-06"), "600519.SH gap 1 [2027-01-05]", ""},
		"before the calendar":                      {seriesLine("A", "2003-12-29", "2004-01-05"), "A gap 1 [2004-01-02]", "us 2 [2003-12-30 2003-12-31], calendar 2004-01-01 to 2028-12-31"},
		"crypto trades every day":                  {seriesLine("BTC-USDT", "2025-12-24", "2025-12-26"), "BTC-USDT gap 1 [2025-12-25]", ""},
		"hours":                                    {seriesLine("A", "2025-07-03 10:00:00", "2025-07-03 11:00:00", "2025-07-08 10:00:00"), "A gap 1 [2025-07-07]", ""},
		"a day that is there three times": {`{"Meta Data": {"2. Symbol": "A"}, "Time Series (Daily)": {"2025-10-01": {"1. open": "7"}, "2025-10-01 ": {"1. open": "8"}, "2025-10-01T00:00": {"1. open": "9"}}}`,
			"A doubled 2 [2025-10-01 2025-10-01]", ""},
		"no bars": {`{"Meta Data": {"2. Symbol": "A"}, "Time Series (Daily)": {}}`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := openText(t, c.lines)
			usable, err := p.Usable()
			if err != nil {
				t.Fatal(err)
			}
			var odd, unknown []string
			for _, u := range usable {
				for _, o := range u.Oddities {
					odd = append(odd, fmt.Sprintf("%s %s %d %v", o.Symbol, o.Kind, o.Count, o.First))
				}
			}
			days, err := p.UnknownDays()
			for _, u := range days {
				unknown = append(unknown, fmt.Sprintf("%s %d %v, calendar %s to %s", u.Market, u.Count, u.First, u.From, u.To))
			}
			if got := strings.Join(odd, "; "); got != c.odd || err != nil {
				t.Errorf("odd: %s, %v; want %s", got, err, c.odd)
			}
			if got := strings.Join(unknown, "; "); got != c.unknown {
				t.Errorf("unknown: %s; want %s", got, c.unknown)
			}
		})
	}
}

// Real prices have bars on the days on which the exchanges traded: what they lack is known.
func TestPrices_OdditiesOfRealPrices(t *testing.T) {
	for file, want := range map[string]string{
		"us_daily": "", "us_hourly_test": "", "us_split": "", "cn_daily": "", "cn_hourly": "", "crypto": "",
	} {
		p, err := Open(filepath.Join(testenv.TestData(t), file, "merged.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		usable, err := p.Usable()
		if err != nil {
			t.Fatal(err)
		}
		var odd []string
		for _, u := range usable {
			for _, o := range u.Oddities {
				odd = append(odd, fmt.Sprintf("%s %s %d %v", o.Symbol, o.Kind, o.Count, o.First))
			}
		}
		if got := strings.Join(odd, "; "); got != want {
			t.Errorf("%s: %s; want %s", file, got, want)
		}
	}
}
