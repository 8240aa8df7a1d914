// Package modeltest is a language model for tests: an HTTP server on the loopback that speaks OpenAI's chat completions and
// Anthropic's Messages, streamed or not, and replies by a script. It can be slow, silent, wrong and cut off. It refuses a
// conversation that a real API would refuse.
//
// A script sees one request and nothing else, so that a run which is killed and resumed hears the same again. This file is
// what a script sees and says; dialects.go lists the APIs, wire.go and messages.go put it on the wire. scenarios.go and messages_scenarios.go have what real APIs
// send, which the client of each API must pass.
package modeltest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// Script replies to a request. It is called from several goroutines.
type Script func(Request) Reply

// Request is what the model is asked.
type Request struct {
	Model    string
	Messages []Message
	Tools    []string          // names of those offered
	Stream   bool              // the reply is to be streamed
	Fields   map[string]any    // the whole body
	Body     string            // as it came
	Number   int               // of requests before
	Headers  http.Header       // with the key
	Date     string            // the day that is traded, from the first "Today is ..."
	Turn     int               // turns of the model so far in the conversation
	Try      int               // how often the very same was asked before
	Schemas  map[string]Schema // of the tools
}

// Schema is how a tool was offered.
type Schema struct {
	Strict     bool            `json:"strict"`
	Parameters json.RawMessage `json:"parameters"`
}

// Message is a message of a conversation.
type Message struct {
	Role    string
	Text    string
	Calls   []Call
	Answers string // the id of the call that a tool message answers
}

// Call is a tool call. Arguments is what the model writes where JSON should be.
type Call struct {
	ID        string // "" for one that is made up from turn and position
	Tool      string
	Arguments string
}

// Reply is what the model does. The zero Reply is an empty text.
type Reply struct {
	Text      string
	Reasoning string
	Refusal   string
	Calls     []Call
	Finish    string // finish_reason; "" for stop, or tool_calls where there are any
	Usage     *Usage // nil: counted from the lengths
	NoUsage   bool   // the server does not say what was used

	Status     int    // of HTTP, if it is not 200: the reply is an error
	RetryAfter string // header
	Header     map[string]string
	Body       string // in place of a reply, as it is
	Events     string // the same, where the reply is to be streamed
	Bytewise   bool   // each byte is sent apart
	Hang       bool   // nothing is sent until the client gives up
	Cut        bool   // the connection breaks in the middle of the reply
}

// Usage is what a reply used, in tokens. Cached ones are part of In.
type Usage struct{ In, Cached, Out int }

// Say replies with a text and no call.
func Say(format string, args ...any) Reply { return Reply{Text: fmt.Sprintf(format, args...)} }

// Do replies with calls. A call is written as its tool and its arguments.
func Do(calls ...Call) Reply { return Reply{Calls: calls} }

// To is a call of a tool with arguments.
func To(tool string, arguments map[string]any) Call {
	text, err := json.Marshal(arguments)
	if err != nil {
		panic(err) // a mistake in the test
	}
	return Call{Tool: tool, Arguments: string(text)}
}

// Order is the call of buy or sell.
func Order(action, symbol string, amount any) Call {
	return To(action, map[string]any{"symbol": symbol, "amount": amount})
}

// Fail replies with an HTTP error, and a Retry-After header if that is not "".
func Fail(status int, retryAfter string) Reply { return Reply{Status: status, RetryAfter: retryAfter} }

// Server is a running model.
type Server struct {
	URL string // what openai_base_url takes

	script Script
	mu     sync.Mutex
	seen   map[[sha256.Size]byte]int
	asked  int
	gone   chan struct{} // closed at the end: no reply hangs for longer
}

// Start starts a model that ends with the test.
func Start(t testing.TB, script Script) *Server {
	s := &Server{script: script, seen: map[[sha256.Size]byte]int{}, gone: make(chan struct{})}
	h := httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = h.URL + "/v1"
	t.Cleanup(func() { close(s.gone); h.Close() })
	return s
}

// Asked tells how many requests there were.
func (s *Server) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// count notes a request and tells how often the same came before, and how many others.
func (s *Server) count(body []byte) (same, all int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	sum := sha256.Sum256(body)
	s.seen[sum]++
	return s.seen[sum] - 1, s.asked - 1
}

var today = regexp.MustCompile(`Today is (\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?)`)

// dateOf finds the day in what came before the model's first turn.
func dateOf(messages []Message) string {
	for _, m := range messages {
		if found := today.FindStringSubmatch(m.Text); found != nil && (m.Role == "system" || m.Role == "user") {
			return found[1]
		}
	}
	return ""
}

// LastText is the text of the newest message.
func (r Request) LastText() string {
	if len(r.Messages) == 0 {
		return ""
	}
	return r.Messages[len(r.Messages)-1].Text
}

// System is the system prompt.
func (r Request) System() string {
	var all strings.Builder
	for _, m := range r.Messages {
		if m.Role == "system" {
			all.WriteString(m.Text)
		}
	}
	return all.String()
}
