package market

import (
	"strings"
	"testing"
)

func TestSlippage(t *testing.T) {
	for _, c := range []struct{ text, written, buy, sell string }{ // at an open of 189.6
		{"none", "none", "189.6", "189.6"},
		{"5bps", "5bps", "189.6948", "189.5052"},
		{"2.50bps", "2.5bps", "189.6474", "189.5526"},
		{"1000bps", "1000bps", "208.56", "170.64"},
		{"half-spread:0.020", "half-spread:0.02", "189.62", "189.58"},
		{"half-spread:0", "none", "189.6", "189.6"}, {"0bps", "none", "189.6", "189.6"},
	} {
		s, err := ParseSlippage(c.text)
		if err != nil || s.String() != c.written {
			t.Errorf("%s is read as %s, %v, want %s", c.text, s, err, c.written)
		}
		buy, sell := s.Fill(BuySide, dec("189.6")), s.Fill(SellSide, dec("189.6"))
		if !buy.Equal(dec(c.buy)) || !sell.Equal(dec(c.sell)) {
			t.Errorf("%s buys at %s and sells at %s, want %s and %s", c.text, buy, sell, c.buy, c.sell)
		}
	}
	for _, text := range []string{"", "bps", "5", "half-spread:5bps", "half-spread:", "5 bps", "-1bps", "1001bps", "1e9", "0.000000001", "NaN", "5%"} {
		if _, err := ParseSlippage(text); err == nil || !strings.Contains(err.Error(), "such as 5bps") {
			t.Errorf("%q is refused with %v", text, err)
		}
	}
}
