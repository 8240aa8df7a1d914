package report

// Tests of AI-Trader's figures against those that it published.

import (
	"bufio"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
	"mcp-trade/market"
)

// The metrics that AI-Trader published come out to the last digit.
func TestBuild_PublishedUpstreamMetrics(t *testing.T) {
	data := filepath.Join(testenv.TestData(t), "crypto")
	text, err := os.ReadFile(filepath.Join(data, "published_performance_metrics.json"))
	if err != nil {
		t.Fatal(err)
	}
	type figures struct {
		Period struct {
			Start string `json:"start_date"`
			End   string `json:"end_date"`
			Days  int    `json:"total_trading_days"`
		} `json:"analysis_period"`
		Metrics struct {
			Upstream
			Period struct {
				Start market.Stamp `json:"start_date"`
				End   market.Stamp `json:"end_date"`
			} `json:"max_drawdown_period"`
		} `json:"performance_metrics"`
		Values Upstream `json:"portfolio_summary"`
	}
	var published map[string]figures
	if err := json.Unmarshal(text, &published); err != nil {
		t.Fatal(err)
	}
	view := openPrices(t, filepath.Join(data, "merged.jsonl")).AsOf(always)
	for _, account := range []string{"gpt-5", "MiniMax-M2", "claude-3.7-sonnet"} {
		t.Run(account, func(t *testing.T) {
			r := build(t, Options{View: view, Method: AITrader}, Ledger{Signature: account, Lines: fileLines(t, filepath.Join(data, account, "position.jsonl"))})
			p, ok := published[account]
			if !ok {
				t.Fatal("nothing is published of this account")
			}
			want := p.Metrics.Upstream
			want.StartDate, want.EndDate, want.Days = market.Stamp(p.Period.Start), market.Stamp(p.Period.End), p.Period.Days
			want.DrawdownStart, want.DrawdownEnd = p.Metrics.Period.Start, p.Metrics.Period.End
			want.InitialValue, want.FinalValue, want.Change, want.ChangePercent = p.Values.InitialValue, p.Values.FinalValue, p.Values.Change, p.Values.ChangePercent
			if got := *r.Accounts[0].Upstream; got != want {
				t.Errorf("computed\n%+v\npublished\n%+v", got, want)
			}
		})
	}
}

// fileLines yields the lines of a file.
func fileLines(t testing.TB, path string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() && yield(lines.Bytes(), nil) {
		}
	}
}

// Where nothing is published the figures are those of independent programs, by AI-Trader's rules, on the same ledgers and prices.
func TestBuild_Upstream(t *testing.T) {
	data := testenv.TestData(t)
	for name, want := range map[string]string{
		"us_daily/gpt-5":            "2025-10-29 21 4.0629 0.0477 2025-10-09 2025-10-10 0.0998 2.4569 0.3015 0.6000 1.3909",
		"us_daily/gemini-2.5-flash": "2025-10-29 21 0.2789 0.0645 2025-10-01 2025-10-14 0.0048 0.0642 0.2706 0.4500 0.7159", // the peak is a plateau
		"us_daily/qwen3-max":        "2025-10-29 21 3.1482 0.0567 2025-10-09 2025-10-14 0.0796 1.7137 0.3160 0.6000 1.1180",
		"cn_daily/glm-4.6":          "2025-11-18 30 2.1142 0.0248 2025-11-13 2025-11-18 0.0402 0.3496 0.1583 0.6207 0.9335",
	} {
		u := realAccount(t, data, name, AITrader).Upstream
		got := fmt.Sprint(u.EndDate, u.Days, " ", u.Sharpe.Text(4), u.MaxDrawdown.Text(4), u.DrawdownStart, u.DrawdownEnd, u.CumulativeReturn.Text(4), u.AnnualReturn.Text(4), u.Volatility.Text(4), u.WinRate.Text(4), u.ProfitLossRatio.Text(4))
		if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// Of the crypto accounts AI-Trader published the figures, to three decimals: -0.164, -0.854, -4.377, -4.478, 0.409, -0.18, -4.75 of gpt-5.
func TestBuild_Upstream2(t *testing.T) {
	data := testenv.TestData(t)
	for name, want := range map[string]Upstream2{
		"crypto/gpt-5": {"2025-11-01", "2025-11-15", 35, 365, Known(-0.1640988853919998), Known(-0.8540144056454213), Known(-4.376939299240355), Known(-4.4780723741359045),
			Known(0.409491002034948), Known(-0.1797888768323663), Known(-4.750095894095258), Known(0.5882352941176471), Known(0.006379190861910554), Known(-0.021314075337910902), Known(50000), Known(41795.05573040001), 34},
		"crypto/MiniMax-M2": {"2025-11-01", "2025-11-15", 33, 365, Known(-0.14778085199999988), Known(-0.838619659546599), Known(-4.298558228192469), Known(-4.206148830632689),
			Known(0.4120139803441247), Known(-0.16565242656942786), Known(-5.062525656363499), Known(0.46875), Known(0.008531025024169381), Known(-0.01646464301360961), Known(50000), Known(42610.95740000001), 32},
		"us_daily/gpt-5": {"2025-10-01", "2025-10-30", 55, 252, Known(0.099825), Known(0.5589902807660247), Known(3.5137266488034764), Known(2.6564836342835316),
			Known(0.17290681090649465), Known(-0.047696719017737005), Known(11.719679933501354), Known(0.5370370370370371), Known(0.006921824526090009), Known(-0.004092252620870752), Known(10000), Known(10998.25), 53},
		"cn_daily/glm-4.6": {"2025-10-01", "2025-11-19", 222, 252, Known(0.04018), Known(0.04594376134929701), Known(1.029241539719038), Known(0.8687327011267599),
			Known(0.05334606405585177), Known(-0.030853725971676627), Known(1.4890830816178526), Known(0.46153846153846156), Known(0.00176532539796762), Known(-0.0011716025439595613), Known(100000), Known(104018), 209},
		"cn_hourly/gpt-5-astock-hour": {"2025-10-09 08:30:00", "2025-11-19 15:00:00", 419, 1638, Known(0.06342), Known(0.27246877210557474), Known(3.4761483447516754), Known(2.9353410628616867),
			Known(0.08327460819449371), Known(-0.02578093155964045), Known(10.568616245509117), Known(0.4784688995215311), Known(0.001111337957565388), Known(-0.0007334371053951691), Known(100000), Known(106342), 379},
	} {
		got := *realAccount(t, data, name, AITraderLater).Upstream2
		g, w := reflect.ValueOf(got), reflect.ValueOf(want)
		for i := range g.NumField() {
			if n, ok := g.Field(i).Interface().(Number); ok {
				near(t, name+", "+g.Type().Field(i).Name, n, w.Field(i).Interface().(Number).value)
			} else if !g.Field(i).Equal(w.Field(i)) {
				t.Errorf("%s: %s is %v, want %v", name, g.Type().Field(i).Name, g.Field(i), w.Field(i))
			}
		}
	}
}

// What is nothing to divide by makes 0, as in the program; infinity is unknown.
func TestUpstream2_Few(t *testing.T) {
	points := func(values ...float64) (list []Point) {
		for i, v := range values {
			list = append(list, Point{week[i], Known(v)})
		}
		return list
	}
	for text, list := range map[string][]Point{
		"rows 0: sr , sharpe , mdd , calmar , win ":                     nil,
		"rows 1: sr , sharpe , mdd , calmar , win ":                     points(100),
		"rows 3: sr 0.0, sharpe 0.0, mdd 0.0, calmar 0.0, win 0.0":      points(100, 100, 100),
		"rows 3: sr , sharpe 31.7, mdd 0.0, calmar 0.0, win 1.0":        points(100, 200, 200.0*4),
		"rows 3: sr 0.0, sharpe -6.8, mdd 0.0, calmar 0.0, win 0.5":     points(100, 50, 60), // one loss, and the first value is no peak
		"rows 4: sr -14.8, sharpe -8.6, mdd -0.2, calmar -6.0, win 0.3": points(100, 50, 60, 50),
	} {
		u := upstream2(list, market.US)
		if got := fmt.Sprintf("rows %d: sr %s, sharpe %s, mdd %s, calmar %s, win %s", u.Rows, u.Sortino.Text(1), u.Sharpe.Text(1), u.MaxDrawdown.Text(1), u.Calmar.Text(1), u.WinRate.Text(1)); got != text {
			t.Errorf("%s, want %s", got, text)
		}
	}
}

// realAccount is the report on an account of the test data.
func realAccount(t *testing.T, data, name string, method Method) Account {
	t.Helper()
	folder, account, _ := strings.Cut(name, "/")
	view := openPrices(t, filepath.Join(data, folder, "merged.jsonl")).AsOf(always)
	return one(t, Options{View: view, Method: method}, Ledger{Signature: account, Lines: fileLines(t, filepath.Join(data, name, "position.jsonl"))})
}
