package market

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"mcp-trade/decimal"
)

// The costs of brokers with a commission of their own: it includes the fees of handling and regulation, or is net of them.
const (
	commissionOf = `{"name": "commission", "rate": RATE, "minimum": 5}`
	inclusive    = `{"real": ["stamp duty", "transfer fee"], "fees": [` + commissionOf + `]}`
	net          = `{"real": ["stamp duty", "transfer fee", "handling fee", "regulatory fee"], "fees": [` + commissionOf + `]}`
)

// TestFees_Charge has hand-worked charges. Each is named for the rule that it shows; the dates and sources of the rates are
// in the table of real fees.
func TestFees_Charge(t *testing.T) {
	for _, c := range []struct {
		what, costs, symbol string
		date                Stamp
		side                Side
		price, amount       string
		items               string // in order, as name amount
		total               string
		inKind              string
	}{
		{"1 CN transfer 0.002 % on its last day", `"real"`, "600519.SH", "2022-04-28", BuySide, "1750.00", "100", "commission 43.75; transfer fee 3.50", "47.25", "0"},
		{"2 CN transfer 0.001 % from 2022-04-29", `"real"`, "600519.SH", "2022-04-29", BuySide, "1750.00", "100", "commission 43.75; transfer fee 1.75", "45.50", "0"},
		{"3 CN stamp 0.1 % on its last day of trading", `"real"`, "600519.SH", "2023-08-25", SellSide, "1828.00", "100", "commission 45.70; transfer fee 1.83; stamp duty 182.80", "230.33", "0"},
		{"4 CN stamp 0.05 % from 2023-08-28", `"real"`, "600519.SH", "2023-08-28", SellSide, "1828.00", "100", "commission 45.70; transfer fee 1.83; stamp duty 91.40", "138.93", "0"},
		{"5 CN least commission, a transfer of less than a cent", `"real"`, "601398.SH", "2025-10-09", BuySide, "7.31", "100", "commission 5.00; transfer fee 0.01", "5.01", "0"},
		{"6 CN an odd rest", `"real"`, "601398.SH", "2025-10-09", SellSide, "7.31", "137", "commission 5.00; transfer fee 0.01; stamp duty 0.50", "5.51", "0"},
		{"7 CN 6.165 is rounded half up", `"real"`, "000001.SZ", "2025-10-10", SellSide, "12.33", "1000", "commission 5.00; transfer fee 0.12; stamp duty 6.17", "11.29", "0"},
		{"8 CN ChiNext", `"real"`, "300750.SZ", "2025-10-10", BuySide, "402.55", "300", "commission 30.19; transfer fee 1.21", "31.40", "0"},
		{"9 CN STAR, above 200 by one", `"real"`, "688981.SH", "2025-10-13", BuySide, "131.07", "201", "commission 6.59; transfer fee 0.26", "6.85", "0"},
		{"10 CN STAR, an odd rest", `"real"`, "688981.SH", "2025-10-13", SellSide, "131.07", "77", "commission 5.00; transfer fee 0.10; stamp duty 5.05", "10.15", "0"},
		{"11 CN Beijing, net at 3 bp", strings.Replace(net, "RATE", "0.0003", 1), "920002.BJ", "2025-10-14", BuySide, "18.88", "101", "commission 5.00; transfer fee 0.02; handling fee 0.24; regulatory fee 0.04", "5.30", "0"},
		{"12 CN net at 1 bp, before the change of 2023-08-28", strings.Replace(net, "RATE", "0.0001", 1), "600036.SH", "2023-08-25", SellSide, "33.33", "1200", "commission 5.00; stamp duty 40.00; transfer fee 0.40; handling fee 1.95; regulatory fee 0.80", "48.15", "0"},
		{"13 CN net at 1 bp, after it", strings.Replace(net, "RATE", "0.0001", 1), "600036.SH", "2023-08-28", SellSide, "33.33", "1200", "commission 5.00; stamp duty 20.00; transfer fee 0.40; handling fee 1.36; regulatory fee 0.80", "27.56", "0"},
		{"14 CN at 2 bp, a main-board ST at its new limit", strings.Replace(inclusive, "RATE", "0.0002", 1), "600000.SH", "2026-07-06", BuySide, "4.90", "10000", "commission 9.80; transfer fee 0.49", "10.29", "0"},
		{"15 US Section 31 at 23.10 on its last day", `"real"`, "AAPL", "2018-05-21", SellSide, "187.63", "100", "SEC fee 0.44; FINRA TAF 0.02", "0.46", "0"},
		{"16 US Section 31 at 13.00 from 2018-05-22", `"real"`, "AAPL", "2018-05-22", SellSide, "187.16", "100", "SEC fee 0.25; FINRA TAF 0.02", "0.27", "0"},
		{"17 US Section 31 at 22.10 on its last day", `"real"`, "AAPL", "2021-02-24", SellSide, "125.35", "100", "SEC fee 0.28; FINRA TAF 0.02", "0.30", "0"},
		{"18 US Section 31 at 5.10 from 2021-02-25", `"real"`, "AAPL", "2021-02-25", SellSide, "120.99", "100", "SEC fee 0.07; FINRA TAF 0.02", "0.09", "0"},
		{"19 US TAF of 2022, 6.50 cut to the cap", `"real"`, "MSFT", "2022-01-03", SellSide, "334.75", "50000", "SEC fee 85.37; FINRA TAF 6.49", "91.86", "0"},
		{"20 US 0.08005 is rounded up", `"real"`, "MSFT", "2023-02-27", SellSide, "250.16", "40", "SEC fee 0.09; FINRA TAF 0.01", "0.10", "0"},
		{"21 US Section 31 at 27.80 from 2024-05-22", `"real"`, "NVDA", "2024-05-22", SellSide, "949.50", "7", "SEC fee 0.19; FINRA TAF 0.01", "0.20", "0"},
		{"22 US Section 31 at 27.80 on its last day", `"real"`, "NVDA", "2025-05-13", SellSide, "129.93", "1000", "SEC fee 3.62; FINRA TAF 0.17", "3.79", "0"},
		{"23 US Section 31 at 0 from 2025-05-14", `"real"`, "NVDA", "2025-05-14", SellSide, "135.34", "1000", "FINRA TAF 0.17", "0.17", "0"},
		{"24 US TAF of 2026, 11.70 cut to the cap", `"real"`, "NVDA", "2026-04-02", SellSide, "177.39", "60000", "FINRA TAF 9.79", "9.79", "0"},
		{"25 US Section 31 at 20.60 from 2026-04-04", `"real"`, "NVDA", "2026-04-06", SellSide, "177.64", "3", "SEC fee 0.02; FINRA TAF 0.01", "0.03", "0"},
		{"26 US a purchase pays nothing", `"real"`, "TSLA", "2025-10-20", BuySide, "447.43", "12", "", "0", "0"},
		{"27 crypto, a purchase pays in what it buys", `"real"`, "BTC-USDT", "2025-10-20", BuySide, "110500.00", "0.01234", "taker fee 1.36357", "1.36357", "0.00001234"},
		{"28 crypto, a sale pays in money", `"real"`, "BTC-USDT", "2025-10-20", SellSide, "110500.00", "0.01232", "taker fee 1.36136", "1.36136", "0"},
		{"29 crypto, 8 decimals", `"real"`, "XRP-USDT", "2025-10-21", SellSide, "2.4123", "12.3", "taker fee 0.02967129", "0.02967129", "0"},
		{"30 crypto, Bitcoin without fees", `"real"`, "BTC-USDT", "2022-09-01", BuySide, "20050.00", "0.00500", "", "0", "0"},
		{"crypto, another coin meanwhile", `"real"`, "WBTC-USDT", "2022-09-01", SellSide, "20050.00", "0.00500", "taker fee 0.10025", "0.10025", "0"},
		{"crypto, the ninth decimal is rounded up", `"real"`, "SOL-USDT", "2025-10-20", BuySide, "180", "0.123456", "taker fee 0.0222228", "0.0222228", "0.00012346"},
		{"an hourly bar of the last day", `"real"`, "600519.SH", "2022-04-28 15:00:00", BuySide, "1750.00", "100", "commission 43.75; transfer fee 3.50", "47.25", "0"},
	} {
		t.Run(c.what, func(t *testing.T) {
			market := Of(c.symbol).ID
			if strings.HasSuffix(c.symbol, ".BJ") {
				market = CN
			}
			costs, err := ParseCosts([]byte(c.costs), market)
			if err != nil {
				t.Fatal(err)
			}
			charge, err := costs.Fees().Charge(Deal{c.symbol, c.side, c.date, dec(c.price), dec(c.amount)})
			if err != nil {
				t.Fatal(err)
			}
			var items []string
			for _, item := range charge.Items {
				items = append(items, item.Name+" "+item.Paid.String())
			}
			var want []string
			for text := range strings.SplitSeq(c.items, "; ") {
				if i := strings.LastIndexByte(text, ' '); i > 0 {
					want = append(want, text[:i+1]+dec(text[i+1:]).String())
				}
			}
			if !slices.Equal(items, want) {
				t.Errorf("charged %q, want %q", items, want)
			}
			if !charge.Total.Equal(dec(c.total)) || !charge.InKind.Equal(dec(c.inKind)) {
				t.Errorf("in all %s, and %s in kind, want %s and %s", charge.Total, charge.InKind, c.total, c.inKind)
			}
		})
	}
}

// A date that no row covers is unknown, and a fee of 0 is known.
func TestFees_ChargeUnknown(t *testing.T) {
	for _, c := range []struct {
		symbol string
		date   Stamp
		side   Side
		fee    string // that is unknown, "" if all are known
	}{
		{"AAPL", "2014-03-17", SellSide, "SEC fee"},
		{"AAPL", "2014-03-18", SellSide, ""},
		{"AAPL", "2014-03-17", BuySide, ""}, // a purchase pays neither
		{"AAPL", "2026-12-31", SellSide, ""},
		{"AAPL", "2027-01-04", SellSide, "FINRA TAF"}, // no rate is published
		{"600519.SH", "2015-07-31", BuySide, "transfer fee"},
		{"600519.SH", "2015-08-03", BuySide, ""},
		{"ETH-USDT", "2018-06-30", BuySide, "taker fee"},
	} {
		_, err := Of(c.symbol).ID.RealFees().Charge(Deal{c.symbol, c.side, c.date, dec("10"), dec("100")})
		if unknown, ok := errors.AsType[*FeeUnknownError](err); ok != (c.fee != "") || ok && unknown.Fee != c.fee {
			t.Errorf("%s %s on %s: %v, want %q unknown", c.side, c.symbol, c.date, err, c.fee)
		}
	}
}

// The rows of a fee follow each other without a gap, and no two are of the same day.
func TestID_KnownFees(t *testing.T) {
	for _, m := range markets {
		fees := m.ID.KnownFees()
		for i, row := range fees {
			for _, other := range fees[i+1:] {
				if row.Name != other.Name || strings.Join(row.Symbols, " ") != strings.Join(other.Symbols, " ") {
					continue
				}
				before, after := row, other
				if after.From < before.From {
					before, after = other, row
				}
				if before.To == "" || before.To >= after.From {
					t.Errorf("two rows of the %s are of %s", row.Name, after.From)
				}
			}
			if row.To == "" || row.Symbols != nil && row.InKind {
				continue
			}
			next := func(r Fee) bool { return r.Name == row.Name && r.From == row.To.AddDays(1) }
			if !slices.ContainsFunc(fees, next) && !(row.Name == TAF && row.To == "2026-12-31") {
				t.Errorf("no row of the %s follows that to %s", row.Name, row.To)
			}
		}
	}
}

func TestParseCosts(t *testing.T) {
	for text, want := range map[string]string{ // how a ledger states it
		`"none"`:                            `"none"`,
		`"real"`:                            `"real"`,
		`{}`:                                `{}`,
		` {"fees":[{"name":"x","rate":0}]}`: `{"fees": [{"name": "x"}]}`,
		`{"real":["FINRA TAF"],"fees":[{"in_kind":false,"maximum":3,"minimum":1.50,"round":"up","places":3,"per_order":0.1,"per_share":"0.01","rate":1e-3,"symbols":["AAPL"],"to":"2025-12-31","from":"2025-01-01","side":"sell","name":"x"}]}`: `{"real": ["FINRA TAF"], "fees": [{"name": "x", "side": "sell", "from": "2025-01-01", "to": "2025-12-31", "symbols": ["AAPL"], "rate": 0.001, "per_share": 0.01, "per_order": 0.1, "round": "up", "places": 3, "minimum": 1.5, "maximum": 3}]}`,
	} {
		c, err := ParseCosts([]byte(text), US)
		if err != nil || c.String() != want {
			t.Errorf("%s is read as %s, %v, want %s", text, c, err, want)
		}
		if again, err := ParseCosts([]byte(c.String()), US); err != nil || again.String() != want || len(again.Fees()) != len(c.Fees()) {
			t.Errorf("%s is read as %+v, %v, want %+v", c, again, err, c)
		}
	}
}

// What is wrong is one sentence with what would be right.
func TestParseCosts_Refused(t *testing.T) {
	fee := func(more string) string { return `{"fees": [{"name": "commission", ` + more + `}]}` }
	for text, want := range map[string]string{
		`"free"`:                  `"free" names no costs; use none, real or the path of a file`,
		`7`:                       `'7' is not an object`,
		`{"fee": []}`:             `the key "fee" is unknown; costs have fees, real`,
		`{"fees": {}}`:            `fees: is not a list of fees`,
		fee(`"minimun": 5`):       `fees: fee 1: the key "minimun" is unknown; a fee has name, side, from, to, symbols, rate, per_share, per_order, round, places, minimum, maximum, in_kind`,
		fee(`"rate": "much"`):     `rate: "much" is no value of it`,
		fee(`"rate": 1e999999`):   `rate: 1e999999 is no value of it`,
		fee(`"rate": -0.1`):       `a rate is a fraction`,
		fee(`"rate": 1e9`):        `a rate is a fraction of the traded value from 0 to 0.5: 0.001 is 0.1 %`,
		fee(`"minimum": -5`):      `are amounts of money from 0`,
		fee(`"side": "short"`):    `side: "short"; use buy or sell, or leave it out for both`,
		fee(`"from": "10/02/25"`): `"10/02/25" is no day; write it as 2025-10-02`,
		fee(`"from": "2025-10-02", "to": "2025-10-01"`):       `to: 2025-10-01 is before 2025-10-02`,
		fee(`"round": "down"`):                                `round: "down"; use half_up or up`,
		fee(`"places": 9`):                                    `places: 9; use 0 to 8 decimals`,
		fee(`"minimum": 5, "maximum": 4`):                     `maximum: 4 is below the minimum 5`,
		fee(`"in_kind": true, "minimum": 5`):                  `a fee in kind has a rate alone`,
		`{"fees": [{"rate": 0.1}]}`:                           `a name has 1 to 40 plain characters`,
		`{"real": ["stamp duty"]}`:                            `real: the market "us" has no fee "stamp duty"; it has SEC fee, FINRA TAF`,
		`{"real": ["SEC fee", "SEC fee"]}`:                    `real: "SEC fee" is there twice; take one of them out`,
		`{"real": ["SEC fee"], "fees": [{"name":"SEC fee"}]}`: `real: "SEC fee" is there twice`,
	} {
		if _, err := ParseCosts([]byte(text), US); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is refused with %v, want %s", text, err, want)
		}
	}
	for _, c := range []struct {
		text string
		of   ID
		want string
	}{
		{`{"real": ["commission", "handling fee"]}`, CN, "the commission includes the handling fee; take the handling fee out"},
		{`{"real": ["taker fee", "maker fee"]}`, Crypto, "pays the maker fee or the taker fee"},
	} {
		if _, err := ParseCosts([]byte(c.text), c.of); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s is refused with %v, want %s", c.text, err, c.want)
		}
	}
}

// A larger order never costs less: the largest that a sum buys is found by halving.
func TestFees_ChargeNeverFalls(t *testing.T) {
	for _, symbol := range []string{"AAPL", "600519.SH", "SOL-USDT"} {
		fees, last := Of(symbol).ID.RealFees(), decimal.Zero
		for amount := int64(1); amount < 3000; amount += 7 {
			c, err := fees.Charge(Deal{symbol, SellSide, "2025-10-09", dec("13.37"), decimal.NewFromInt(amount)})
			if err != nil || c.Total.LessThan(last) {
				t.Fatalf("%d %s cost %s, %v, after %s", amount, symbol, c.Total, err, last)
			}
			last = c.Total
		}
	}
}

// Items are JSON whatever their names are.
func TestFeeItems_String(t *testing.T) {
	for name, want := range map[string]string{"stamp duty": `{"stamp duty": 1}`, "印花税 \"x\"": `{"印花税 \"x\"": 1}`, "a\x1b\x07\U000e0041<": `{"a\u001b\u0007` + "\U000e0041" + `<": 1}`} {
		got := FeeItems{{name, decimal.NewFromInt(1)}}.String()
		if got != want || !json.Valid([]byte(got)) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
