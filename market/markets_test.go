package market

// Tests of the table of markets.

import "testing"

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
