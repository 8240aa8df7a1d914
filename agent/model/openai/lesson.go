// What an API refuses of a request, and what it is asked instead. It is learned from the refusal, once for a model: the words are
// those of the APIs, and one that is not understood stays an error.

package openai

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"

	"mcp-trade/agent/model"
	"mcp-trade/agent/model/endpoint"
)

// Lessons, as they stand in manifests.
const (
	plainSchemas        = "schemas of tools: plain"
	maxTokens           = "max_tokens in place of max_completion_tokens"
	maxCompletionTokens = "max_completion_tokens in place of max_tokens"
	noTemperature       = "without temperature"
	noTopP              = "without top_p"
	noSeed              = "without seed"
	noEffort            = "without reasoning_effort"
	noStreamOptions     = "without stream_options"
	mustStream          = "streamed"
	noReasoning         = "reasoning is not sent back"
	alwaysReasoning     = "reasoning_content in every message of the model"
	shortIDs            = "ids of calls: 9 letters and digits"
	noUserAfterTool     = "no user message after a result"
)

type lessons map[string]bool

// known are the lessons so far. On trial, that of plain schemas is one of them.
func (c *Client) known(trial bool) lessons {
	all := lessons{plainSchemas: trial}
	for _, l := range c.Lessons.All() {
		all[l] = true
	}
	return all
}

// took notes that a request was answered.
func (c *Client) took(trial bool, refused error) {
	c.proven.Store(true)
	if trial {
		c.Lessons.Learn(plainSchemas, c.endpoint.Plain(refused).Message)
	}
}

// learn draws the lesson of a refusal, if there is one that the request was made without.
func (c *Client) learn(f *endpoint.Fault, asked lessons) bool {
	lesson := c.lessonOf(f)
	if lesson == "" || asked[lesson] {
		return false
	}
	c.Lessons.Learn(lesson, c.endpoint.Plain(f).Message)
	return true
}

// lessonOf is what a refusal teaches, "" for nothing.
func (c *Client) lessonOf(f *endpoint.Fault) string {
	if f.Status != http.StatusBadRequest && f.Status != http.StatusUnprocessableEntity && f.Status != http.StatusNotFound {
		return ""
	}
	refuses := f.Says("unsupported", "not support", "unknown", "unrecognized", "unexpected", "deprecated", "extra inputs", "not permitted", "not allowed", "invalid", "only")
	for _, rule := range []struct {
		lesson string
		sent   bool
		words  []string
	}{
		{mustStream, !c.Stream, []string{"stream=true", "only supports stream", "must be streamed", "requires stream"}},
		{noStreamOptions, refuses, []string{"stream_options", "include_usage"}},
		{maxCompletionTokens, refuses && f.Says("max_completion_tokens") && f.Param != "max_completion_tokens", []string{"max_tokens"}},
		{maxTokens, refuses, []string{"max_completion_tokens"}},
		{noTemperature, c.Temperature != nil && refuses, []string{"temperature"}},
		{noTopP, c.TopP != nil && refuses, []string{"top_p"}},
		{noSeed, c.Seed != nil && refuses, []string{"seed"}},
		{noEffort, c.ReasoningEffort != "" && refuses, []string{"reasoning_effort", "reasoning.effort", "reasoningeffort"}},
		{shortIDs, true, []string{"tool call id", "3280"}},
		{noUserAfterTool, true, []string{"unexpected role 'user' after role 'tool'", "3230"}},
		{alwaysReasoning, f.Says("must be passed back", "is missing", "required"), []string{"reasoning_content"}},
		{noReasoning, refuses, []string{"reasoning_content", "'reasoning'", "reasoning_details"}},
		{plainSchemas, true, []string{"schema", "function_declarations", "functiondeclarations", "additionalproperties", "'strict'", "\"strict\"", "`strict`", "strict mode"}},
	} {
		if rule.sent && f.Says(rule.words...) {
			return rule.lesson
		}
	}
	return ""
}

// doubtful tells whether a refusal that says nothing understood may be about the form of the schemas: no request with
// such schemas was answered yet.
func (c *Client) doubtful(f *endpoint.Fault, asked lessons) bool {
	return f.Status == http.StatusBadRequest && !c.proven.Load() && !asked[plainSchemas] && c.endpoint.Plain(f).Advice == endpoint.Unclear
}

// plainKeys are the keywords that every API knows.
var plainKeys = []string{"type", "description", "enum", "properties", "required", "items", "minimum", "maximum"}

// plainSchema is the schema of a tool's arguments without anything that an API is known to refuse.
func plainSchema(t model.Tool) json.RawMessage {
	from := t.Plain
	if len(from) == 0 {
		from = t.Schema
	}
	var tree map[string]any
	d := json.NewDecoder(bytes.NewReader(from))
	d.UseNumber()
	if d.Decode(&tree) != nil {
		return from
	}
	text, err := json.Marshal(plainValue(tree))
	if err != nil {
		return from
	}
	return text
}

func plainValue(from map[string]any) map[string]any {
	to := map[string]any{}
	for _, key := range plainKeys {
		if value, ok := from[key]; ok {
			to[key] = value
		}
	}
	if types, ok := to["type"].([]any); ok { // one of them, and null
		types = slices.DeleteFunc(slices.Clone(types), func(t any) bool { return t == "null" })
		to["type"] = "string"
		if len(types) > 0 {
			to["type"] = types[0]
		}
	}
	if to["type"] == nil {
		to["type"] = "string"
	}
	if to["type"] != "string" {
		delete(to, "enum")
	}
	if properties, ok := to["properties"].(map[string]any); ok {
		plain := map[string]any{}
		for name, p := range properties {
			value, _ := p.(map[string]any)
			plain[name] = plainValue(value)
		}
		to["properties"], to["type"] = plain, "object"
	}
	if items, ok := to["items"].(map[string]any); ok {
		to["items"] = plainValue(items)
	}
	return to
}
