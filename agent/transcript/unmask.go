// What a model saw under a mask, with the true symbols and dates.

package transcript

import (
	"slices"

	"mcp-trade/agent/mask"
	"mcp-trade/agent/model"
)

// Unmasking is the mask of a day, nil if it had none.
func (b *Begin) Unmasking() *mask.Mask {
	if b == nil || b.Mask == nil {
		return nil
	}
	return mask.From(*b.Mask)
}

// Unmasked are the entries of a day with the true symbols and dates in all that the model was told and wrote.
func Unmasked(entries []Entry) []Entry {
	if len(entries) == 0 || entries[0].Begin.Unmasking() == nil {
		return entries
	}
	m := entries[0].Begin.Unmasking()
	said := func(s model.Message) model.Message {
		s.Content, s.Refusal, s.Reasoning, s.Calls = m.Reveal(s.Content), m.Reveal(s.Refusal), m.Reveal(s.Reasoning), slices.Clone(s.Calls)
		for i := range s.Calls {
			s.Calls[i].Arguments = m.Reveal(s.Calls[i].Arguments)
		}
		return s
	}
	entries = slices.Clone(entries)
	for i, e := range entries {
		switch {
		case e.Begin != nil:
			begin := *e.Begin
			begin.Messages = slices.Clone(begin.Messages)
			for i := range begin.Messages {
				begin.Messages[i] = said(begin.Messages[i])
			}
			entries[i].Begin = &begin
		case e.Reply != nil:
			reply := *e.Reply
			reply.Message = said(reply.Message)
			entries[i].Reply = &reply
		case e.Result != nil:
			result := *e.Result
			result.Content = m.Reveal(result.Content)
			entries[i].Result = &result
		}
	}
	return entries
}
