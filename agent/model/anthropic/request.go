// What is sent: settings, tools, and a conversation as blocks.

package anthropic

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"mcp-trade/agent/model"
	"mcp-trade/internal/rawjson"
)

// sentRequest is the body of a request.
type sentRequest struct {
	Model       string        `json:"model"`
	MaxTokens   int           `json:"max_tokens"` // the API has no bound of its own
	System      []block       `json:"system,omitempty"`
	Messages    []sentMessage `json:"messages"`
	Tools       []sentTool    `json:"tools,omitempty"`
	Temperature *float64      `json:"temperature,omitempty"`
	TopP        *float64      `json:"top_p,omitempty"`
	Thinking    any           `json:"thinking,omitempty"`
	Output      any           `json:"output_config,omitempty"`
	Stream      bool          `json:"stream,omitempty"`
}

type sentMessage struct {
	Role    string  `json:"role"`
	Content []block `json:"content"`
}

type sentTool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"input_schema"`
}

// block is a block of a content. What is not known in it is kept.
type block map[string]json.RawMessage

// newBlock makes a block of texts.
func newBlock(kind string, fields ...string) block {
	b := block{"type": quoted(kind)}
	for i := 0; i+1 < len(fields); i += 2 {
		b[fields[i]] = quoted(fields[i+1])
	}
	return b
}

func quoted(text string) json.RawMessage {
	raw, _ := rawjson.Marshal(text) // a string always encodes
	return raw
}

// usualMaxTokens bounds a reply where the settings do not.
const usualMaxTokens = 16384

// request is a request, without what the API is known to refuse.
func (c *Client) request(asked model.Request, paused []block, known []string) (sentRequest, error) {
	knows := func(lesson string) bool { return slices.Contains(known, lesson) }
	r := sentRequest{Model: c.Model, MaxTokens: c.MaxReplyTokens(), Stream: c.Stream}
	if r.MaxTokens == 0 {
		r.MaxTokens = usualMaxTokens
	}
	if !knows(noTemperature) {
		r.Temperature = c.Temperature
	}
	if !knows(noTopP) {
		r.TopP = c.TopP
	}
	switch {
	case c.ReasoningEffort == "" || knows(noThinking) || knows(budgetThinking) && r.MaxTokens < 2*minBudget: // there is no room to think
	case knows(budgetThinking):
		r.Thinking = map[string]any{"type": "enabled", "budget_tokens": min(budgetOf(c.ReasoningEffort), r.MaxTokens/2)}
	default:
		r.Thinking, r.Output = map[string]any{"type": "adaptive"}, map[string]any{"effort": c.ReasoningEffort}
	}
	for _, t := range asked.Tools {
		schema := t.Plain
		if len(schema) == 0 {
			schema = t.Schema
		}
		r.Tools = append(r.Tools, sentTool{t.Name, t.Description, schema})
	}
	r.System, r.Messages = messagesSent(asked.Messages)
	if len(paused) > 0 {
		r.Messages = append(r.Messages, sentMessage{"assistant", paused})
	}
	if !knows(noCache) {
		r.cache()
	}
	return r, nil
}

const minBudget = 1024 // tokens of thinking, by the API

// budgetOf is how many tokens a model may think where it knows no efforts.
func budgetOf(effort string) int {
	switch effort {
	case "minimal", "low":
		return 2048
	case "medium":
		return 8192
	}
	return 24576
}

// cache has the API keep the prompt up to two places: behind the system prompt, with the tools before it, and behind the newest
// message, from which the next turn goes on.
func (r *sentRequest) cache() {
	mark := json.RawMessage(`{"type":"ephemeral"}`)
	if n := len(r.System); n > 0 {
		r.System[n-1]["cache_control"] = mark
	}
	if n := len(r.Messages); n > 0 && r.Messages[n-1].Role == "user" {
		content := r.Messages[n-1].Content
		content[len(content)-1]["cache_control"] = mark
	}
}

// messagesSent is a conversation as the API has it: the system prompt apart, results in one message of the user with what the
// user says behind them, and no empty texts.
func messagesSent(conversation []model.Message) (system []block, messages []sentMessage) {
	for _, m := range conversation {
		role, content := "user", []block(nil)
		switch m.Role {
		case "system":
			system = append(system, newBlock("text", "text", m.Content))
			continue
		case "tool":
			content = []block{newBlock("tool_result", "tool_use_id", sentID(m.CallID), "content", m.Content)}
		case "assistant":
			role, content = "assistant", turnSent(m)
		default:
			content = texts(m.Content)
		}
		if n := len(messages); n > 0 && messages[n-1].Role == role {
			messages[n-1].Content = append(messages[n-1].Content, content...)
		} else if len(content) > 0 {
			messages = append(messages, sentMessage{role, content})
		}
	}
	return system, messages
}

// texts is a text as blocks: none for one without a word, which the API refuses.
func texts(text string) []block {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return []block{newBlock("text", "text", text)}
}

// turnSent is a turn of the model. Its blocks come back in their places, and those of thoughts to the byte.
func turnSent(m model.Message) []block {
	var extra struct {
		Blocks []block `json:"blocks"`
	}
	if len(m.Extra) == 0 || json.Unmarshal(m.Extra, &extra) != nil || len(extra.Blocks) == 0 {
		content := texts(m.Content)
		for _, c := range m.Calls {
			content = append(content, callSent(c))
		}
		return content
	}
	var content []block
	calls := m.Calls
	for _, b := range extra.Blocks {
		if kindOf(b) != "tool_use" {
			content = append(content, b)
		} else if len(calls) > 0 {
			content, calls = append(content, callSent(calls[0])), calls[1:]
		}
	}
	return content
}

func callSent(c model.Call) block {
	b := newBlock("tool_use", "id", sentID(c.ID), "name", c.Tool)
	b["input"] = json.RawMessage(c.Arguments)
	if !json.Valid(b["input"]) {
		b["input"] = json.RawMessage("{}")
	}
	return b
}

// sentID is an id as the API takes it: ^[a-zA-Z0-9_-]+$.
func sentID(id string) string {
	if id != "" && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == "" {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "toolu_" + hex.EncodeToString(sum[:12])
}
