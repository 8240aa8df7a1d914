// Which days have a transcript.

package agent

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

// DayFile is the transcript of a day.
type DayFile struct {
	Date market.Stamp
	Path string
}

// Transcripts lists the days of an account that have a transcript, the oldest first. An account that is not there has none.
func Transcripts(logPath, account string) ([]DayFile, error) {
	if err := store.CheckName("signature", account); err != nil {
		return nil, err
	}
	folder := filepath.Join(logPath, account, "log")
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var days []DayFile
	for _, e := range entries {
		name := e.Name()
		if day, moment, ok := strings.Cut(name, " "); ok {
			name = day + " " + strings.ReplaceAll(moment, "-", ":") // as Windows has it
		}
		date, err := market.ParseStamp(name)
		path := filepath.Join(folder, e.Name(), "transcript.jsonl")
		if _, statErr := os.Stat(path); err == nil && statErr == nil {
			days = append(days, DayFile{date, path})
		}
	}
	slices.SortFunc(days, func(a, b DayFile) int { return cmp.Compare(a.Date, b.Date) })
	return days, nil
}
