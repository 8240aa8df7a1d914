// What a report holds. These are the types of report.json; who draws a page or prints a table works from them alone.

package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcp-trade/code"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// Report is what a set of accounts was worth.
type Report struct {
	Method    Method       `json:"method"`
	From      market.Stamp `json:"from,omitempty"` // the range that was asked for; "" is no bound
	To        market.Stamp `json:"to,omitempty"`
	RiskFree  float64      `json:"risk_free"` // risk-free rate of a year, 0.02 for 2 %
	Benchmark *Series      `json:"benchmark,omitempty"`
	Accounts  []Account    `json:"accounts"`           // the highest total return first, then those without one, and last those that are not verified
	Pairs     []Comparison `json:"pairs"`              // each account against each one listed after it
	Variants  *Variants    `json:"variants,omitempty"` // of an experiment, whose accounts are compared by them and not as Pairs
	Warnings  []string     `json:"warnings"`           // about more than one account
	Made      *Provenance  `json:"made,omitempty"`     // how; nil unless it was written to a folder
	Universe  string       `json:"universe,omitempty"` // what is doubtful about the prices and the list of symbols, in a sentence; "" for nothing
}

// Account is what one account was worth, and how it came about. Money is in the currency of its market.
type Account struct {
	Signature string       `json:"signature"`
	Market    market.ID    `json:"market"` // of what it trades, or else of what could be traded
	First     market.Stamp `json:"first"`  // date of its first record
	Last      market.Stamp `json:"last"`   // date of its newest record in the range
	Rows      int          `json:"rows"`   // of its ledger that were read, unreadable ones included

	Opening    Point      `json:"opening"`    // what it began with, on the evening before the first period that can earn
	Periods    []Period   `json:"periods"`    // one for each trading day, ascending
	Allocation Allocation `json:"allocation"` // of the same periods
	Drawdown   *Drawdown  `json:"drawdown"`   // the max drawdown; null if fewer than two values are known or the value never fell
	Drawdowns  []Drawdown `json:"drawdowns"`  // the deepest ones, the deepest first, at most 10
	Months     []Span     `json:"months"`     // ascending; empty without a return
	Years      []Span     `json:"years"`      // likewise
	Rolling    []Rolling  `json:"rolling"`    // for each return from the 60th on, ascending

	Trades         []Trade     `json:"trades"`     // the newest in the range, oldest first; at most Options.Trades
	RoundTrips     []RoundTrip `json:"closed"`     // the newest trades that were closed, oldest first; bounded likewise
	TradeCount     int         `json:"trades_all"` // how many there are
	RoundTripCount int         `json:"closed_all"` // how many there are
	Holdings       []Holding   `json:"holdings"`   // at the end of the range, by symbol
	Cash           Number      `json:"cash"`       // at the end of the range

	RefusedBy code.Reasons      `json:"refused_by,omitempty"`        // why its runs were refused orders, as far as it is known, in and out of the range
	Actions   []CorporateAction `json:"corporate_actions,omitempty"` // in the range, of what it held, oldest first
	Dividends float64           `json:"dividends,omitempty"`         // that they paid: part of the value, and of no trade's gain

	Splits []market.LikelySplit `json:"splits,omitempty"` // that the prices seem to have had while the account held shares; the ledger has none

	Fills  string  `json:"fills"`            // when its orders fill, and how much of a bar, in a phrase: "open", "next open"
	Orders *Orders `json:"orders,omitempty"` // that waited; nil if none did

	Costs    string          `json:"costs,omitempty"`     // what it pays for trades, in a phrase; "" for nothing
	FeeItems market.FeeItems `json:"fee_items,omitempty"` // what the fees in the range are
	Paid     []CostItem      `json:"paid"`                // what its trades cost: each fee, and slippage

	Symbols     []SymbolProfit `json:"symbols"`          // what each added to the value, the highest gain first
	Unexplained Number         `json:"unexplained_gain"` // of the value, that no trade or corporate action made: what a ledger that lost trades lacks, and rounding

	Metrics   Metrics      `json:"metrics"`             //
	Upstream  *Upstream    `json:"upstream"`            // AI-Trader's definitions; null unless the method asks for them
	Upstream2 *Upstream2   `json:"upstream_2"`          // those that it changed to; likewise
	DayStats  []DayStats   `json:"notes"`               // what the run knows of the days, ascending; empty if it is not known
	Warnings  []string     `json:"warnings"`            // what is unknown or doubtful, in sentences
	Certainty Comparison   `json:"certainty"`           // against the benchmark, or against cash if none was given
	Verdict   string       `json:"verdict"`             // the same in a sentence
	Knowledge *Knowledge   `json:"knowledge,omitempty"` // what a language model that traded it may remember of its days; nil if none did
	Run       *RunSettings `json:"run,omitempty"`       // what its newest run was started with; nil if none noted it
	Forward   *Forward     `json:"forward,omitempty"`   // which days it traded as they came; nil if it never followed the market
	Ledger    *Proof       `json:"ledger"`              // whether the ledger that all this rests on can be trusted; null if it was not verified
}

// Orders counts the orders of an account that waited, in the range.
type Orders struct {
	Placed    int            `json:"placed"`
	Filled    int            `json:"filled"` // each in part, or as a whole
	Cancelled int            `json:"cancelled"`
	Expired   int            `json:"expired"`
	Reasons   map[string]int `json:"reasons,omitempty"` // of those that expired
	Open      int            `json:"open"`              // at the end of the range
}

// maxReasons bounds the reasons that are told apart.
const maxReasons = 20

// String says what became of them: "5 orders waited: 3 fills, 1 cancelled, 1 expired (The day is over.)".
func (o Orders) String() string {
	text := fmt.Sprintf("%d orders waited: %d fills, %d cancelled, %d expired", o.Placed, o.Filled, o.Cancelled, o.Expired)
	var reasons []string
	for _, why := range slices.SortedFunc(maps.Keys(o.Reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(o.Reasons[b], o.Reasons[a]), cmp.Compare(a, b))
	}) {
		reasons = append(reasons, fmt.Sprintf("%d: %s", o.Reasons[why], strings.TrimSuffix(why, ".")))
	}
	if len(reasons) > 0 {
		text += " (" + strings.Join(reasons, "; ") + ")"
	}
	if o.Open > 0 {
		text += fmt.Sprintf(", %d still open", o.Open)
	}
	return text + "."
}

// Proof says how far a ledger is verified.
type Proof struct {
	Verdict ledger.Verdict `json:"verdict"`
	Reasons []string       `json:"reasons"` // of a verdict other than verified
	Head    string         `json:"head"`    // see [ledger.Report]
}

// String is the verdict with its reasons, as a sentence.
func (p Proof) String() string {
	text := fmt.Sprintf("The ledger is %s", p.Verdict)
	if len(p.Reasons) > 0 {
		text += ": " + strings.Join(p.Reasons, "; ")
	}
	return text + "."
}

// Ranked tells whether an account is compared with others: one whose ledger does not verify is listed below them.
func (a Account) Ranked() bool { return a.Ledger == nil || a.Ledger.Verdict != ledger.NotVerified }

// SplitMark marks the name of an account in a ranking whose values may be wrong by a split.
const SplitMark = "split?"

// Mark is what stands behind the name of an account in a ranking, "" for nothing.
func (a Account) Mark() string {
	if len(a.Splits) > 0 {
		return SplitMark
	}
	return ""
}

// BenchmarkDays says on how many of the account's days its figures beside the benchmark rest, such as "199 of 252 days"; "" if on all.
func (a Account) BenchmarkDays() string {
	if n := a.Certainty.Returns; a.Certainty.Against != "" && n < a.Metrics.Returns {
		return fmt.Sprintf("%d of %d days", n, a.Metrics.Returns)
	}
	return ""
}

// Point is a value on a date.
type Point struct {
	Date  market.Stamp `json:"date"`
	Value Number       `json:"value"`
}

// Series is what something was worth, day after day, such as a benchmark. Days without a value are left out.
type Series struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"` // ascending
}

// Period is a trading day of an account. Trades and money are those of the records after the period before.
type Period struct {
	Date        market.Stamp `json:"date"`
	Value       Number       `json:"value"`              // cash and holdings at their last closes; null if a holding never had one
	Cash        Number       `json:"cash"`               //
	Return      Number       `json:"return"`             // since the last known value, 0.01 for 1 %; null if there is none to compare
	Drawdown    Number       `json:"drawdown"`           // below the highest value so far, 0.1 for 10 % below it
	Trades      int          `json:"trades"`             // bought or sold
	TradedValue float64      `json:"traded"`             // value of those trades
	Fees        float64      `json:"fees"`               // paid for them
	Unpriced    []string     `json:"unpriced,omitempty"` // holdings that never had a close, for which the value is unknown
	Carried     bool         `json:"carried,omitempty"`  // the day has no record; the book is the one before

	Stale ledger.StaleCloses `json:"stale,omitempty"` // holdings that count at a close of an earlier trading day
}

// Allocation is the weight of cash and of each holding at the end of each period.
type Allocation struct {
	Names []string   `json:"names"` // CASH, the symbols that weighed most, by weight, and "other" for the rest
	Parts [][]Number `json:"parts"` // for each name, its fraction of the value in each period: 0.25 for a quarter
}

// Drawdown is a fall from a peak to the lowest value that followed.
type Drawdown struct {
	Depth        float64      `json:"depth"`         // 0.1 for 10 % below the peak
	Peak         market.Stamp `json:"peak"`          // day of the highest value
	Trough       market.Stamp `json:"trough"`        // day of the lowest value
	Recovered    market.Stamp `json:"recovered"`     // first day at or above the peak again; "" if there is none
	TradingDays  int          `json:"trading_days"`  // from the peak to the recovery, or to the end
	CalendarDays int          `json:"calendar_days"` // likewise
}

// Trade is a record that bought or sold.
type Trade struct {
	ID       int64        `json:"id"`
	Date     market.Stamp `json:"date"`   // of the bar in which it filled
	Action   string       `json:"action"` // buy or sell
	Symbol   string       `json:"symbol"`
	Amount   float64      `json:"amount"`   // in shares or coins
	Price    Number       `json:"price"`    // of one; the row's, else the open of its date
	Value    Number       `json:"value"`    // price times amount
	Fees     float64      `json:"fees"`     // in all
	Slippage Number       `json:"slippage"` // paid beyond the open of its date; null if that is unknown
	Gain     Number       `json:"gain"`     // of a sale over what was paid for the same shares, after fees; null if that is unknown
	OrderID  string       `json:"order_id,omitempty"`
	Order    int64        `json:"order,omitempty"` // that waited and was filled, by the id of the record that placed it
	Type     string       `json:"type,omitempty"`  // of that order: market, limit or stop

	FeeItems market.FeeItems `json:"fee_items,omitempty"`   // what the fees are, where the ledger says so
	InKind   float64         `json:"fee_in_kind,omitempty"` // how much of what was bought they took; Fees has its value

	Note string `json:"note,omitempty"` // as the trader wrote it: untrusted text
}

// RoundTrip is a trade that was closed: a sale, and the shares bought first of those still held (first in, first out).
type RoundTrip struct {
	ID     int64        `json:"id"`     // of the sale
	Opened market.Stamp `json:"opened"` // when the oldest of the shares were bought
	Closed market.Stamp `json:"closed"` // when they were sold
	Symbol string       `json:"symbol"`
	Amount float64      `json:"amount"`
	Cost   float64      `json:"cost"`   // paid for the shares, with fees
	Income float64      `json:"income"` // got for them, less fees
	Gain   float64      `json:"gain"`   // income less cost
	Return Number       `json:"return"` // gain over cost
	Days   int          `json:"days"`   // calendar days from Opened to Closed
}

// Holding is what an account holds at the end.
type Holding struct {
	Symbol string       `json:"symbol"`
	Amount float64      `json:"amount"`
	Price  Number       `json:"price"`            // the last close known in the range
	Priced market.Stamp `json:"priced,omitempty"` // date of that price
	Value  Number       `json:"value"`            //
	Cost   Number       `json:"cost"`             // paid for it, with fees; null if it is not known of all of it
	Gain   Number       `json:"gain"`             // value less cost

	StaleDays int `json:"stale_days,omitempty"` // trading days of its market since that price, up to the end of the range
}

// RunStats is what the run that wrote a ledger recorded beside it.
type RunStats struct {
	Refused Number       // orders refused
	Reasons code.Reasons // of them, as far as they are known
	Tokens  Number       // that the model used
	Cost    Number       // of the model, in the currency of the account
	Caveat  string       // what its decider could not do, in a sentence; "" for nothing
	Days    []DayStats   // ascending

	Run      *RunSettings // what the newest was started with; nil if none noted it
	Training *Training    // of the language model that traded; nil if none did
	Forward  []ForwardDay // ascending; empty if it never followed the market
}

// DayStats is what a run recorded of a day.
type DayStats struct {
	Date    market.Stamp `json:"date"`
	Text    string       `json:"text,omitempty"` // the model's reasoning: untrusted text
	Tokens  Number       `json:"tokens"`
	Cost    Number       `json:"cost"`
	Refused Number       `json:"refused"`

	RefusedBy code.Reasons `json:"refused_by,omitempty"` // why
}

// Interval is the 95 % interval of a figure, see package interval.
type Interval struct {
	Low  Number `json:"low"`
	High Number `json:"high"`
}
