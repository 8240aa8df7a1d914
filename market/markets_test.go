package market

// Tests of the table of markets.

import (
	"fmt"
	"testing"

	"mcp-trade/decimal"
)

func TestOf(t *testing.T) {
	for symbol, want := range map[string]ID{
		"AAPL": US, "600028.SH": CN, "000001.sz": CN, " btc-usdt ": Crypto, "SHOP": US, "USDT": US, "": US,
	} {
		if got := Of(symbol).ID; got != want {
			t.Errorf("Of(%q) = %s, want %s", symbol, got, want)
		}
	}
}

func TestMarkets(t *testing.T) {
	for i := range markets {
		m := &markets[i]
		if m.ID.Get() != m || (len(m.Suffixes) == 0) != (i == 0) {
			t.Errorf("%s: another row has its id or its symbols", m.ID)
		}
		for _, suffix := range m.Suffixes {
			if Of("X"+suffix) != m {
				t.Errorf("%s: another row has %s", m.ID, suffix)
			}
		}
		if m.Name == "" || m.PeriodsPerYear <= 0 || m.Zone().String() != m.ZoneName || m.Units == "" || Of(m.Example) != m || m.Unit == nil || m.Tick == nil {
			t.Errorf("it does not say all: %+v", m)
		}
	}
	if !Default.Get().Tradable || ID("nyse").Get() != nil {
		t.Error("the default cannot be traded, or there is a market that is not in the table")
	}
}

func TestMarket_OffTick(t *testing.T) {
	for _, c := range []struct {
		symbol string
		on     Stamp
		price  string
		want   string
	}{
		{"AAPL", "2025-10-02", "250.01", "[]"}, {"AAPL", "2025-10-02", "250.005", "[250 250.01]"}, {"AAPL", "2025-10-02", "1.0001", "[1 1.01]"},
		{"AAPL", "2025-10-02", "0.9999", "[]"}, {"AAPL", "2025-10-02", "0.99995", "[0.9999 1]"}, {"AAPL", "2025-10-02", "0.00005", "[0.0001]"},
		{"600519.SH", "2025-10-09", "1460.005", "[1460 1460.01]"}, {"510300.SH", "2025-10-09", "4.005", "[]"}, {"510300.SH", "2025-10-09", "4.0005", "[4 4.001]"},
		{"BTC-USDT", "2025-10-20", "110500.005", "[110500 110500.01]"}, {"XRP-USDT", "2025-10-20", "2.41235", "[2.4123 2.4124]"},
		{"LTC-USDT", "2022-12-29", "70.05", "[70 70.1]"}, {"LTC-USDT", "2022-12-30", "70.05", "[]"},
		{"LINK-USDT", "2026-08-20", "15.005", "[15 15.01]"}, {"LINK-USDT", "2026-08-21", "15.005", "[]"},
		{"DOGE-USDT", "2025-10-20", "0.123456789", "[]"}, // no tick is known
	} {
		if got := fmt.Sprint(Of(c.symbol).OffTick(c.symbol, c.on, decimal.RequireFromString(c.price))); got != c.want {
			t.Errorf("%s on %s at %s: %s, want %s", c.symbol, c.on, c.price, got, c.want)
		}
	}
}
