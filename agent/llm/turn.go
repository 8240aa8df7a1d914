// What a turn of the model amounts to: whether its calls are carried out, whether it ends the day, and what the model is told
// where it does neither.

package llm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"mcp-trade/agent/model"
	"mcp-trade/agent/transcript"
)

// kind is what a turn is.
type kind int

const (
	calling  kind = iota
	finished      // it says that the day is over
	refusing
	cutOff   // a bound ended it
	filtered // a filter of the API ended it
	empty    // nothing, or nothing but thoughts
	writing  // a text with a call in it, which is none
	talking  // any other text
)

// maxTalk bounds how many turns in a row may talk and call nothing, the first included. Models announce what they will do.
const maxTalk = 3

// maxIdle bounds the same of turns that say nothing that could be gone on with.
const maxIdle = 2

// maxRepeats bounds how many turns in a row may make the same calls and see all of them fail.
const maxRepeats = 5

func (c *toolCatalog) kindOf(r transcript.Reply) kind {
	m, stop := r.Message, model.StopOf(r.Finish)
	text := strings.TrimSpace(withoutThoughts(m.Content))
	switch {
	case len(m.Calls) == 0 && strings.Contains(text, StopSignal):
		return finished
	case m.Refusal != "" || stop == model.Refused:
		return refusing
	case stop == model.Filtered:
		return filtered
	case stop == model.Length:
		return cutOff
	case len(m.Calls) > 0:
		return calling
	case text == "":
		return empty
	case c.holdsCall(text):
		return writing
	}
	return talking
}

// endReason is why the newest turn ends the day, "" if it does not.
func (d *dayConversation) endReason(turns []transcript.Reply) string {
	k := d.kindOf(turns[len(turns)-1])
	idle := 0 // turns in a row, the newest last
	for idle < len(turns) && d.kindOf(turns[len(turns)-1-idle]) >= cutOff {
		idle++
	}
	switch {
	case k == finished:
		return transcript.EndFinished
	case k == refusing:
		return transcript.EndRefused
	case k == calling && d.repeats(turns) >= maxRepeats:
		return transcript.EndRepeats
	case k == talking && idle >= maxTalk, k == writing && idle >= maxIdle:
		return transcript.EndNoCalls
	case k == empty && idle >= maxIdle:
		return transcript.EndEmpty
	case k == cutOff && idle >= maxIdle:
		return transcript.EndCutOff
	case k == filtered && idle >= maxIdle:
		return transcript.EndFiltered
	}
	return ""
}

// repeats counts the turns in a row, the newest last, that made the same calls and saw all of them fail.
func (d *dayConversation) repeats(turns []transcript.Reply) int {
	n, newest := 0, ""
	for i := len(turns) - 1; i >= 0; i-- {
		made := madeCalls(turns[i].Message)
		if newest == "" {
			newest = made
		}
		if made == "" || made != newest || !d.failed(turns[i]) {
			break
		}
		n++
	}
	return n
}

// failed tells whether every call of a turn failed.
func (d *dayConversation) failed(r transcript.Reply) bool {
	for i := range min(len(r.Message.Calls), maxCalls) {
		if o, known := d.journal.Outcome(r.Step, i+1); known && !o.Failed {
			return false
		}
	}
	return true
}

// madeCalls are the calls of a turn as one text.
func madeCalls(m model.Message) string {
	var all strings.Builder
	for _, c := range m.Calls {
		fmt.Fprintf(&all, "%s %s\n", c.Tool, c.Arguments)
	}
	return all.String()
}

// notCarriedOut says why the calls of a turn are not carried out, "" if they are. Whatever stands behind the place where a reply
// broke off is not known: an amount may lack its last digits and be valid.
func notCarriedOut(k kind) string {
	switch k {
	case cutOff:
		return "Not carried out: your reply was cut off before its end, so nothing was done. Make the call again, in a shorter reply."
	case filtered:
		return "Not carried out: a content filter of the API ended your reply, so nothing was done."
	case refusing:
		return "Not carried out: the reply ended as a refusal, so nothing was done."
	}
	return ""
}

// nudges are what the model is told after a turn without calls, where the day goes on.
var nudges = map[kind]string{
	empty:    nudgeText,
	cutOff:   "Your reply was cut off before its end, since it grew too long. Go on with the day in fewer words: call a tool, or sum up and end with " + StopSignal,
	filtered: "A content filter of the API ended your reply. Go on with the day in other words: call a tool, or sum up and end with " + StopSignal,
	writing:  "Your reply wrote a tool call as text. Nothing was done. Make the call as a tool call, or sum up and end with " + StopSignal,
	talking:  "Your reply called no tool, so nothing was done. Go on with the day: call a tool. If you are done, sum up and end with " + StopSignal,
}

// nudge is what the model is told after a turn, "" for nothing: the results of its calls say it all.
func (d *dayConversation) nudge(turns []transcript.Reply) string {
	newest := turns[len(turns)-1]
	if n := d.repeats(turns); n == maxRepeats-1 {
		return fmt.Sprintf("The same calls have failed %d times in a row; once more ends the day. Do something else, or sum up and end with %s", n, StopSignal)
	}
	if len(newest.Message.Calls) > 0 {
		return ""
	}
	return nudges[d.kindOf(newest)]
}

// withoutThoughts is a text without what stands between the tags in which models think. The opening tag may be missing, since
// templates of prompts end with it, and the closing one, where the model came to no end.
func withoutThoughts(text string) string {
	for _, tag := range []string{"think>", "thinking>"} {
		for {
			before, rest, opened := strings.Cut(text, "<"+tag)
			head, after, closed := strings.Cut(text, "</"+tag)
			switch {
			case opened && (!closed || len(before) < len(head)):
				_, behind, _ := strings.Cut(rest, "</"+tag)
				text = before + behind
				continue
			case closed:
				text = after
				continue
			}
			break
		}
	}
	return text
}

// callMarks are what stands around calls where a server did not take them out of the text.
var callMarks = []string{
	"<tool_call", "<function=", "<function_call", "<invoke name=", "<|tool_call", "<｜tool▁call", "｜DSML｜", "[TOOL_CALLS]", "<|python_tag|>", "]<]minimax[>[",
}

// holdsCall tells whether a text holds a call: in the marks of some model, or as one that can be read.
func (c *toolCatalog) holdsCall(text string) bool {
	marked := slices.ContainsFunc(callMarks, func(mark string) bool { return strings.Contains(text, mark) })
	return marked || len(c.callsIn(text, 0)) > 0
}

// maxObjects bounds how many objects of a text are looked at.
const maxObjects = 100

// callsIn reads the calls in a text of a turn: objects with the name of a tool and arguments, or arguments behind such a name in
// a tag.
func (c *toolCatalog) callsIn(text string, step int) (calls []model.Call) {
	for range maxObjects {
		at := strings.IndexByte(text, '{')
		if at < 0 {
			break
		}
		before := text[:at]
		text = text[at:]
		var raw json.RawMessage
		d := json.NewDecoder(strings.NewReader(text))
		if d.Decode(&raw) != nil {
			text = text[1:]
			continue
		}
		name, arguments := c.written(before, raw)
		if name == "" {
			text = text[1:]
			continue
		}
		calls = append(calls, model.Call{ID: fmt.Sprintf("text_%d_%d", step, len(calls)+1), Tool: name, Arguments: string(arguments)})
		text = text[d.InputOffset():]
	}
	return calls
}

// written is the call that an object is, with what stands before it in the text; "" if it is none.
func (c *toolCatalog) written(before string, object json.RawMessage) (name string, arguments json.RawMessage) {
	var o struct {
		Name, Tool, Function         any
		Arguments, Parameters, Input json.RawMessage
	}
	if json.Unmarshal(object, &o) != nil {
		return "", nil
	}
	for _, arguments := range []json.RawMessage{o.Arguments, o.Parameters, o.Input} {
		for _, name := range []any{o.Name, o.Tool, o.Function} {
			if text, ok := name.(string); ok && arguments != nil {
				if _, known := c.find(text); known {
					return text, arguments
				}
			}
		}
	}
	if tag := strings.LastIndex(before, "<function="); tag >= 0 {
		name, rest, closed := strings.Cut(before[tag+len("<function="):], ">")
		if _, known := c.find(name); closed && known && strings.TrimSpace(rest) == "" {
			return name, object
		}
	}
	return "", nil
}
