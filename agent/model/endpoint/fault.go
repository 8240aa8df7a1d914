// What an API refuses a request with. Every API has a form of its own for it, and gateways have more: an object, a list of one,
// a text, a page; under the status that says so, or under 200.

package endpoint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"mcp-trade/agent/model"
	"mcp-trade/internal/retryafter"
)

// Fault is an error that an API answered with. Its texts come from outside.
type Fault struct {
	Status  int    // of HTTP, or as the body has it
	Sent    bool   // Status is that of the answer; else the answer claimed to be fine
	Message string // for people
	Type    string
	Code    string
	Param   string
	Begun   bool          // the model may have been at work
	After   time.Duration // how long the API asks to be left alone
	retry   string        // x-should-retry
}

// Error is the message as it came. It may hold a secret.
func (f *Fault) Error() string { return f.Message }

// words are all that a fault says, in small letters.
func (f *Fault) words() string {
	return strings.ToLower(strings.Join([]string{f.Type, f.Code, f.Param, f.Message}, " "))
}

// Says tells whether a fault's texts hold one of some words, which are in small letters.
func (f *Fault) Says(words ...string) bool {
	all := f.words()
	for _, w := range words {
		if strings.Contains(all, w) {
			return true
		}
	}
	return false
}

// quiet takes secrets out of a fault.
func (c *Client) quiet(f *Fault) *Fault {
	for _, text := range []*string{&f.Message, &f.Type, &f.Code, &f.Param} {
		*text = c.withoutKeys(*text)
	}
	return f
}

// FaultIn finds the fault in a body, or an event, that claims to be fine. begun tells whether the model may have been at work.
func (c *Client) FaultIn(body []byte, begun bool) *Fault {
	f, ok := readFault(body)
	if !ok {
		return nil
	}
	f.Begun = begun
	f.Status = cmp.Or(f.Status, statusOf(&f), http.StatusBadGateway)
	f.after(http.Header{}, c.now())
	return c.quiet(&f)
}

// wireFault is every form of a fault at once.
type wireFault struct {
	Error   json.RawMessage `json:"error"`
	Message Text            `json:"message"`
	Msg     Text            `json:"msg"`
	Detail  json.RawMessage `json:"detail"`
	Type    Text            `json:"type"`
	Object  Text            `json:"object"`
	Code    Text            `json:"code"`
	Param   Text            `json:"param"`
	State   Text            `json:"status"` // a word, as Google has it
	HTTP    Text            `json:"http_code"`

	Metadata Object[struct {
		Raw Text `json:"raw"`
	}] `json:"metadata"` // what a router heard from the provider
	Details json.RawMessage `json:"details"`
	Base    Object[struct {
		Code Count `json:"status_code"`
		Text Text  `json:"status_msg"`
	}] `json:"base_resp"`
	Choices json.RawMessage `json:"choices"`
}

// readFault reads a fault. ok is false for what is none, as far as can be told from the body.
func readFault(body []byte) (f Fault, ok bool) {
	body = bytes.TrimSpace(body)
	if bytes.Contains(body, []byte(`"choices"`)) && !bytes.Contains(body, []byte(`"error"`)) && !bytes.Contains(body, []byte(`"base_resp"`)) {
		return f, false // a piece of a reply, of which there are many
	}
	var list []json.RawMessage
	if len(body) > 0 && body[0] == '[' && json.Unmarshal(body, &list) == nil && len(list) > 0 {
		body = list[0]
	}
	var w wireFault
	if len(body) == 0 || body[0] != '{' || json.Unmarshal(body, &w) != nil {
		return f, false
	}
	text := TextOf(w.Error)
	switch {
	case text != "":
		f = Fault{Message: text, Code: string(w.Code)}
	case !IsNull(w.Error) && string(w.Error) != "{}" && w.Error[0] == '{':
		inner := wireFault{}
		if json.Unmarshal(w.Error, &inner) != nil {
			return f, false
		}
		f = inner.fault()
	case w.Base.V.Code > 0:
		f = minimax(int(w.Base.V.Code), string(w.Base.V.Text))
	case w.Type == "error" || w.Object == "error" || IsNull(w.Choices) && (w.Code != "" && w.Message != "" || !IsNull(w.Detail)):
		f = w.fault()
	default:
		return f, false
	}
	f.Status = httpStatus(f.Code)
	return f, true
}

// fault is what an object says that is about a fault.
func (w wireFault) fault() Fault {
	f := Fault{Message: cmp.Or(string(w.Message), string(w.Msg), TextOf(w.Detail)), Type: string(cmp.Or(w.Type, w.State)), Param: string(w.Param)}
	f.Code = string(cmp.Or(w.Code, w.HTTP))
	if f.Message == "" && !IsNull(w.Detail) {
		f.Message = string(w.Detail) // a list of what is wrong
	}
	if raw := string(w.Metadata.V.Raw); raw != "" {
		f.Message += ": " + raw
	}
	var details struct {
		Code Text `json:"error_code"`
	}
	if json.Unmarshal(w.Details, &details) == nil && details.Code != "" {
		f.Code = string(details.Code)
	}
	return f
}

// minimax is a fault as MiniMax numbers them.
func minimax(code int, text string) Fault {
	status := http.StatusBadGateway
	switch code {
	case 1002, 1039:
		status = http.StatusTooManyRequests
	case 1004, 2049:
		status = http.StatusUnauthorized
	case 1008:
		status = http.StatusPaymentRequired
	case 1026, 1027, 2013:
		status = http.StatusBadRequest
	}
	f := Fault{Message: fmt.Sprintf("%s (%d)", text, code), Code: strconv.Itoa(status)}
	if code == 1026 || code == 1027 {
		f.Type = "content_filter"
	}
	return f
}

// httpStatus is the status that a code is, 0 if it is none.
func httpStatus(code string) int {
	if n, err := strconv.Atoi(code); err == nil && n >= 400 && n <= 599 {
		return n
	}
	return 0
}

// statusOf is the status that goes with what a fault says under 200, 0 if that is not known.
func statusOf(f *Fault) int {
	kind := strings.ToLower(f.Type + " " + f.Code)
	for _, k := range []struct {
		word   string
		status int
	}{
		{"rate_limit", 429}, {"quota", 429}, {"overloaded", 529}, {"authentication", 401}, {"invalid_api_key", 401}, {"billing", 402},
		{"permission", 403}, {"not_found", 404}, {"too_large", 413}, {"context_length", 400}, {"content_filter", 400}, {"invalid", 400}, {"badrequest", 400},
	} {
		if strings.Contains(kind, k.word) {
			return k.status
		}
	}
	return 0
}

// after notes what an answer says about another try.
func (f *Fault) after(h http.Header, now time.Time) {
	f.retry = h.Get("X-Should-Retry")
	f.After = wait(h, f.Message, now)
}

// wait is how long an endpoint asks to be left alone: by a header, else in the words of its message.
func wait(h http.Header, message string, now time.Time) time.Duration {
	if asked := retryafter.Wait(h, now); asked > 0 {
		return asked
	}
	said := regexp.MustCompile(`(?i)(?:retry|try again) (?:in|after) ((?:[0-9.]+(?:ms|h|m|s))+|[0-9.]+)(?: ?(minutes?))?`).FindStringSubmatch(message)
	if said == nil {
		return 0
	}
	text, unit := strings.TrimRight(said[1], "."), "s"
	if said[2] != "" {
		unit = "m"
	}
	if strings.Trim(text, "0123456789.") == "" {
		text += unit
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return min(d, retryafter.Max)
}

// Words of faults that tell what they are about, in small letters. Types and codes come first; texts are those that no API has a
// code for.
var (
	moneyWords = []string{
		"insufficient_quota", "credit_balance_exhausted", "spend_limit", "organization_usage_limit_exceeded", "exceeded_current_quota", "billing_error",
		"insufficient balance", "credit balance is too low", "specified api usage limits", " 1113 ", " 1308 ", "limit: 0,", "perday",
	}
	lengthWords = []string{
		"context_length", "exceed_context", "context length", "context window", "context size", "prompt is too long", "input is too long",
		"range of input length", "exceeded model token limit", "request_too_large", "too many tokens",
	}
	filterWords = []string{"content_filter", "responsibleaipolicy", "datainspectionfailed", "moderation", "sensitive"}
	sampleWords = []string{"tool_use_failed", "error parsing tool call"} // the model wrote what its server could not read
)

// Unclear is the advice where a refusal says nothing that is understood.
const Unclear = "change the setting that the API names, or what it is asked"

// plain is a fault as the rest of the program knows it. says is its message on one line.
func (f *Fault) plain(says string) *model.Error {
	text := strings.TrimSpace(fmt.Sprintf("the model's endpoint answers %d %s", f.Status, http.StatusText(f.Status)))
	if says != "" {
		text += ": " + says
	}
	e := &model.Error{Message: text, Status: f.Status, After: f.After, MayHaveCost: f.Begun || gaveUp(f.Status)}
	switch {
	case f.Status == http.StatusPaymentRequired || f.Status < 500 && f.Says(moneyWords...):
		e.Advice, e.After = "its account has no money or quota left; top it up, or raise its limit", 0
	case f.Status == http.StatusRequestEntityTooLarge || f.Status < 500 && f.Status != http.StatusTooManyRequests && f.Says(lengthWords...):
		e.TooLong = true
	case f.Status == http.StatusUnauthorized:
		e.Advice = "set the key in the variable that api_key_env names"
	case f.Status < 500 && f.Status != http.StatusTooManyRequests && f.Says(filterWords...):
		e.Advice = "the API refuses what the prompt says; change custom_rules, custom_instructions or prompt_file, or ask another API"
	case f.Status == http.StatusForbidden:
		e.Advice = "give its account access to the model, or ask another model (basemodel)"
	case f.Status == http.StatusNotFound:
		e.Advice = "correct basemodel or openai_base_url"
	case f.retry == "false":
		e.Advice = "the API says that it will not answer this request later either"
	default:
		e.Retryable = f.retry == "true" || passing(f.Status) || f.Says(sampleWords...)
	}
	if e.Advice == "" && !e.TooLong && !e.Retryable {
		e.Advice = Unclear
	}
	return e
}

// passing tells whether a status speaks of a state that passes.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusFailedDependency, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusLocked, 498, 499: // of Groq: capacity; of proxies: the connection was closed
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return status >= 500
}

// gaveUp tells whether a status says that something in between gave up on a model that may have been at work.
func gaveUp(status int) bool {
	switch status {
	case http.StatusRequestTimeout, 499, http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	}
	return status >= 520 && status <= 524
}
