// Package archive is a source of crypto pairs against USDT without a key: Binance's archive of klines, a file for each month and each day, whose
// content its checksum proves. A day is there on the next one.
package archive

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"mcp-trade/feed"
	"mcp-trade/feed/binance"
	"mcp-trade/internal/bounded"
	"mcp-trade/market"
)

// Name is the source's name.
const Name = "binance-archive"

// URL is the service's address unless another is given.
const URL = "https://data.binance.vision"

// Pace is how far apart requests begin. The service states no limit.
const Pace = 100 * time.Millisecond

const (
	monthLate = 10      // days after its end by which the file of a month is there
	maxCSV    = 8 << 20 // bytes of the table in a file, of 744 rows at most
)

// Archive is the source.
type Archive struct{ URL string } // "": the usual one

// Name implements [feed.Source].
func (Archive) Name() string { return Name }

// Fetch implements [feed.Source]: the files of whole months where they are there, else those of the days.
func (a Archive) Fetch(ctx context.Context, get feed.Getter, job feed.Job) (*feed.Series, []string, error) {
	s := &feed.Series{Symbol: job.Symbol, Interval: job.Interval}
	var told []string
	for day := job.From; day <= job.To && day < job.Today; {
		next := (day[:7] + "-28").AddDays(4)[:7] + "-01"
		there := false
		if next <= job.Today {
			found, more, err := a.file(ctx, get, job, s, day[:7])
			if err != nil {
				return nil, nil, err
			}
			there, told = found, append(told, more...)
		}
		if !there && next.AddDays(monthLate) > job.Today { // later the file of a month without bars is missing
			for ; day < next && day <= job.To && day < job.Today; day = day.AddDays(1) {
				_, more, err := a.file(ctx, get, job, s, day)
				if err != nil {
					return nil, nil, err
				}
				told = append(told, more...)
			}
		}
		day = next
	}
	return s, told, nil
}

// file adds the bars of a file, of a month or a day, to a series. It reports false where there is no such file.
func (a Archive) file(ctx context.Context, get feed.Getter, job feed.Job, s *feed.Series, of market.Stamp) (there bool, told []string, err error) {
	period := "monthly"
	if of.IsDay() {
		period = "daily"
	}
	interval, pair := map[string]string{"Daily": "1d", "60min": "1h"}[job.Interval], strings.ReplaceAll(job.Symbol, "-", "")
	address := fmt.Sprintf("%s/data/spot/%s/klines/%s/%s/%s-%s-%s.zip", cmp.Or(a.URL, URL), period, pair, interval, pair, interval, of)
	reply, err := get.Get(ctx, address, nil, http.StatusNotFound)
	if err != nil || reply.Status == http.StatusNotFound {
		return false, nil, err
	}
	sum, err := get.Get(ctx, address+".CHECKSUM", nil)
	if err != nil {
		return false, nil, err
	}
	if fields := strings.Fields(string(sum.Body)); len(fields) == 0 || fields[0] != reply.SHA256 {
		return false, nil, &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("the file of %s does not have its checksum", of)}
	}
	page, told, err := Parse(reply.Body, job)
	if err != nil {
		return false, nil, err
	}
	s.Sources = append(s.Sources, reply.Provenance)
	return true, s.TakeAll(page.Bars, told), nil
}

// Parse reads a file of the archive as [feed.Source] has it. Days that are not of the job are left out.
func Parse(file []byte, job feed.Job) (s *feed.Series, told []string, err error) {
	broken := &feed.Outcome{Kind: feed.Broken, Says: "a file of it is no archive with one table"}
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil || len(z.File) != 1 {
		return nil, nil, broken
	}
	f, err := z.File[0].Open()
	if err != nil {
		return nil, nil, broken
	}
	defer f.Close()
	text, err := bounded.Read(f, maxCSV)
	if err != nil {
		return nil, nil, broken
	}
	s = &feed.Series{Symbol: job.Symbol, Interval: job.Interval}
	rows := csv.NewReader(bytes.NewReader(text))
	for {
		row, err := rows.Read()
		switch {
		case errors.Is(err, io.EOF):
			return s, told, nil
		case err != nil:
			return nil, nil, broken
		case row[0] == "open_time":
			continue
		}
		bar, err := binance.Bar(row, job.Interval)
		if err != nil {
			return nil, nil, err
		}
		if job.Has(bar.Stamp) {
			told = s.Take(bar, told)
		}
	}
}
