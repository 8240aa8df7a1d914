// What is sent: settings, tools, and a conversation in the one form that every API takes.

package openai

import (
	"crypto/sha256"
	"encoding/json"
	"math/big"
	"strings"

	"mcp-trade/agent/model"
	"mcp-trade/internal/rawjson"
)

// sentRequest is the body of a request.
type sentRequest struct {
	Model               string        `json:"model"`
	Messages            []sentMessage `json:"messages"`
	Tools               []sentTool    `json:"tools,omitempty"`
	Temperature         *float64      `json:"temperature,omitempty"`
	TopP                *float64      `json:"top_p,omitempty"`
	Seed                *int          `json:"seed,omitempty"`
	ReasoningEffort     string        `json:"reasoning_effort,omitempty"`
	MaxTokens           int           `json:"max_tokens,omitempty"`
	MaxCompletionTokens int           `json:"max_completion_tokens,omitempty"`
	Stream              bool          `json:"stream,omitempty"`
	StreamOptions       *sentOptions  `json:"stream_options,omitempty"`
}

type sentOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// sentMessage always has a content: some endpoints refuse a message without the key, others one that is null.
type sentMessage struct {
	Role       string     `json:"role"`
	Content    any        `json:"content"`
	ToolCalls  []sentCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
	reasoning
}

// reasoning is what a model thought, under the names that APIs have for it. They want it back under theirs, as it was.
type reasoning struct {
	Content   json.RawMessage `json:"reasoning_content,omitempty"` // a text, which may be empty
	Reasoning json.RawMessage `json:"reasoning,omitempty"`
	Details   json.RawMessage `json:"reasoning_details,omitempty"`
}

type sentCall struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Function sentFunction    `json:"function"`
	Extra    json.RawMessage `json:"extra_content,omitempty"` // where Google keeps the signature of a thought
}

type sentFunction struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type sentTool struct {
	Type     string         `json:"type"`
	Function sentDefinition `json:"function"`
}

type sentDefinition struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Strict      bool            `json:"strict,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
}

// request is the body of a request, without what the API is known to refuse.
func (c *Client) request(asked model.Request, known lessons) ([]byte, error) {
	r := sentRequest{Model: c.Model, Stream: c.Stream || known[mustStream]}
	if r.Stream && !known[noStreamOptions] {
		r.StreamOptions = &sentOptions{IncludeUsage: true}
	}
	if !known[noTemperature] {
		r.Temperature = c.Temperature
	}
	if !known[noTopP] {
		r.TopP = c.TopP
	}
	if !known[noSeed] {
		r.Seed = c.Seed
	}
	if !known[noEffort] {
		r.ReasoningEffort = c.ReasoningEffort
	}
	named := c.MaxCompletionTokens > 0 || reasons(c.Model)
	switch {
	case known[maxCompletionTokens], named && !known[maxTokens]:
		r.MaxCompletionTokens = c.MaxReplyTokens()
	default:
		r.MaxTokens = c.MaxReplyTokens()
	}
	messages := asked.Messages
	if known[shortIDs] {
		messages = withShortIDs(messages)
	}
	for i, m := range messages {
		if known[noUserAfterTool] && i > 0 && m.Role == "user" && messages[i-1].Role == "tool" {
			r.Messages = append(r.Messages, sentMessage{Role: "assistant", Content: "(nothing)"})
		}
		r.Messages = append(r.Messages, messageSent(m, known))
	}
	for _, t := range asked.Tools {
		r.Tools = append(r.Tools, toolSent(t, known))
	}
	return rawjson.Marshal(r)
}

// reasons tells whether a model is one of OpenAI's that know max_tokens no more.
func reasons(model string) bool {
	for _, series := range []string{"o1", "o3", "o4", "gpt-5", "gpt-6"} {
		if strings.HasPrefix(model, series) {
			return true
		}
	}
	return false
}

func messageSent(m model.Message, known lessons) sentMessage {
	s := sentMessage{Role: m.Role, Content: m.Content, ToolCallID: m.CallID}
	var extra struct {
		reasoning
		Content json.RawMessage `json:"content"`
	}
	switch {
	case known[noReasoning]:
	case len(m.Extra) > 0 && json.Unmarshal(m.Extra, &extra) == nil:
		s.reasoning = extra.reasoning
		if len(extra.Content) > 0 {
			s.Content = extra.Content
		}
	case m.Reasoning != "":
		s.reasoning.Content, _ = rawjson.Marshal(m.Reasoning) // a string always encodes
	}
	if known[alwaysReasoning] && m.Role == "assistant" && s.reasoning.Content == nil {
		s.reasoning.Content = json.RawMessage(`""`)
	}
	for _, c := range m.Calls {
		s.ToolCalls = append(s.ToolCalls, sentCall{c.ID, "function", sentFunction{c.Tool, c.Arguments}, c.Extra})
	}
	return s
}

func toolSent(t model.Tool, known lessons) sentTool {
	d := sentDefinition{Name: t.Name, Description: t.Description, Strict: t.Strict, Parameters: t.Schema}
	if known[plainSchemas] {
		d.Strict, d.Parameters = false, plainSchema(t)
	}
	return sentTool{"function", d}
}

// withShortIDs has every call of a conversation named by nine letters and digits, as Mistral wants them.
func withShortIDs(messages []model.Message) []model.Message {
	short := make([]model.Message, len(messages))
	for i, m := range messages {
		m.CallID = shortID(m.CallID)
		calls := m.Calls
		m.Calls = nil
		for _, c := range calls {
			c.ID = shortID(c.ID)
			m.Calls = append(m.Calls, c)
		}
		short[i] = m
	}
	return short
}

const shortIDLength = 9

func shortID(id string) string {
	plain := strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
	if id == "" || plain && len(id) == shortIDLength {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	text := new(big.Int).SetBytes(sum[:]).Text(62)
	return text[len(text)-shortIDLength:] // of 43 digits
}
