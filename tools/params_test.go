package tools

// Tests of arguments, and of what the tools say of themselves.

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tiktoken-go/tokenizer"

	"mcp-trade/code"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/store"
)

func TestBind(t *testing.T) {
	for _, c := range []struct{ arguments, want string }{
		{`{"symbol":"AAPL","amount":10}`, `"AAPL" 10 "" false ""`},
		{`{"symbol":"AAPL","amount":10.0}`, `"AAPL" 10 "" false ""`},
		{`{"symbol":"AAPL","amount":"10"}`, `"AAPL" 10 "" false ""`},
		{`{"symbol":"AAPL","amount":" 10 "}`, `"AAPL" 10 "" false ""`},
		{`{"symbol":"AAPL","amount":1e1}`, `"AAPL" 10 "" false ""`},
		{`{"symbol":" aapl\t","amount":10}`, `"aapl" 10 "" false ""`},
		{`{"symbol":"AAPL","amount":10,"order_id":null,"dry_run":null,"note":null}`, `"AAPL" 10 "" false ""`},
		{`{"symbol":"AAPL","amount":10,"order_id":"o","dry_run":true,"note":"ü"}`, `"AAPL" 10 "o" true "ü"`},
		{`{"symbol":"AAPL","amount":10,"dry_run":"true"}`, `"AAPL" 10 "" true ""`},
		{`{"symbol":"AAPL","amount":1.5}`, `"AAPL" 1.5 "" false ""`}, // what a lot is, the market says
		{`{"symbol":"AAPL","amount":99999999999999999999}`, `"AAPL" 99999999999999999999 "" false ""`},
		{`{"symbol":"AAPL"}`, `The argument "amount" is missing.`},
		{`{"symbol":"AAPL","amount":null}`, `The argument "amount" is missing.`},
		{`{"amount":1}`, `The argument "symbol" is missing.`},
		{`{}`, `The argument "symbol" is missing.`},
		{``, `The argument "symbol" is missing.`},
		{`null`, `The argument "symbol" is missing.`},
		{`{"symbol":" ","amount":1}`, `The argument "symbol" is empty.`},
		{`{"symbol":5,"amount":1}`, `The argument "symbol" must be a string.`},
		{`{"symbol":["AAPL"],"amount":1}`, `The argument "symbol" must be a string.`},
		{`{"symbol":"` + strings.Repeat("ü", 40) + `","amount":1}`, `"` + strings.Repeat("ü", 40) + `" 1 "" false ""`},
		{`{"symbol":"` + strings.Repeat("ü", 41) + `","amount":1}`, `The argument "symbol" is longer than 40 characters.`},
		{`{"symbol":"A\u0000B","amount":1}`, `The argument "symbol" holds control characters.`},
		{`{"symbol":"A","amount":1,"note":"a\nb"}`, `The argument "note" holds control characters.`},
		{`{"symbol":"A","amount":1,"note":"` + strings.Repeat("x", 501) + `"}`, `The argument "note" is longer than 500 characters.`},
		{`{"symbol":"A","amount":1,"dry_run":"maybe"}`, `The argument "dry_run" must be true or false.`},
		{`{"symbol":"A","amount":1,"dry_run":{}}`, `The argument "dry_run" must be true or false.`},
		{`{"symbol":"A","amount":"NaN"}`, "Invalid amount format. Amount must be an integer for stock trading. You provided: NaN"},
		{`{"symbol":"A","amount":"Infinity"}`, "Invalid amount format. Amount must be an integer for stock trading. You provided: Infinity"},
		{`{"symbol":"A","amount":1e999}`, "Invalid amount format. Amount must be an integer for stock trading. You provided: 1e999"},
		{`{"symbol":"A","amount":"ten"}`, "Invalid amount format. Amount must be an integer for stock trading. You provided: ten"},
		{`{"symbol":"A","amount":""}`, "Invalid amount format. Amount must be an integer for stock trading. You provided: "},
		{`{"symbol":"A","amount":true}`, "Invalid amount format. Amount must be an integer for stock trading. You provided: true"},
		{`{"symbol":"A","amount":[1]}`, "Invalid amount format. Amount must be an integer for stock trading. You provided: [1]"},
		{`{"symbol":"A","amount":"` + strings.Repeat("9", 5000) + `"}`, "Invalid amount format. Amount must be an integer for stock trading. You provided: " + strings.Repeat("9", 40)},
		{`{"symbol":"A","amount":1,"price":5}`, `Unknown argument "price". Valid are: symbol, amount, order_id, dry_run, note.`},
		{`{"Symbol":"A","amount":1}`, `Unknown argument "Symbol". Valid are: symbol, amount, order_id, dry_run, note.`},
		{`{"symbol":"A","amount":1,"` + strings.Repeat("x", 500) + `":1}`, `Unknown argument "` + strings.Repeat("x", 40) + `...". Valid are: symbol, amount, order_id, dry_run, note.`},
		{`{"symbol":"A","amount":1,"amount":50}`, `The argument "amount" is there twice.`},
		{`{"symbol":"A","amount":1,"\u0061mount":1}`, `The argument "amount" is there twice.`},
		{`{"symbol":"A","amount":1,"Amount":50}`, `The argument "Amount" is there twice, as "amount" too.`},
		{`{"symbol":"A","amount":1,"ſymbol":"B"}`, `The argument "ſymbol" is there twice, as "symbol" too.`},
		{`[]`, "The arguments are not an object. Send one, such as {}."},
		{`"symbol"`, "The arguments are not an object. Send one, such as {}."},
		{`7`, "The arguments are not an object. Send one, such as {}."},
	} {
		p, err := bind[tradeParams](fieldsOf(reflect.TypeFor[tradeParams]()), ledger.DefaultRules().Amount(), json.RawMessage(c.arguments))
		got := fmt.Sprintf("%q %s %q %v %q", p.Symbol, p.Amount, p.OrderID, p.DryRun, p.Note)
		if err != nil {
			got = err.Error()
			if f, ok := errors.AsType[*failure](err); !ok || f.code != code.InvalidArgument {
				t.Errorf("%.80s: %#v", c.arguments, err)
			}
		}
		if got != c.want {
			t.Errorf("%.80s\ngot  %s\nwant %s", c.arguments, got, c.want)
		}
	}
}

func TestBind_WholeNumber(t *testing.T) {
	const refused = `The argument "limit" must be a whole number from 1 to 200.`
	for arguments, want := range map[string]string{
		`{}`: "0", `{"limit":null}`: "0", `{"limit":1}`: "1", `{"limit":"200"}`: "200", `{"limit":5.0}`: "5",
		`{"limit":0}`: refused, `{"limit":-1}`: refused, `{"limit":201}`: refused, `{"limit":1.5}`: refused, `{"limit":"x"}`: refused,
		`{"limit":1e30}`: refused, `{"limit":1e999}`: refused, `{"limit":true}`: refused, `{"limit":18446744073709551617}`: refused,
	} {
		p, err := bind[tradesParams](fieldsOf(reflect.TypeFor[tradesParams]()), ledger.DefaultRules().Amount(), json.RawMessage(arguments))
		got := fmt.Sprint(p.Limit)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", arguments, got, want)
		}
	}
}

func TestBind_Tickers(t *testing.T) {
	for arguments, want := range map[string]string{
		`{"symbol":" NVDA "}`:                            `["NVDA"]`,
		`{"symbol":"NVDA,"}`:                             `["NVDA"]`,
		`{"symbol":"NVDA, AAPL"}`:                        `["NVDA" "AAPL"]`,
		`{"symbol":["NVDA"," AAPL"]}`:                    `["NVDA" "AAPL"]`,
		`{"symbol":""}`:                                  `The argument "symbol" is empty.`,
		`{"symbol":" , "}`:                               `The argument "symbol" is empty.`,
		`{"symbol":[]}`:                                  `The argument "symbol" is empty.`,
		`{"symbol":["NVDA",""]}`:                         `The argument "symbol" is empty.`,
		`{"symbol":null}`:                                `The argument "symbol" is missing.`,
		`{"symbol":["NVDA",7]}`:                          `The argument "symbol" must be a string.`,
		`{"symbol":7}`:                                   `The argument "symbol" must be a string.`,
		`{"symbol":"A\u0000"}`:                           `The argument "symbol" holds control characters.`,
		`{"symbol":"A,` + strings.Repeat("B", 41) + `"}`: `The argument "symbol" is longer than 40 characters.`,
		`{"symbol":"` + strings.Repeat("A,", 51) + `"}`:  `The argument "symbol" holds more than 50 symbols.`,
	} {
		p, err := bind[priceParams](fieldsOf(reflect.TypeFor[priceParams]()), ledger.DefaultRules().Amount(), json.RawMessage(arguments))
		got := fmt.Sprintf("%q", p.Symbol)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%.60s: %s, want %s", arguments, got, want)
		}
	}
}

func FuzzBind(f *testing.F) {
	for _, s := range []string{`{"symbol":" aapl ","amount":"10"}`, `{"symbol":"A","amount":1e5,"order_id":null,"dry_run":"f","note":"x"}`, `[]`, `{"symbol":"A","amount":1e999}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, arguments []byte) {
		p, err := bind[tradeParams](fieldsOf(reflect.TypeFor[tradeParams]()), ledger.DefaultRules().Amount(), arguments)
		if err != nil {
			if len(err.Error()) > 400 {
				t.Fatalf("the refusal of %q has %d bytes", arguments, len(err.Error()))
			}
			return
		}
		// What was accepted can be said again in plain words, and means the same.
		again, err := bind[tradeParams](fieldsOf(reflect.TypeFor[tradeParams]()), ledger.DefaultRules().Amount(), fmt.Appendf(nil, `{"symbol":%s,"amount":%s,"order_id":%s,"dry_run":%v,"note":%s}`,
			quote(p.Symbol), p.Amount, quote(p.OrderID), p.DryRun, quote(p.Note)))
		if err != nil || again.Symbol != p.Symbol || !again.Amount.Equal(p.Amount) || again.OrderID != p.OrderID || again.DryRun != p.DryRun || again.Note != p.Note {
			t.Fatalf("%q is %+v, which is %+v, %v", arguments, p, again, err)
		}
		if p.Symbol == "" || len([]rune(p.Symbol)) > 40 || len([]rune(p.OrderID)) > 128 || len([]rune(p.Note)) > 500 || p.Amount.Exponent() > 30 {
			t.Fatalf("%q became %+v", arguments, p)
		}
	})
}

func quote(s string) string {
	text, _ := json.Marshal(s) // a string always marshals
	return string(text)
}

// golden compares a text with a file of testdata; with UPDATE_GOLDEN=1 it writes the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("%s is not as it was (%v); UPDATE_GOLDEN=1 writes it anew. Now it is\n%s", path, err, got)
	}
}

// Clients and models have learnt the tools by these files: a change of one is a change of the contract.
func TestTool_Declaration(t *testing.T) {
	files := []string{"instructions.txt"}
	for _, tool := range table() {
		text, err := json.MarshalIndent(tool.declaration(&Deps{Rules: ledger.RulesOf(cmp.Or(tool.market, market.Default).Get())}, form{}), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, tool.name+".json", string(text)+"\n")
		files = append(files, tool.name+".json")
	}
	offered, err := offer(&Deps{}, Options{Toolsets: DefaultToolsets})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "instructions.txt", instructions(offered, accountResources())+"\n")
	there, err := filepath.Glob("testdata/*.*")
	if err != nil || len(there) != len(files) {
		t.Errorf("testdata holds %v, %v; want %v", there, err, files)
	}
}

// Every tool takes from the context of a model before it is of any use.
func TestTable_Size(t *testing.T) {
	f := newFixture(t, nil)
	f.serve(t, Options{Toolsets: DefaultToolsets})
	text, err := json.Marshal(f.server.MCP().HandleMessage(t.Context(), json.RawMessage(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)))
	if err != nil || len(text) > 12<<10 || !strings.Contains(string(text), `"get_portfolio"`) {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	o200k, err := tokenizer.Get(tokenizer.O200kBase)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := o200k.Count(string(text))
	if err != nil || tokens > 2500 {
		t.Errorf("%d tokens, %v", tokens, err)
	}
	t.Logf("%d bytes, %d tokens", len(text), tokens)
}

// Every tool says what a caller must know.
func TestTable_Descriptions(t *testing.T) {
	names := map[string]bool{}
	for _, tool := range table() {
		wrong := func(format string, args ...any) { t.Errorf(tool.name+": "+format, args...) }
		if names[tool.name] {
			wrong("there are two of this name")
		}
		names[tool.name] = true
		d := tool.declaration(&Deps{Rules: ledger.RulesOf(cmp.Or(tool.market, market.Default).Get())}, form{})
		if d.Title == "" || d.Description == "" || !strings.HasSuffix(d.Description, ".") {
			wrong("the title is %q, the description %q", d.Title, d.Description)
		}
		a := d.Annotations
		if a.ReadOnlyHint == nil || a.DestructiveHint == nil && !*a.ReadOnlyHint || a.OpenWorldHint == nil {
			wrong("a hint is missing: %+v", a)
			continue
		}
		if *a.ReadOnlyHint == tool.placesOrder || *a.ReadOnlyHint && tool.hints.destructive {
			wrong("the hints contradict what it does: %+v, orders %v", tool.hints, tool.placesOrder)
		}
		var params struct {
			Type                 string
			Properties           map[string]struct{ Description string }
			Required             []string
			AdditionalProperties json.RawMessage
		}
		if err := json.Unmarshal(tool.params((&Deps{}).rules().Amount()), &params); err != nil || params.Type != "object" || params.Properties == nil || string(params.AdditionalProperties) != "false" {
			wrong("the schema of its arguments is %s, %v", tool.params((&Deps{}).rules().Amount()), err)
		}
		if strings.Contains(string(tool.params((&Deps{}).rules().Amount())), `"null"`) {
			wrong("an argument may be null, which not every model API knows: %s", tool.params((&Deps{}).rules().Amount()))
		}
		for name, p := range params.Properties {
			if p.Description == "" {
				wrong("the argument %s is not described", name)
			}
			// No argument may choose who trades, or on which date.
			if slices.Contains([]string{"signature", "account", "model_id", "today_date"}, name) {
				wrong("the argument %s is of the session", name)
			}
		}
		for _, schema := range []json.RawMessage{tool.params((&Deps{}).rules().Amount()), marshalSchema(tool.result()), outputSchema(tool.result())} {
			compile(t, tool.name, schema)
			var tree any
			if err := json.Unmarshal(schema, &tree); err != nil {
				t.Fatal(err)
			}
			walk(tree, func(node map[string]any) {
				if _, list := node["type"].([]any); list {
					wrong("a list of types, which not every client knows: %v", node)
				}
			})
		}
	}
}

func walk(tree any, visit func(map[string]any)) {
	switch node := tree.(type) {
	case map[string]any:
		visit(node)
		for _, child := range node {
			walk(child, visit)
		}
	case []any:
		for _, child := range node {
			walk(child, visit)
		}
	}
}

// The details of a failure stand beside its sentence.
func TestFailure_Details(t *testing.T) {
	text, err := json.Marshal(&failure{code.InvalidArgument, "No.", map[string]any{"error": "x", "code": "y", "have": 3}})
	if err != nil || string(text) != `{"class":"caller","code":"invalid_argument","error":"No.","have":3}` {
		t.Errorf("%s, %v", text, err)
	}
	over := &store.UnreachableError{Engine: "redis", Doing: "read the ledger", Err: context.Canceled}
	if f, ok := failureOf(over, false); !ok || f.code != code.LedgerUnreachable || f.sentence != tookTooLong || fmt.Sprint(f.details) != "map[engine:redis]" {
		t.Errorf("a reading that was given up: %+v", f)
	}
	if f, ok := failureOf(over, true); !ok || !strings.Contains(f.sentence, "The order was not executed") {
		t.Errorf("an order that was given up: %+v", f)
	}
	if f, ok := failureOf(errors.New("a bug"), true); ok {
		t.Errorf("an error that nobody can mend became %+v", f)
	}
}
