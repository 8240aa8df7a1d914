package archive

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"mcp-trade/feed"
	"mcp-trade/market"
)

// zipped is a file of the archive.
func zipped(t *testing.T, tables ...string) string {
	t.Helper()
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	for i, text := range tables {
		w, err := z.Create(fmt.Sprintf("BTCUSDT-1d-%d.csv", i))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, text)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return file.String()
}

// rows are the klines of some days: times are in millionths from 2025 on.
func rows(from market.Stamp, days int) string {
	var text strings.Builder
	for i := range days {
		at := from.AddDays(i).In(time.UTC).UnixMilli()
		if from >= "2025" {
			at *= 1000
		}
		fmt.Fprintf(&text, "%d,100.10000000,101.50000000,99.00000000,100.20000000,9.00000001,%d,1,1,1,1,0\n", at, at+86399999)
	}
	return text.String()
}

// library plays the archive: the files of a table, and their checksums.
func library(t *testing.T, files map[string]string, wrong string) (address string, asked *[]string) {
	asked = &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, isSum := strings.CutSuffix(path.Base(r.URL.Path), ".CHECKSUM")
		*asked = append(*asked, path.Base(r.URL.Path))
		text, there := files[name]
		switch {
		case !there || !strings.HasPrefix(r.URL.Path, "/data/spot/"):
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>`)
		case isSum && name == wrong:
			fmt.Fprintf(w, "%064d  %s\n", 0, name)
		case isSum:
			fmt.Fprintf(w, "%x  %s\n", sha256.Sum256([]byte(text)), name)
		default:
			fmt.Fprint(w, text)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func client() *feed.Client { return &feed.Client{Source: Name, Each: 5 * time.Second, Now: time.Now} }

// Whole months come in one file. Days of a month whose file is not there yet come one by one, and today never.
func TestArchive_Fetch(t *testing.T) {
	files := map[string]string{
		"BTCUSDT-1d-2024-12.zip":    zipped(t, "open_time,open,high,low,close,volume,close_time,a,b,c,d,e\n"+rows("2024-12-01", 31)),
		"BTCUSDT-1d-2025-01.zip":    zipped(t, rows("2025-01-01", 31)),
		"BTCUSDT-1d-2025-02-01.zip": zipped(t, rows("2025-02-01", 1)), "BTCUSDT-1d-2025-02-03.zip": zipped(t, rows("2025-02-03", 1)),
	}
	address, asked := library(t, files, "")
	job := feed.Job{Symbol: "BTC-USDT", Interval: "Daily", From: "2024-12-30", To: "2025-02-04", Today: "2025-02-04"}
	s, told, err := Archive{address}.Fetch(t.Context(), client(), job)
	if err != nil || len(told) > 0 || len(s.Bars) != 2+31+2 || s.Bars[0].Stamp != "2024-12-30" || s.Bars[34].Stamp != "2025-02-03" || len(s.Sources) != 4 {
		t.Fatalf("%+v, %v, %v", s, told, err)
	}
	if b := s.Bars[2]; b.Stamp != "2025-01-01" || b.Figures != [5]string{"100.1", "101.5", "99", "100.2", "9.00000001"} {
		t.Errorf("%v", b)
	}
	want := "BTCUSDT-1d-2024-12.zip BTCUSDT-1d-2024-12.zip.CHECKSUM BTCUSDT-1d-2025-01.zip BTCUSDT-1d-2025-01.zip.CHECKSUM " +
		"BTCUSDT-1d-2025-02-01.zip BTCUSDT-1d-2025-02-01.zip.CHECKSUM BTCUSDT-1d-2025-02-02.zip BTCUSDT-1d-2025-02-03.zip BTCUSDT-1d-2025-02-03.zip.CHECKSUM"
	if got := strings.Join(*asked, " "); got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	// A pair that it does not have costs a request a month, and the days of the newest.
	*asked = nil
	job.Symbol = "NONE-USDT"
	if s, _, err := (Archive{address}).Fetch(t.Context(), client(), job); err != nil || len(s.Bars) != 0 || len(*asked) != 2+31+3 {
		t.Errorf("%+v, %v, %d requests", s, err, len(*asked))
	}
	job = feed.Job{Symbol: "BTC-USDT", Interval: "60min", From: "2024-12-30", To: "2024-12-30", Today: "2025-11-04"}
	hours := map[string]string{"BTCUSDT-1h-2024-12.zip": zipped(t, "1735516800000,1,2,1,2,5,0\n1735520400000,1,2,1,2,5,0\n")}
	address, _ = library(t, hours, "")
	if s, _, err := (Archive{address}).Fetch(t.Context(), client(), job); err != nil || len(s.Bars) != 2 || s.Bars[1].Stamp != "2024-12-30 01:00:00" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestArchive_Fetch_Broken(t *testing.T) {
	const name = "BTCUSDT-1d-2024-12.zip"
	whole := zipped(t, rows("2024-12-01", 31))
	for label, c := range map[string]struct{ file, wrong string }{
		"another checksum":    {whole, name},
		"a torn file":         {whole[:len(whole)/2], ""},
		"a page":              {"<html>", ""},
		"two tables":          {zipped(t, rows("2024-12-01", 1), rows("2024-12-02", 1)), ""},
		"no table":            {zipped(t), ""},
		"a short row":         {zipped(t, "1733011200000,1,2\n"), ""},
		"a word for a price":  {zipped(t, "1733011200000,1,2,x,1,1\n"), ""},
		"a word for a time":   {zipped(t, "now,1,2,1,1,1\n"), ""},
		"a time of no year":   {zipped(t, "999999999999999999,1,2,1,1,1\n"), ""},
		"more than one holds": {zipped(t, strings.Repeat(rows("2024-12-01", 1), maxCSV/80)), ""},
	} {
		t.Run(label, func(t *testing.T) {
			address, _ := library(t, map[string]string{name: c.file}, c.wrong)
			job := feed.Job{Symbol: "BTC-USDT", Interval: "Daily", From: "2024-12-01", To: "2024-12-31", Today: "2025-11-04"}
			s, _, err := Archive{address}.Fetch(t.Context(), client(), job)
			if o, ok := errors.AsType[*feed.Outcome](err); !ok || o.Kind != feed.Broken {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}
