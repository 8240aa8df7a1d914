package market

// Tests of the index file beside a large price file: with it, without it, and with one that is wrong, the same prices are served.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
)

// indexed writes a price file of which an index file is made, and returns its path.
func indexed(t testing.TB, text string) string {
	t.Helper()
	path := writeFile(t, text)
	p, err := open(1, path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(append(p.Unkept(), p.Close())...); err != nil {
		t.Fatal(err)
	}
	return path
}

// openStored opens a price file whose index file must be of use, or must not.
func openStored(t testing.TB, path string, stored bool) *Prices {
	t.Helper()
	p, err := open(1, path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if p.content().sources[0].stored != stored {
		t.Fatalf("the index file is read: %v, want %v", !stored, stored)
	}
	return p
}

// variety is a price file of many forms, damaged lines and series among them.
func variety() string {
	hourly := strings.Replace(seriesLine("600028.SH", "2025-10-01 10:30:00", "2025-10-02 15:00:00", "2025-10-03 10:30:00"), "Daily", "60min", 1)
	return strings.Join([]string{
		seriesLine("AAPL", "2025-10-02", "2025-10-01"),
		"garbage",
		hourly,
		strings.Replace(seriesLine("B-USDT", "2025-10-01 00:00:00", "2025-10-03"), `"test"`, `"test", "2.1. Name": "Bee"`, 1),
		"",
		strings.Replace(seriesLine("BROKEN", "2025-10-01"), ": {", ": {{", 2),
		`{"Meta Data": {"2. Symbol": "EMPTY"}, "Time Series (Daily)": {}}`,
		`{"Meta Data": {"2. Symbol": "ODD"}, "Time Series (Daily)": {"2025-10-01": null, "nonsense": {}, "2025-10-02": {"1. open": "1"}}}`,
		seriesLine("AAPM", "2025-10-03", "2025-10-06") + "  \r",
	}, "\n") + "\n"
}

// all is everything that prices say of the days of the files here.
func all(t testing.TB, p *Prices) string {
	t.Helper()
	stamps, err := p.Stamps("", "")
	out := fmt.Sprint(stamps, err)
	for _, asStamped := range []bool{false, true} {
		for _, at := range moments {
			v := p.AsOf(at).AsStamped(asStamped)
			days, err := v.Days("", "", "")
			list, more, failed := v.List("bee", "", 9)
			out += "\n" + everything(v) + fmt.Sprint(days, err, list, more, failed) + everythingOf(v, "600028.SH", "BROKEN", "EMPTY", "ODD")
		}
	}
	return strings.ReplaceAll(out, p.content().sources[0].path, "FILE")
}

func TestOpen_IndexFile(t *testing.T) {
	path := writeFile(t, variety())
	plain, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	want := all(t, plain)
	for name, path := range map[string]string{"made": path, "read": indexed(t, variety())} {
		p := openStored(t, path, name == "read")
		if got := all(t, p); got != want {
			t.Errorf("with the index %s: %s", name, firstDifference(got, want))
		}
		if len(p.Warnings()) != len(plain.Warnings()) {
			t.Errorf("with the index %s: %v, want %v", name, p.Warnings(), plain.Warnings())
		}
	}
}

// The index tells when series have bars: nothing that asks for that alone reads them.
func TestOpen_IndexFile_ReadsNoSeries(t *testing.T) {
	p := openStored(t, indexed(t, seriesLine("A", "2025-10-01", "2025-10-02")+"\n"+seriesLine("B", "2025-10-02")+"\n"+seriesLine("C", "2025-10-03")), true)
	v := p.AsOf("2025-10-03")
	symbols, err := v.Symbols() // C begins on the day of the view: whether its open is known, only reading tells
	if err != nil || fmt.Sprint(symbols) != "[A B C]" {
		t.Error(symbols, err)
	}
	if days, err := v.Days(US, "", ""); err != nil || len(days) != 2 {
		t.Error(days, err)
	}
	if stamps, err := p.Stamps("", ""); err != nil || len(stamps) != 3 {
		t.Error(stamps, err)
	}
	if _, _, err := v.List("b", "", 5); err != nil {
		t.Error(err)
	}
	for symbol, read := range map[string]bool{"A": false, "B": false, "C": true} {
		if s := p.content().series[symbol]; (s.metadata.Load() != nil) != read {
			t.Errorf("%s is read: %v, want %v", symbol, !read, read)
		}
	}
}

func TestOpen_IndexFile_Unwritable(t *testing.T) {
	path := writeFile(t, variety())
	if err := os.Mkdir(indexPath(path), 0o755); err != nil { // in the way, for root too
		t.Fatal(err)
	}
	p := openStored(t, path, false)
	if why := p.Unkept(); len(why) != 1 || !strings.Contains(why[0].Error(), "is not kept") {
		t.Error(why)
	}
	if symbols, err := p.AsOf("2025-10-06").Symbols(); err != nil || len(symbols) != 5 {
		t.Error(symbols, err)
	}
}

// An index file that is stale, of another file or damaged is made anew.
func TestOpen_IndexFile_Refused(t *testing.T) {
	text := variety()
	for name, spoil := range map[string]func(path string, index []byte) []byte{
		"torn":           func(_ string, index []byte) []byte { return index[:len(index)/2] },
		"empty":          func(string, []byte) []byte { return nil },
		"no index":       func(string, []byte) []byte { return []byte("hello") },
		"a bit is wrong": func(_ string, index []byte) []byte { index[len(index)/2] ^= 1; return index },
		"of an older file": func(path string, index []byte) []byte {
			rewriteFile(t, path, text)
			return index
		},
		"of another file": func(string, []byte) []byte {
			other, _ := os.ReadFile(indexPath(indexed(t, seriesLine("Z", "2025-10-01"))))
			return other
		},
		"of another version": func(_ string, index []byte) []byte {
			return resealed(t, index, func(x *storedIndex) { x.Version++ })
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := indexed(t, text)
			index, err := os.ReadFile(indexPath(path))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(indexPath(path), spoil(path, index), 0o644); err != nil {
				t.Fatal(err)
			}
			p := openStored(t, path, false)
			if _, err := p.AsOf("2025-10-06").Bar("AAPL", "2025-10-01"); err != nil {
				t.Error(err)
			}
			openStored(t, path, true) // it was made anew
		})
	}
}

// No index file with a byte that is another, or fewer, is read.
func TestPriceFile_ReadIndex_Mutations(t *testing.T) {
	path := indexed(t, variety())
	index, err := os.ReadFile(indexPath(path))
	if err != nil {
		t.Fatal(err)
	}
	source, err := openPriceFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer source.file.Close()
	if err := source.readIndex(); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		at := random.IntN(len(index))
		spoiled := bytes.Clone(index)
		if random.IntN(4) == 0 {
			spoiled = spoiled[:at]
		} else {
			spoiled[at] ^= byte(1 + random.IntN(255))
		}
		if err := os.WriteFile(indexPath(path), spoiled, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := source.readIndex(); err == nil {
			if want := strings.ToLower(string(index)); strings.ToLower(string(spoiled)) != want { // a hash in capitals is the same
				t.Fatalf("read, with byte %d of %d spoiled", at, len(index))
			}
		}
	}
}

// resealed is an index file that was changed, with the hash that is right for it.
func resealed(t testing.TB, index []byte, change func(*storedIndex)) []byte {
	t.Helper()
	_, text, _ := bytes.Cut(index, []byte("\n"))
	var x storedIndex
	if err := json.Unmarshal(text, &x); err != nil {
		t.Fatal(err)
	}
	change(&x)
	text, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Appendf(nil, "%x\n%s", xxhash.Sum64(text), text)
}

// Whatever an index file says, with a hash that is right: a price that is served is that of the price file.
func TestOpen_IndexFile_Forged(t *testing.T) {
	nested := `{"Meta Data": {"2. Symbol": "AAPL"}, "Time Series (Daily)": {"2025-10-01": {"1. open": "666"}}}`
	text := variety() + strings.TrimSuffix(seriesLine("NEST", "2025-10-01"), "}") + `, "x": ` + nested + "}\n"
	plain := openText(t, text)
	random := rand.New(rand.NewPCG(1, 2))
	names := []string{"AAPL", "AAPM", "B-USDT", "600028.SH", "ODD", "NEST", "BROKEN"}
	anew := 0
	for n := range 70 {
		path := indexed(t, text)
		index, err := os.ReadFile(indexPath(path))
		if err != nil {
			t.Fatal(err)
		}
		index = resealed(t, index, func(x *storedIndex) {
			at := &x.Series[random.IntN(len(x.Series))]
			other := x.Series[random.IntN(len(x.Series))]
			switch n % 7 {
			case 0:
				at.Symbol = other.Symbol
			case 1:
				at.Sum = random.Uint64()
			case 2:
				at.Offset += random.Int64N(9) - 4
			case 3:
				at.Length += random.Int64N(9) - 4
			case 4: // a series within a line, with the hash that is right for it
				at = &x.Series[0]
				last := &x.Series[len(x.Series)-1]
				last.Symbol, last.Offset, last.Length, last.Sum = "AAPL", int64(strings.Index(text, nested)), int64(len(nested)), xxhash.Sum64String(nested)
				at.Symbol = "NEST"
			case 5:
				at.Offset, other.Offset = other.Offset, at.Offset
			case 6:
				at.First, at.Bars = Stamp("2025-10-0"+fmt.Sprint(1+random.IntN(9))), random.IntN(3)
			}
		})
		if err := os.WriteFile(indexPath(path), index, 0o644); err != nil {
			t.Fatal(err)
		}
		p, err := open(1, path)
		if err != nil {
			t.Fatal(n, err)
		}
		for range 2 { // a wrong index is found by who reads, and the next call has a right one
			for _, at := range []Stamp{"2025-10-02", "2025-10-06"} {
				for _, name := range names {
					bars, _, err := p.AsOf(at).Bars(name, "", "", 0)
					want, _, _ := plain.AsOf(at).Bars(name, "", "", 0)
					if err == nil && fmt.Sprint(bars) != fmt.Sprint(want) {
						t.Fatalf("%d: %s as of %s is served with\n%v, want\n%v", n, name, at, bars, want)
					}
				}
			}
			if err := p.Refresh(); err != nil {
				t.Fatal(n, err)
			}
			if !p.content().sources[0].stored {
				anew++
				sameAsFreshAll(t, p, plain, names)
			}
		}
		p.Close()
	}
	if anew < 40 {
		t.Errorf("the file was indexed anew %d times; what is forged is not found", anew)
	}
}

func sameAsFreshAll(t testing.TB, p, fresh *Prices, names []string) {
	t.Helper()
	for _, name := range names {
		if got, want := everythingOf(p.AsOf("2025-10-06"), name), everythingOf(fresh.AsOf("2025-10-06"), name); name != "BROKEN" && got != want {
			t.Fatalf("%s: %s, want %s", name, got, want)
		}
	}
}

// A file that is rewritten in place has a right index: what was in force is not served from what is there now.
func TestPrices_Refresh_IndexFile(t *testing.T) {
	one, two := bar("2025-10-01", "10", "11"), bar("2025-10-02", "12", "13")
	path := indexed(t, rowsLine("A", one)+rowsLine("B", one))
	p := openStored(t, path, true)
	everythingOf(p.AsOf("2025-10-02"), "A")
	rewriteFile(t, path, rowsLine("A", one)+rowsLine("B", bar("2025-10-01", "10", "99")))
	if _, err := p.AsOf("2025-10-01").OpenPrice("B"); !isDamage(err) {
		t.Errorf("B, which was rewritten, is served from another content: %v", err)
	}
	if err := p.Refresh(); err != nil {
		t.Fatal(err)
	}
	sameAsFresh(t, p, path)
	replaceFile(t, path, rowsLine("A", one, two)+rowsLine("B", bar("2025-10-01", "10", "99")))
	if err := p.Refresh(); err != nil {
		t.Fatal(err)
	}
	sameAsFresh(t, p, path)
	replaceFile(t, path, rowsLine("A", bar("2025-10-01", "10", "12"), two)+rowsLine("B", one))
	var changed *ChangedError
	if err := p.Refresh(); !errors.As(err, &changed) || changed.Symbol != "A" {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(path), "prices.jsonl.index")); err != nil {
		t.Error(err)
	}
}
