// Which days have a transcript.

package transcript

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	Path string // "" of one that a store alone has
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

// DaysIn lists the days of an account that have a transcript under a log path, or in the store of its runs, which those on other machines
// write to.
func DaysIn(ctx context.Context, runs store.Runs, logPath, account string) ([]Day, error) {
	days, err := Days(logPath, account)
	if err != nil {
		return nil, err
	}
	there, err := runs.JournalDays(ctx, account)
	if err != nil {
		return nil, err
	}
	for _, name := range there {
		date, err := market.ParseStamp(name)
		if err == nil && !slices.ContainsFunc(days, func(d Day) bool { return d.Date == date }) {
			days = append(days, Day{Date: date})
		}
	}
	slices.SortFunc(days, func(a, b Day) int { return cmp.Compare(a.Date, b.Date) })
	return days, nil
}

// ReadIn reads the transcript of one of these days: the file, unless it has no end and the store has more.
func ReadIn(ctx context.Context, runs store.Runs, account string, d Day) (entries []Entry, err error) {
	if d.Path != "" {
		if entries, err = Read(d.Path); err != nil || len(entries) > 0 && entries[len(entries)-1].End != nil {
			return entries, err
		}
	}
	var kept []Entry
	for look := (store.Look{Account: account, Day: string(d.Date)}); ; {
		seen, err := runs.Look(ctx, look)
		if err != nil {
			return nil, err
		}
		if look.From = seen[0].Next; len(seen[0].Lines) == 0 {
			break
		}
		for _, line := range seen[0].Lines {
			e, err := parse(line, kept)
			if err != nil {
				return nil, fmt.Errorf("the transcript of %s on %s is damaged in line %d: %w", account, d.Date, len(kept)+1, err)
			}
			kept = append(kept, e)
		}
	}
	if len(kept) < len(entries) {
		return entries, nil
	}
	return kept, nil
}
