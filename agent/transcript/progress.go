// How far a day is, told from the lines of its journal as they come.

package transcript

import (
	"encoding/json"

	"mcp-trade/agent/model"
	"mcp-trade/code"
)

// Progress is how far a day is. The zero value is a day without lines.
type Progress struct {
	Turn    int             // calls of the model that have begun
	Tool    string          // that was called last, "" before the first call
	Refused map[string]bool // order ids
	Ended   bool            // the day is over

	entries []Entry // those that tell what was spent, without their texts
}

// Add takes the next line of the journal.
func (p *Progress) Add(line []byte) error {
	var e Entry
	if err := json.Unmarshal(line, &e); err != nil {
		return err
	}
	switch {
	case e.Ask != nil:
		p.Turn = e.Ask.Step
	case e.Retry != nil:
		p.Turn = e.Retry.Step
	case e.Reply != nil:
		p.Turn = e.Reply.Step
		for _, c := range e.Reply.Message.Calls {
			p.Tool = c.Tool
		}
		e.Reply.Message = model.Message{}
	case e.Result != nil:
		p.Tool = e.Result.Tool
		if e.Result.OrderID != "" && e.Result.Failed && e.Result.Code != code.Halted {
			if p.Refused == nil {
				p.Refused = map[string]bool{}
			}
			p.Refused[e.Result.OrderID] = true
		}
		return nil
	default:
		p.Ended = p.Ended || e.End != nil
		return nil
	}
	p.entries = append(p.entries, e)
	return nil
}

// Spent is what the day has cost so far.
func (p *Progress) Spent() Spending { return SpendingOf(p.entries) }
