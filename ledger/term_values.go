// The keys of the terms of single markets, and their values beside the default.

package ledger

// The terms that AI-Trader's accounts have otherwise.
const (
	lotsKey   = "lots"
	strict100 = `"strict100"` // every order in multiples of 100, as in AI-Trader, which knows neither boards nor odd rests
	tPlusKey  = "t_plus"
	sameDay   = "0" // what was bought today can be sold today
	limitsKey = "price_limits"
	noLimits  = `"off"`
)

// fractionOfShare is the lot of an account that trades fractions of US shares. Brokers differ in how fine theirs are: DriveWealth takes
// steps of 0.00000001, Alpaca 9 decimals. This step is one of both.
const fractionOfShare = "0.000001"

// The terms of the hours. AI-Trader, and this program before it knew hours, trade US shares at every bar that they have.
const (
	hoursKey      = "hours"
	regularHours  = `"regular"`
	extendedHours = `"extended"`
	allHours      = `"all"`
)

// The terms of the fill: at the open of the bar that begins at the stamp, or of the one that is stamped so, though it may end there, or
// of the next bar.
const (
	fillKey       = "fill"
	fillAsStamped = `"upstream"`
	fillNextOpen  = `"next-open"`
)

// The term of corporate actions. Ledgers that do not state it know of none.
const (
	actionsKey = "actions"
	actionsOn  = `"on"`
)
