// A transcript as a dialogue that can be read. Everything in it comes from outside, and is made harmless to a terminal.

package transcript

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/jedib0t/go-pretty/v6/text"

	"mcp-trade/decimal"
	"mcp-trade/internal/format"
	"mcp-trade/internal/safetext"
	"mcp-trade/market"
)

// Printer writes days as dialogues.
type Printer struct {
	W     io.Writer
	Width int                              // columns; at least 40 are taken
	Full  bool                             // every text whole
	Short bool                             // but the system prompt, though Full
	Ask   string                           // for every text whole, such as a flag; named where a text is cut
	Paint func(string, text.Colors) string // puts a text in colors; nil leaves them out
}

// labelWidth is what the word before a text takes, with the space behind it.
const labelWidth = 10

// Day writes one day.
func (p *Printer) Day(account string, date market.Stamp, entries []Entry) {
	p.line(fmt.Sprintf("%s on %s", account, date), text.Bold)
	over := false
	for _, e := range entries {
		switch {
		case e.Begin != nil:
			p.begin(*e.Begin)
		case e.Retry != nil:
			p.say("retry", fmt.Sprintf("%s; waited %.1f s", e.Retry.Error, e.Retry.Wait), text.FgYellow)
		case e.Reply != nil:
			p.reply(*e.Reply)
		case e.Result != nil:
			p.result(*e.Result)
		case e.Nudge != nil:
			p.say("told", e.Nudge.Content)
		case e.End != nil:
			p.end(*e.End, date)
			over = true
		}
	}
	if !over {
		p.say("open", "The day is not over; the same run goes on with it.", text.FgYellow)
	}
}

func (p *Printer) begin(b Begin) {
	p.say("model", b.Model)
	for _, m := range b.Messages {
		if m.Role == "system" && (!p.Full || p.Short) {
			p.say("told", fmt.Sprintf("(the system prompt, %s characters; %s shows it)", format.Count(len(m.Content)), p.Ask), text.Faint)
			continue
		}
		p.say("told", m.Content)
	}
}

func (p *Printer) reply(r Reply) {
	used := fmt.Sprintf("step %d: %s", r.Step, tokens(r.Usage.In, r.Usage.Cached, r.Usage.Out))
	if r.Usage.Estimated {
		used += ", estimated"
	}
	if r.Cost != nil {
		used += ", cost " + format.Cost(r.Cost)
	}
	fmt.Fprintln(p.W)
	p.line(fmt.Sprintf("%s, %.1f s", used, r.Seconds), text.Faint)
	m := r.Message
	p.say("thinks", m.Reasoning, text.Faint)
	p.say("says", m.Content)
	p.say("refuses", m.Refusal, text.FgYellow)
	for i, c := range m.Calls {
		p.say(fmt.Sprintf("call %d", i+1), c.Tool+" "+c.Arguments, text.FgCyan)
	}
	if m.Content == "" && m.Refusal == "" && len(m.Calls) == 0 {
		p.say("says", "(nothing)", text.Faint)
	}
}

func (p *Printer) result(o Outcome) {
	label, color := fmt.Sprintf("-> %d", o.Call), text.Reset
	if o.Failed {
		color = text.FgRed
	}
	p.say(label, outcome(o, p.Full), color)
}

// outcome is a result in few words, where it is an order's.
func outcome(o Outcome, full bool) string {
	var answer struct {
		Error, Code, Action, Symbol string
		Amount, Price, Cash         decimal.NullDecimal
	}
	if full || json.Unmarshal([]byte(o.Content), &answer) != nil {
		return o.Content
	}
	spaced := jsontext.Value(o.Content)
	_ = spaced.Compact(jsontext.SpaceAfterComma(true)) // lines can be broken there; it was just read as JSON
	switch {
	case o.Failed && answer.Error != "":
		return fmt.Sprintf("refused (%s): %s", answer.Code, answer.Error)
	case o.Filled && answer.Price.Valid && answer.Cash.Valid:
		return fmt.Sprintf("filled: %s %s %s at %s, cash %s", answer.Action, answer.Amount.Decimal, answer.Symbol, answer.Price.Decimal, format.Money(answer.Cash.Decimal))
	}
	return string(spaced)
}

func (p *Printer) end(e End, date market.Stamp) {
	fmt.Fprintln(p.W)
	value := "unknown"
	if e.Value.Valid {
		value = format.Money(e.Value.Decimal)
	}
	if date.IsDay() {
		value = "at close " + value
	}
	if len(e.Stale) > 0 {
		value += ", which counts " + e.Stale.String()
	}
	p.say("end", fmt.Sprintf("%s after %d steps. Cash %s, value %s.", e.Reason, e.Steps, format.Money(e.Cash), value), text.Bold)
	p.say("head", e.Ledger)
	var held []string
	for _, h := range e.Holdings {
		held = append(held, fmt.Sprintf("%s %s", h.Symbol, h.Amount))
	}
	if len(held) > 0 {
		p.say("holds", strings.Join(held, ", "))
	}
	for _, text := range e.Differs {
		p.say("differs", text, warning)
	}
	s := e.Spent
	used := fmt.Sprintf("%s, %d calls, %.1f s", tokens(s.In, s.Cached, s.Out), s.Calls, s.Seconds)
	if s.Cost != nil {
		used += ", cost " + format.Cost(s.Cost)
	}
	p.say("used", used)
}

func tokens(in, cached, out int) string {
	if cached == 0 {
		return fmt.Sprintf("%s tokens in, %s out", format.Count(in), format.Count(out))
	}
	return fmt.Sprintf("%s tokens in (%s cached), %s out", format.Count(in), format.Count(cached), format.Count(out))
}

const warning = text.FgYellow

// say writes a text beside its label, wrapped and shortened. An empty text is left out.
func (p *Printer) say(label, content string, colors ...text.Color) {
	content = strings.TrimSpace(safetext.Spelled(content))
	if content == "" {
		return
	}
	lines, cut := wrapped(content, max(p.Width, 40)-labelWidth), ""
	const most = 12
	if !p.Full && len(lines) > most {
		lines, cut = lines[:most], fmt.Sprintf("... and %s more lines; %s shows them", format.Count(len(lines)-most), p.Ask)
	}
	for i, l := range lines {
		if i > 0 {
			label = ""
		}
		if l != "" {
			l = p.colored(l, colors)
		}
		fmt.Fprintln(p.W, strings.TrimRight(text.Pad(label, labelWidth, ' ')+l, " "))
	}
	if cut != "" {
		fmt.Fprintf(p.W, "%s%s\n", strings.Repeat(" ", labelWidth), p.colored(cut, text.Colors{text.Faint}))
	}
}

func (p *Printer) line(content string, colors ...text.Color) {
	fmt.Fprintln(p.W, p.colored(safetext.Spelled(content), colors))
}

func (p *Printer) colored(s string, colors text.Colors) string {
	if p.Paint == nil || s == "" {
		return s
	}
	return p.Paint(s, colors)
}

// wrapped breaks a text into lines of a width, at spaces where there are any.
func wrapped(content string, width int) []string {
	var lines []string
	for line := range strings.SplitSeq(content, "\n") {
		if text.StringWidth(line) > width {
			line = text.WrapSoft(line, width)
		}
		for part := range strings.SplitSeq(line, "\n") {
			lines = append(lines, strings.TrimRight(part, " "))
		}
	}
	return lines
}
