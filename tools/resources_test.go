package tools

// Tests of what can be read without a tool, and of the completion of its addresses.

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/session"
)

// told asks for a method and returns the result, or the sentence of the error.
func (f *fixture) told(t *testing.T, method, params string) string {
	t.Helper()
	got := exchange(t, f, requestLine(1, method, params))
	if len(got) != 1 {
		t.Fatalf("%s %s: %d answers", method, params, len(got))
	}
	if got[0].Error != nil {
		return fmt.Sprint(got[0].Error.Code, " ", got[0].Error.Message)
	}
	return string(got[0].Result)
}

func completionOf(template, variable, value string) string {
	return fmt.Sprintf(`{"ref":{"type":"ref/resource","uri":%q},"argument":{"name":%q,"value":%q}}`, template, variable, value)
}

// What is listed can be read, and says what the prompt and the tool say.
func TestResources_ListedAreRead(t *testing.T) {
	f := newFixture(t, testBars)
	f.register(t, "other", "500")
	f.call(t, "buy", buyOne)
	var list mcp.ListResourcesResult
	if err := json.Unmarshal([]byte(f.told(t, "resources/list", `{}`)), &list); err != nil || len(list.Resources) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	texts := map[string]string{}
	read := func(uri string) (text, mime string) {
		var r struct{ Contents []mcp.TextResourceContents }
		if said := f.told(t, "resources/read", fmt.Sprintf(`{"uri":%q}`, uri)); json.Unmarshal([]byte(said), &r) != nil || len(r.Contents) != 1 {
			t.Fatalf("%s: %s", uri, said)
		}
		return r.Contents[0].Text, r.Contents[0].MIMEType
	}
	for _, r := range list.Resources {
		text, mime := read(r.URI)
		if mime != r.MIMEType || strings.Contains(r.URI, "other") {
			t.Errorf("%s is %q, listed as %q", r.URI, mime, r.MIMEType)
		}
		texts[r.URI] = text
	}
	if texts["briefing://gpt-5"] != f.prompt(t) {
		t.Errorf("the briefing is %q, the prompt %q", texts["briefing://gpt-5"], f.prompt(t))
	}
	bars, _ := read("bars://NVDA")
	if tool := f.told(t, "tools/call", `{"name":"get_price_history","arguments":{"symbol":"NVDA"}}`); !strings.Contains(tool, bars) || len(bars) < 100 {
		t.Errorf("the bars are %s, those of the tool %s", bars, tool)
	}
	for _, uri := range []string{"briefing://other", "briefing://nobody"} {
		if said := f.told(t, "resources/read", fmt.Sprintf(`{"uri":%q}`, uri)); said != "-32602 Only the account of the session can be read. Ask for briefing://gpt-5." {
			t.Errorf("%s: %s", uri, said)
		}
	}
	if said := f.told(t, "resources/read", `{"uri":"bars://NVDAX"}`); !strings.HasPrefix(said, "-32602 ") || !strings.Contains(said, "NVDAX") {
		t.Errorf("bars of a symbol that there is not: %s", said)
	}
	f.writeSession(t, "{}") // nobody's yet
	if said := f.told(t, "resources/list", `{}`); said != `{"resources":[]}` {
		t.Errorf("without a session: %s", said)
	}
}

// Symbols are completed by what is listed as of today, accounts by the session's own.
func TestResources_Completion(t *testing.T) {
	f := newFixture(t, map[string]bars{"AAA": testBars["NVDA"], "AAB": testBars["NVDA"], "LATER": {"2025-10-06": testBars["NVDA"]["2025-10-02"]}})
	f.register(t, "gpt-6", "500")
	for request, want := range map[string]string{
		completionOf("bars://{symbol}", "symbol", "aa"):                                         `{"completion":{"values":["AAA","AAB"]}}`,
		completionOf("bars://{symbol}", "symbol", "LATE"):                                       `{"completion":{"values":[]}}`, // its first bar is to come
		completionOf("bars://{symbol}", "signature", "aa"):                                      `{"completion":{"values":[]}}`,
		completionOf("ledger://{signature}/latest", "signature", ""):                            `{"completion":{"values":["gpt-5"],"total":1}}`,
		completionOf("report://{signature}", "signature", "gpt"):                                `{"completion":{"values":["gpt-5"],"total":1}}`,
		completionOf("briefing://{signature}", "signature", "gpt-6"):                            `{"completion":{"values":[]}}`,
		completionOf("file://{signature}", "signature", ""):                                     `{"completion":{"values":[]}}`,
		`{"ref":{"type":"ref/prompt","name":"trading-day"},"argument":{"name":"x","value":""}}`: `{"completion":{"values":[]}}`,
	} {
		if got := f.told(t, "completion/complete", request); got != want {
			t.Errorf("%s is answered %s, want %s", request, got, want)
		}
	}
	f.set(t, session.TodayDate, "2025-10-06")
	if got := f.told(t, "completion/complete", completionOf("bars://{symbol}", "symbol", "LATE")); !strings.Contains(got, `["LATER"]`) {
		t.Errorf("on the day of its first bar: %s", got)
	}
	if got := f.told(t, "completion/complete", completionOf("bars://{symbol}", "symbol", strings.Repeat("x", 5000))); len(got) > 500 {
		t.Errorf("a long value: %.600s", got)
	}
}

// Without the tool of prices there are no bars, and nothing completes their symbols.
func TestResources_OfTheToolsOffered(t *testing.T) {
	f := newFixture(t, testBars)
	f.serve(t, Options{Version: "1.2.3", Toolsets: []string{TradeSet}})
	if said := f.told(t, "resources/templates/list", `{}`); strings.Contains(said, "bars://") || !strings.Contains(said, "ledger://") {
		t.Errorf("templates: %s", said)
	}
	if said := f.told(t, "resources/read", `{"uri":"bars://NVDA"}`); !strings.Contains(said, "There is no resource") {
		t.Errorf("bars: %s", said)
	}
	if got := f.told(t, "completion/complete", completionOf("bars://{symbol}", "symbol", "")); got != `{"completion":{"values":[]}}` {
		t.Errorf("completion: %s", got)
	}
}

// A client may keep the lists for a while, and what it reads not at all.
func TestServer_CacheHints(t *testing.T) {
	f := newFixture(t, testBars)
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"x","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
	for method, want := range map[string]string{
		"tools/list": `300000`, "prompts/list": `300000`, "resources/templates/list": `300000`, "resources/list": `0`,
	} {
		said := f.told(t, method, `{`+meta+`}`)
		if !strings.Contains(said, `"ttlMs":`+want+`,`) && !strings.Contains(said, `"ttlMs":`+want+`}`) || !strings.Contains(said, `"cacheScope":"private"`) {
			t.Errorf("%s: %.300s", method, said)
		}
	}
	if said := f.told(t, "resources/read", `{"uri":"ledger://gpt-5/latest",`+meta+`}`); !strings.Contains(said, `"ttlMs":0`) {
		t.Errorf("a resource: %s", said)
	}
}
