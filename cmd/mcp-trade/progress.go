// How far the accounts of a run are: a bar for each on a terminal, plain lines elsewhere.

package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/jedib0t/go-pretty/v6/progress"

	"mcp-trade/agent"
	"mcp-trade/agent/runner"
	"mcp-trade/internal/format"
	"mcp-trade/internal/safetext"
)

// progressView shows progress. Its methods day and step may be called from several goroutines; end must be called before
// anything else is printed.
type progressView struct {
	w    io.Writer
	bars progress.Writer // nil where w is no terminal

	mu       sync.Mutex
	accounts map[string]*accountView
	longest  int // name
}

// accountView is what was heard last of an account.
type accountView struct {
	tracker *progress.Tracker
	day     runner.Progress
	step    agent.Step // Step is 0 unless a language model trades it
}

func newProgressView(w io.Writer, accounts []runner.Account) *progressView {
	v := &progressView{w: w, accounts: map[string]*accountView{}}
	for _, a := range accounts {
		v.accounts[a.Name] = &accountView{}
		v.longest = max(v.longest, len(a.Name))
	}
	if isTerminal(w) {
		v.begin(accounts)
	}
	return v
}

// What stands beside a message: percentage and time, and the bar where there is room for it.
const (
	statsWidth = 42
	barWidth   = 22
	barFrom    = 110 // columns
)

var tradingDays = progress.Units{Notation: " days", NotationPosition: progress.UnitsNotationPositionAfter}

func (v *progressView) begin(accounts []runner.Account) {
	v.bars = newBars(v.w)
	v.bars.Style().Options.ErrorString = "stopped" // by Ctrl-C as well as by a fault, which is told below the bars
	v.bars.Style().Visibility.ETA = true
	width := widthOf(v.w)
	room := width - statsWidth
	if v.bars.Style().Visibility.Tracker = width >= barFrom; width >= barFrom {
		room -= barWidth
	}
	v.bars.SetTerminalWidth(width)
	v.bars.SetMessageLength(max(min(v.longest+len(" 2006-01-02 15:04:05"), width/2), room)) // what is longer is cut
	for _, a := range accounts {
		t := &progress.Tracker{Message: a.Name, Units: tradingDays, DeferStart: true}
		v.accounts[a.Name].tracker = t
		v.bars.AppendTracker(t)
	}
	go v.bars.Render()
}

// day takes note of a day that an account completed.
func (v *progressView) day(p runner.Progress) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a := v.accounts[p.Account]
	a.day = p
	if a.tracker != nil {
		a.tracker.UpdateTotal(int64(p.Of))
		a.tracker.SetValue(int64(p.Done))
		a.tracker.UpdateMessage(v.message(p.Account, a))
		return
	}
	if every := max(p.Of/10, 1); a.step.Step > 0 || p.Done%every == 0 || p.Done == p.Of {
		fmt.Fprintln(v.w, plainDay(p, a.step))
	}
}

// step takes note of a turn of a language model.
func (v *progressView) step(s agent.Step) {
	v.mu.Lock()
	defer v.mu.Unlock()
	a := v.accounts[s.Account]
	a.step = s
	if a.tracker != nil {
		a.tracker.UpdateMessage(v.message(s.Account, a))
	}
}

// message is what stands before a bar.
func (v *progressView) message(name string, a *accountView) string {
	name += strings.Repeat(" ", v.longest-len(name))
	if a.step.Step == 0 {
		return fmt.Sprintf("%s %s", name, a.day.Date)
	}
	m := fmt.Sprintf("%s %s step %d %s, %s tokens", name, a.step.Date, a.step.Step, safetext.Line(a.step.Action), format.Count(a.step.Tokens))
	if a.day.Value.Valid {
		m += ", value " + strings.TrimSuffix(format.Money(a.day.Value.Decimal.Round(0)), ".00")
	}
	if a.step.Cost != nil {
		m += ", cost " + format.Cost(a.step.Cost)
	}
	return m
}

// plainDay is a completed day as a line.
func plainDay(p runner.Progress, s agent.Step) string {
	line := fmt.Sprintf("%s: day %d of %d, %s", p.Account, p.Done, p.Of, p.Date)
	refused := ""
	if len(p.Refused) > 0 {
		refused = ", refused: " + p.Refused.String()
	}
	if s.Step == 0 {
		return line + refused
	}
	if s.Date == p.Date {
		line += fmt.Sprintf(", %d steps, %s tokens", s.Step, format.Count(s.Tokens))
	}
	line += fmt.Sprintf(", %d trades", p.Trades) + refused
	if p.Value.Valid {
		line += ", value " + format.Money(p.Value.Decimal)
	}
	return line
}

// Write shows what is logged meanwhile, above the bars.
func (v *progressView) Write(p []byte) (int, error) {
	if v.bars == nil {
		return v.w.Write(p)
	}
	line := string(p)
	if s, ok := v.w.(*screen); ok {
		line = s.Harmless(line)
	}
	v.bars.Log("%s", strings.TrimRight(line, "\n"))
	return len(p), nil
}

func (v *progressView) end() {
	if v.bars == nil {
		return
	}
	for _, a := range v.accounts {
		if !a.tracker.IsDone() {
			a.tracker.MarkAsErrored()
		}
	}
	stopBars(v.w, v.bars)
}
