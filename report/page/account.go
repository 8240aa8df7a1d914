// The section of one account.

package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/chart"
)

// Bounds of a section, so that the page stays one that a browser likes to show.
const (
	maxSymbols = 24  // drawn, those with the most trades
	maxDays    = 120 // with their reasoning and their trades, the newest
	openDays   = 5   // of those, not folded
	maxDayRows = 50  // trades shown beside a day's reasoning
	maxLead    = 600 // characters of a reasoning that are not folded
)

// account is the section.
type account struct {
	link
	Lead, Verdict string
	Proof, Head   string   // of the ledger; "" if it was not verified
	Told          []string // what its model may remember, and which days it traded as they came
	Forward       []forwardDay
	ForwardNote   string
	Actions       []action // corporate actions, the newest first
	ActionsNote   string
	Warnings      []string
	Headline      []metricRow
	Metrics       []metricRow
	Upstream      []metricRow
	Allocation    figure
	Cash          string
	Holdings      []holding
	Prices        []figure
	PricesNote    string
	Days, Earlier []day
	DaysNote      string
}

type holding struct{ Symbol, Amount, Price, Priced, Old, Value, Gain, Sign string }

// day is a day with its reasoning beside its trades.
type day struct {
	Date       market.Stamp
	Lead, Rest string // the reasoning: untrusted text
	Return     string
	Sign       string
	Notes      string // what the run recorded of it
	Trades     []trade
	More       int // trades that are not shown
}

func newAccount(a report.Account, l link, s Data) account {
	v := account{
		link: l, Verdict: a.Verdict, Told: append(a.Knowledge.Lines(), a.Forward.Lines()...), Warnings: a.Warnings, Headline: headline(a), Metrics: allMetrics(a.Metrics),
		Upstream: upstreamMetrics(a.Upstream), Cash: money(a.Cash),
	}
	v.Lead = fmt.Sprintf("%s in %s, %s.", plural(a.TradeCount, "trade"), plural(len(a.Periods), "trading day"), a.Market.Get().Name)
	if a.Fills != ledger.FillsOpen && a.Fills != "" {
		v.Lead += fmt.Sprintf(" Fills: %s.", a.Fills)
	}
	if a.Orders != nil {
		v.Lead += " " + a.Orders.String()
	}
	if len(a.RefusedBy) > 0 {
		v.Lead += fmt.Sprintf(" Orders refused: %s.", a.RefusedBy)
	}
	if a.Ledger != nil {
		v.Proof, v.Head = a.Ledger.String(), a.Ledger.Head
	}
	for _, h := range a.Holdings {
		v.Holdings = append(v.Holdings, holding{
			h.Symbol, amount(h.Amount), price(h.Price), string(h.Priced), closeAge(h), money(h.Value), signedMoney(h.Gain), sign(h.Gain),
		})
	}
	v.forward(a.Forward)
	v.actions(a)
	v.Allocation = newAllocation(a, l)
	v.draw(a, s)
	v.days(a)
	return v
}

// forwardDay is a day that was traded as it came, or was to be.
type forwardDay struct{ Date, Mark, Decided, Note string }

// forward lists the days that were traded as they came, the newest first.
func (v *account) forward(f *report.Forward) {
	if f == nil {
		return
	}
	for _, d := range slices.Backward(f.Days[max(0, len(f.Days)-maxDays):]) {
		row := forwardDay{Date: string(d.Date), Mark: string(d.Mark()), Decided: unknown, Note: d.Skipped}
		if !d.Decided.IsZero() {
			row.Decided = d.Decided.UTC().Format("2006-01-02 15:04:05")
		}
		if len(d.Missing) > 0 {
			row.Note = "no price of " + strings.Join(d.Missing, ", ")
		}
		if d.Clock != "" {
			row.Mark += ", simulated clock"
		}
		v.Forward = append(v.Forward, row)
	}
	v.ForwardNote = newestOf(len(f.Days), "day")
}

// newestOf says of a list that it is cut, "" if it is not.
func newestOf(n int, what string) string {
	if n <= maxDays {
		return ""
	}
	return fmt.Sprintf("The newest %d of %s.", maxDays, plural(n, what))
}

// action is a corporate action of what the account held.
type action struct{ Date, Text, Paid string }

// actions lists the corporate actions, the newest first.
func (v *account) actions(a report.Account) {
	for _, x := range slices.Backward(a.Actions[max(0, len(a.Actions)-maxDays):]) {
		row := action{Date: string(x.Date), Text: x.Text, Paid: unknown}
		if x.Cash != 0 {
			row.Paid = money(report.Known(x.Cash))
		}
		v.Actions = append(v.Actions, row)
	}
	if a.Dividends != 0 {
		v.ActionsNote = "Dividends paid " + money(report.Known(a.Dividends)) + "."
	}
	v.ActionsNote = strings.TrimSpace(v.ActionsNote + " " + newestOf(len(a.Actions), "action"))
}

// closeAge says how old the price of a holding is, "" if it is of the last day.
func closeAge(h report.Holding) string {
	if h.StaleDays == 0 {
		return ""
	}
	return "of " + ledger.StaleClose{Date: h.Priced.Day(), Days: h.StaleDays}.Age()
}

// newAllocation draws the weights of cash and holdings.
func newAllocation(a report.Account, l link) figure {
	f := figure{ID: l.ID + "-allocation", Title: "Allocation", Kind: "small stack", Table: "Allocation of " + a.Signature + " by day", Text: "The fraction of the value in each holding, and in cash."}
	p := chart.Allocation(a)
	f.tabulate(p, percent)
	f.draw(p, map[string]chart.Size{"": small})
	return f
}

// draw draws the trades of each symbol on its price chart.
func (v *account) draw(a report.Account, s Data) {
	bySymbol := map[string][]report.Trade{}
	var symbols []string
	for _, t := range a.Trades {
		if bySymbol[t.Symbol] == nil {
			symbols = append(symbols, t.Symbol)
		}
		bySymbol[t.Symbol] = append(bySymbol[t.Symbol], t)
	}
	if s.Prices == nil || len(a.Periods) == 0 {
		return
	}
	slices.SortFunc(symbols, func(x, y string) int {
		return cmp.Or(cmp.Compare(len(bySymbol[y]), len(bySymbol[x])), strings.Compare(x, y))
	})
	shown := symbols[:min(len(symbols), maxSymbols)]
	for _, symbol := range shown {
		series := s.Prices(symbol, a.Opening.Date, a.Periods[len(a.Periods)-1].Date)
		v.Prices = append(v.Prices, newPrice(v.ID, series, symbol, bySymbol[symbol]))
	}
	if left := len(symbols) - len(shown); left > 0 {
		v.PricesNote = fmt.Sprintf("The %d symbols with the most trades; %d more were traded.", len(shown), left)
	}
	if left := a.TradeCount - len(a.Trades); left > 0 {
		v.PricesNote += fmt.Sprintf(" The newest %s of %s are marked.", count(len(a.Trades)), plural(a.TradeCount, "trade"))
	}
}

// newPrice draws the trades of one symbol.
func newPrice(account string, series report.Series, symbol string, trades []report.Trade) figure {
	f := figure{
		ID: account + "-price-" + elementID(symbol), Title: symbol, Kind: "small price", Table: "Trades of " + symbol,
		Columns: []column{{Name: "Date"}, {Name: "Close"}, {Name: "Trades"}},
	}
	series.Name = symbol
	byDay := map[market.Stamp][]string{}
	bought, sold := 0, 0
	for _, t := range trades {
		text := fmt.Sprintf("%s %s at %s", verb(t.Action), amount(t.Amount), price(t.Price))
		byDay[t.Date.Day()] = append(byDay[t.Date.Day()], text)
		if t.Action == "buy" {
			bought++
		} else {
			sold++
		}
	}
	f.Text = fmt.Sprintf("Bought %s, sold %s.", times(bought), times(sold))
	for i, p := range series.Points {
		if texts := byDay[p.Date]; texts != nil {
			if more := len(texts) - 4; more > 0 {
				texts = append(texts[:4], fmt.Sprintf("%d more", more))
			}
			f.Rows = append(f.Rows, row{i, p.Date, []string{price(p.Value), strings.Join(texts, "; ")}})
		}
	}
	f.draw(chart.PriceWithTrades(series, trades), map[string]chart.Size{"": small})
	return f
}

func verb(action string) string {
	if action == "buy" {
		return "bought"
	}
	return "sold"
}

func times(n int) string {
	switch n {
	case 0:
		return "never"
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return count(n) + " times"
}

// days lists the days with trades or reasoning, the newest first.
func (v *account) days(a report.Account) {
	notes := map[market.Stamp]report.DayStats{}
	for _, n := range a.DayStats {
		notes[n.Date] = n
	}
	trades := map[market.Stamp][]report.Trade{}
	for _, t := range a.Trades {
		trades[t.Date.Day()] = append(trades[t.Date.Day()], t)
	}
	returns := map[market.Stamp]report.Number{}
	dates := map[market.Stamp]bool{}
	for _, p := range a.Periods {
		returns[p.Date] = p.Return
	}
	for d := range notes {
		dates[d] = true
	}
	for d := range trades {
		dates[d] = true
	}
	var all []market.Stamp
	for d := range dates {
		all = append(all, d)
	}
	slices.SortFunc(all, func(x, y market.Stamp) int { return strings.Compare(string(y), string(x)) })
	v.DaysNote = newestOf(len(all), "day")
	all = all[:min(len(all), maxDays)]
	for i, d := range all {
		told := newDay(d, notes[d], trades[d], returns[d])
		if i < openDays {
			v.Days = append(v.Days, told)
		} else {
			v.Earlier = append(v.Earlier, told)
		}
	}
}

func newDay(date market.Stamp, n report.DayStats, trades []report.Trade, r report.Number) day {
	d := day{Date: date, Return: signedPercent(r), Sign: sign(r)}
	d.Lead, d.Rest = splitLead(n.Text)
	var known []string
	if n.Tokens.Known() {
		known = append(known, fixed(n.Tokens, 0)+" tokens")
	}
	if n.Cost.Known() {
		known = append(known, "cost "+fixed(n.Cost, 4))
	}
	if n.Refused.Float() > 0 {
		refused := plural(int(n.Refused.Float()), "order") + " refused"
		if len(n.RefusedBy) > 0 {
			refused += " (" + n.RefusedBy.String() + ")"
		}
		known = append(known, refused)
	}
	d.Notes = strings.Join(known, ", ")
	d.More = max(0, len(trades)-maxDayRows)
	for _, t := range trades[:len(trades)-d.More] {
		d.Trades = append(d.Trades, newTrade("", t))
	}
	return d
}

// splitLead splits a long text in two, between words.
func splitLead(text string) (lead, rest string) {
	letters := []rune(text)
	if len(letters) <= maxLead*3/2 {
		return text, ""
	}
	lead = string(letters[:maxLead])
	if i := strings.LastIndexAny(lead, " \n"); i > len(lead)/2 {
		lead = lead[:i]
	}
	return lead, text[len(lead):]
}
