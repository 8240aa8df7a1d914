package market

// Each fee and each rule of a market on its first and on its last day. The amounts are worked by hand from the rates of the sources that
// stand beside the rows of fees_real.go and cn.go; most of the trades are of 1,000,000, so that a rate is read off what is paid.

import (
	"errors"
	"testing"

	"mcp-trade/decimal"
)

func TestKnownFees_FirstAndLastDay(t *testing.T) {
	for _, c := range []struct {
		of            ID
		fee, symbol   string
		side          Side
		price, amount string
		on            Stamp
		paid          string // "" where the fee is not known
	}{
		// Section 31, in dollars of a million.
		{US, SECFee, "AAPL", SellSide, "1000", "1000", "2014-03-17", ""},
		{US, SECFee, "AAPL", SellSide, "1000", "1000", "2014-03-18", "22.10"}, {US, SECFee, "AAPL", SellSide, "1000", "1000", "2015-02-13", "22.10"},
		{US, SECFee, "AAPL", SellSide, "1000", "1000", "2015-02-14", "18.40"}, {US, SECFee, "AAPL", SellSide, "1000", "1000", "2016-02-15", "18.40"},
		{US, SECFee, "AAPL", SellSide, "1000", "1000", "2016-02-16", "21.80"}, {US, SECFee, "AAPL", SellSide, "1000", "1000", "2017-07-03", "21.80"},
		{US, SECFee, "AAPL", SellSide, "1000", "1000", "2017-07-04", "23.10"}, {US, SECFee, "AAPL", SellSide, "1000", "1000", "2018-05-21", "23.10"},
		{US, SECFee, "AAPL", SellSide, "1000", "1000", "2018-05-22", "13.00"}, {US, SECFee, "AAPL", SellSide, "1000", "1000", "2019-04-15", "13.00"},
		{US, SECFee, "AAPL", SellSide, "1000", "1000", "2019-04-16", "20.70"}, {US, SECFee, "AAPL", SellSide, "1000", "1000", "2020-02-17", "20.70"},
		{US, SECFee, "AAPL", SellSide, "1000", "1000", "2020-02-18", "22.10"}, {US, SECFee, "AAPL", SellSide, "1000", "1000", "2021-02-24", "22.10"},
		{US, SECFee, "AAPL", SellSide, "1000", "1000", "2021-02-25", "5.10"}, {US, SECFee, "AAPL", SellSide, "1000", "1000", "2022-05-13", "5.10"},
		{US, SECFee, "AAPL", SellSide, "1000", "1000", "2022-05-14", "22.90"}, {US, SECFee, "AAPL", SellSide, "1000", "1000", "2023-02-26", "22.90"},
		{US, SECFee, "AAPL", SellSide, "1000", "1000", "2023-02-27", "8.00"}, {US, SECFee, "AAPL", SellSide, "1000", "1000", "2024-05-21", "8.00"},
		{US, SECFee, "AAPL", SellSide, "1000", "1000", "2024-05-22", "27.80"}, {US, SECFee, "AAPL", SellSide, "1000", "1000", "2025-05-13", "27.80"},
		{US, SECFee, "AAPL", SellSide, "1000", "1000", "2025-05-14", "0"}, {US, SECFee, "AAPL", SellSide, "1000", "1000", "2026-04-03", "0"},
		{US, SECFee, "AAPL", SellSide, "1000", "1000", "2026-04-04", "20.60"}, {US, SECFee, "AAPL", BuySide, "1000", "1000", "2026-04-04", "0"},

		// TAF: of 1000 shares, rounded up to a cent; and its cap, which a million shares meet.
		{US, TAF, "AAPL", SellSide, "1", "1000", "2021-12-31", "0.12"}, {US, TAF, "AAPL", SellSide, "1", "1000", "2022-01-01", "0.13"},
		{US, TAF, "AAPL", SellSide, "1", "1000", "2022-12-31", "0.13"}, {US, TAF, "AAPL", SellSide, "1", "1000", "2023-01-01", "0.15"},
		{US, TAF, "AAPL", SellSide, "1", "1000", "2023-12-31", "0.15"}, {US, TAF, "AAPL", SellSide, "1", "1000", "2024-01-01", "0.17"},
		{US, TAF, "AAPL", SellSide, "1", "1000", "2025-12-31", "0.17"}, {US, TAF, "AAPL", SellSide, "1", "1000", "2026-01-01", "0.20"},
		{US, TAF, "AAPL", SellSide, "1", "1000", "2026-12-31", "0.20"}, {US, TAF, "AAPL", SellSide, "1", "1000", "2027-01-01", ""},
		{US, TAF, "AAPL", SellSide, "1", "1000000", "2021-12-31", "5.95"}, {US, TAF, "AAPL", SellSide, "1", "1000000", "2022-01-01", "6.49"},
		{US, TAF, "AAPL", SellSide, "1", "1000000", "2022-12-31", "6.49"}, {US, TAF, "AAPL", SellSide, "1", "1000000", "2023-01-01", "7.27"},
		{US, TAF, "AAPL", SellSide, "1", "1000000", "2023-12-31", "7.27"}, {US, TAF, "AAPL", SellSide, "1", "1000000", "2024-01-01", "8.30"},
		{US, TAF, "AAPL", SellSide, "1", "1000000", "2025-12-31", "8.30"}, {US, TAF, "AAPL", SellSide, "1", "1000000", "2026-01-01", "9.79"},

		// A-shares, in yuan of a million.
		{CN, Commission, "600519.SH", BuySide, "1000", "1000", "2002-04-30", ""}, {CN, Commission, "600519.SH", BuySide, "1000", "1000", "2002-05-01", "250"},
		{CN, StampDuty, "600519.SH", SellSide, "1000", "1000", "2008-09-18", ""}, {CN, StampDuty, "600519.SH", SellSide, "1000", "1000", "2008-09-19", "1000"},
		{CN, StampDuty, "600519.SH", SellSide, "1000", "1000", "2023-08-27", "1000"}, {CN, StampDuty, "600519.SH", SellSide, "1000", "1000", "2023-08-28", "500"},
		{CN, StampDuty, "600519.SH", BuySide, "1000", "1000", "2023-08-28", "0"},
		{CN, TransferFee, "600519.SH", BuySide, "1000", "1000", "2015-07-31", ""}, {CN, TransferFee, "600519.SH", BuySide, "1000", "1000", "2015-08-01", "20"},
		{CN, TransferFee, "600519.SH", BuySide, "1000", "1000", "2022-04-28", "20"}, {CN, TransferFee, "600519.SH", BuySide, "1000", "1000", "2022-04-29", "10"},
		{CN, HandlingFee, "600519.SH", BuySide, "1000", "1000", "2015-07-31", ""}, {CN, HandlingFee, "600519.SH", BuySide, "1000", "1000", "2015-08-01", "48.70"},
		{CN, HandlingFee, "000001.SZ", BuySide, "1000", "1000", "2023-08-27", "48.70"}, {CN, HandlingFee, "000001.SZ", BuySide, "1000", "1000", "2023-08-28", "34.10"},
		{CN, HandlingFee, "920002.BJ", BuySide, "1000", "1000", "2021-11-14", ""}, {CN, HandlingFee, "920002.BJ", BuySide, "1000", "1000", "2021-11-15", "500"},
		{CN, HandlingFee, "920002.BJ", BuySide, "1000", "1000", "2022-11-30", "500"}, {CN, HandlingFee, "920002.BJ", BuySide, "1000", "1000", "2022-12-01", "250"},
		{CN, HandlingFee, "920002.BJ", BuySide, "1000", "1000", "2023-08-27", "250"}, {CN, HandlingFee, "920002.BJ", BuySide, "1000", "1000", "2023-08-28", "125"},
		{CN, RegulatoryFee, "600519.SH", BuySide, "1000", "1000", "2014-12-31", ""}, {CN, RegulatoryFee, "600519.SH", BuySide, "1000", "1000", "2015-01-01", "20"},

		// Binance, in USDT of a million.
		{Crypto, TakerFee, "BTC-USDT", SellSide, "1000", "1000", "2018-06-30", ""}, {Crypto, TakerFee, "BTC-USDT", SellSide, "1000", "1000", "2018-07-01", "1000"},
		{Crypto, TakerFee, "BTC-USDT", SellSide, "1000", "1000", "2022-07-07", "1000"}, {Crypto, TakerFee, "BTC-USDT", SellSide, "1000", "1000", "2022-07-08", "0"},
		{Crypto, TakerFee, "BTC-USDT", SellSide, "1000", "1000", "2023-03-21", "0"}, {Crypto, TakerFee, "BTC-USDT", SellSide, "1000", "1000", "2023-03-22", "1000"},
		{Crypto, MakerFee, "BTC-USDT", SellSide, "1000", "1000", "2023-03-21", "0"}, {Crypto, MakerFee, "BTC-USDT", SellSide, "1000", "1000", "2023-03-22", "1000"},
	} {
		var fees Fees
		for _, f := range c.of.KnownFees() {
			if f.Name == c.fee {
				fees = append(fees, f)
			}
		}
		charge, err := fees.Charge(Deal{c.symbol, c.side, c.on, dec(c.price), dec(c.amount)})
		if _, unknown := errors.AsType[*FeeUnknownError](err); unknown != (c.paid == "") || !unknown && err != nil {
			t.Errorf("%s of %s on %s: %v", c.fee, c.symbol, c.on, err)
		} else if !unknown && !charge.Total.Equal(dec(c.paid)) {
			t.Errorf("%s of %s on %s: %s, want %s", c.fee, c.symbol, c.on, charge.Total, c.paid)
		}
	}
}

// Price limits after a close of 10.00.
func TestCNLimits_FirstAndLastDay(t *testing.T) {
	st := ShareStatus{ST: true}
	day := func(n int) ShareStatus { return ShareStatus{Day: n} }
	for _, c := range []struct {
		symbol   string
		on       Stamp
		status   ShareStatus
		down, up string // "" where there are none
	}{
		{"600000.SH", "1996-12-15", ShareStatus{}, "", ""}, {"600000.SH", "1996-12-16", ShareStatus{}, "9.00", "11.00"},
		{"600000.SH", "1998-04-21", st, "", ""}, {"600000.SH", "1998-04-22", st, "9.50", "10.50"},
		{"600000.SH", "2026-07-05", st, "9.50", "10.50"}, {"600000.SH", "2026-07-06", st, "9.00", "11.00"},
		{"000001.SZ", "2026-07-05", st, "9.50", "10.50"}, {"000001.SZ", "2026-07-06", st, "9.00", "11.00"},
		{"300750.SZ", "2009-10-29", ShareStatus{}, "", ""}, {"300750.SZ", "2009-10-30", ShareStatus{}, "9.00", "11.00"},
		{"300750.SZ", "2009-10-30", st, "9.50", "10.50"}, {"300750.SZ", "2020-08-23", st, "9.50", "10.50"}, {"300750.SZ", "2020-08-24", st, "8.00", "12.00"},
		{"300750.SZ", "2020-08-23", ShareStatus{}, "9.00", "11.00"}, {"300750.SZ", "2020-08-24", ShareStatus{}, "8.00", "12.00"},
		{"688981.SH", "2019-07-21", ShareStatus{}, "", ""}, {"688981.SH", "2019-07-22", ShareStatus{}, "8.00", "12.00"}, {"688981.SH", "2026-07-06", st, "8.00", "12.00"},
		{"920002.BJ", "2021-11-14", ShareStatus{}, "", ""}, {"920002.BJ", "2021-11-15", ShareStatus{}, "7.00", "13.00"}, {"920002.BJ", "2026-07-06", st, "7.00", "13.00"},

		// The first days of a share: one without limits, and five since then.
		{"600000.SH", "2023-04-09", day(1), "", ""}, {"600000.SH", "2023-04-09", day(2), "9.00", "11.00"},
		{"600000.SH", "2023-04-10", day(1), "", ""}, {"600000.SH", "2023-04-10", day(5), "", ""}, {"600000.SH", "2023-04-10", day(6), "9.00", "11.00"},
		{"300750.SZ", "2020-08-23", day(1), "", ""}, {"300750.SZ", "2020-08-23", day(2), "9.00", "11.00"},
		{"300750.SZ", "2020-08-24", day(5), "", ""}, {"300750.SZ", "2020-08-24", day(6), "8.00", "12.00"},
		{"688981.SH", "2019-07-22", day(5), "", ""}, {"688981.SH", "2019-07-22", day(6), "8.00", "12.00"},
		{"920002.BJ", "2021-11-15", day(1), "", ""}, {"920002.BJ", "2021-11-15", day(2), "7.00", "13.00"},
	} {
		down, up, known := cnLimits(c.symbol, c.on, decimal.NewFromInt(10), c.status)
		if known != (c.up != "") || known && (down.StringFixed(2) != c.down || up.StringFixed(2) != c.up) {
			t.Errorf("%s on %s, %+v: %s to %s, %v; want %s to %s", c.symbol, c.on, c.status, down, up, known, c.down, c.up)
		}
	}
}

// At least one tick of the close lies between it and a limit: SZSE since 2011-02-28, SSE since 2023-04-10.
func TestCNLimits_OneTick(t *testing.T) {
	for _, c := range []struct {
		symbol   string
		on       Stamp
		down, up string
	}{
		{"000001.SZ", "2011-02-27", "0.04", "0.04"}, {"000001.SZ", "2011-02-28", "0.03", "0.05"},
		{"600000.SH", "2011-02-28", "0.04", "0.04"}, {"600000.SH", "2023-04-09", "0.04", "0.04"}, {"600000.SH", "2023-04-10", "0.03", "0.05"},
	} {
		if down, up, _ := cnLimits(c.symbol, c.on, dec("0.04"), ShareStatus{}); down.StringFixed(2) != c.down || up.StringFixed(2) != c.up {
			t.Errorf("%s on %s: %s to %s, want %s to %s", c.symbol, c.on, down, up, c.down, c.up)
		}
	}
}
