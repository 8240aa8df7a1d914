// What a report takes of the transcript of a day.

package main

import (
	"strings"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/transcript"
	"mcp-trade/code"
)

// toldDay is what a report takes of a transcript.
type toldDay struct {
	spent   transcript.Spending
	text    string // that the model said
	refused []code.Reason
}

func tellDay(entries []transcript.Entry) toldDay {
	told := toldDay{spent: transcript.SpendingOf(entries)}
	told.text, told.refused = textAndRefusals(transcript.Unmasked(entries))
	return told
}

// textAndRefusals returns what the model said in a transcript, and why orders of it were refused.
func textAndRefusals(entries []transcript.Entry) (text string, refused []code.Reason) {
	var texts []string
	for _, e := range entries {
		if e.Reply != nil {
			if text := strings.TrimSpace(strings.ReplaceAll(e.Reply.Message.Content, llm.StopSignal, "")); text != "" {
				texts = append(texts, text)
			}
		}
		if e.Result != nil && e.Result.OrderID != "" && e.Result.Failed {
			refused = append(refused, e.Result.Code.For(e.Result.Limit))
		}
	}
	return strings.Join(texts, "\n\n"), refused
}
