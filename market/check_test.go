package market

import (
	"strings"
	"testing"
)

func TestPrices_Usable(t *testing.T) {
	line := func(interval, bars string) string {
		return `{"Meta Data": {"2. Symbol": "AAPL"}, "Time Series (` + interval + `)": {` + bars + `}}`
	}
	good := `"2025-10-01": {"1. open": "100", "2. high": "110", "3. low": "90", "4. close": "105"}, "2025-10-02": {"1. open": "100", "2. high": "110", "3. low": "90", "4. close": "105"}`
	after := `, "2025-10-06": {"1. open": "100", "4. close": "100"}`
	for name, c := range map[string]struct {
		line    string
		opens   int
		problem string // "" for none
	}{
		"a good series":                    {line("Daily", good), 2, ""},
		"the newest bar has only its open": {line("Daily", good+`, "2025-10-03": {"1. buy price": "7"}`), 3, ""},
		"an hourly series":                 {line("60min", `"2025-10-01 10:00:00": {"1. open": "1"}`), 1, ""},
		"figures under other names":        {line("Daily", `"2025-10-02": {"open": "6", "close": "6"}`), 0, "2025-10-02: no figure of the bar is known"},
		"daily bars at midnight":           {line("Daily", `"2025-10-01 00:00:00": {"1. open": "6"}, "2025-10-02 00:00:00": {"1. open": "6"}`), 2, ""},
		"daily bars at a time of day":      {line("Daily", `"2025-10-01 04:00:00": {"1. open": "6"}, "2025-10-02 04:00:00": {"1. open": "6"}`), 2, "2025-10-01 04:00:00: a daily bar is stamped with a time of day"},
		"a high below the low":             {line("Daily", `"2025-10-02": {"1. open": "100", "2. high": "50", "3. low": "120", "4. close": "100"}`), 1, "impossible"},
		"a close that stands alone":        {line("Daily", good+`, "2025-10-03": {"1. open": "100", "4. close": "0.01"}`+after), 4, "less than a tenth"},
		"a close that stands alone, above": {line("Daily", good+`, "2025-10-03": {"1. open": "100", "4. close": "10000"}`+after), 4, "ten times"},
		"a bar that repeats the one before": {line("Daily", `"2025-10-01": {"1. open": "7", "4. close": "8", "5. volume": "9"}, "2025-10-02": {"1. open": "7", "4. close": "8", "5. volume": "9"}`), 2,
			"2025-10-02: the bar repeats the one before it in every figure"},
		"a day that is there twice":            {line("Daily", `"2025-10-01": {"1. open": "7"}, "2025-10-01 ": {"1. open": "7"}`), 1, ""}, // which reading warns of
		"a fall that stays is no such a spike": {line("Daily", good+`, "2025-10-03": {"1. open": "9", "4. close": "9"}, "2025-10-06": {"1. open": "9", "4. close": "9"}`), 4, ""},
	} {
		t.Run(name, func(t *testing.T) {
			all, err := openText(t, c.line).Usable()
			if err != nil || len(all) != 1 || all[0].Opens != c.opens {
				t.Fatalf("%+v, %v", all, err)
			}
			var told []string
			for _, w := range all[0].All() {
				told = append(told, w.String())
			}
			if text := strings.Join(told, "\n"); (c.problem == "") != (text == "") || !strings.Contains(text, c.problem) {
				t.Errorf("told: %s", text)
			}
		})
	}
}
