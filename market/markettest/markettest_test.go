package markettest_test

// Tests of the plain prices.

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/market"
	"mcp-trade/market/markettest"
)

func written(t *testing.T, seed uint64, symbols, days int, first string) string {
	t.Helper()
	var out bytes.Buffer
	if err := markettest.Write(&out, seed, symbols, days, first); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The bars are whole and possible, also those of many years, which the bounds of prices hold.
func TestWrite(t *testing.T) {
	for _, c := range []struct {
		symbols, days int
		first         string
	}{{20, 500, "2023-01-01"}, {2, 8_000, "1990-01-01"}} {
		file := filepath.Join(t.TempDir(), "merged.jsonl")
		if err := os.WriteFile(file, []byte(written(t, 7, c.symbols, c.days, c.first)), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := market.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		usable, err := p.Usable()
		if err != nil || len(usable) != c.symbols || len(p.Warnings()) > 0 {
			t.Fatal(len(usable), err, p.Warnings())
		}
		for _, u := range usable {
			if u.Opens != c.days || len(u.Problems) > 0 {
				t.Errorf("%s: %d opens, %v", u.Symbol, u.Opens, u.Problems)
			}
		}
	}
}

// A market is the same on every machine.
func TestWrite_Deterministic(t *testing.T) {
	a := written(t, 7, 3, 50, "2025-01-01")
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(a)))[:16]; got != "73437acb21369d54" {
		t.Errorf("sum of the bytes is %s", got)
	}
	if more := written(t, 7, 4, 50, "2025-01-01"); !strings.HasPrefix(more, a) {
		t.Error("a further symbol changed the others")
	}
	if written(t, 8, 3, 50, "2025-01-01") == a {
		t.Error("the seed makes no difference")
	}
}

func TestWrite_Errors(t *testing.T) {
	for _, c := range []struct {
		symbols, days int
		first         string
	}{{0, 5, "2025-01-01"}, {1, 0, "2025-01-01"}, {1, 5, ""}, {1, 5, "2025-01-01 10:30:00"}, {1, 5, "9999-12-30"}} {
		if err := markettest.Write(&bytes.Buffer{}, 1, c.symbols, c.days, c.first); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	if err := markettest.Write(fullDisk{}, 1, 5, 500, "2025-01-01"); err == nil {
		t.Error("a failed write is not reported")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }
