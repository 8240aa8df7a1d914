// Package market holds what can be traded and at what price. It knows price
// files and nothing else.
//
// Prices is an index over files. View is the market as seen at a stamp, and the
// only way from other packages to a price. A view hides bars after its stamp, and
// symbols that have only such bars, from answers, errors and suggestions alike.
package market

import (
	"strings"
	"time"

	"mcp-trade/decimal"
)

// This file is the table of markets. All that differs between markets stands in
// its rows. Package ledger has the rules that read them.

// ID names a market, in ledgers and in reports.
type ID string

const (
	US     ID = "us"
	CN     ID = "cn"
	Crypto ID = "crypto"
)

// Default is the market of an account, a news search or a report that names no
// market.
const Default = US

// Market is a row of the table.
type Market struct {
	ID             ID
	Name           string          // of what is traded there
	Suffixes       []string        // of its symbols; the first row has no suffix, and gets all symbols that match no other row
	ZoneName       string          // of the time zone of its stamps
	PeriodsPerYear float64         // trading days
	Tradable       bool            // by accounts of this program; ledgers of other markets are only read and reported on
	Lot            decimal.Decimal // amounts are multiples of it, whatever the symbol; 0: parts are traded, as the unit of the symbol says
	Units          string          // what an amount counts
	Example        string          // a symbol
	Another        string          // one more
	Currency       string          // of its prices

	EndStamped bool // bars within a day are stamped at their end, unless their file says otherwise

	Unit func(symbol string, on Stamp) Unit                                   // of a symbol on a day
	Tick func(symbol string, on Stamp, price decimal.Decimal) decimal.Decimal // the step of a symbol's prices on a day, at about a price; 0 if it is not known

	// Limits are the lowest and the highest price of a symbol on a day after a previous close; nil: there are none.
	Limits   func(symbol string, on Stamp, before decimal.Decimal, l ShareStatus) (down, up decimal.Decimal, known bool)
	Calendar *Calendar // of its exchanges; nil: they trade every day
	// Hours says why there is no trading at a stamp of a trading day, "" if there is; extended hours count only if they are asked for.
	// nil: always.
	Hours func(at Stamp, extended bool) (why string)

	hours func(day Stamp) (open, end string) // of a trading day, such as 09:30; nil: all day
}

// markets is a value rather than the result of a function, since Of runs for each symbol of a list.
var markets = [...]Market{
	{ID: US, Name: "US shares", ZoneName: "America/New_York", PeriodsPerYear: 252, Tradable: true, Lot: decimal.NewFromInt(1),
		Units: "shares", Example: "AAPL", Another: "MSFT", Currency: "USD", Unit: shareUnit, Tick: usTick, Calendar: &usCalendar, Hours: usHours, hours: usSession},
	{ID: CN, Name: "Chinese A-shares", Suffixes: []string{".SH", ".SZ", ".BJ"}, ZoneName: "Asia/Shanghai", PeriodsPerYear: 242, Tradable: true, Lot: decimal.NewFromInt(1),
		Units: "shares", Example: "600519.SH", Another: "601318.SH", Currency: "CNY", EndStamped: true, Unit: cnUnit, Tick: cnTick, Limits: cnLimits, Calendar: &cnCalendar, Hours: cnHours, hours: cnSession},
	{ID: Crypto, Name: "crypto", Suffixes: []string{"-USDT"}, ZoneName: "UTC", PeriodsPerYear: 365, Tradable: true,
		Units: "coins", Example: "BTC-USDT", Another: "ETH-USDT", Currency: "USDT", Unit: cryptoUnit, Tick: cryptoTick},
}

// Of returns the market of a symbol by its ending. Case does not matter.
func Of(symbol string) *Market {
	symbol = strings.ToUpper(strings.TrimSpace(symbol))
	for i := range markets {
		for _, suffix := range markets[i].Suffixes {
			if strings.HasSuffix(symbol, suffix) {
				return &markets[i]
			}
		}
	}
	return &markets[0]
}

// Get returns the row of a market, nil if the table has no such market.
func (id ID) Get() *Market {
	for i := range markets {
		if markets[i].ID == id {
			return &markets[i]
		}
	}
	return nil
}

// Tradable returns the markets that accounts can trade, in the order of the table.
func Tradable() []*Market {
	var tradable []*Market
	for i := range markets {
		if markets[i].Tradable {
			tradable = append(tradable, &markets[i])
		}
	}
	return tradable
}

// Session returns when trading begins and ends on a trading day, without extended hours. Whether the day is one is not looked up.
func (m *Market) Session(day Stamp) (open, end time.Time) {
	zone := m.Zone()
	if m.hours == nil {
		return day.Day().In(zone), day.AddDays(1).In(zone)
	}
	from, to := m.hours(day.Day())
	at := func(clock string) time.Time { return Stamp(string(day.Day()) + " " + clock + ":00").In(zone) }
	return at(from), at(to)
}

// OffTick returns the prices next to one that is no multiple of the tick of a symbol on a day: one below, unless that is 0, and one above.
// It returns nil for a price on the tick, and where the tick is not known. Open, high, low and close of a bar may lie off it; a limit or a
// stop price of an order may not.
func (m *Market) OffTick(symbol string, on Stamp, price decimal.Decimal) (nearest []decimal.Decimal) {
	tick := m.Tick(symbol, on, price)
	if !tick.IsPositive() {
		return nil
	}
	rest := price.Mod(tick)
	if rest.IsZero() {
		return nil
	}
	if below := price.Sub(rest); below.IsPositive() {
		nearest = append(nearest, below)
	}
	return append(nearest, price.Sub(rest).Add(tick))
}
