package market

// Tests of what crypto is traded in, on the first and the last day of each fact.

import (
	"testing"

	"mcp-trade/decimal"
)

func TestCryptoUnit(t *testing.T) {
	for _, c := range []struct {
		pair             string
		on               Stamp
		step, tick, most string // the least value
	}{
		{"BTC-USDT", "2021-10-10", "0.00000001", "0", "0"}, // no row tells of it
		{"BTC-USDT", "2021-10-11", "0.00001", "0.01", "10"},
		{"BTC-USDT", "2023-09-14", "0.00001", "0.01", "10"},
		{"BTC-USDT", "2023-09-15", "0.00001", "0.01", "5"},
		{"btc-usdt", "2025-10-20 13:00:00", "0.00001", "0.01", "5"},
		{"XRP-USDT", "2025-06-02", "1", "0.0001", "5"},
		{"XRP-USDT", "2025-06-03", "0.1", "0.0001", "5"},
		{"SOL-USDT", "2024-09-03", "0.01", "0.01", "5"},
		{"SOL-USDT", "2024-09-04", "0.001", "0.01", "5"},
		{"ADA-USDT", "2022-12-29", "0.1", "0.001", "10"},
		{"ADA-USDT", "2022-12-30", "0.1", "0.0001", "10"},
		{"SUI-USDT", "2023-09-14", "0.00000001", "0", "10"},
		{"SUI-USDT", "2023-09-15", "0.1", "0.0001", "5"},
		{"LINK-USDT", "2024-09-03", "0.01", "0.001", "5"},
		{"LINK-USDT", "2024-09-04", "0.01", "0.01", "5"},
		{"LINK-USDT", "2026-08-20", "0.01", "0.01", "5"},
		{"LINK-USDT", "2026-08-21", "0.01", "0.001", "5"},
		{"AVAX-USDT", "2026-08-21", "0.01", "0.001", "5"},
		{"LTC-USDT", "2022-12-29", "0.001", "0.1", "10"},
		{"LTC-USDT", "2022-12-30", "0.001", "0.01", "10"},
		{"DOT-USDT", "2022-12-30", "0.01", "0.001", "10"},
		{"DOGE-USDT", "2025-10-20", "0.00000001", "0", "5"},
	} {
		u, tick := cryptoUnit(c.pair, c.on), cryptoTick(c.pair, c.on, decimal.Zero)
		if u.Step.String() != c.step || u.Least.String() != c.step || tick.String() != c.tick || u.LeastValue.String() != c.most {
			t.Errorf("%s on %s: %+v, tick %s; want %s, %s and a least value of %s", c.pair, c.on, u, tick, c.step, c.tick, c.most)
		}
	}
}

func TestUnit_Floor(t *testing.T) {
	d := decimal.RequireFromString
	for _, c := range []struct{ step, least, largest, most, want string }{
		{"1", "1", "0", "8.9", "8"}, {"1", "1", "0", "0.9", "0"}, {"1", "1", "0", "-3", "0"},
		{"100", "100", "1000000", "1234567", "1000000"}, {"1", "200", "100000", "199", "0"}, {"1", "200", "100000", "201.5", "201"},
		{"0.00001", "0.00001", "0", "0.000011", "0.00001"},
	} {
		u := Unit{Step: d(c.step), Least: d(c.least), Largest: d(c.largest)}
		if got := u.Floor(d(c.most)); got.String() != c.want {
			t.Errorf("%+v: %s of %s, want %s", u, got, c.most, c.want)
		}
	}
}

func TestUSTick(t *testing.T) {
	for price, want := range map[string]string{"0.9999": "0.0001", "1": "0.01", "250": "0.01"} {
		if got := usTick("AAPL", "2025-10-02", decimal.RequireFromString(price)); got.String() != want {
			t.Errorf("at %s: %s, want %s", price, got, want)
		}
	}
}
