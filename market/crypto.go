package market

// This file has what crypto is traded in: steps, ticks and least values on Binance's spot market, by pair and date. They are those of the
// symbol file of QuantConnect's LEAN and its history; a row holds from the first day on which that file was seen with it, so that a change
// may have come a little earlier. Earlier rows of the file hold digits for display, and are left out.

import (
	"strings"

	"mcp-trade/decimal"
)

var binance = [...]struct {
	pair       string
	from       Stamp // a pair's rows follow each other by date
	step, tick string
}{
	{"BTC-USDT", "2021-10-11", "0.00001", "0.01"},
	{"ETH-USDT", "2021-10-11", "0.0001", "0.01"},
	{"XRP-USDT", "2021-10-11", "1", "0.0001"},
	{"XRP-USDT", "2025-06-03", "0.1", "0.0001"},
	{"SOL-USDT", "2021-10-11", "0.01", "0.01"},
	{"SOL-USDT", "2024-09-04", "0.001", "0.01"},
	{"ADA-USDT", "2021-10-11", "0.1", "0.001"},
	{"ADA-USDT", "2022-12-30", "0.1", "0.0001"},
	{"SUI-USDT", "2023-09-15", "0.1", "0.0001"},
	{"LINK-USDT", "2021-10-11", "0.01", "0.01"},
	{"LINK-USDT", "2022-12-30", "0.01", "0.001"},
	{"LINK-USDT", "2024-09-04", "0.01", "0.01"},
	{"LINK-USDT", "2026-08-21", "0.01", "0.001"},
	{"AVAX-USDT", "2021-10-11", "0.01", "0.01"},
	{"AVAX-USDT", "2026-08-21", "0.01", "0.001"},
	{"LTC-USDT", "2021-10-11", "0.001", "0.1"},
	{"LTC-USDT", "2022-12-30", "0.001", "0.01"},
	{"DOT-USDT", "2021-10-11", "0.01", "0.01"},
	{"DOT-USDT", "2022-12-30", "0.01", "0.001"},
}

// binanceLeast are the least values of an order, in USDT. Source: the same.
var binanceLeast = [...]struct {
	from  Stamp
	value int64
}{{"2021-10-11", 10}, {"2023-09-15", 5}}

// coinDecimals are the decimals of a balance on Binance: what is finer cannot be held.
const coinDecimals = 8

// cryptoUnit returns the unit of a pair on a day. Of a pair, or a day, that no row tells of, the step is the finest there is.
func cryptoUnit(pair string, on Stamp) Unit {
	step := decimal.New(1, -coinDecimals)
	if i := binanceRow(pair, on); i >= 0 {
		step = decimal.RequireFromString(binance[i].step)
	}
	u := Unit{Step: step, Least: step}
	for _, row := range binanceLeast {
		if row.from <= on.Day() {
			u.LeastValue = decimal.NewFromInt(row.value)
		}
	}
	return u
}

// cryptoTick returns the step of a pair's prices on a day; 0 if it is not known.
func cryptoTick(pair string, on Stamp, _ decimal.Decimal) decimal.Decimal {
	if i := binanceRow(pair, on); i >= 0 {
		return decimal.RequireFromString(binance[i].tick)
	}
	return decimal.Zero
}

// binanceRow is the newest row of a pair on a day, -1 if there is none.
func binanceRow(pair string, on Stamp) int {
	newest := -1
	for i, row := range binance {
		if row.from <= on.Day() && strings.EqualFold(row.pair, pair) {
			newest = i
		}
	}
	return newest
}
