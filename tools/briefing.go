// The day's briefing: the prompt trading-day, and the resource briefing://{signature}.

package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/decimal"
	"mcp-trade/internal/safetext"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/search"
	"mcp-trade/session"
)

func tradingDayPrompt() mcp.Prompt {
	return mcp.NewPrompt("trading-day",
		mcp.WithPromptDescription("The day's briefing: date, holdings, the last closes, today's opens, profit since yesterday."))
}

func (d *Deps) tradingDay(ctx context.Context, req mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	s, err := readSession(meant(ctx, req.Params.Meta))
	if err != nil {
		return nil, err
	}
	text, err := d.briefing(ctx, s)
	if err != nil {
		return nil, err
	}
	return mcp.NewGetPromptResult("Briefing for "+string(s.Today), []mcp.PromptMessage{
		mcp.NewPromptMessage(mcp.RoleUser, mcp.NewTextContent(text)),
	}), nil
}

// maxQuotes bounds the symbols that a briefing quotes beside those held.
const maxQuotes = 150

// say adds one line, whatever is in what it tells of: a ledger is read from a file, which anybody may have written.
func say(b *strings.Builder, format string, args ...any) {
	b.WriteString(safetext.Line(fmt.Sprintf(format, args...)) + "\n")
}

// inText are symbols as the briefing has them.
func inText(symbols []string) string {
	said := make([]string, len(symbols))
	for i, s := range symbols {
		said[i] = market.InText(s)
	}
	return strings.Join(said, ", ")
}

// briefing is the trading day on one page: the account, its holdings and the quotes of the day.
func (d *Deps) briefing(ctx context.Context, s session.Session) (string, error) {
	v, err := d.asOf(s)
	if err != nil {
		return "", err
	}
	book, due, err := d.Accounts.Due(ctx, s.Signature, s.Today, v)
	if err != nil {
		return "", err
	}
	valued, err := d.bookRules(ctx, s.Signature)
	if err != nil {
		return "", err
	}
	now, err := portfolio(s.Signature, book, valued.Valuing(v))
	if err != nil {
		return "", err
	}
	if err := d.markSplits(ctx, &now, v, valued); err != nil {
		return "", err
	}
	rules, unknown := d.Accounts.Rules(ctx, s.Signature)
	if unknown != nil { // the orders say what is wrong
		rules = d.rules()
	}
	now.markSellable(book, rules)
	var b strings.Builder
	say(&b, "Today is %s, in a simulation on historical prices. You trade the account %s.", s.Today, s.Signature)
	say(&b, "Cash: %s", now.Cash.StringFixed(2))
	if now.TotalValue.Valid {
		say(&b, "Total value, at today's opens, else at last closes: %s", now.TotalValue.Decimal.StringFixed(2))
	} else {
		say(&b, "Total value: unknown, since there is no price for %s", inText(now.Unpriced))
	}
	if brief := rules.Brief(s.Today); brief != "" {
		say(&b, "Rules: %s", brief)
	}
	fill := "Orders fill at today's opens."
	if unknown == nil {
		if rules.CostsText() != "" {
			say(&b, "Trades cost: %s", rules.CostsText())
		}
		if of := rules.FillsText(); of != ledger.FillsOpen {
			fill = fmt.Sprintf("Market orders fill by the account's rule: %s. Until then they wait.", of)
		}
	}
	if lines := d.Accounts.Limits(s.Signature).Lines(); len(lines) > 0 {
		say(&b, "Limits that the operator set, which no order can exceed:")
		for _, line := range lines {
			say(&b, "- %s", line)
		}
	}
	if err := d.sinceYesterday(ctx, &b, s, now, v); err != nil {
		return "", err
	}
	if err := d.orders(ctx, &b, s, book, due); err != nil {
		return "", err
	}
	holdings(&b, now, v, rules.Market.Units)
	if err := quotes(&b, v); err != nil {
		return "", err
	}
	b.WriteString("\n")
	say(&b, "%s Highs, lows and closes of today are not known yet.", fill)
	return b.String(), nil
}

// orders tells what became of the orders that waited since the account last traded, and which wait now. Of an account without any there
// is nothing to tell.
func (d *Deps) orders(ctx context.Context, b *strings.Builder, s session.Session, book ledger.Book, due []ledger.Record) error {
	events, err := d.Accounts.EventsSince(ctx, s.Signature, s.Today)
	if err != nil {
		return err
	}
	events = append(events, due...)
	tell := func(title string, actions bool) {
		for _, e := range events {
			if e.IsAction() == actions {
				b.WriteString(title)
				const longest = 500 // characters
				say(b, "%s", search.Cut(e.Event(), longest))
				title = ""
			}
		}
	}
	tell("\nWhat companies did since the day before:\n", true)
	tell("\nYour orders since the day before:\n", false)
	if len(book.Orders) == 0 {
		return nil
	}
	b.WriteString("\nOpen orders (number, side, amount, symbol, type and price, until, placed):\n")
	for _, o := range book.Orders {
		say(b, "%d %s %s %s %s%s %s %s", o.ID, o.Action, o.Amount, market.InText(o.Symbol), o.Type, priceOf(o), o.Until, o.Placed)
	}
	var kept []string
	for _, p := range book.Orders.Reserved() {
		kept = append(kept, fmt.Sprintf("%s %s", market.InText(p.Symbol), p.Amount))
	}
	say(b, "They reserve: %s", strings.Join(kept, ", "))
	return nil
}

// priceOf is the price that an order waits for, after a space, "" if it waits for none.
func priceOf(o ledger.OpenOrder) string {
	switch o.Type {
	case ledger.LimitOrder:
		return " " + o.Limit.String()
	case ledger.StopOrder:
		return " " + o.Stop.String()
	}
	return ""
}

// sinceYesterday compares the value now, at today's opens, with that of the evening before at yesterday's opens. Trades at
// the open change neither, so the difference is what the holdings earned from one open to the next.
func (d *Deps) sinceYesterday(ctx context.Context, b *strings.Builder, s session.Session, now portfolioResult, v market.View) error {
	yesterday, ok := previous(v, now.Holdings)
	if !ok {
		return nil
	}
	book, err := d.Accounts.Book(ctx, s.Signature, yesterday)
	var refusal *ledger.Refusal
	if errors.As(err, &refusal) {
		return nil // the account was opened later
	}
	if err != nil {
		return err
	}
	then, err := portfolio(s.Signature, book, v.At(yesterday))
	if err != nil {
		return err
	}
	if now.TotalValue.Valid && then.TotalValue.Valid {
		profit := now.TotalValue.Decimal.Sub(then.TotalValue.Decimal)
		say(b, "Profit since the open of %s: %s", yesterday, signed(profit))
	}
	return nil
}

// previous returns the newest stamp before the view's at which a holding has a bar.
func previous(v market.View, holdings []holding) (market.Stamp, bool) {
	var newest market.Stamp
	for _, h := range holdings {
		if _, at, err := v.LastClose(h.Symbol); err == nil {
			newest = max(newest, at)
		}
	}
	return newest, newest != ""
}

func holdings(b *strings.Builder, now portfolioResult, v market.View, units string) {
	if len(now.Holdings) == 0 {
		b.WriteString("\nHoldings: none\n")
		return
	}
	b.WriteString("\n")
	say(b, "Holdings (symbol, %s, last close, price now, value now):", units)
	for _, h := range now.Holdings {
		say(b, "%s %s %s %s %s%s%s", market.InText(h.Symbol), h.Amount, lastClose(v, h.Symbol), orDash(h.Price), orDash(h.Value), stale(h), unsellable(h))
		if h.Split != "" {
			say(b, "  %s. The account knows of no split, so its shares and their value may be wrong.", h.Split)
		}
	}
}

// unsellable says how much of a holding can be sold today, if it is not all of it.
func unsellable(h holding) string {
	if h.Sellable == nil || h.Sellable.Equal(h.Amount) {
		return ""
	}
	return fmt.Sprintf(" (%s can be sold today)", h.Sellable)
}

// stale returns the date of a holding's price if its market has traded since then.
func stale(h holding) string {
	switch h.StaleDays {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(" (close of %s, 1 trading day old)", h.PriceDate)
	}
	return fmt.Sprintf(" (close of %s, %d trading days old)", h.PriceDate, h.StaleDays)
}

// quotes lists the last close and today's open of the symbols that have a bar today.
func quotes(b *strings.Builder, v market.View) error {
	symbols, err := v.Symbols()
	if err != nil {
		return err
	}
	listed := 0
	for _, symbol := range symbols {
		open, err := v.OpenPrice(symbol)
		if err != nil {
			continue
		}
		if listed++; listed == 1 {
			b.WriteString("\nMarket (symbol, last close, today's open):\n")
		}
		if listed > maxQuotes { // how many more there are would take the reading of all of them
			say(b, "and more symbols; ask get_price for them")
			return nil
		}
		say(b, "%s %s %s", symbol, lastClose(v, symbol), open)
	}
	if listed == 0 {
		b.WriteString("\nMarket: nothing trades today\n")
	}
	return nil
}

func lastClose(v market.View, symbol string) string {
	price, _, err := v.LastClose(symbol)
	return orDash(decimal.NullDecimal{Decimal: price, Valid: err == nil})
}

func orDash(d decimal.NullDecimal) string {
	if !d.Valid {
		return "-"
	}
	return d.Decimal.String()
}

func signed(d decimal.Decimal) string {
	if d.IsNegative() {
		return d.StringFixed(2)
	}
	return "+" + d.StringFixed(2)
}
