package feed_test

import (
	"errors"
	"testing"

	"mcp-trade/feed"
	"mcp-trade/feed/alpaca"
	"mcp-trade/feed/alphavantage"
	"mcp-trade/feed/binance"
	"mcp-trade/feed/binance/archive"
	"mcp-trade/feed/tencent"
	"mcp-trade/feed/yahoo"
	"mcp-trade/market"
)

// Whatever a source answers, its bars are possible, ascending, of stamps and numbers that a price file may have, or the answer is an outcome.
func FuzzParse(f *testing.F) {
	parsers := []struct {
		parse  func([]byte, feed.Job) (*feed.Series, []string, error)
		symbol string
		seed   string
	}{
		{yahoo.Parse, "AAPL", `{"chart": {"result": [{"meta": {"symbol": "AAPL", "dataGranularity": "1d"}, "timestamp": [1759325400, 99999999999999], "events": {"splits": {"1": {"date": 1759411800, "numerator": 2, "denominator": 1}}, "dividends": {"1": {"amount": 0.26, "date": 1759411800}}}, "indicators": {"quote": [{"open": [1, 2], "high": [2, 3], "low": [1, null], "close": [2, 2.5], "volume": [5, 6e300]}]}}]}}`},
		{binance.Parse, "BTC-USDT", `[[1759276800000,"1","2","1","1.5","7",0],[9999999999999999,"1","2","1","1.5","7",0]]`},
		{tencent.Parse, "600519.SH", `{"code":0,"data":{"sh600519":{"day":[["2025-10-09","1500.00","1510.00","1520.50","1490.00","50029.000"]]}}}`},
		{alpaca.Parse, "AAPL", `{"bars":{"AAPL":[{"t":"2025-10-01T04:00:00Z","o":255.04,"h":258.79,"l":254.93,"c":255.5,"v":1e5},{"t":"9999-12-31T23:59:59-23:00","o":1,"h":1,"l":1,"c":1,"v":1}]},"next_page_token":null}`},
		{alphavantage.Parse, "AAPL", `{"Note": "x", "Time Series (Daily)": {"2025-10-01": {"1. open": "1", "2. high": "2", "3. low": "1", "4. close": "2", "6. volume": "5", "7. dividend amount": "0.1", "8. split coefficient": "2"}}}`},
		{archive.Parse, "BTC-USDT", "PK\x05\x06" + string(make([]byte, 18))},
	}
	for i, p := range parsers {
		f.Add(uint8(i), true, []byte(p.seed))
		f.Add(uint8(i), false, []byte(p.seed))
	}
	f.Fuzz(func(t *testing.T, which uint8, daily bool, reply []byte) {
		p := parsers[int(which)%len(parsers)]
		job := feed.Job{Symbol: p.symbol, Interval: "60min"}
		if daily {
			job.Interval = "Daily"
		}
		s, _, err := p.parse(reply, job)
		if o, ok := errors.AsType[*feed.Outcome](err); err != nil && !ok {
			t.Fatalf("%v is no outcome: %v", err, o)
		}
		if err != nil {
			return
		}
		for i, b := range s.Bars {
			if at, err := market.ParseStamp(string(b.Stamp)); err != nil || at != b.Stamp || b.Impossible() != "" || i > 0 && s.Bars[i-1].Stamp >= at {
				t.Errorf("%+v: %v, %s", b, err, b.Impossible())
			}
			for _, text := range b.Figures {
				if plain, err := feed.Number(text); text != "" && (err != nil || plain != text) {
					t.Errorf("%q is no number: %v", text, err)
				}
			}
		}
	})
}
