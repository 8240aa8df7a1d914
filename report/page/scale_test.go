package page

// Pages of many accounts: how large they are, and what a browser takes to show them.

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/chromedp/chromedp"

	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/page/pagetest"
)

// crowd makes up a report of accounts over years, with trades in about as many digits as real ones have.
func crowd(accounts, days, trades int) Data {
	random := rand.New(rand.NewPCG(7, 16))
	var dates []market.Stamp
	for d := market.Stamp("2020-01-02"); len(dates) < days; d = d.AddDays(1) {
		if d.DaysSince("2020-01-04")%7 > 1 || d < "2020-01-04" {
			dates = append(dates, d)
		}
	}
	walk := func(name string, start, volatility float64) report.Series {
		s := report.Series{Name: name}
		for _, d := range dates {
			start = math.Round(start*math.Exp(volatility*random.NormFloat64()+0.0003)*100) / 100
			s.Points = append(s.Points, report.Point{Date: d, Value: report.Known(start)})
		}
		return s
	}
	prices := map[string]report.Series{}
	for i := range 101 {
		prices[fmt.Sprintf("SYM%03d", i)] = walk(fmt.Sprintf("SYM%03d", i), 20+float64(i)*5, 0.02)
	}
	benchmark := walk("QQQ", 300, 0.012)
	s := Data{Report: report.Report{Benchmark: &benchmark}, Prices: func(symbol string, _, _ market.Stamp) report.Series { return prices[symbol] }}
	for _, name := range manyNames(accounts) {
		a := report.Account{Signature: name, Market: market.US, TradeCount: trades / accounts}
		values := walk("", 100000, 0.012)
		a.Opening, a.Allocation.Names = values.Points[0], []string{"CASH"}
		high := a.Opening.Value.Float()
		for _, p := range values.Points[1:] {
			high = max(high, p.Value.Float())
			a.Periods = append(a.Periods, report.Period{Date: p.Date, Value: p.Value, Return: report.Known(0.012 * random.NormFloat64()), Drawdown: report.Known(1 - p.Value.Float()/high)})
			if n := len(a.Periods); n >= 60 {
				a.Rolling = append(a.Rolling, report.Rolling{Date: p.Date, Volatility: report.Known(0.2 + 0.01*random.NormFloat64()), Sharpe: report.Known(1 + 0.05*random.NormFloat64()), Beta: report.Known(0.9 + 0.01*random.NormFloat64())})
			}
			if name := string(p.Date[:7]); len(a.Months) == 0 || a.Months[len(a.Months)-1].Name != name {
				a.Months = append(a.Months, report.Span{Name: name, Return: report.Known(0.04 * random.NormFloat64()), Returns: 21})
			}
			if name := string(p.Date[:4]); len(a.Years) == 0 || a.Years[len(a.Years)-1].Name != name {
				a.Years = append(a.Years, report.Span{Name: name, Return: report.Known(0.2 * random.NormFloat64()), Returns: 252})
			}
		}
		for symbol := range 101 {
			a.Symbols = append(a.Symbols, report.SymbolProfit{Symbol: fmt.Sprintf("SYM%03d", symbol), Trades: 20, Gain: report.Known(math.Round(random.NormFloat64()*1e5) / 100), Weight: random.Float64() / 100})
		}
		for part := range 12 {
			weights := make([]report.Number, len(a.Periods))
			for d := range weights {
				weights[d] = report.Known(1.0/12 + 0.03*math.Sin(float64(d*(part+1))/40) + 0.001*random.NormFloat64())
			}
			a.Allocation.Parts = append(a.Allocation.Parts, weights)
			if part > 0 {
				a.Allocation.Names = append(a.Allocation.Names, fmt.Sprintf("SYM%03d", part))
			}
		}
		for n := range a.TradeCount {
			at := 1 + n*(len(dates)-1)/a.TradeCount
			symbol := fmt.Sprintf("SYM%03d", random.IntN(101))
			t := report.Trade{ID: int64(n + 1), Date: dates[at], Action: "buy", Symbol: symbol, Amount: float64(1 + random.IntN(90)), Price: prices[symbol].Points[at].Value, Fees: 0.35}
			if n%2 == 1 {
				t.Action, t.Gain = "sell", report.Known(math.Round(random.NormFloat64()*30000)/100)
			}
			a.Trades = append(a.Trades, t)
		}
		for _, d := range dates[max(0, len(dates)-maxDays):] {
			text := ""
			for range 120 {
				text += []string{"the ", "momentum ", "holds ", "of ", "because ", "earnings ", "risk ", fmt.Sprintf("%.2f ", random.Float64()*100), "I ", "sell ", "buy ", "price "}[random.IntN(12)]
			}
			a.DayStats = append(a.DayStats, report.DayStats{Date: d, Text: text})
		}
		for _, other := range s.Report.Accounts {
			c := report.Comparison{Account: other.Signature, Against: a.Signature, Returns: days, Ahead: report.Known(0.1 * random.NormFloat64()), P: report.Known(random.Float64()), Adjusted: report.Known(1), Correlation: report.Known(random.Float64())}
			c.AheadInterval = report.Interval{Low: report.Known(-random.Float64()), High: report.Known(random.Float64())}
			s.Report.Pairs = append(s.Report.Pairs, c)
		}
		s.Report.Accounts = append(s.Report.Accounts, a)
	}
	return s
}

// manyAccounts opens the page of many accounts. With MCP_TRADE_SCALE it has the size that is promised: 50 accounts, five years, 100,000 trades.
func manyAccounts(t *testing.T, browser pagetest.Browser) {
	accounts, days, trades := 15, 300, 6000
	full := os.Getenv("MCP_TRADE_SCALE") != ""
	if full {
		accounts, days, trades = 50, 5*252, 100_000
	}
	s := crowd(accounts, days, trades)
	address := file(t, s)
	stat, err := os.Stat(address[len("file://"):])
	if err != nil {
		t.Fatal(err)
	}
	if stat.Size() > 6<<20 {
		t.Errorf("the page has %d bytes", stat.Size())
	}
	tab := opened(t, browser, pagetest.Desktop, address)
	tab.Picture("crowd")
	heap := pagetest.Eval[float64](tab, `performance.memory.usedJSHeapSize`) / 1e6
	first := pagetest.Eval[float64](tab, `performance.getEntriesByName("overview")[0].startTime`)
	detail := pagetest.Eval[float64](tab, `(async () => { const began = performance.now(); document.getElementById("account-benchmark").open = true; await loadAccount("account-benchmark");
		while (!document.querySelector("#account-benchmark-allocation .drawing svg")) await new Promise(requestAnimationFrame); return performance.now() - began })()`)
	tab.Picture("crowd-account")
	search := pagetest.Eval[float64](tab, `(() => { const began = performance.now(); filter.text = "sym042 sold"; showTrades(); return performance.now() - began })()`)
	t.Logf("%d accounts, %d days, %d trades: %.2f MB; first view after %.0f ms, %.0f MB of heap, an account after %.0f ms, a search %.0f ms", accounts, days, trades, float64(stat.Size())/1e6, first, heap, detail, search)
	if heap > 100 {
		t.Errorf("the heap has %.0f MB", heap)
	}
	if lines := pagetest.Eval[int](tab, `document.querySelectorAll("#equity .drawing [data-key]").length`); lines != 11 {
		t.Errorf("%d curves are drawn at first, want those of the first ten and of the benchmark", lines)
	}
	if n := pagetest.Eval[int](tab, `trades.length`); n != trades/accounts*accounts {
		t.Errorf("%d trades can be searched", n)
	}
	if n := pagetest.Eval[int](tab, `document.querySelectorAll("*").length`); n > 8000 {
		t.Errorf("the page has %d elements with one account opened", n)
	}
	tab.Do(chromedp.Evaluate[chromedp.Void](`change({keys: topKeys(Infinity)})`))
	readBack(t, s.Report, tab)
	for _, c := range []struct{ name, done string }{
		{"sorted", `(sortBy => { [...document.querySelectorAll("#board thead button")].find(b => b.textContent === "Trades").click(); return document.querySelector("#board [aria-sort]").textContent })() === "Trades"`},
		{"logarithmic", `(change({log: true}), document.querySelectorAll("#equity .grid").length > 2)`},
		{"over the benchmark", `(change({excess: true, log: false}), !document.querySelector("#equity [data-key=benchmark]") && [...document.querySelectorAll("#equity .drawing text")].some(x => x.textContent.endsWith(" pp")))`},
		{"a range", `(change({from: "2020-03-02", to: "2020-04-01"}), [...document.querySelectorAll("#equity text")].some(x => x.textContent === "2020-03-02"))`},
	} {
		if !pagetest.Eval[bool](tab, c.done) {
			t.Errorf("it is not so: %s", c.name)
		}
	}
	if hash := pagetest.Eval[string](tab, `location.hash`); hash == "" {
		t.Error("the address says nothing of what was chosen")
	}
	// Who gets the address sees the same, at the place that it names.
	link := pagetest.Eval[string](tab, `location.href.replace("#", "#t-benchmark-7")`)
	other := opened(t, browser, pagetest.Phone, link)
	other.Wait(`document.getElementById("t-benchmark-7")`)
	if drawn := pagetest.Eval[string](other, `[chosen.from, chosen.to, chosen.excess, document.querySelectorAll("#equity .drawing [data-key]").length].join()`); drawn != fmt.Sprintf("2020-03-02,2020-04-01,true,%d", accounts) {
		t.Errorf("by its address the page shows %s", drawn)
	}
	tab.Do(chromedp.Navigate("about:blank"))
}
