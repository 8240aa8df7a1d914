// The APIs that the scripted model speaks: a row for each.

package modeltest

// dialect is an API: how it is spoken, and what it sends.
type dialect struct {
	api       string            // its name in a configuration
	path      string            // of a request, behind /v1
	wire      func() api        // a request and its reply
	scenarios func() []Scenario // what it really sends
}

var dialects = []dialect{
	{"openai", "/chat/completions", func() api { return &wireRequest{} }, chatScenarios},
	{"anthropic", "/messages", func() api { return &messagesRequest{} }, allMessagesScenarios},
}

// Scenarios returns those of an API, by its name in a configuration; none if the scripted model does not speak it.
func Scenarios(api string) []Scenario {
	for _, d := range dialects {
		if d.api == api {
			return d.scenarios()
		}
	}
	return nil
}
