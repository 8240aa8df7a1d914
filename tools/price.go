// get_price, get_price_history and AI-Trader's get_price_local.

package tools

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/market"
	"mcp-trade/session"
)

type priceParams struct {
	Symbol tickers `json:"symbol" jsonschema:"Ticker such as AAPL, or up to 50: AAPL,MSFT" max:"50"`
	Date   string  `json:"date,omitempty" jsonschema:"YYYY-MM-DD, with HH:MM:SS for hourly prices. Default today" max:"40"`
}

// pricesResult is a bar or, of several symbols, a list of them.
type pricesResult struct {
	Symbol string       `json:"symbol,omitempty"`
	Date   market.Stamp `json:"date"`
	OHLCV  *ohlcv       `json:"ohlcv,omitempty" jsonschema:"open, high, low, close, volume; null where not known yet"`
	Prices []symbolBar  `json:"prices,omitempty" jsonschema:"of several symbols: symbol, and ohlcv or error, code, did_you_mean"`
}

// symbolBar is the bar of one of several symbols, or why there is none.
type symbolBar struct {
	Symbol     string    `json:"symbol"`
	OHLCV      *ohlcv    `json:"ohlcv,omitempty"`
	Error      string    `json:"error,omitempty"`
	Code       code.Code `json:"code,omitempty"`
	DidYouMean []string  `json:"did_you_mean,omitempty"`
	Hint       string    `json:"hint,omitempty"`
}

type priceResult struct {
	Symbol string       `json:"symbol"`
	Date   market.Stamp `json:"date"`
	OHLCV  ohlcv        `json:"ohlcv" jsonschema:"open, high, low, close, volume; null where not known yet"`
}

type ohlcv struct {
	Open   decimal.NullDecimal `json:"open"`
	High   decimal.NullDecimal `json:"high"`
	Low    decimal.NullDecimal `json:"low"`
	Close  decimal.NullDecimal `json:"close"`
	Volume decimal.NullDecimal `json:"volume"`
}

func getPrice(ctx context.Context, d *Deps, p priceParams) (pricesResult, error) {
	v, at, err := d.viewAt(ctx, p.Date)
	if err != nil {
		return pricesResult{}, err
	}
	if len(p.Symbol) == 1 {
		one, err := priceAt(v, p.Symbol[0], at)
		if err != nil {
			return pricesResult{}, err
		}
		return pricesResult{Symbol: one.Symbol, Date: one.Date, OHLCV: &one.OHLCV}, nil
	}
	if at > v.AsOf() {
		return pricesResult{}, &market.NotYetError{At: at, AsOf: v.AsOf()}
	}
	r := pricesResult{Date: at}
	for _, symbol := range p.Symbol {
		bar, err := barOf(v, symbol, at)
		if err != nil {
			return pricesResult{}, err
		}
		r.Prices = append(r.Prices, bar)
	}
	return r, nil
}

// barOf returns the bar of one of several symbols at a stamp. What is wrong with the symbol is part of it.
func barOf(v market.View, symbol string, at market.Stamp) (symbolBar, error) {
	bar, err := priceAt(v, symbol, at)
	if err == nil {
		return symbolBar{Symbol: bar.Symbol, OHLCV: &bar.OHLCV}, nil
	}
	f, ok := failureOf(err, false)
	if !ok {
		return symbolBar{}, err
	}
	missing := symbolBar{Symbol: symbol, Error: f.String(), Code: f.code}
	if unknown, ok := errors.AsType[*market.UnknownSymbolError](err); ok {
		if missing.DidYouMean = unknown.DidYouMean; len(unknown.DidYouMean) == 0 {
			missing.Hint = symbolsHint
		}
	}
	return missing, nil
}

// viewAt returns the market as of the session's date, and the stamp that an argument names, that date by default.
func (d *Deps) viewAt(ctx context.Context, date string) (market.View, market.Stamp, error) {
	v, err := d.view(ctx)
	if err != nil || date == "" {
		return v, v.AsOf(), err
	}
	at, err := stamp("date", date)
	return v, at, err
}

// priceAt returns the bar of a symbol at a stamp. Programs write a day as its midnight, too.
func priceAt(v market.View, symbol string, at market.Stamp) (priceResult, error) {
	bar, err := v.Bar(symbol, at)
	if day, isMidnight := midnight(at); isMidnight && err != nil {
		if daily, no := v.Bar(symbol, day); no == nil {
			bar, err = daily, nil
		}
	}
	if err != nil {
		return priceResult{}, err
	}
	if symbol, err = v.Resolve(symbol); err != nil {
		return priceResult{}, err
	}
	return priceResult{symbol, bar.Stamp, ohlcv{bar.Open, bar.High, bar.Low, bar.Close, bar.Volume}}, nil
}

type localPriceParams struct {
	Symbol string `json:"symbol" jsonschema:"Ticker such as AAPL" max:"40"`
	Date   string `json:"date" jsonschema:"YYYY-MM-DD, or YYYY-MM-DD HH:MM:SS for hourly prices" max:"40"`
}

func getPriceLocal(ctx context.Context, d *Deps, p localPriceParams) (priceResult, error) {
	v, at, err := d.viewAt(ctx, p.Date)
	if err != nil {
		return priceResult{}, err
	}
	return priceAt(v, p.Symbol, at)
}

type historyParams struct {
	Symbol string `json:"symbol" jsonschema:"Ticker such as AAPL" max:"40"`
	Start  string `json:"start,omitempty" jsonschema:"First date. Default: limit bars before end" max:"40"`
	End    string `json:"end,omitempty" jsonschema:"Last date, YYYY-MM-DD. Default today" max:"40"`
	Limit  int    `json:"limit,omitempty" jsonschema:"How many bars at most. Default 30" min:"1" max:"500"`
}

type historyResult struct {
	Symbol  string       `json:"symbol"`
	Columns []string     `json:"columns"`
	Rows    []cells      `json:"rows" jsonschema:"the values of each bar, by columns"`
	Next    market.Stamp `json:"next,omitempty"`
	Actions []string     `json:"actions,omitempty" jsonschema:"corporate actions of these days; bars are as traded, never adjusted"`
}

// cells are the values of one bar; what is not known is null.
type cells []any

func getPriceHistory(ctx context.Context, d *Deps, p historyParams) (historyResult, error) {
	v, err := d.view(ctx)
	if err != nil {
		return historyResult{}, err
	}
	var start, end market.Stamp
	if p.Start != "" {
		if start, err = stamp("start", p.Start); err != nil {
			return historyResult{}, err
		}
		start, _ = midnight(start) // a day comes before its first moment
	}
	if p.End != "" {
		if end, err = stamp("end", p.End); err != nil {
			return historyResult{}, err
		}
	}
	if end != "" && start > end && start.Day() != end { // a day takes in all its moments
		return historyResult{}, wrong("The argument start, "+string(start)+", is after end, "+string(end)+".", map[string]any{"argument": "start"})
	}
	if p.Limit == 0 {
		p.Limit = 30
	}
	symbol, err := v.Resolve(p.Symbol)
	if err != nil {
		return historyResult{}, err
	}
	bars, next, err := v.Bars(symbol, start, end, p.Limit)
	if err != nil {
		return historyResult{}, err
	}
	if len(bars) == 0 { // it may lie between two bars, but before the first one it is a mistake
		var missing *market.NoPriceError
		if _, err := v.Bar(symbol, min(cmp.Or(end, v.AsOf()), v.AsOf())); errors.As(err, &missing) && missing.First != "" {
			return historyResult{}, err
		}
	}
	r := historyResult{Symbol: symbol, Columns: []string{"date", "open", "high", "low", "close", "volume"}, Rows: []cells{}, Next: next}
	for _, b := range bars {
		r.Rows = append(r.Rows, cells{b.Stamp, b.Open, b.High, b.Low, b.Close, b.Volume})
	}
	r.Actions, err = actionsAmong(v, symbol, bars)
	return r, err
}

// actionsAmong are the corporate actions of a symbol from the day of the first bar to that of the last one.
func actionsAmong(v market.View, symbol string, bars []market.Bar) (texts []string, err error) {
	if len(bars) == 0 {
		return nil, nil
	}
	actions, err := v.Actions(symbol, bars[0].Stamp)
	for _, a := range actions {
		if a.Date <= bars[len(bars)-1].Stamp.Day() {
			texts = append(texts, a.String())
		}
	}
	return texts, err
}

// view is the market as of the session's date.
func (d *Deps) view(ctx context.Context) (market.View, error) {
	s, err := readSession(ctx)
	if err != nil {
		return market.View{}, err
	}
	return d.asOf(s)
}

// asOf returns the market as of a session's date, from what the price files hold now. Tools read prices through it alone, and once in a
// call.
func (d *Deps) asOf(s session.Session) (market.View, error) {
	if d.Prices == nil {
		return market.View{}, &failure{
			code.PricesUnconfigured,
			"The server has no prices. Start it with --prices FILE, or set MCP_TRADE_PRICES, or put a *merged*.jsonl into its data dir.", nil,
		}
	}
	if err := d.Prices.Refresh(); err != nil {
		return market.View{}, err
	}
	return d.Prices.AsOf(s.Today), nil
}

// stamp reads a date.
func stamp(argument, text string) (market.Stamp, error) {
	s, err := market.ReadStamp(text)
	if err != nil {
		return "", wrong("The argument "+argument+": "+err.Error()+".", map[string]any{"argument": argument})
	}
	return s, nil
}

// midnight returns the day that begins at a stamp, and whether one does; else it returns the stamp.
func midnight(at market.Stamp) (market.Stamp, bool) {
	day, is := strings.CutSuffix(string(at), " 00:00:00")
	return market.Stamp(day), is
}
