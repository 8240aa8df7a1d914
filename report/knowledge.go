// What the model of an account may remember of the days that it trades: figures up to its knowledge cutoff and after it.

package report

import (
	"fmt"
	"strings"

	"mcp-trade/market"
)

// Training is what is known of the training of an account's language model.
type Training struct {
	Cutoff market.Stamp // the last day that it can tell of; "" is not known
	Masked bool         // the model saw neither true symbols nor true dates
}

// Knowledge tells the days that an account's language model may remember from the others.
type Knowledge struct {
	Cutoff market.Stamp `json:"knowledge_cutoff"` // the last day that its training can tell of; "" is not known
	Masked bool         `json:"masked"`           // it saw neither true symbols nor true dates
	Before *Stretch     `json:"before"`           // days up to the cutoff; null if there are none, or the cutoff is not known
	After  *Stretch     `json:"after"`            // days after it; likewise
}

// Stretch is a part of the days of an account, with figures by the same formulas as those of all days, see [Metrics].
type Stretch struct {
	From         market.Stamp      `json:"from"`    // the first of its days
	To           market.Stamp      `json:"to"`      // the last
	Days         int               `json:"days"`    // trading days
	Returns      int               `json:"returns"` // that the figures rest on
	TotalReturn  Number            `json:"total_return"`
	ExcessReturn Number            `json:"excess_return"`
	Sharpe       Number            `json:"sharpe"`
	MaxDrawdown  Number            `json:"max_drawdown"`
	Undefined    map[string]string `json:"undefined"` // why a figure is null
}

// knowledge fills in what the language model of an account may remember, and warns where its figures may be memory.
func (b builder) knowledge(a *Account, t *Training) {
	if t == nil {
		return
	}
	m := &Knowledge{Cutoff: t.Cutoff, Masked: t.Masked}
	a.Knowledge = m
	if len(a.Periods) == 0 {
		return
	}
	if t.Cutoff == "" {
		if !t.Masked {
			a.Warnings = append(a.Warnings, "How far the training of its model reaches is not configured (knowledge_cutoff): which of these days it may remember is not known.")
		}
		return
	}
	m.Before, m.After = b.splitAt(a, func(p Period) bool { return p.Date.Day() <= t.Cutoff })
	if m.After == nil {
		a.Warnings = append(a.Warnings, m.allKnown())
	}
}

// allKnown is the warning of an account none of whose days lies after the cutoff.
func (m *Knowledge) allKnown() string {
	days := fmt.Sprintf("All %s, to %s, lie", count(m.Before.Days, "trading day"), m.Before.To)
	if m.Before.Days == 1 {
		days = fmt.Sprintf("The only trading day, %s, lies", m.Before.To)
	}
	text := fmt.Sprintf("%s before or on the knowledge cutoff of its model, %s", days, m.Cutoff)
	if m.Masked {
		return text + ": it saw neither true symbols nor true dates, but prices alone can tell it what followed."
	}
	return text + ": the model may remember what followed, and the figures do not tell skill from memory."
}

// splitAt computes the figures of the periods at the beginning, which are early, and of the others.
func (b builder) splitAt(a *Account, early func(Period) bool) (before, after *Stretch) {
	n, opening := 0, a.Opening
	for ; n < len(a.Periods) && early(a.Periods[n]); n++ {
		if p := a.Periods[n]; p.Value.known {
			opening = Point{p.Date, p.Value}
		}
	}
	return b.stretch(a, a.Opening, a.Periods[:n]), b.stretch(a, opening, a.Periods[n:])
}

// stretch computes the figures of a part of an account's periods, nil if it has none.
func (b builder) stretch(a *Account, opening Point, periods []Period) *Stretch {
	if len(periods) == 0 {
		return nil
	}
	part := Account{Market: a.Market, Opening: opening, Periods: periods}
	part.Drawdown = deepest(worstDrawdowns(part.points()))
	b.Method = Own
	b.measure(&part, history{}, RunStats{})
	part.withhold()
	m := part.Metrics
	x := &Stretch{
		From: periods[0].Date, To: periods[len(periods)-1].Date, Days: len(periods), Returns: m.Returns,
		TotalReturn: m.Value(TotalReturn), ExcessReturn: m.Value(ExcessReturn), Sharpe: m.Value(Sharpe), MaxDrawdown: m.Value(MaxDrawdown),
		Undefined: map[string]string{},
	}
	for _, key := range []Key{TotalReturn, ExcessReturn, Sharpe, MaxDrawdown} {
		if why := m.Undefined[string(key)]; why != "" {
			x.Undefined[string(key)] = why
		}
	}
	return x
}

// Lines tells it in sentences, one for each stretch; none where the cutoff is not known.
func (m *Knowledge) Lines() []string {
	if m == nil || m.Cutoff == "" {
		return nil
	}
	var lines []string
	under := ""
	if m.Masked {
		under = ", under a mask"
	}
	if m.Before != nil {
		lines = append(lines, fmt.Sprintf("Up to the knowledge cutoff of its model, %s%s: %s.", m.Cutoff, under, m.Before))
	}
	if m.After != nil {
		lines = append(lines, fmt.Sprintf("After the knowledge cutoff of its model, %s%s: %s.", m.Cutoff, under, m.After))
	}
	return lines
}

// String is the stretch in words.
func (x *Stretch) String() string {
	percent := func(n Number) string { return Known(n.value*100).Text(2) + " %" }
	points := func(n Number) string { return Known(n.value*100).Text(2) + " pp" }
	parts := []string{count(x.Days, "trading day")}
	for _, figure := range []struct {
		name string
		of   Number
		text func(Number) string
	}{
		{"total return", x.TotalReturn, percent}, {"excess return", x.ExcessReturn, points},
		{"Sharpe ratio", x.Sharpe, func(n Number) string { return n.Text(2) }}, {"max drawdown", x.MaxDrawdown, percent},
	} {
		if figure.of.known {
			parts = append(parts, figure.name+" "+figure.text(figure.of))
		}
	}
	return strings.Join(parts, ", ")
}
