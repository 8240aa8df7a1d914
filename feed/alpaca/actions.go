package alpaca

// This file gets the corporate actions of a symbol.

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"mcp-trade/decimal"
	"mcp-trade/feed"
	"mcp-trade/market"
)

// Actions are asked for by the day on which they are processed. That of a dividend is the day on which it is paid, up to some months after
// the ex day.
const paidLater = 150 // days

// actions is a reply.
type actions struct {
	All *struct {
		Splits         []split `json:"forward_splits"`
		ReverseSplits  []split `json:"reverse_splits"`
		Dividends      []paid  `json:"cash_dividends"`
		StockDividends []paid  `json:"stock_dividends"`
		SpinOffs       []struct {
			ExDate string `json:"ex_date"`
		} `json:"spin_offs"`
	} `json:"corporate_actions"`
	Next string `json:"next_page_token"`
}

type split struct {
	New    json.Number `json:"new_rate"`
	Old    json.Number `json:"old_rate"`
	ExDate string      `json:"ex_date"`
}

type paid struct {
	Rate   json.Number // of one share: money, or shares
	ExDate string      `json:"ex_date"`
}

// actions adds the splits and dividends of the days of a job to the series.
func (a Alpaca) actions(ctx context.Context, get feed.Getter, job feed.Job, s *feed.Series) ([]string, error) {
	query := url.Values{
		"symbols": {job.Symbol}, "types": {"forward_split,reverse_split,cash_dividend,stock_dividend,spin_off"},
		"start": {string(job.From)}, "end": {string(job.To.AddDays(paidLater))}, "limit": {"1000"}, "sort": {"asc"},
	}
	var told []string
	sums := map[market.Stamp]sum{}
	err := a.pages(ctx, get, "/v1/corporate-actions", query, s, func(body []byte) (string, error) {
		var r actions
		if err := json.Unmarshal(body, &r); err != nil || r.All == nil {
			return "", &feed.Outcome{Kind: feed.Broken, Says: "its answer has no corporate actions"}
		}
		for _, x := range r.All.SpinOffs {
			if day, err := market.ParseStamp(x.ExDate); err == nil && job.Has(day) {
				told = append(told, fmt.Sprintf("it tells of a spin-off on %s, which a price file has no place for", day))
			}
		}
		return r.Next, r.add(sums, job)
	})
	s.Actions = map[market.Stamp]feed.Action{}
	for day, x := range sums {
		s.Actions[day] = x.action()
	}
	return told, err
}

// sum is all dividends of a day, and the product of all its splits less 1.
type sum struct{ dividend, more decimal.Decimal }

// add adds the splits and dividends of the days of a job.
func (r *actions) add(sums map[market.Stamp]sum, job feed.Job) error {
	one := decimal.NewFromInt(1)
	for _, x := range append(r.All.Splits, r.All.ReverseSplits...) {
		is, was, day, err := numbers(x.New, x.Old, x.ExDate)
		if err != nil {
			return err
		}
		if had := sums[day]; job.Has(day) {
			sums[day] = sum{had.dividend, had.more.Add(one).Mul(is).DivRound(was, 10).Sub(one)}
		}
	}
	for _, x := range r.All.StockDividends {
		rate, _, day, err := numbers(x.Rate, "1", x.ExDate)
		if err != nil {
			return err
		}
		if had := sums[day]; job.Has(day) {
			sums[day] = sum{had.dividend, had.more.Add(one).Mul(rate.Add(one)).Round(10).Sub(one)}
		}
	}
	for _, x := range r.All.Dividends {
		rate, _, day, err := numbers(x.Rate, "1", x.ExDate)
		if err != nil {
			return err
		}
		if had := sums[day]; job.Has(day) {
			sums[day] = sum{had.dividend.Add(rate), had.more}
		}
	}
	return nil
}

func (x sum) action() (a feed.Action) {
	if !x.dividend.IsZero() {
		a.Dividend = x.dividend.String()
	}
	if !x.more.IsZero() {
		a.Split = x.more.Add(decimal.NewFromInt(1)).String()
	}
	return a
}

// numbers reads two positive numbers, and the day of an action.
func numbers(first, second json.Number, on string) (a, b decimal.Decimal, day market.Stamp, err error) {
	broken := &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("the corporate action of %.20q cannot be read", on)}
	var n [2]decimal.Decimal
	for i, text := range []json.Number{first, second} {
		plain, err := feed.Number(text.String()) // which bounds its digits
		if err == nil {
			n[i], err = decimal.NewFromString(plain)
		}
		if err != nil || !n[i].IsPositive() {
			return a, b, "", broken
		}
	}
	if day, err = market.ParseStamp(on); err != nil || !day.IsDay() {
		return a, b, "", broken
	}
	return n[0], n[1], day, nil
}
