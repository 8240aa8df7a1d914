// The figures of an account: a value for each row of the table of metrics. They are written by the names of the rows, among the
// counts that they rest on.

package report

import (
	"bytes"
	"encoding/json"

	"mcp-trade/internal/rawjson"
	"mcp-trade/ledger"
)

// Key is the name of a metric in JSON.
type Key string

// The metrics that other parts of the program look up. The others are in the table alone.
const (
	Start         Key = "start"
	End           Key = "end"
	TotalReturn   Key = "total_return"
	Sharpe        Key = "sharpe"
	MaxDrawdown   Key = "max_drawdown"
	WinningDays   Key = "winning_days"
	WinningTrades Key = "winning_trades"
	Exposure      Key = "exposure"
	Fees          Key = "fees"
	Tokens        Key = "tokens"
	Cost          Key = "cost"
	ExcessReturn  Key = "excess_return"
	Alpha         Key = "alpha"
	Beta          Key = "beta"
)

// Metrics are the figures of an account over the range, and what they rest on. The package documentation has the formula of each
// figure. One that is not defined is null, and Undefined tells why, by its name in JSON. Returns and parts are fractions: 0.01 is 1 %.
type Metrics struct {
	Returns      int                `json:"returns"`       // how many returns the figures rest on
	StaleDays    int                `json:"stale_days"`    // days whose value counts a close of an earlier trading day
	EndStale     *ledger.StaleClose `json:"end_stale"`     // the oldest close that the last value counts, if it is of an earlier trading day
	Trades       int                `json:"trades"`        // bought or sold
	ClosedTrades int                `json:"closed_trades"` // sales whose cost is known
	Undefined    map[string]string  `json:"undefined"`     // why a figure is null

	figures map[Key]Figure // one for each row of the table; nil of an account that was not measured
}

// Figure is what a metric came to.
type Figure struct {
	Value    Number
	Interval Interval // the 95 % interval of the value, of a metric that has one
	Date     string   // the day that the value is of, of a metric that has one; "" without a value
}

// Figure returns the figure of a metric, which must have a row in the table.
func (m Metrics) Figure(metric Key) Figure {
	f, ok := m.figures[metric]
	if !ok && m.figures != nil {
		panic("report: the table of metrics has no row of " + string(metric))
	}
	return f
}

// Value returns the value of a metric, which must have a row in the table.
func (m Metrics) Value(metric Key) Number { return m.Figure(metric).Value }

// MarshalJSON writes one object, in the order of the table.
func (m Metrics) MarshalJSON() ([]byte, error) {
	o := object{bytes.NewBufferString("{"), nil}
	figures := func(group Group) {
		for _, x := range metricTable {
			if f := m.Figure(x.Key); x.Group == group {
				o.member(string(x.Key), f.Value)
				if x.DateKey != "" {
					o.member(x.DateKey, f.Date)
				}
			}
		}
	}
	o.member("returns", m.Returns)
	figures(Returns)
	o.member("stale_days", m.StaleDays)
	o.member("end_stale", m.EndStale)
	o.member("trades", m.Trades)
	o.member("closed_trades", m.ClosedTrades)
	figures(Trading)
	figures(Usage)
	figures(Relative)
	for _, x := range metricTable {
		if x.HasInterval() {
			o.member(x.IntervalKey(), m.Figure(x.Key).Interval)
		}
	}
	o.member("undefined", m.Undefined)
	o.text.WriteByte('}')
	return o.text.Bytes(), o.err
}

// object writes a JSON object whose members have an order.
type object struct {
	text *bytes.Buffer
	err  error // the first
}

func (o *object) member(name string, value any) {
	text, err := rawjson.Marshal(value)
	if o.err == nil {
		o.err = err
	}
	if o.text.Len() > 1 {
		o.text.WriteByte(',')
	}
	o.text.WriteString(`"` + name + `":`)
	o.text.Write(text)
}

// UnmarshalJSON reads what MarshalJSON writes. A figure that is not there is unknown.
func (m *Metrics) UnmarshalJSON(text []byte) error {
	type counts Metrics // those that have a field
	if err := json.Unmarshal(text, (*counts)(m)); err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	m.figures = map[Key]Figure{}
	for _, x := range metricTable {
		var f Figure
		for name, into := range map[string]any{string(x.Key): &f.Value, x.DateKey: &f.Date, x.IntervalKey(): &f.Interval} {
			if member, ok := members[name]; ok {
				if err := json.Unmarshal(member, into); err != nil {
					return err
				}
			}
		}
		m.figures[x.Key] = f
	}
	return nil
}
