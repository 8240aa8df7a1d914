package market

// Tests of the made-up market.

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
)

func synthetic(t testing.TB, seed uint64, symbols, days int, first Stamp) string {
	t.Helper()
	var out bytes.Buffer
	if err := WriteSynthetic(&out, seed, symbols, days, first); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWriteSynthetic(t *testing.T) {
	p := openText(t, synthetic(t, 7, 20, 500, "2023-01-01"))
	info, err := p.Info()
	if err != nil || info.Symbols != 20 || info.First != "2023-01-02" || info.Last != "2024-11-29" || info.Interval != "daily" {
		t.Fatal(info.Symbols, info.First, info.Last, err)
	}
	for _, s := range info.Series {
		bars, _, err := p.AsOf("2030-01-01").Bars(s.Symbol, "", "", 0)
		if err != nil || len(bars) != 500 {
			t.Fatal(s.Symbol, len(bars), err)
		}
		for _, b := range bars {
			o, h, l, c := b.Open.Decimal, b.High.Decimal, b.Low.Decimal, b.Close.Decimal
			if !b.Volume.Valid || !b.Low.Valid || h.LessThan(o) || h.LessThan(c) || l.GreaterThan(o) || l.GreaterThan(c) {
				t.Errorf("%s: %s", s.Symbol, text(b))
			}
		}
	}
	if w := p.Warnings(); len(w) > 0 {
		t.Error(w)
	}
}

// A market is the same on every machine.
func TestWriteSynthetic_Deterministic(t *testing.T) {
	a := synthetic(t, 7, 3, 50, "2025-01-01")
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(a)))[:16]; got != "73437acb21369d54" {
		t.Errorf("sum of the bytes is %s", got)
	}
	if more := synthetic(t, 7, 4, 50, "2025-01-01"); !strings.HasPrefix(more, a) {
		t.Error("a further symbol changed the others")
	}
	if other := synthetic(t, 8, 3, 50, "2025-01-01"); other == a {
		t.Error("the seed makes no difference")
	}
	if strings.Count(a, "Synthetic") != 3 {
		t.Error("a line does not say that it is synthetic")
	}
}

// Prices stay in bounds.
func TestWriteSynthetic_Bounds(t *testing.T) {
	testenv.Slow(t)
	p := openText(t, synthetic(t, 3, 4, 20_000, "1900-01-01"))
	if _, err := p.Info(); err != nil || len(p.Warnings()) > 0 {
		t.Error(err, p.Warnings())
	}
}

func TestWriteSynthetic_Errors(t *testing.T) {
	for _, c := range []struct {
		symbols, days int
		first         Stamp
	}{
		{0, 5, "2025-01-01"}, {1, 0, "2025-01-01"}, {-1, -1, "2025-01-01"},
		{1, 5, ""}, {1, 5, "2025-01-01 10:30:00"}, {1, 5, "9999-12-30"},
	} {
		if err := WriteSynthetic(&bytes.Buffer{}, 1, c.symbols, c.days, c.first); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	if err := WriteSynthetic(fullDisk{}, 1, 5, 500, "2025-01-01"); err == nil {
		t.Error("a failed write is not reported")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, fmt.Errorf("disk full") }
