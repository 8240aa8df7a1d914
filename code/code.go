// Package code lists the codes of failures, which stand in answers for programs to read, and the class of each, by which
// programs decide what to do.
package code

import "slices"

// Code names a failure.
type Code string

// Class says what a failure means for whoever asked.
type Class string

// The classes.
const (
	// Refusal: the system works and says no to this order, price or search. The account is as it was.
	Refusal Class = "refusal"
	// Caller: the call is wrong as it was written. A call that is put right may be carried out.
	Caller Class = "caller"
	// Fault: the system, or whoever runs it, has to mend something first. The failure says nothing about what was asked for.
	Fault Class = "fault"
)

// Refusals.
const (
	UnknownSymbol        Code = "unknown_symbol"        // there is no such symbol as of today
	NoPrice              Code = "no_price"              // the symbol has no bar, or not the price asked for, on that date
	InsufficientCash     Code = "insufficient_cash"     // the account cannot pay for it
	InsufficientPosition Code = "insufficient_position" // the account holds fewer shares than are to be sold
	LotSize              Code = "lot_size"              // the market does not trade that amount
	TPlus1               Code = "t_plus_1"              // it was bought today, and can be sold from tomorrow on
	PriceLimit           Code = "price_limit"           // the share is at its limit of the day, where nobody takes the other side
	MarketClosed         Code = "market_closed"         // the exchange is closed at that time
	AccountInUse         Code = "account_in_use"        // a run trades the account, and no other order goes in meanwhile
	LimitExceeded        Code = "limit_exceeded"        // a limit that the operator set does not allow it
	SearchUnconfigured   Code = "search_unconfigured"   // no source of news is set up; a day can be traded without one
	SearchFailed         Code = "search_failed"         // no source of news could serve; a day can be traded without one
)

// Mistakes of the caller.
const (
	InvalidArgument Code = "invalid_argument" // an argument is missing, unknown, or not what it must be
	NotYet          Code = "not_yet"          // a date after today was asked for
	OrderIDReused   Code = "order_id_reused"  // the order id is that of another order, or was used on an earlier date
)

// Faults.
const (
	SessionMissing     Code = "session_missing"     // SIGNATURE or TODAY_DATE is set nowhere
	SessionInvalid     Code = "session_invalid"     // a value of the session is none that it can have
	SessionUnreachable Code = "session_unreachable" // the session cannot be read, is not the one that the call is meant for, or changes faster than an order is made
	NotRegistered      Code = "not_registered"      // the session's account was never opened, or only after today
	DateBackwards      Code = "date_backwards"      // TODAY_DATE is earlier than the account's newest record
	Halted             Code = "halted"              // HALT is set
	LeaseLost          Code = "lease_lost"          // the run that this order is of has the account no longer
	LedgerUnreachable  Code = "ledger_unreachable"  // the ledger cannot be read or written; "executed" tells whether an order may be in it
	RulesUnknown       Code = "rules_unknown"       // the account is kept under rules that this version does not know
	PricesUnconfigured Code = "prices_unconfigured" // the server was given no prices
	PricesChanged      Code = "prices_changed"      // a price file is half written, or a figure that was shown is another in it now
)

// table has every code once.
var table = []struct {
	code  Code
	class Class
}{
	{UnknownSymbol, Refusal}, {NoPrice, Refusal}, {InsufficientCash, Refusal}, {InsufficientPosition, Refusal},
	{LotSize, Refusal}, {TPlus1, Refusal}, {PriceLimit, Refusal}, {MarketClosed, Refusal}, {AccountInUse, Refusal}, {LimitExceeded, Refusal}, {SearchUnconfigured, Refusal}, {SearchFailed, Refusal},
	{InvalidArgument, Caller}, {NotYet, Caller}, {OrderIDReused, Caller},
	{SessionMissing, Fault}, {SessionInvalid, Fault}, {SessionUnreachable, Fault}, {NotRegistered, Fault}, {DateBackwards, Fault},
	{Halted, Fault}, {LeaseLost, Fault}, {LedgerUnreachable, Fault}, {RulesUnknown, Fault}, {PricesUnconfigured, Fault}, {PricesChanged, Fault},
}

// Class returns the class of a code. A code that is not in the table is a [Fault]: nobody knows what it says.
func (c Code) Class() Class {
	for _, row := range table {
		if row.code == c {
			return row.class
		}
	}
	return Fault
}

// Codes returns the codes of a class, sorted.
func (c Class) Codes() []Code {
	var codes []Code
	for _, row := range table {
		if row.class == c {
			codes = append(codes, row.code)
		}
	}
	slices.Sort(codes)
	return codes
}

// Error is an error that carries its code.
type Error interface {
	error
	Code() Code
	// Details are what stands beside the error and its code in an answer, by key. The values marshal to JSON.
	Details() map[string]any
}
