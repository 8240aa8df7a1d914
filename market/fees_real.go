package market

// This file is the table of fees as they were in real markets. A row that is here is never changed, since ledgers are
// verified by it; what turns out wrong gets a schedule of another name. A date that no row of a fee covers is unknown.

import (
	"slices"
	"sync"

	"mcp-trade/decimal"
)

// Names of fees.
const (
	Commission    = "commission"
	StampDuty     = "stamp duty"
	TransferFee   = "transfer fee"
	HandlingFee   = "handling fee"
	RegulatoryFee = "regulatory fee"
	SECFee        = "SEC fee"
	TAF           = "FINRA TAF"
	MakerFee      = "maker fee"
	TakerFee      = "taker fee"
)

// RealFees is the schedule of a market for a retail client, nil if the table has none. Orders at the market pay the taker's
// fee. A Chinese commission includes the fees of handling and regulation, as brokers quote it.
func (id ID) RealFees() Fees { return realFees()[id] }

var realFees = sync.OnceValue(func() map[ID]Fees {
	paid := map[ID]Fees{}
	for i := range markets {
		id := markets[i].ID
		paid[id] = slices.DeleteFunc(slices.Clone(id.KnownFees()), func(f Fee) bool {
			return f.Name == HandlingFee || f.Name == RegulatoryFee || f.Name == MakerFee
		})
	}
	return paid
})

// KnownFees are all fees of a market that the table has. Not all of them are paid for one trade: see [ID.RealFees].
func (id ID) KnownFees() Fees {
	switch id {
	case US:
		return usFees()
	case CN:
		return cnFees()
	case Crypto:
		return cryptoFees()
	}
	return nil
}

var dec = decimal.RequireFromString

// cnFees are those of A-shares, in CNY. Public calculators round each of them half up to 0.01 for an order.
var cnFees = sync.OnceValue(func() Fees {
	shares := []string{".SH", ".SZ"} // what trades in Beijing has fees of its own
	cn := func(name string, side Side, from, to Stamp, rate string, symbols ...string) Fee {
		return Fee{Name: name, Side: side, From: from, To: to, Rate: dec(rate), Places: 2, Symbols: symbols}
	}
	// At most 0.3 % and at least CNY 5 by CSRC [2002] 21. 2.5 basis points are what brokers take of retail clients.
	commission := cn(Commission, "", "2002-05-01", "", "0.00025")
	commission.Minimum = decimal.NewFromInt(5)
	return Fees{
		commission,
		cn(TransferFee, "", "2022-04-29", "", "0.00001"),           // ChinaClear 2022-04-28
		cn(TransferFee, "", "2015-08-01", "2022-04-28", "0.00002"), // ChinaClear 2015-07-09
		cn(StampDuty, SellSide, "2023-08-28", "", "0.0005"),        // MOF and STA 2023 no. 39
		cn(StampDuty, SellSide, "2008-09-19", "2023-08-27", "0.001"),
		cn(HandlingFee, "", "2023-08-28", "", "0.0000341", shares...), // SSE and SZSE 2023-08-18
		cn(HandlingFee, "", "2015-08-01", "2023-08-27", "0.0000487", shares...),
		cn(HandlingFee, "", "2023-08-28", "", "0.000125", ".BJ"), // BSE 2023-08-18
		cn(HandlingFee, "", "2022-12-01", "2023-08-27", "0.00025", ".BJ"),
		cn(HandlingFee, "", "2021-11-15", "2022-11-30", "0.0005", ".BJ"),
		cn(RegulatoryFee, "", "2015-01-01", "", "0.00002"),
	}
})

// usFees are those of sales of US shares, in USD. Brokers round each of them up to 0.01 for a trade; the cap comes after that.
//
// Section 31 changes 60 days after the appropriation of a fiscal year is enacted: by that rule begin those of 2015-02-14 (Act
// of 2014-12-16), 2016-02-16 (2015-12-18), 2017-07-04 (2017-05-05, Federal Register 2017-11555) and 2022-05-14 (2022-03-15).
var usFees = sync.OnceValue(func() Fees {
	sec := func(from, to Stamp, perMillion string) Fee {
		return Fee{Name: SECFee, Side: SellSide, From: from, To: to, Rate: dec(perMillion).Shift(-6), Rounding: RoundUp, Places: 2}
	}
	taf := func(from, to Stamp, perShare, most string) Fee {
		return Fee{
			Name: TAF, Side: SellSide, From: from, To: to, PerShare: dec(perShare), Rounding: RoundUp, Places: 2,
			Maximum: decimal.NewNullDecimal(dec(most)),
		}
	}
	return Fees{
		sec("2014-03-18", "2015-02-13", "22.10"), // FINRA notice of 2014-03-03
		sec("2015-02-14", "2016-02-15", "18.40"),
		sec("2016-02-16", "2017-07-03", "21.80"), // FINRA notice of 2016-03-15
		sec("2017-07-04", "2018-05-21", "23.10"),
		sec("2018-05-22", "2019-04-15", "13.00"), // FINRA notice of 2018-05-07
		sec("2019-04-16", "2020-02-17", "20.70"), // SEC advisory 2019
		sec("2020-02-18", "2021-02-24", "22.10"), // SEC advisory of 2020-01-09
		sec("2021-02-25", "2022-05-13", "5.10"),  // SEC advisory of 2021-01-15
		sec("2022-05-14", "2023-02-26", "22.90"),
		sec("2023-02-27", "2024-05-21", "8.00"),  // SEC advisory of 2023-01-23
		sec("2024-05-22", "2025-05-13", "27.80"), // SEC advisory of 2024
		sec("2025-05-14", "2026-04-03", "0.00"),  // SEC advisory of 2025-04-08
		sec("2026-04-04", "", "20.60"),           // Federal Register 2026-04233
		// SR-FINRA-2020-032 has those to 2024. 2025 is unchanged and 2026 rises by Federal Register 2024-27764. 2027 is not known.
		taf("2014-03-18", "2021-12-31", "0.000119", "5.95"),
		taf("2022-01-01", "2022-12-31", "0.000130", "6.49"),
		taf("2023-01-01", "2023-12-31", "0.000145", "7.27"),
		taf("2024-01-01", "2025-12-31", "0.000166", "8.30"),
		taf("2026-01-01", "2026-12-31", "0.000195", "9.79"),
	}
})

// cryptoFees are those of Binance spot trading without a discount, taken from what is received and rounded up to 8 decimals.
var cryptoFees = sync.OnceValue(func() Fees {
	binance := func(name string, from, to Stamp, rate string, symbols ...string) Fee {
		return Fee{Name: name, From: from, To: to, Rate: dec(rate), Rounding: RoundUp, Places: 8, Symbols: symbols, InKind: true}
	}
	return Fees{
		// Bitcoin was free of fees from the week of Binance's fifth anniversary to the change that it announced for 2023-03-22.
		binance(TakerFee, "2022-07-08", "2023-03-21", "0", "BTC-USDT"),
		binance(MakerFee, "2022-07-08", "2023-03-21", "0", "BTC-USDT"),
		binance(TakerFee, "2018-07-01", "", "0.001"), // general tier, named in Binance's notice of July 2018
		binance(MakerFee, "2018-07-01", "", "0.001"),
	}
})
