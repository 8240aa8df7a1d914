// get_portfolio, get_trades and get_session.

package tools

import (
	"context"
	"errors"
	"strconv"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
)

type noParams struct{}

type portfolioResult struct {
	Signature  string              `json:"signature"`
	Date       market.Stamp        `json:"date"`
	Cash       decimal.Decimal     `json:"cash"`
	Holdings   []holding           `json:"holdings"`
	TotalValue decimal.NullDecimal `json:"total_value"`
	Unpriced   []string            `json:"unpriced"`

	Reserved ledger.Positions `json:"reserved,omitempty" jsonschema:"unlisted"` // by orders that wait
	Orders   []openOrder      `json:"open_orders,omitempty" jsonschema:"unlisted"`
	Actions  []string         `json:"corporate_actions,omitempty" jsonschema:"unlisted"` // since the day before
}

type holding struct {
	Symbol    string              `json:"symbol"`
	Amount    decimal.Decimal     `json:"amount"`
	Sellable  *decimal.Decimal    `json:"sellable,omitempty" jsonschema:"how much of it can be sold today; all of it without this field"`
	Price     decimal.NullDecimal `json:"price"`
	PriceType string              `json:"price_type,omitempty"`
	PriceDate market.Stamp        `json:"price_date,omitempty"`
	StaleDays int                 `json:"stale_days,omitempty" jsonschema:"trading days without a price since"`
	Value     decimal.NullDecimal `json:"value"`
	Split     string              `json:"split,omitempty" jsonschema:"the price jumped as in a split, which the account does not know of"`
}

// openOrder is an order that waits.
type openOrder struct {
	ID       int64            `json:"id"`
	Side     ledger.Action    `json:"side"`
	Symbol   string           `json:"symbol"`
	Amount   decimal.Decimal  `json:"amount"`
	Type     ledger.OrderType `json:"type"`
	Limit    decimal.Decimal  `json:"limit_price,omitzero"`
	Stop     decimal.Decimal  `json:"stop_price,omitzero"`
	Until    ledger.Until     `json:"until"`
	Placed   market.Stamp     `json:"placed"`
	Reserved decimal.Decimal  `json:"reserved,omitzero" jsonschema:"cash that it keeps"`
}

func openOrderOf(o ledger.OpenOrder) openOrder {
	return openOrder{o.ID, o.Action, o.Symbol, o.Amount, o.Type, o.Limit, o.Stop, o.Until, o.Placed, o.Reserved}
}

// readSession reads the session of the caller.
func readSession(ctx context.Context) (session.Session, error) {
	c, err := session.CallerOf(ctx)
	if err != nil {
		return session.Session{}, err
	}
	return c.Read(ctx)
}

func getPortfolio(ctx context.Context, d *Deps, _ noParams) (portfolioResult, error) {
	s, err := readSession(ctx)
	if err != nil {
		return portfolioResult{}, err
	}
	v, err := d.asOf(s)
	if err != nil {
		return portfolioResult{}, err
	}
	book, due, err := d.Accounts.Due(ctx, s.Signature, s.Today, v)
	if err != nil {
		return portfolioResult{}, err
	}
	rules, err := d.bookRules(ctx, s.Signature)
	if err != nil {
		return portfolioResult{}, err
	}
	r, err := portfolio(s.Signature, book, rules.Valuing(v))
	if err != nil {
		return portfolioResult{}, err
	}
	if r.Actions, err = d.actions(ctx, s, rules, due); err != nil {
		return portfolioResult{}, err
	}
	r.markSellable(book, rules)
	return r, d.markSplits(ctx, &r, v, rules)
}

// actions says what corporate actions did to the account today, those that are due among them.
func (d *Deps) actions(ctx context.Context, s session.Session, rules ledger.Rules, due []ledger.Record) (texts []string, err error) {
	if !rules.Actions() {
		return nil, nil
	}
	events, err := d.Accounts.EventsSince(ctx, s.Signature, s.Today)
	for _, e := range append(events, due...) {
		if e.IsAction() {
			texts = append(texts, e.ActionText())
		}
	}
	return texts, err
}

// markSellable says of each holding how much can be sold today, where that may be less than all of it.
func (r *portfolioResult) markSellable(book ledger.Book, rules ledger.Rules) {
	if rules.Market == nil || !rules.KeepsBought() { // else the orders say what is wrong
		return
	}
	for i, h := range r.Holdings {
		can := rules.Sellable(book, h.Symbol, r.Date)
		r.Holdings[i].Sellable = &can
	}
}

// bookRules are the rules by which the books of an account are valued. Rules that are not known value it as it stands.
func (d *Deps) bookRules(ctx context.Context, account string) (ledger.Rules, error) {
	rules, err := d.Accounts.Rules(ctx, account)
	if _, unknown := errors.AsType[*ledger.UnknownRulesError](err); unknown {
		return ledger.Rules{}, nil
	}
	return rules, err
}

// markSplits marks the holdings whose price jumped since the account has them as in a split that the account did not get.
func (d *Deps) markSplits(ctx context.Context, r *portfolioResult, v market.View, rules ledger.Rules) error {
	for i, h := range r.Holdings {
		splits, err := v.LikelySplits(h.Symbol, "")
		if market.IsUnknown(err) {
			continue // it has no price, which is said
		}
		if err != nil {
			return err
		}
		for _, s := range splits {
			if s.Told && rules.Actions() {
				continue
			}
			book, err := d.Accounts.Book(ctx, r.Signature, s.Date.AddDays(-1))
			if _, refused := errors.AsType[*ledger.Refusal](err); refused {
				continue // the account was opened later
			}
			if err != nil {
				return err
			}
			if book.Positions.Amount(h.Symbol).IsPositive() {
				r.Holdings[i].Split = s.String()
			}
		}
	}
	return nil
}

// portfolio values a book inside the day.
func portfolio(signature string, book ledger.Book, v market.View) (portfolioResult, error) {
	worth, err := book.Positions.InDay(v)
	if err != nil {
		return portfolioResult{}, err
	}
	r := portfolioResult{
		Signature: signature, Date: v.AsOf(), Cash: worth.Cash, Holdings: []holding{}, TotalValue: worth.Total, Unpriced: worth.Unpriced,
		Reserved: book.Orders.Reserved(),
	}
	for _, o := range book.Orders {
		r.Orders = append(r.Orders, openOrderOf(o))
	}
	for _, h := range worth.Holdings {
		x := holding{Symbol: h.Symbol, Amount: h.Amount, Price: h.Price, PriceDate: h.At, StaleDays: h.StaleDays, Value: h.Value}
		switch {
		case h.Open:
			x.PriceType = "open"
		case h.Price.Valid:
			x.PriceType = "close"
		}
		r.Holdings = append(r.Holdings, x)
	}
	return r, nil
}

type tradesParams struct {
	Limit  int    `json:"limit,omitempty" jsonschema:"How many trades at most. Default 20" min:"1" max:"200"`
	Cursor string `json:"cursor,omitempty" jsonschema:"The next of the answer before" max:"20"`
}

type tradesResult struct {
	Trades []tradeRow `json:"trades"`
	Next   string     `json:"next,omitempty"`
}

type tradeRow struct {
	ID      int64               `json:"id"`
	Date    market.Stamp        `json:"date"`
	Action  ledger.Action       `json:"action"`
	Symbol  string              `json:"symbol"`
	Amount  decimal.Decimal     `json:"amount"`
	Price   decimal.NullDecimal `json:"price"`
	Fees    decimal.Decimal     `json:"fees"`
	Items   market.FeeItems     `json:"fee_items,omitempty"`
	Cash    decimal.Decimal     `json:"cash"`
	OrderID string              `json:"order_id,omitempty"`
	Note    string              `json:"note,omitempty"`

	Order int64        `json:"order,omitempty" jsonschema:"unlisted"` // that waited, by its number
	At    market.Stamp `json:"at,omitempty" jsonschema:"unlisted"`    // the bar in which it filled, known from the date on
}

func getTrades(ctx context.Context, d *Deps, p tradesParams) (tradesResult, error) {
	s, err := readSession(ctx)
	if err != nil {
		return tradesResult{}, err
	}
	book, err := d.Accounts.Book(ctx, s.Signature, s.Today)
	if err != nil {
		return tradesResult{}, err
	}
	before := book.ID + 1
	if p.Cursor != "" {
		if before, err = strconv.ParseInt(p.Cursor, 10, 64); err != nil || before < 0 {
			return tradesResult{}, wrong("The argument \"cursor\" is none that was given out. Leave it out to start with the newest trade.", map[string]any{"argument": "cursor"})
		}
		before = min(before, book.ID+1)
	}
	if p.Limit == 0 {
		p.Limit = 20
	}
	trades, next, err := d.Accounts.Trades(ctx, s.Signature, s.Today, before, p.Limit)
	if err != nil {
		return tradesResult{}, err
	}
	r := tradesResult{Trades: []tradeRow{}}
	for _, t := range trades {
		r.Trades = append(r.Trades, tradeRow{
			ID: t.ID, Date: t.Date, Action: t.Action, Symbol: t.Symbol, Amount: t.Amount, Price: t.Price,
			Fees: t.Fees, Items: t.FeeItems, Cash: t.Cash(), OrderID: t.OrderID, Note: t.Note,
			Order: t.Of, At: t.At,
		})
	}
	if next > 0 {
		r.Next = strconv.FormatInt(next, 10)
	}
	return r, nil
}

type sessionResult struct {
	ModelID   string            `json:"model_id"`
	Signature string            `json:"signature"`
	TodayDate market.Stamp      `json:"today_date"`
	IfTrade   bool              `json:"if_trade"`
	Halted    bool              `json:"halted"`
	Sources   map[string]string `json:"sources"`
	Markets   []string          `json:"markets"`
	Ledger    string            `json:"ledger"`
	Account   string            `json:"account" jsonschema:"registered, not_registered or unreachable"`
	Costs     string            `json:"costs,omitempty" jsonschema:"what trades cost; none without it"`
	Fills     string            `json:"fills,omitempty" jsonschema:"unlisted"` // when orders fill, unless it is at the open of the order's bar
	Rules     string            `json:"rules,omitempty" jsonschema:"what is traded, in which amounts, and when"`
	Limits    []string          `json:"limits,omitempty" jsonschema:"set by the operator: what an order must not exceed"`
}

func getSession(ctx context.Context, d *Deps, _ noParams) (sessionResult, error) {
	s, err := readSession(ctx)
	if err != nil {
		return sessionResult{}, err
	}
	r := sessionResult{
		ModelID: s.Model, Signature: s.Signature, TodayDate: s.Today, IfTrade: s.IfTrade, Halted: s.Halted,
		Sources: map[string]string{}, Markets: []string{}, Ledger: d.Ledger, Account: "registered",
		Limits: d.Accounts.Limits(s.Signature).Lines(),
	}
	for name, source := range s.Sources {
		r.Sources[name] = string(source)
	}
	rules := d.rules()
	if _, err = d.Accounts.Book(ctx, s.Signature, s.Today); err == nil {
		if rules, err = d.Accounts.Rules(ctx, s.Signature); err == nil {
			r.ruled(rules, s.Today)
		}
	}
	r.Markets = append(r.Markets, string(rules.Market.ID))
	var refusal *ledger.Refusal
	var unknown *ledger.UnknownRulesError
	switch {
	case errors.As(err, &unknown): // the account is there; its orders say what is wrong
	case errors.As(err, &refusal):
		r.Account = string(refusal.Code())
	case err != nil:
		r.Account = "unreachable"
	}
	return r, nil
}

// ruled says what the rules of the account are.
func (r *sessionResult) ruled(rules ledger.Rules, today market.Stamp) {
	r.Costs, r.Rules = rules.CostsText(), rules.Brief(today)
	if fills := rules.FillsText(); fills != ledger.FillsOpen {
		r.Fills = fills
	}
}
