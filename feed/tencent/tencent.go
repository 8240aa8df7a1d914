// Package tencent is a source of A-shares by day without a key: Tencent's kline. It tells of no dividends and splits.
package tencent

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"mcp-trade/decimal"
	"mcp-trade/feed"
	"mcp-trade/market"
)

// Name is the source's name.
const Name = "tencent"

// URL is the service's address unless another is given.
const URL = "https://web.ifzq.gtimg.cn"

// Pace is how far apart requests begin. The service states no limit.
const Pace = 300 * time.Millisecond

// A reply holds at most so many bars, and leaves out the others without a word. So no more days are asked for at once than cannot have more.
const (
	perPage     = 500
	daysPerPage = 640 // of the calendar: some 440 trading days
)

// Tencent is the source.
type Tencent struct{ URL string } // "": the usual one

// Name implements [feed.Source].
func (Tencent) Name() string { return Name }

// Fetch implements [feed.Source].
func (x Tencent) Fetch(ctx context.Context, get feed.Getter, job feed.Job) (*feed.Series, []string, error) {
	if job.Interval != "Daily" {
		return nil, nil, &feed.Outcome{Kind: feed.NoData, Says: "it has bars of days only"}
	}
	code := shareCode(job.Symbol)
	s := &feed.Series{Symbol: job.Symbol, Interval: job.Interval}
	var told []string
	for from := job.From; from <= job.To; {
		to := min(from.AddDays(daysPerPage-1), job.To)
		address := fmt.Sprintf("%s/appstock/app/fqkline/get?param=%s,day,%s,%s,%d,", cmp.Or(x.URL, URL), code, from, to, perPage)
		reply, err := get.Get(ctx, address, nil)
		if err != nil {
			return nil, nil, err
		}
		page := job
		page.From, page.To = from, to
		part, more, err := Parse(reply.Body, page)
		if err != nil {
			return nil, nil, err
		}
		s.Sources = append(s.Sources, reply.Provenance)
		told = s.TakeAll(part.Bars, append(told, more...))
		from = to.AddDays(1)
	}
	return s, told, nil
}

// shareCode is a symbol as Tencent writes it: sh600519.
func shareCode(symbol string) string {
	number, exchange, _ := strings.Cut(symbol, ".")
	return strings.ToLower(exchange) + number
}

// Parse reads a reply as [feed.Source] has it. Rows of other days than those of the job are left out: the newest is added to what was
// asked for. The symbol is the one that the reply has where the job names none.
func Parse(reply []byte, job feed.Job) (s *feed.Series, told []string, err error) {
	rows, symbol, err := parse(reply, job.Symbol)
	if err != nil {
		return nil, nil, err
	}
	if market.CheckSymbol(symbol) != nil || market.Of(symbol).ID != market.CN {
		return nil, nil, &feed.Outcome{Kind: feed.Broken, Says: "its answer does not say of which share it is"}
	}
	s = &feed.Series{Symbol: symbol, Interval: "Daily"}
	for _, row := range rows {
		bar, err := row.bar(symbol)
		if err != nil {
			return nil, nil, err
		}
		if job.Has(bar.Stamp) {
			told = s.Take(bar, told)
		}
	}
	return s, told, nil
}

// row is a bar of a reply: date, open, close, high, low, volume in lots, and perhaps more.
type row []json.RawMessage

// parse reads the rows of a share from a reply.
func parse(body []byte, symbol string) (rows []row, named string, err error) {
	var reply struct {
		Code int             `json:"code"`
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return nil, "", &feed.Outcome{Kind: feed.Broken, Says: "its answer is no kline"}
	}
	var data map[string]struct {
		Day []row `json:"day"`
	}
	if reply.Code != 0 || json.Unmarshal(reply.Data, &data) != nil { // an empty list stands for no data
		return nil, "", &feed.Outcome{Kind: feed.NoSuch, Says: "it does not know the share"}
	}
	for code := range data {
		if symbol == "" && len(data) == 1 && len(code) > 2 {
			symbol = code[2:] + "." + strings.ToUpper(code[:2])
		}
	}
	share, ok := data[shareCode(symbol)]
	if !ok {
		return nil, "", &feed.Outcome{Kind: feed.NoSuch, Says: "it does not know the share"}
	}
	if len(share.Day) > perPage {
		return nil, "", &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("it gives %d bars, and was asked for %d at most", len(share.Day), perPage)}
	}
	return share.Day, symbol, nil
}

// bar reads a row.
func (r row) bar(symbol string) (b feed.Bar, err error) {
	var text [6]string
	for i := range text {
		if len(r) < len(text) || json.Unmarshal(r[i], &text[i]) != nil {
			return b, &feed.Outcome{Kind: feed.Broken, Says: "a row of its answer is no bar"}
		}
	}
	if b.Stamp, err = market.ParseStamp(text[0]); err != nil || !b.Stamp.IsDay() {
		return b, &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("it has a bar of %.20q, which is no day", text[0])}
	}
	for i, f := range []int{feed.Open, feed.Close, feed.High, feed.Low, feed.Volume} {
		if b.Figures[f], err = feed.Number(text[i+1]); err != nil {
			return b, &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("the %s of %s is no number of a price file", feed.FigureNames[f], b.Stamp)}
		}
	}
	b.Figures[feed.Volume] = shares(symbol, b.Figures[feed.Volume])
	return b, nil
}

// shares is a volume in shares. It is given in lots of 100; of shares of STAR, which have no lots, it is not certain in what, and it is
// taken as not known.
func shares(symbol, lots string) string {
	if strings.HasPrefix(symbol, "688") || strings.HasPrefix(symbol, "689") {
		return ""
	}
	n, err := decimal.NewFromString(lots)
	if err != nil {
		return ""
	}
	return n.Mul(decimal.NewFromInt(100)).String()
}
