// Which days have a transcript.

package transcript

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mcp-trade/market"
	"mcp-trade/store"
)

// Day is a day that has a transcript.
type Day struct {
	Date market.Stamp
	Path string
}

// Days lists the days of an account that have a transcript, the oldest first. An account that is not there has none.
func Days(logPath, account string) ([]Day, error) {
	if err := store.CheckName("signature", account); err != nil {
		return nil, err
	}
	logs := filepath.Join(logPath, account, "log")
	entries, err := os.ReadDir(logs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var days []Day
	for _, e := range entries {
		name := e.Name()
		if day, moment, ok := strings.Cut(name, " "); ok {
			name = day + " " + strings.ReplaceAll(moment, "-", ":") // as Windows has it
		}
		date, err := market.ParseStamp(name)
		path := filepath.Join(logs, e.Name(), "transcript.jsonl")
		if _, statErr := os.Stat(path); err == nil && statErr == nil {
			days = append(days, Day{date, path})
		}
	}
	slices.SortFunc(days, func(a, b Day) int { return cmp.Compare(a.Date, b.Date) })
	return days, nil
}
