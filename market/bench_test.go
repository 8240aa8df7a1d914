package market

// Benchmarks of opening a large file, next to the floor for it, and of looking
// up a price.

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/market/markettest"
)

// gigabyte writes a file of 1 GB in 1000 lines, each of them a series.
func gigabyte(b *testing.B) string {
	path := filepath.Join(b.TempDir(), "prices.jsonl")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	line := synthetic(b, 1, 8_000, "1990-01-01")
	for n := range 1000 {
		head := strings.Replace(line[:len(line)-3], "SYN01", fmt.Sprintf("SYN%04d", n), 1)
		padding := strings.Repeat(" ", max(1_000_000-len(head), 0))
		if _, err := io.WriteString(file, head+padding+"}}\n"); err != nil {
			b.Fatal(err)
		}
	}
	return path
}

func synthetic(b *testing.B, symbols, days int, first string) string {
	b.Helper()
	var out bytes.Buffer
	if err := markettest.Write(&out, 1, symbols, days, first); err != nil {
		b.Fatal(err)
	}
	return out.String()
}

func BenchmarkOpen1GB(b *testing.B) {
	path := gigabyte(b)
	stat, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("index", func(b *testing.B) {
		b.SetBytes(stat.Size())
		b.ReportAllocs()
		for b.Loop() {
			p, err := Open(path)
			if err != nil {
				b.Fatal(err)
			}
			p.Close()
		}
	})
	b.Run("floor", func(b *testing.B) {
		b.SetBytes(stat.Size())
		block := make([]byte, blockSize)
		for b.Loop() {
			if n := countLines(b, path, block); n != 1000 {
				b.Fatal(n)
			}
		}
	})
}

func countLines(b *testing.B, path string, block []byte) int {
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	lines := 0
	for {
		n, err := file.Read(block)
		lines += bytes.Count(block[:n], []byte("\n"))
		if err != nil {
			return lines
		}
	}
}

func BenchmarkBar(b *testing.B) {
	v := openText(b, synthetic(b, 100, 250, "2025-01-01")).AsOf("2025-12-01")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Bar("SYN50", "2025-06-02"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFirstParse(b *testing.B) {
	for _, days := range []int{100, 2500} {
		b.Run(fmt.Sprintf("%d bars", days), func(b *testing.B) {
			p := openText(b, synthetic(b, 1, days, "2015-01-01"))
			s := p.content().series["SYN01"]
			b.SetBytes(s.length)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.read(false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
