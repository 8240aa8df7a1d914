// Tests of the made-up markets: that they keep to the rules of their market, and that they move as prices do.

package synthetic

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/market"
)

var ids = []market.ID{market.US, market.CN, market.Crypto}

// written is a made-up market from the first days of 2025 on, as a file.
func written(t *testing.T, of market.ID, seed uint64, days int) (file string) {
	t.Helper()
	var text bytes.Buffer
	if err := Write(&text, of, seed, "2025-01-01", days); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "merged.jsonl")
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// opened is a made-up market, and a view of all of it.
func opened(t *testing.T, of market.ID, seed uint64, days int) (*market.Prices, market.View) {
	t.Helper()
	p, err := market.Open(written(t, of, seed, days))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p, p.AsOf("9999-12-31")
}

// series are the bars of a symbol, and what happened to the share.
func series(t *testing.T, v market.View, symbol string) ([]market.Bar, map[market.Stamp]market.Action) {
	t.Helper()
	bars, _, err := v.Bars(symbol, "", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	list, err := v.Actions(symbol, "")
	if err != nil {
		t.Fatal(err)
	}
	actions := map[market.Stamp]market.Action{}
	for _, a := range list {
		actions[a.Date] = a
	}
	return bars, actions
}

// A check finds nothing but the halt of one symbol.
func TestWrite_Check(t *testing.T) {
	t.Parallel()
	for _, id := range ids {
		for seed := range uint64(4) {
			c, err := market.Check(written(t, id, seed, 240))
			if err != nil {
				t.Fatal(err)
			}
			halted := symbols(id)[2]
			if len(c.Faults) != 1 || c.Faults[0].Symbol != halted || !strings.Contains(c.Faults[0].Problem, "no bar, though the exchanges traded") {
				t.Errorf("%s, seed %d: %v; want the halt of %s alone", id, seed, c.Faults, halted)
			}
			if c.Info.Synthetic != c.Info.Symbols || c.Info.Symbols != len(symbols(id)) {
				t.Errorf("%s: %d of %d symbols are said to be synthetic", id, c.Info.Synthetic, c.Info.Symbols)
			}
		}
	}
}

// Prices lie on the tick, and those of A-shares within the limits of their day, some of them at a limit.
func TestWrite_Rules(t *testing.T) {
	t.Parallel()
	for _, id := range ids {
		m, atLimit, locked, splits, dividends := id.Get(), 0, 0, 0, 0
		for seed := range uint64(4) {
			_, v := opened(t, id, seed, 240)
			for n, symbol := range symbols(id) {
				bars, actions := series(t, v, symbol)
				tick := millionths(roster(id)[n].tick)
				var reference decimal.Decimal
				for i, b := range bars {
					open, high, low, closing := b.Open.Decimal, b.High.Decimal, b.Low.Decimal, b.Close.Decimal
					for _, price := range []decimal.Decimal{open, high, low, closing} {
						if !price.IsPositive() || !price.Mod(tick).IsZero() || m.OffTick(symbol, b.Stamp, price) != nil {
							t.Errorf("%s on %s: %s is no multiple of the tick %s", symbol, b.Stamp, price, tick)
						}
					}
					if !b.Volume.Decimal.IsPositive() || id != market.Crypto && !b.Volume.Decimal.IsInteger() {
						t.Errorf("%s on %s: a volume of %s", symbol, b.Stamp, b.Volume.Decimal)
					}
					switch a := actions[b.Stamp]; a.Kind {
					case market.Dividend:
						reference, dividends = reference.Sub(a.Amount.Decimal).Round(2), dividends+1
					case market.Split:
						reference, splits = reference.Mul(decimal.NewFromInt(a.Ratio.Was)).DivRound(decimal.NewFromInt(a.Ratio.Is), 2), splits+1
					}
					if i > 0 && m.Limits != nil {
						down, up, known := m.Limits(symbol, b.Stamp, reference, market.ShareStatus{})
						if !known || low.LessThan(down) || high.GreaterThan(up) {
							t.Errorf("%s on %s: %s to %s is not within %s and %s", symbol, b.Stamp, low, high, down, up)
						}
						if closing.Equal(up) || closing.Equal(down) {
							atLimit++
						}
						if high.Equal(low) && (high.Equal(up) || high.Equal(down)) {
							locked++
						}
					}
					reference = closing
				}
			}
		}
		t.Logf("%s: %d closes at a limit, %d days locked, %d splits, %d dividends", id, atLimit, locked, splits, dividends)
		if id == market.CN && (atLimit < 40 || atLimit > 800 || locked < 4) {
			t.Errorf("%d closes of 4 x 20 x 240 are at a limit, %d days are locked there", atLimit, locked)
		}
		if hasActions := id != market.Crypto; hasActions != (splits == 4*2) || hasActions != (dividends >= 4*9) {
			t.Errorf("%s: %d splits and %d dividends", id, splits, dividends)
		}
	}
}

// returns are the logarithms of what a holder made from close to close, and of the nights alone.
func returns(bars []market.Bar, actions map[market.Stamp]market.Action) (days, nights []float64) {
	for i := 1; i < len(bars); i++ {
		factor, paid := 1.0, 0.0
		switch a := actions[bars[i].Stamp]; a.Kind {
		case market.Dividend:
			paid = a.Amount.Decimal.InexactFloat64()
		case market.Split:
			factor = float64(a.Ratio.Is) / float64(a.Ratio.Was)
		}
		was := bars[i-1].Close.Decimal.InexactFloat64()
		made := func(price decimal.Decimal) float64 { return math.Log((price.InexactFloat64()*factor + paid) / was) }
		days, nights = append(days, made(bars[i].Close.Decimal)), append(nights, made(bars[i].Open.Decimal))
	}
	return days, nights
}

func mean(x []float64) (sum float64) {
	for _, v := range x {
		sum += v / float64(len(x))
	}
	return sum
}

func covariance(x, y []float64) (sum float64) {
	mx, my := mean(x), mean(y)
	for i := range x {
		sum += (x[i] - mx) * (y[i] - my) / float64(len(x))
	}
	return sum
}

func correlation(x, y []float64) float64 {
	return covariance(x, y) / math.Sqrt(covariance(x, x)*covariance(y, y))
}

// lagged is the correlation of a series with itself, some steps later.
func lagged(x []float64, lag int) float64 { return correlation(x[lag:], x[:len(x)-lag]) }

func powers(x []float64, n float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.Pow(v-mean(x), n)
	}
	return out
}

func TestWrite_Statistics(t *testing.T) {
	t.Parallel()
	for _, id := range ids {
		days := 480 // as far as the calendar of A-shares goes
		var kurtosis, clustering, memory, together, night, trend, revert, volumes, volatilities []float64
		for seed := range uint64(3) {
			_, v := opened(t, id, 100+seed, days)
			var before []float64
			for n, symbol := range symbols(id) {
				bars, actions := series(t, v, symbol)
				all, nights := returns(bars, actions)
				switch roster(id)[n].character {
				case trending:
					for lag := 1; lag <= 10; lag++ {
						trend = append(trend, lagged(all, lag))
					}
					continue
				case reverting:
					level := make([]float64, len(bars))
					for i, b := range bars {
						level[i] = math.Log(b.Close.Decimal.InexactFloat64())
					}
					revert = append(revert, lagged(level, 40))
					continue
				}
				variance := covariance(all, all)
				volatilities = append(volatilities, math.Sqrt(variance))
				kurtosis = append(kurtosis, mean(powers(all, 4))/(variance*variance))
				squares := powers(all, 2)
				for lag := 1; lag <= 5; lag++ {
					clustering = append(clustering, lagged(squares, lag))
				}
				memory = append(memory, lagged(all, 1))
				night = append(night, covariance(nights, nights)/variance)
				if roster(id)[n].halts {
					continue // its days are not those of the others
				}
				if before != nil {
					together = append(together, correlation(before, all))
				}
				before = all
				moves, changed := make([]float64, len(all)), make([]float64, len(all))
				for i := range all {
					moves[i], changed[i] = math.Abs(all[i]), bars[i+1].Volume.Decimal.InexactFloat64()
				}
				volumes = append(volumes, correlation(moves, changed))
			}
		}
		for _, c := range []struct {
			what     string
			is       float64
			low, top float64
		}{
			{"volatility of a day", mean(volatilities), map[market.ID]float64{market.US: 0.013, market.CN: 0.017, market.Crypto: 0.025}[id], 0.05},
			{"kurtosis", mean(kurtosis), 4, 30},
			{"autocorrelation of squared returns", mean(clustering), 0.03, 0.4},
			{"autocorrelation of returns", mean(memory), -0.04, 0.04},
			{"correlation with another symbol", mean(together), 0.15, 0.7},
			{"part of the variance that comes over night", mean(night), map[market.ID]float64{market.US: 0.25, market.CN: 0.2, market.Crypto: 0}[id], map[market.ID]float64{market.US: 0.6, market.CN: 0.6, market.Crypto: 0.01}[id]},
			{"autocorrelation of the trending symbol", mean(trend), 0.02, 0.4},
			{"what is left of the level of the reverting symbol after 40 days", mean(revert), -0.3, 0.3},
			{"correlation of volumes with moves", mean(volumes), 0.3, 0.95},
		} {
			t.Logf("%s: %s: %.3f", id, c.what, c.is)
			if !(c.is >= c.low && c.is <= c.top) {
				t.Errorf("%s: %s is %.3f, not within %v and %v", id, c.what, c.is, c.low, c.top)
			}
		}
	}
}

// No strategy wins always: over 120 days, as the demo has them, holding all and holding what gained most lately each win with some seeds,
// and lose with others.
func TestWrite_NoStrategyAlwaysWins(t *testing.T) {
	t.Parallel()
	const seeds, days, lately, best = 16, 120, 20, 5
	for _, id := range ids {
		gained, chaserWon := 0, 0
		sum := 0.0
		for seed := range uint64(seeds) {
			_, v := opened(t, id, seed, days)
			made := map[market.Stamp]map[string]float64{}
			var stamps []market.Stamp
			for _, symbol := range symbols(id) {
				bars, actions := series(t, v, symbol)
				all, _ := returns(bars, actions)
				for i, r := range all {
					at := bars[i+1].Stamp
					if made[at] == nil {
						made[at], stamps = map[string]float64{}, append(stamps, at)
					}
					made[at][symbol] = r
				}
			}
			slices.Sort(stamps)
			holding, chasing, past := 0.0, 0.0, map[string][]float64{}
			for i, at := range stamps {
				ranked := symbols(id)
				total := func(symbol string) float64 {
					r := past[symbol]
					return mean(r[max(0, len(r)-lately):])
				}
				slices.SortStableFunc(ranked, func(a, b string) int {
					if total(a) > total(b) {
						return -1
					}
					return 1
				})
				for n, symbol := range ranked {
					holding += made[at][symbol] / float64(len(ranked))
					if i >= lately && n < best {
						chasing += made[at][symbol] / best
					}
					past[symbol] = append(past[symbol], made[at][symbol])
				}
			}
			if sum += holding / seeds; holding > 0 {
				gained++
			}
			if chasing > holding {
				chaserWon++
			}
		}
		t.Logf("%s: holding all gained with %d of %d seeds, %.3f in the mean; the chaser won with %d", id, gained, seeds, sum, chaserWon)
		if gained < 3 || gained > seeds-3 || chaserWon < 3 || chaserWon > seeds-3 {
			t.Errorf("%s: holding all gained with %d of %d seeds, the chaser won with %d", id, gained, seeds, chaserWon)
		}
	}
}

// A market is the same on every machine.
func TestWrite_Deterministic(t *testing.T) {
	for id, want := range map[market.ID]string{market.US: "61b58821035ff56d", market.CN: "2f01e044b62e1ba6", market.Crypto: "594481f9c71648d8"} {
		var a, again, other bytes.Buffer
		if err := errors.Join(Write(&a, id, 1, "2025-01-01", 60), Write(&again, id, 1, "2025-01-01", 60), Write(&other, id, 2, "2025-01-01", 60)); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(a.Bytes()))[:16]; got != want {
			t.Errorf("%s: the sum of the bytes is %s, want %s", id, got, want)
		}
		if a.String() != again.String() || a.String() == other.String() {
			t.Errorf("%s: the seed does not make the market", id)
		}
		if n := strings.Count(a.String(), `"Synthetic": "made up from seed 1, of no real market"`); n != len(symbols(id)) {
			t.Errorf("%s: %d lines say that they are synthetic", id, n)
		}
	}
}

func TestWrite_Errors(t *testing.T) {
	for _, c := range []struct {
		of    market.ID
		days  int
		first market.Stamp
	}{
		{market.US, 0, "2025-01-01"}, {market.US, -1, "2025-01-01"}, {market.US, 5, ""}, {market.US, 5, "2025-01-01 10:30:00"},
		{market.US, 500, "2028-01-01"}, {market.CN, 5, "2023-01-01"}, {market.Crypto, 5, "9999-12-30"},
	} {
		if err := Write(&bytes.Buffer{}, c.of, 1, c.first, c.days); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
	if err := Write(fullDisk{}, market.US, 1, "2025-01-01", 100); err == nil {
		t.Error("a failed write is not reported")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }
