package report

// Tests of what a report counts of orders that wait.

import (
	"fmt"
	"reflect"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// row adds a row with the orders that are open after it; positions stay where the record has none.
func (a *account) row(date market.Stamp, rec ledger.Record, open ...int64) *account {
	rec.Date, rec.ID = date, a.rec.ID+1
	if rec.Positions == nil {
		rec.Positions = a.rec.Positions
	}
	for _, id := range open {
		rec.Orders = append(rec.Orders, ledger.OpenOrder{ID: id, Action: ledger.Buy, Symbol: "A", Amount: single, Terms: limit(90), Placed: week[0], Reserved: decimal.NewFromInt(90)})
	}
	a.rec = rec
	return a.write()
}

var single = decimal.NewFromInt(1)

// limit are the terms of a limit order that is good till cancelled.
func limit(price int64) ledger.Terms {
	return ledger.Terms{Type: ledger.LimitOrder, Limit: decimal.NewFromInt(price), Until: ledger.GTC}
}

func placing() ledger.Record {
	return ledger.Record{Action: ledger.Place, Side: ledger.Buy, Symbol: "A", Amount: single, Terms: limit(90)}
}

func ending(action ledger.Action, of int64, why string) ledger.Record {
	return ledger.Record{Action: action, Side: ledger.Buy, Symbol: "A", Amount: single, Of: of, Why: why}
}

func TestBuild_Orders(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "100/110 110/120 120/130 130/140 140/150"})
	fill := ledger.Record{
		Action: ledger.Buy, Symbol: "A", Amount: single, Price: decimal.NewNullDecimal(decimal.NewFromInt(90)), Of: 1, At: week[2],
		Positions: ledger.Positions{{Symbol: "A", Amount: single}, {Symbol: ledger.Cash, Amount: decimal.NewFromInt(910)}},
	}
	l := opened("2025-10-01", 1000).
		row(week[0], placing(), 1).
		row(week[0], placing(), 1, 2).
		row(week[1], ending(ledger.Expire, 2, "The day is over."), 1).
		row(week[1], placing(), 1, 4).
		row(week[3], fill, 4). // known on that day, filled in the bar before
		row(week[3], ending(ledger.Cancel, 4, "")).
		row(week[4], placing(), 7).
		ledger("a")
	over := map[string]int{"The day is over.": 1}
	for _, c := range []struct {
		name     string
		from, to market.Stamp
		want     Orders
	}{
		{"all days", "", "", Orders{Placed: 4, Filled: 1, Cancelled: 1, Expired: 1, Reasons: over, Open: 1}},
		{"what was placed before the range is not counted again, a fill is counted in the bar of it", week[1], week[2], Orders{Placed: 1, Filled: 1, Expired: 1, Reasons: over, Open: 1}},
		{"the first day", "", week[0], Orders{Placed: 2, Open: 2}},
		{"from the day on which a fill became known", week[3], week[3], Orders{Cancelled: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := one(t, Options{View: p.AsOf(always), From: c.from, To: c.to}, l)
			if a.Orders == nil || !reflect.DeepEqual(*a.Orders, c.want) {
				t.Errorf("%+v, want %+v", a.Orders, c.want)
			}
		})
	}
	a := one(t, Options{View: p.AsOf(always)}, l)
	if len(a.Trades) != 1 || a.Trades[0].Date != week[2] || a.Trades[0].Order != 1 || a.Trades[0].Type != "limit" {
		t.Errorf("the trades are %+v", a.Trades)
	}
	before := opened("2025-10-01", 1000).row(week[0], placing(), 1).ledger("a")
	if a := one(t, Options{View: p.AsOf(always), From: week[1], To: week[2], CarryForward: true}, before); a.Orders == nil || !reflect.DeepEqual(*a.Orders, Orders{Open: 1}) {
		t.Errorf("an order that was placed before the range is open in it, and the report has %+v", a.Orders)
	}
	if a := one(t, Options{View: p.AsOf(always)}, opened("2025-10-01", 1000).trade(week[0], "A", 1, 100, 0).ledger("a")); a.Orders != nil {
		t.Errorf("none waited, and the report has %+v", a.Orders)
	}
}

// The newest reasons beyond twenty are one.
func TestBuild_OrdersEndForManyReasons(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "100/110"})
	l := opened("2025-10-01", 1000)
	for n := range 25 {
		l.row(week[0], placing(), int64(2*n+1)).row(week[0], ending(ledger.Expire, int64(2*n+1), fmt.Sprintf("It takes %d.", n)))
	}
	a := one(t, Options{View: p.AsOf(always)}, l.row(week[0], placing(), 51).row(week[0], ending(ledger.Expire, 51, "It takes 3.")).ledger("a"))
	if o := a.Orders; o.Placed != 26 || o.Expired != 26 || len(o.Reasons) != 21 || o.Reasons["other reasons"] != 5 || o.Reasons["It takes 3."] != 2 || o.Open != 0 {
		t.Errorf("%+v", o)
	}
}

func TestOrders_String(t *testing.T) {
	for want, o := range map[string]Orders{
		"2 orders waited: 1 fills, 1 cancelled, 0 expired.": {Placed: 2, Filled: 1, Cancelled: 1},
		"9 orders waited: 2 fills, 0 cancelled, 6 expired (3: The day is over; 2: It takes 5; 1: A split), 1 still open.": {
			Placed: 9, Filled: 2, Expired: 6, Open: 1, Reasons: map[string]int{"It takes 5.": 2, "The day is over.": 3, "A split": 1},
		},
	} {
		if got := o.String(); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}
