// The section of one account.

package page

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	g "maragu.dev/gomponents"

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
	ID, Name      string
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
	Allocation    *slot
	Rolling       []*slot
	Sheet         g.Node
	Cash          string
	Holdings      []holding
	Prices        []string // symbols
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
	Trades     []dayTrade
	More       int    // trades that are not shown
	Said       string // where the server has the conversation, "" if it has none
}

// details are an account's: the section as markup, and the charts in it as data.
type details struct {
	account report.Account
	packed  []byte
	version string // of the packed text
}

// detailsData is what is packed.
type detailsData struct {
	HTML   string         `json:"html"`
	Days   []market.Stamp `json:"days"`
	Charts []plot         `json:"charts"`
}

// slot is where a chart goes: the script draws it there.
type slot struct {
	plot
	from  chart.Plot
	scale float64
}

func newDetails(a report.Account, s Data) (details, error) {
	v := newAccount(a, s)
	data := detailsData{HTML: markup(v.node()), Days: []market.Stamp{}, Charts: []plot{}}
	var plots []chart.Plot
	for _, x := range v.slots() {
		plots = append(plots, x.from)
	}
	days := newCalendar(plots...)
	data.Days = append(data.Days, days.Days...)
	for _, x := range v.slots() {
		x.fill(x.from, days, x.scale)
		data.Charts = append(data.Charts, x.plot)
	}
	packed, err := pack(data)
	return details{a, packed, digest(packed)}, err
}

// slots are all charts of the section.
func (v *account) slots() []*slot {
	var all []*slot
	if v.Allocation != nil {
		all = append(all, v.Allocation)
	}
	return append(all, v.Rolling...)
}

// dayTrade is a trade beside the reasoning of its day.
type dayTrade struct{ Action, Verb, Symbol, Amount, Price, Note string }

func newAccount(a report.Account, s Data) account {
	v := account{
		ID: accountID(a), Name: a.Signature, Verdict: a.Verdict, Told: append(a.Knowledge.Lines(), a.Forward.Lines()...), Warnings: a.Warnings, Headline: headline(a), Metrics: allMetrics(a.Metrics),
		Upstream: slices.Concat(upstreamMetrics(a.Upstream), laterMetrics(a.Upstream2)), Cash: money(a.Cash),
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
	v.Allocation, v.Rolling = newAllocation(a, v.ID), newRolling(a, v.ID)
	v.Sheet = v.sheet(a)
	v.prices(a, s)
	v.days(a, s.conversations)
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

// newAllocation draws the weights of cash and holdings, nil if none is known.
func newAllocation(a report.Account, id string) *slot {
	from := chart.Allocation(a)
	if from.Empty() {
		return nil
	}
	p := plot{ID: id + "-allocation", Title: "Allocation", Small: true, Legend: true, Table: "Allocation of " + a.Signature + " by day", Text: "The fraction of the value in each holding, and in cash."}
	return &slot{plot: p, from: from, scale: 1e3}
}

// drawnSymbols are the symbols whose trades are drawn, those with the most trades first.
func drawnSymbols(a report.Account) (drawn []string, left int) {
	trades := map[string]int{}
	for _, t := range a.Trades {
		trades[t.Symbol]++
	}
	all := slices.SortedFunc(maps.Keys(trades), func(x, y string) int { return cmp.Or(cmp.Compare(trades[y], trades[x]), strings.Compare(x, y)) })
	n := min(len(all), maxSymbols)
	return all[:n], len(all) - n
}

// prices names the symbols whose trades the script draws on their closes.
func (v *account) prices(a report.Account, s Data) {
	if s.Prices == nil || len(a.Periods) == 0 {
		return
	}
	shown, left := drawnSymbols(a)
	for _, symbol := range shown {
		v.Prices = append(v.Prices, inert(symbol))
	}
	if left > 0 {
		v.PricesNote = fmt.Sprintf("The %d symbols with the most trades; %d more were traded.", len(shown), left)
	}
	if left := a.TradeCount - len(a.Trades); left > 0 {
		v.PricesNote += fmt.Sprintf(" The newest %s of %s are marked.", count(len(a.Trades)), plural(a.TradeCount, "trade"))
	}
}

func verb(action string) string {
	if action == "buy" {
		return "bought"
	}
	return "sold"
}

// days lists the days with trades or reasoning, the newest first.
func (v *account) days(a report.Account, conversations bool) {
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
	if len(notes) > 0 && !conversations {
		v.DaysNote = strings.TrimSpace(fmt.Sprintf("%s The whole conversation of a day: mcp-trade show %s DAY.", v.DaysNote, a.Signature))
	}
	all = all[:min(len(all), maxDays)]
	for i, d := range all {
		told := newDay(d, notes[d], trades[d], returns[d])
		if _, said := notes[d]; said && conversations {
			told.Said = fmt.Sprintf("day/%s/%s", a.Signature, d)
		}
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
		d.Trades = append(d.Trades, dayTrade{t.Action, verb(t.Action), t.Symbol, amount(t.Amount), price(t.Price), orderOf(t) + t.Note})
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
