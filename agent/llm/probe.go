// What a model recalls of prices: closes that it is asked for without a tool, held against the true ones.

package llm

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"mcp-trade/agent/mask"
	"mcp-trade/agent/model"
	"mcp-trade/decimal"
	"mcp-trade/market"
)

// Question asks for a close.
type Question struct {
	Symbol string
	Day    market.Stamp
	Close  decimal.Decimal // the true one
}

// Recalled is how near a model came to closes that it was asked for.
type Recalled struct {
	Asked    int              `json:"asked"`
	Answered int              `json:"answered"`   // with a number
	Near     int              `json:"within_1pc"` // of the true close
	Rough    int              `json:"within_5pc"` // of the true close, those within 1 % included
	Median   *float64         `json:"median_off"` // of the answered ones, as a fraction of the close; null if none was
	In       int              `json:"in"`         // tokens
	Out      int              `json:"out"`
	Cost     *decimal.Decimal `json:"cost"` // null: prices of tokens are not known
}

const probeText = `From memory alone, without any tool: what was the closing price of each of these shares on its day? Reply with one JSON array of %d numbers, in this order, and null where you do not know. Write nothing else.
`

// Probe asks a model for closes, under names and days as a mask has them; nil: the true ones. An error says why there is no reply.
func Probe(ctx context.Context, o Options, open model.Opener, questions []Question, m *mask.Mask) (r Recalled, err error) {
	o = o.Defaults()
	api, err := open(o.Settings)
	if err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	var text strings.Builder
	fmt.Fprintf(&text, probeText, len(questions))
	for i, q := range questions {
		fmt.Fprintf(&text, "%d. %s on %s\n", i+1, m.Conceal(q.Symbol), m.Conceal(string(q.Day)))
	}
	reply, err := api.Complete(ctx, model.Request{Messages: []model.Message{{Role: "user", Content: text.String()}}})
	if err != nil {
		return r, err
	}
	r.score(questions, answersIn(withoutThoughts(reply.Message.Content)))
	r.In, r.Out = reply.Usage.In, reply.Usage.Out
	if o.Prices != nil {
		cost := o.Prices.Cost(reply.Usage)
		r.Cost = &cost
	}
	return r, nil
}

// answersIn are the parts of the last list of a text that can be read; nil without one.
func answersIn(text string) []json.RawMessage {
	end := strings.LastIndexByte(text, ']')
	for begin := strings.LastIndexByte(text[:end+1], '['); begin >= 0; begin = strings.LastIndexByte(text[:begin], '[') {
		var list []json.RawMessage
		if json.Unmarshal([]byte(text[begin:end+1]), &list) == nil {
			return list
		}
	}
	return nil
}

// score holds answers against the true closes. What is no number above 0 is no answer.
func (r *Recalled) score(questions []Question, answers []json.RawMessage) {
	r.Asked = len(questions)
	var off []float64
	for i, answer := range answers[:min(len(answers), len(questions))] {
		said, err := decimal.NewFromString(strings.Trim(string(answer), `"$ `))
		if err != nil || !said.IsPositive() {
			continue
		}
		is := questions[i].Close
		distance := said.Sub(is).Abs().DivRound(is, 12).InexactFloat64()
		off = append(off, distance)
		if distance <= 0.01 {
			r.Near++
		}
		if distance <= 0.05 {
			r.Rough++
		}
	}
	if r.Answered = len(off); r.Answered > 0 {
		slices.Sort(off)
		middle := (off[(len(off)-1)/2] + off[len(off)/2]) / 2
		r.Median = &middle
	}
}
