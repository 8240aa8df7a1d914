// A transcript as a dialogue that can be read. Everything in it comes from outside, and is made harmless to a terminal.

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/jedib0t/go-pretty/v6/text"

	"mcp-trade/agent/transcript"
	"mcp-trade/decimal"
	"mcp-trade/market"
)

// dialogue writes days as dialogues.
type dialogue struct {
	w     io.Writer
	width int
	full  bool // every text whole
	color bool
}

func newDialogue(w io.Writer, full bool) *dialogue {
	return &dialogue{w: w, width: max(widthOf(w), 40), full: full, color: isTerminal(w)}
}

// labelWidth is what the word before a text takes, with the space behind it.
const labelWidth = 10

// day writes one day.
func (d *dialogue) day(account string, date market.Stamp, entries []transcript.Entry) {
	d.line(fmt.Sprintf("%s on %s", account, date), text.Bold)
	over := false
	for _, e := range entries {
		switch {
		case e.Begin != nil:
			d.begin(*e.Begin)
		case e.Retry != nil:
			d.say("retry", fmt.Sprintf("%s; waited %.1f s", e.Retry.Error, e.Retry.Wait), text.FgYellow)
		case e.Reply != nil:
			d.reply(*e.Reply)
		case e.Result != nil:
			d.result(*e.Result)
		case e.Nudge != nil:
			d.say("told", e.Nudge.Content)
		case e.End != nil:
			d.end(*e.End, date)
			over = true
		}
	}
	if !over {
		d.say("open", "The day is not over; the same run goes on with it.", text.FgYellow)
	}
}

func (d *dialogue) begin(b transcript.Begin) {
	d.say("model", b.Model)
	for _, m := range b.Messages {
		if m.Role == "system" && !d.full {
			d.say("told", fmt.Sprintf("(the system prompt, %s characters; --full shows it)", count(len(m.Content))), text.Faint)
			continue
		}
		d.say("told", m.Content)
	}
}

func (d *dialogue) reply(r transcript.Reply) {
	used := fmt.Sprintf("step %d: %s", r.Step, tokens(r.Usage.In, r.Usage.Cached, r.Usage.Out))
	if r.Usage.Estimated {
		used += ", estimated"
	}
	if r.Cost != nil {
		used += ", cost " + cost(r.Cost)
	}
	fmt.Fprintln(d.w)
	d.line(fmt.Sprintf("%s, %.1f s", used, r.Seconds), text.Faint)
	m := r.Message
	d.say("thinks", m.Reasoning, text.Faint)
	d.say("says", m.Content)
	d.say("refuses", m.Refusal, text.FgYellow)
	for i, c := range m.Calls {
		d.say(fmt.Sprintf("call %d", i+1), c.Tool+" "+c.Arguments, text.FgCyan)
	}
	if m.Content == "" && m.Refusal == "" && len(m.Calls) == 0 {
		d.say("says", "(nothing)", text.Faint)
	}
}

func (d *dialogue) result(o transcript.Outcome) {
	label, color := fmt.Sprintf("-> %d", o.Call), text.Reset
	if o.Failed {
		color = text.FgRed
	}
	d.say(label, outcome(o, d.full), color)
}

// outcome is a result in few words, where it is an order's.
func outcome(o transcript.Outcome, full bool) string {
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
		return fmt.Sprintf("filled: %s %s %s at %s, cash %s", answer.Action, answer.Amount.Decimal, answer.Symbol, answer.Price.Decimal, money(answer.Cash.Decimal))
	}
	return string(spaced)
}

func (d *dialogue) end(e transcript.End, date market.Stamp) {
	fmt.Fprintln(d.w)
	value := "unknown"
	if e.Value.Valid {
		value = money(e.Value.Decimal)
	}
	if date.IsDay() {
		value = "at close " + value
	}
	if len(e.Stale) > 0 {
		value += ", which counts " + e.Stale.String()
	}
	d.say("end", fmt.Sprintf("%s after %d steps. Cash %s, value %s.", e.Reason, e.Steps, money(e.Cash), value), text.Bold)
	d.say("head", e.Ledger)
	var held []string
	for _, p := range e.Holdings {
		held = append(held, fmt.Sprintf("%s %s", p.Symbol, p.Amount))
	}
	if len(held) > 0 {
		d.say("holds", strings.Join(held, ", "))
	}
	for _, text := range e.Differs {
		d.say("differs", text, warning)
	}
	s := e.Spent
	used := fmt.Sprintf("%s, %d calls, %.1f s", tokens(s.In, s.Cached, s.Out), s.Calls, s.Seconds)
	if s.Cost != nil {
		used += ", cost " + cost(s.Cost)
	}
	d.say("used", used)
}

func tokens(in, cached, out int) string {
	if cached == 0 {
		return fmt.Sprintf("%s tokens in, %s out", count(in), count(out))
	}
	return fmt.Sprintf("%s tokens in (%s cached), %s out", count(in), count(cached), count(out))
}

const warning = text.FgYellow

// say writes a text beside its label, wrapped and shortened. An empty text is left out.
func (d *dialogue) say(label, content string, colors ...text.Color) {
	content = strings.TrimSpace(inert(content))
	if content == "" {
		return
	}
	lines, cut := wrapped(content, d.width-labelWidth), ""
	const most = 12
	if !d.full && len(lines) > most {
		lines, cut = lines[:most], fmt.Sprintf("... and %s more lines; --full shows them", count(len(lines)-most))
	}
	for i, l := range lines {
		if i > 0 {
			label = ""
		}
		if l != "" {
			l = d.colored(l, colors)
		}
		fmt.Fprintln(d.w, strings.TrimRight(text.Pad(label, labelWidth, ' ')+l, " "))
	}
	if cut != "" {
		fmt.Fprintf(d.w, "%s%s\n", strings.Repeat(" ", labelWidth), d.colored(cut, text.Colors{text.Faint}))
	}
}

func (d *dialogue) line(content string, colors ...text.Color) {
	fmt.Fprintln(d.w, d.colored(inert(content), colors))
}

func (d *dialogue) colored(s string, colors text.Colors) string {
	if !d.color {
		return s
	}
	return colors.Sprint(s)
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
