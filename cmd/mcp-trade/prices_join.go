// What is added to a price file, and what was changed meanwhile.

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"mcp-trade/feed"
	"mcp-trade/feed/convert"
	"mcp-trade/internal/files"
	"mcp-trade/market"
)

// joined is what series brought to a price file.
type joined struct {
	added           int
	revised, untold []feed.Revision // all, and those that were not kept before
}

// joinPrices adds series to a price file, and writes the bars that were changed beside it. Processes do so one after the other: none undoes what
// another has added. Bars of stamps that were traded without them, by symbol, stay unknown.
func (s *settings) joinPrices(ctx context.Context, path string, got []*feed.Series, without map[string][]market.Stamp) (j joined, err error) {
	if err := s.access().MkdirAll(filepath.Dir(path)); err != nil {
		return j, err
	}
	lock := s.access().Lock(path + ".lock")
	if err := lock.Take(ctx); err != nil {
		return j, err
	}
	defer lock.Release()
	all, err := priceFileBefore(path)
	if err != nil {
		return j, err
	}
	for _, series := range got {
		old, there := all[series.Symbol]
		if !there {
			all[series.Symbol] = series
			j.added += len(series.Bars)
			continue
		}
		added, revised, err := old.Join(series, without[series.Symbol]...)
		if err != nil {
			return j, err
		}
		j.added += added
		j.revised = append(j.revised, revised...)
	}
	if j.untold, err = keepRevisions(s, revisionsOf(path), j.revised); err != nil || j.added == 0 {
		return j, err
	}
	return j, s.writePrices(path, slices.SortedFunc(maps.Values(all), func(a, b *feed.Series) int { return cmp.Compare(a.Symbol, b.Symbol) }))
}

// revisionsOf is the file of what was changed, beside the file that keeps what it was.
func revisionsOf(path string) string { return path + ".revisions" }

// keepRevisions writes down the changes that are not yet, each a line whose last key is "by", and returns them.
func keepRevisions[T any](s *settings, path string, revised []T) (untold []T, err error) {
	if len(revised) == 0 {
		return nil, nil
	}
	text, err := files.Read(path, 1<<30)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, r := range revised {
		line, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		if change, _, _ := bytes.Cut(line, []byte(`,"by":`)); !bytes.Contains(text, change) {
			text = append(append(text, line...), '\n')
			untold = append(untold, r)
		}
	}
	if len(untold) == 0 {
		return nil, nil
	}
	return untold, s.access().Replace(path, text)
}

// priceFileBefore are the series of a price file; none if there is no such file.
func priceFileBefore(path string) (map[string]*feed.Series, error) {
	before := map[string]*feed.Series{}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return before, nil
	}
	c := convert.Read([]string{path})
	all, err := c.Finish()
	if faults := c.Faults(); len(faults) > 0 {
		return nil, fmt.Errorf("%w. Mend the file (mcp-trade prices check %s), or name another one with --out", errors.New(faults[0].String()), path)
	}
	for _, series := range all {
		before[series.Symbol] = series
	}
	return before, err
}
