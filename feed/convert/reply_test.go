package convert

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"mcp-trade/feed"
	"mcp-trade/feed/binance"
	"mcp-trade/feed/tencent"
	"mcp-trade/feed/yahoo"
	"mcp-trade/market"
)

// reply is a getter that has one.
type reply string

func (r reply) Get(_ context.Context, address string, _ http.Header, _ ...int) (feed.Reply, error) {
	return feed.Reply{Provenance: feed.Provenance{Source: "x", Request: address}, Status: 200, Body: []byte(r)}, nil
}

// kline is a row of Binance's for the day n days after 2025-10-01, or the hour.
func kline(n, step int64) string {
	return fmt.Sprintf(`[%d,"%d.50000000","%d.25000000","%d.05000000","%d.00000000","%d.00000001",%d,"1",1,"1","1","0"]`,
		1759276800000+n*step, 100+n, 102+n, 99+n, 101+n, 1000+n, 1759276800000+n*step+step-1)
}

// One market of each kind that is fetched, converted from the reply and converted from a table is the same view, to the byte.
func TestRead_FetchedOrConverted(t *testing.T) {
	const day, hour = 86400000, 3600000
	for _, c := range []struct {
		name   string
		source feed.Source
		job    feed.Job
		reply  string
		file   string // of the reply
		table  [2]string
		has    string
	}{
		{"us", yahoo.Yahoo{}, feed.Job{Symbol: "BRK.B", Interval: "Daily", From: "2025-10-01", To: "2025-10-03", Today: "2025-10-10"},
			`{"chart": {"result": [{"meta": {"symbol": "BRK-B", "dataGranularity": "1d"}, "timestamp": [1759325400, 1759411800, 1759498200],
			"events": {"dividends": {"1": {"amount": 0.25, "date": 1759411800}}, "splits": {"1": {"date": 1759498200, "numerator": 2, "denominator": 1}}},
			"indicators": {"quote": [{"open": [10.050000190734863, 10.1, 20.5], "high": [10.5, 10.6, 21], "low": [9.5, 9.6, 20], "close": [10.25, 10.2, 20.700000762939453], "volume": [2000, 4000, 1000]}]}}], "error": null}}`,
			"a.json", [2]string{"BRK.B.csv", "timestamp,open,high,low,close,volume,dividend_amount,split_coefficient\n2025-10-01,20.1,21,19,20.5,1000,0,1\n2025-10-02,20.2,21.2,19.2,20.4,2000,0.5,1\n2025-10-03,20.5,21,20,20.7,1000,0,2\n"},
			"dividend of 0.5 a share on 2025-10-02 BRK.B: split 2:1 on 2025-10-03"},
		{"us by the hour", yahoo.Yahoo{}, feed.Job{Symbol: "AAPL", Interval: "60min", From: "2025-10-01", To: "2025-10-03", Today: "2025-10-10"},
			`{"chart": {"result": [{"meta": {"symbol": "AAPL", "dataGranularity": "1h"}, "timestamp": [1759325400, 1759329000, 1759332600],
			"indicators": {"quote": [{"open": [10, 11, 12], "high": [11, 12, 13], "low": [9, 10, 11], "close": [10, 11, 12], "volume": [1, 2, 3]}]}}], "error": null}}`,
			"a.json", [2]string{"AAPL.csv", "Datetime,Open,High,Low,Close,Volume,dividend_amount\n2025-10-01 09:30:00,10,11,9,10,1,0\n2025-10-01 10:30:00,11,12,10,11,2,0\n2025-10-01 11:30:00,12,13,11,12,3,0\n"},
			`"2025-10-01 09:30:00"`},
		{"cn", tencent.Tencent{}, feed.Job{Symbol: "600519.SH", Interval: "Daily", From: "2025-09-29", To: "2025-09-30", Today: "2025-10-10"},
			"{\n  \"code\": 0, \"msg\": \"\", \"data\": {\"sh600519\": {\"day\": [[\"2025-09-29\", \"1500.00\", \"1510.00\", \"1520.50\", \"1490.00\", \"50029.000\"], [\"2025-09-30\", \"1511.00\", \"1512.00\", \"1522.50\", \"1491.00\", \"7.000\"]]}}}",
			"a.json", [2]string{"600519.SH.csv", "Date,Open,High,Low,Close,Volume\n2025-09-29,1500,1520.5,1490,1510,5002900\n2025-09-30,1511,1522.5,1491,1512,700\n"},
			`600519.SH [{"stamp":"2025-09-29","open":1500,"high":1520.5`},
		{"crypto", binance.Binance{}, feed.Job{Symbol: "BTC-USDT", Interval: "Daily", From: "2025-10-01", To: "2025-10-02", Today: "2025-10-10"},
			"[ [" + strings.TrimPrefix(kline(0, day), "[") + ",\n" + kline(1, day) + "]", "btcusdt.json",
			[2]string{"BTC-USDT.csv", "Date,Open,High,Low,Close,Volume\n2025-10-01,100.5,102.25,99.05,101,1000.00000001\n2025-10-02,101.5,103.25,100.05,102,1001.00000001\n"}, `"volume":1001.00000001`},
		{"crypto by the hour", binance.Binance{}, feed.Job{Symbol: "BTC-USDT", Interval: "60min", From: "2025-10-01", To: "2025-10-02", Today: "2025-10-10"},
			"[" + kline(0, hour) + "," + kline(1, hour) + "]", "BTC-USDT.json",
			[2]string{"BTC-USDT.csv", "Datetime,Open,High,Low,Close,Volume\n2025-10-01 00:00:00,100.5,102.25,99.05,101,1000.00000001\n2025-10-01 01:00:00,101.5,103.25,100.05,102,1001.00000001\n"}, `"2025-10-01 01:00:00"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, told, err := c.source.Fetch(t.Context(), reply(c.reply), c.job)
			if err != nil || len(told) > 0 {
				t.Fatal(err, told)
			}
			var b bytes.Buffer
			w := bufio.NewWriter(&b)
			if err := s.Write(w); err != nil {
				t.Fatal(err)
			}
			_ = w.Flush()
			fetched, err := market.Open(write(t, map[string]string{"merged.jsonl": b.String()})...)
			if err != nil {
				t.Fatal(err)
			}
			defer fetched.Close()
			want := shown(t, fetched)
			if !strings.Contains(want, c.has) {
				t.Errorf("%s\nlacks %s", want, c.has)
			}
			for from, files := range map[string]map[string]string{"the reply": {c.file: c.reply}, "the table": {c.table[0]: c.table[1]}} {
				p, read := converted(t, write(t, files))
				if got := shown(t, p); got != want || len(read.Faults()) > 0 {
					t.Errorf("from %s: %v\n%s\nwant\n%s", from, read.Faults(), got, want)
				}
			}
		})
	}
}

// A reply of Alpaca's has several symbols. It tells of no actions.
func TestRead_AlpacaBars(t *testing.T) {
	bar := func(day string, open int) string {
		return fmt.Sprintf(`{"t":"%sT04:00:00Z","o":%d.5,"h":%d,"l":%d,"c":%d,"v":%d,"n":1,"vw":1}`, day, open, open+2, open, open+1, open)
	}
	replies := map[string]string{
		"a.json": `{"bars":{"AAPL":[` + bar("2025-10-01", 10) + "," + bar("2025-10-02", 11) + `],"BRK.B":[` + bar("2025-10-01", 20) + `]},"next_page_token":"x"}`,
		"b.json": `{"bars":{"BRK.B":[` + bar("2025-10-02", 21) + `]},"next_page_token":null}`,
	}
	tables := map[string]string{"all.csv": "Symbol,Date,Open,High,Low,Close,Volume\nAAPL,2025-10-01,10.5,12,10,11,10\nAAPL,2025-10-02,11.5,13,11,12,11\nBRK.B,2025-10-01,20.5,22,20,21,20\nBRK.B,2025-10-02,21.5,23,21,22,21\n"}
	p, read := converted(t, write(t, replies))
	q, _ := converted(t, write(t, tables))
	if got, want := shown(t, p), shown(t, q); got != want || len(read.Faults()) > 0 {
		t.Errorf("%v\n%s\nwant\n%s", read.Faults(), got, want)
	}
}

// What is wrong with a reply is told with its file; the others are read.
func TestRead_Replies_Faults(t *testing.T) {
	const day = 86400000
	for name, c := range map[string]struct{ file, reply, says string }{
		"a refusal":               {"a.json", `{"chart": {"result": null, "error": {"code": "Not Found", "description": "No data found"}}}`, "the reply cannot be read: no such symbol"},
		"another refusal":         {"a.json", `{"code": -1121, "msg": "Invalid symbol."}`, "a.json:1"},
		"a reply that is cut off": {"a.json", `{"code": 0, "msg": "", "data": {"sh600519": {"day": [["2025-09-29", "1500.00`, "the reply cannot be read: broken"},
		"klines of no pair":       {"a.json", "[" + kline(0, day) + "]", "the name of the file does not end with USDT"},
		"klines cut off":          {"BTCUSDT.json", "[" + kline(0, day) + ",[17", "the reply cannot be read: broken"},
		"an impossible bar":       {"BTCUSDT.json", "[" + strings.Replace(kline(0, day), "102.25", "1.25", 1) + "," + kline(1, day) + "]", "BTC-USDT: the bar of 2025-10-01 00:00:00 is left out: the high 1.25 is below"},
		"another interval":        {"GOOD-USDT.json", "[" + kline(0, day/24) + "," + kline(1, day/24) + "]", "the bars are 60min, and others of the symbol are not"},
	} {
		t.Run(name, func(t *testing.T) {
			_, read := converted(t, append(write(t, map[string]string{"GOODUSDT.json": "[" + kline(0, day) + "]"}), write(t, map[string]string{c.file: c.reply})...))
			if got := fmt.Sprint(read.Faults()); !strings.Contains(got, c.says) || !strings.Contains(got, c.file) {
				t.Errorf("%s\nwant %s", got, c.says)
			}
			if read.Files[0].Bars != 1 {
				t.Errorf("of the good file %d bars were taken", read.Files[0].Bars)
			}
		})
	}
}
