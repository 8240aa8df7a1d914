package tools

// Tests of the tools as a client meets them: an MCP client in the same process, a store of files, small prices.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/rs/zerolog"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/serve"
	"mcp-trade/session"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
)

// bars are the prices of a symbol: a date, and open, high, low, close, volume.
type bars map[string][5]string

var testBars = map[string]bars{
	"NVDA": {
		"2025-10-01": {"100", "104", "99", "103", "5000"}, "2025-10-02": {"110.5", "120", "108", "119", "6000"}, "2025-10-03": {"130", "140", "128", "139", "7000"},
	},
	"MSFT": {"2025-10-01": {"500", "510", "490", "505", "900"}, "2025-10-03": {"520", "530", "515", "525", "800"}},
	"AMD":  {"2025-10-02": {"50", "55", "49", "54", "100"}},
	"NEW":  {"2025-10-03": {"7", "8", "6", "7.5", "10"}}, // not there before that day
}

func writePrices(path string, symbols map[string]bars) error {
	var text []byte
	for symbol, b := range symbols {
		series := map[string]map[string]string{}
		for date, f := range b {
			series[date] = map[string]string{"1. buy price": f[0], "2. high": f[1], "3. low": f[2], "4. sell price": f[3], "5. volume": f[4]}
		}
		line, err := json.Marshal(map[string]any{"Meta Data": map[string]string{"2. Symbol": symbol}, "Time Series (Daily)": series})
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	return os.WriteFile(path, text, 0o644)
}

// fixture is a server with everything around it.
type fixture struct {
	*Deps
	server  *Server
	client  *client.Client
	store   *filestore.Store
	caller  *session.Caller   // of the calls that are made through ctx and listen
	other   *session.Resolver // what another process, such as the agent, has of the session
	log     *bytes.Buffer
	schemas map[string]*jsonschema.Schema // output schemas
}

// newFixture returns a server of all toolsets but AI-Trader's. It is 2025-10-02, and the account gpt-5 has had 10000 of cash since the day before.
func newFixture(t *testing.T, symbols map[string]bars) *fixture {
	t.Helper()
	f := &fixture{store: filestore.New(t.TempDir(), t.TempDir()), log: &bytes.Buffer{}}
	t.Cleanup(func() { _ = f.store.Close() })
	f.other, f.caller = newSession(t, f.store), &session.Caller{Session: newSession(t, f.store)}
	f.Deps = &Deps{Accounts: ledger.NewAccounts(f.store), Ledger: "file", Log: zerolog.New(zerolog.SyncWriter(f.log))}
	if symbols != nil {
		path := filepath.Join(t.TempDir(), "merged.jsonl")
		if err := writePrices(path, symbols); err != nil {
			t.Fatal(err)
		}
		prices, err := market.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = prices.Close() })
		f.Prices = prices
	}
	f.set(t, session.Signature, "gpt-5", session.TodayDate, "2025-10-02")
	f.register(t, "gpt-5", "10000")
	f.serve(t, Options{Version: "1.2.3", Toolsets: []string{TradeSet, MarketSet, SearchSet, OrdersSet, MathSet}})
	return f
}

func newSession(t *testing.T, s session.Local) *session.Resolver {
	t.Helper()
	l, err := session.New(session.Config{
		Model: "26", Local: s, Env: func(string) (string, bool) { return "", false }, Warn: func(text string) { t.Log(text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// ctx is that of calls by the fixture's caller.
func (f *fixture) ctx(t testing.TB) context.Context {
	return session.WithCaller(t.Context(), f.caller)
}

// listen serves a client that writes to in and reads out.
func (f *fixture) listen(ctx context.Context, in io.Reader, out io.Writer) error {
	return serve.New(f.server, f.Log).Stdio(session.WithCaller(ctx, f.caller), in, out)
}

func (f *fixture) serve(t *testing.T, o Options) {
	t.Helper()
	var err error
	if f.server, err = NewServer(f.Deps, o); err != nil {
		t.Fatal(err)
	}
	if f.client, err = client.NewInProcessClient(f.server.MCP()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.client.Close() })
	if err := f.client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var hello mcp.InitializeRequest
	hello.Params.ProtocolVersion = mcp.LATEST_PROTOCOL_VERSION
	hello.Params.ClientInfo = mcp.Implementation{Name: "test", Version: "1"}
	if _, err := f.client.Initialize(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	f.schemas = map[string]*jsonschema.Schema{}
	for _, tool := range table() {
		f.schemas[tool.name] = compile(t, tool.name, marshalSchema(tool.result()))
	}
}

func compile(t *testing.T, name string, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name+".json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// set writes session values as another process does.
func (f *fixture) set(t *testing.T, nameValue ...any) {
	t.Helper()
	values := map[string]any{}
	for i := 0; i < len(nameValue); i += 2 {
		values[nameValue[i].(string)] = nameValue[i+1]
	}
	if err := f.other.Set(t.Context(), values); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) register(t *testing.T, account, cash string) {
	t.Helper()
	if _, err := ledger.NewAccounts(f.store).Register(t.Context(), account, decimal.RequireFromString(cash), "2025-10-01"); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) rows(t *testing.T, account string) int {
	t.Helper()
	n := 0
	for _, err := range f.store.Lines(t.Context(), account) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// call returns the text of a tool's answer. It checks what holds of every answer: a success is structured content that is
// of the output schema, and the same in text; a failure is text alone, with a sentence and a code.
func (f *fixture) call(t *testing.T, tool, arguments string) (text string, failed bool) {
	t.Helper()
	var req mcp.CallToolRequest
	req.Params.Name, req.Params.Arguments = tool, json.RawMessage(arguments)
	r, err := f.client.CallTool(f.ctx(t), req)
	if err != nil {
		t.Fatalf("%s %s: %v", tool, arguments, err)
	}
	if len(r.Content) != 1 {
		t.Fatalf("%s %s: %d contents", tool, arguments, len(r.Content))
	}
	text = r.Content[0].(mcp.TextContent).Text
	if r.IsError {
		var f struct{ Error, Code string }
		if err := json.Unmarshal([]byte(text), &f); err != nil || f.Error == "" || f.Code == "" || r.StructuredContent != nil {
			t.Errorf("%s %s: the failure is %s with %v, %v", tool, arguments, text, r.StructuredContent, err)
		}
		return text, true
	}
	structured, err := json.Marshal(r.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	if answer, ok := r.StructuredContent.(map[string]any); ok && answer["result"] == text {
		return text, false // an answer in words
	}
	if !sameJSON(t, structured, []byte(text)) {
		t.Errorf("%s %s: the text is %s\nand the structured content %s", tool, arguments, text, structured)
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.schemas[tool].Validate(instance); err != nil {
		t.Errorf("%s %s: %s\nis not of the output schema: %v", tool, arguments, text, err)
	}
	return text, false
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return fmt.Sprint(x) == fmt.Sprint(y)
}

// want calls a tool and compares the whole text.
func (f *fixture) want(t *testing.T, tool, arguments, want string) {
	t.Helper()
	got, failed := f.call(t, tool, arguments)
	if wantFailed := strings.Contains(want, `"class":`); got != want || failed != wantFailed {
		t.Errorf("%s %s\ngot  %s\nwant %s", tool, arguments, got, want)
	}
}

// wantCode calls a tool that must fail, and returns its failure.
func (f *fixture) wantCode(t *testing.T, tool, arguments string, want code.Code) map[string]any {
	t.Helper()
	got, failed := f.call(t, tool, arguments)
	var object map[string]any
	if err := json.Unmarshal([]byte(got), &object); err != nil || !failed || object["code"] != string(want) {
		t.Errorf("%s %s: %s, want the code %s", tool, arguments, got, want)
	}
	return object
}

const fillOf3 = `{"status":"filled","replayed":false,"id":1,"date":"2025-10-02","action":"buy","symbol":"NVDA","amount":3,"price":110.5,"fees":0,` +
	`"cash":9668.5,"position":3,"positions":{"NVDA":3,"CASH":9668.5}}`

// A day of trading: the calls come one after the other, each on what the one before it left.
func TestServer_DayOfTrading(t *testing.T) {
	f := newFixture(t, testBars)
	for _, c := range []struct{ tool, arguments, want string }{
		{"get_session", `{}`, `{"model_id":"26","signature":"gpt-5","today_date":"2025-10-02","if_trade":false,"halted":false,` +
			`"sources":{"SIGNATURE":"file","TODAY_DATE":"file"},"markets":["us"],"ledger":"file","account":"registered"}`},
		{"get_portfolio", `{}`, `{"signature":"gpt-5","date":"2025-10-02","cash":10000,"holdings":[],"total_value":10000,"unpriced":[]}`},
		{"get_trades", `{}`, `{"trades":[]}`},
		{"buy", `{"symbol":"NVDA","amount":3,"dry_run":true}`, strings.Replace(fillOf3, "filled", "dry_run", 1)},
		{"get_trades", `{}`, `{"trades":[]}`},
		{"get_session", `{}`, `{"model_id":"26","signature":"gpt-5","today_date":"2025-10-02","if_trade":false,"halted":false,` +
			`"sources":{"SIGNATURE":"file","TODAY_DATE":"file"},"markets":["us"],"ledger":"file","account":"registered"}`},
		{"buy", `{"symbol":" nvda ","amount":"3"}`, fillOf3},
		{"get_session", `{}`, `{"model_id":"26","signature":"gpt-5","today_date":"2025-10-02","if_trade":true,"halted":false,` +
			`"sources":{"IF_TRADE":"file","SIGNATURE":"file","TODAY_DATE":"file"},"markets":["us"],"ledger":"file","account":"registered"}`},
		{"buy", `{"symbol":"AMD","amount":2,"order_id":"o-1","note":"cheap"}`, `{"status":"filled","replayed":false,"order_id":"o-1","id":2,"date":"2025-10-02","action":"buy","symbol":"AMD",` +
			`"amount":2,"price":50,"fees":0,"cash":9568.5,"position":2,"positions":{"AMD":2,"NVDA":3,"CASH":9568.5}}`},
		{"sell", `{"symbol":"NVDA","amount":3}`, `{"status":"filled","replayed":false,"id":3,"date":"2025-10-02","action":"sell","symbol":"NVDA",` +
			`"amount":3,"price":110.5,"fees":0,"cash":9900,"position":0,"positions":{"AMD":2,"CASH":9900}}`},
		{"buy", `{"symbol":"amd","amount":2.0,"order_id":"o-1"}`, `{"status":"filled","replayed":true,"order_id":"o-1","id":2,"date":"2025-10-02","action":"buy","symbol":"AMD",` +
			`"amount":2,"price":50,"fees":0,"cash":9568.5,"position":2,"positions":{"AMD":2,"NVDA":3,"CASH":9568.5}}`},
		{"get_portfolio", `null`, `{"signature":"gpt-5","date":"2025-10-02","cash":9900,"holdings":[{"symbol":"AMD","amount":2,"price":50,"price_type":"open","price_date":"2025-10-02","value":100}],` +
			`"total_value":10000,"unpriced":[]}`},
		{"get_trades", `{"limit":2}`, `{"trades":[{"id":3,"date":"2025-10-02","action":"sell","symbol":"NVDA","amount":3,"price":110.5,"fees":0,"cash":9900},` +
			`{"id":2,"date":"2025-10-02","action":"buy","symbol":"AMD","amount":2,"price":50,"fees":0,"cash":9568.5,"order_id":"o-1","note":"cheap"}],"next":"2"}`},
		{"get_trades", `{"limit":2,"cursor":"2"}`, `{"trades":[{"id":1,"date":"2025-10-02","action":"buy","symbol":"NVDA","amount":3,"price":110.5,"fees":0,"cash":9668.5}]}`},
		{"get_price", `{"symbol":"NVDA","date":"2025-10-01"}`, `{"symbol":"NVDA","date":"2025-10-01","ohlcv":{"open":100,"high":104,"low":99,"close":103,"volume":5000}}`},
		// Of today only the open is known, whatever the file has.
		{"get_price", `{"symbol":"nvda"}`, `{"symbol":"NVDA","date":"2025-10-02","ohlcv":{"open":110.5,"high":null,"low":null,"close":null,"volume":null}}`},
		{"get_price_history", `{"symbol":"NVDA"}`, `{"symbol":"NVDA","columns":["date","open","high","low","close","volume"],` +
			`"rows":[["2025-10-01",100,104,99,103,5000],["2025-10-02",110.5,null,null,null,null]]}`},
		{"get_price_history", `{"symbol":"NVDA","start":"2025-10-01","end":"2025-12-31","limit":1}`, `{"symbol":"NVDA","columns":["date","open","high","low","close","volume"],` +
			`"rows":[["2025-10-01",100,104,99,103,5000]],"next":"2025-10-02"}`},
		{"get_price", `{"symbol":"nvda, MSFT,NVDX,NEW"}`, `{"date":"2025-10-02","prices":[{"symbol":"NVDA","ohlcv":{"open":110.5,"high":null,"low":null,"close":null,"volume":null}},` +
			`{"symbol":"MSFT","error":"MSFT has no price at 2025-10-02; its newest bar before that is 2025-10-01","code":"no_price"},` +
			`{"symbol":"NVDX","error":"Symbol NVDX not found! This action will not be allowed.","code":"unknown_symbol","did_you_mean":["NVDA"]},` +
			`{"symbol":"NEW","error":"Symbol NEW not found! This action will not be allowed.","code":"unknown_symbol","hint":"list_symbols finds symbols by a part of their ticker or company name."}]}`},
		{"get_price", `{"symbol":["NVDA","MSFT"],"date":"2025-10-01"}`, `{"date":"2025-10-01","prices":[{"symbol":"NVDA","ohlcv":{"open":100,"high":104,"low":99,"close":103,"volume":5000}},` +
			`{"symbol":"MSFT","ohlcv":{"open":500,"high":510,"low":490,"close":505,"volume":900}}]}`},
		{"list_symbols", `{}`, `{"symbols":[{"symbol":"AMD","market":"us","first_date":"2025-10-02"},{"symbol":"MSFT","market":"us","first_date":"2025-10-01"},` +
			`{"symbol":"NVDA","market":"us","first_date":"2025-10-01"}]}`},
		{"list_symbols", `{"limit":2}`, `{"symbols":[{"symbol":"AMD","market":"us","first_date":"2025-10-02"},{"symbol":"MSFT","market":"us","first_date":"2025-10-01"}],"next":"MSFT"}`},
		{"list_symbols", `{"limit":2,"cursor":"MSFT"}`, `{"symbols":[{"symbol":"NVDA","market":"us","first_date":"2025-10-01"}]}`},
		{"list_symbols", `{"query":"nv","limit":1}`, `{"symbols":[{"symbol":"NVDA","market":"us","first_date":"2025-10-01"}]}`},
		{"list_symbols", `{"query":"NEW"}`, `{"symbols":[]}`},
		{"get_price", `{"symbol":"NVDA","date":"2025/10/1"}`, `{"symbol":"NVDA","date":"2025-10-01","ohlcv":{"open":100,"high":104,"low":99,"close":103,"volume":5000}}`},
		{"get_price", `{"symbol":"NVDA","date":"2025-10-02T00:00:00"}`, `{"symbol":"NVDA","date":"2025-10-02","ohlcv":{"open":110.5,"high":null,"low":null,"close":null,"volume":null}}`},
		{"get_price_history", `{"symbol":"NVDA","start":"2025-10-02T00:00:00","end":"Oct 2, 2025"}`, `{"symbol":"NVDA","columns":["date","open","high","low","close","volume"],` +
			`"rows":[["2025-10-02",110.5,null,null,null,null]]}`},
	} {
		f.want(t, c.tool, c.arguments, c.want)
	}
}

// A failure says what is wrong, and what to do next.
func TestFailureOf(t *testing.T) {
	for _, c := range []struct {
		name            string
		before          func(*fixture)
		tool, arguments string
		want            string
	}{
		{"an unknown symbol", nil, "buy", `{"symbol":"NVDX","amount":1}`,
			`{"class":"refusal","code":"unknown_symbol","did_you_mean":["NVDA"],"error":"Symbol NVDX not found! This action will not be allowed.","symbol":"NVDX"}`},
		{"a symbol that comes later is as unknown", nil, "get_price", `{"symbol":"NEW"}`,
			`{"class":"refusal","code":"unknown_symbol","did_you_mean":[],"error":"Symbol NEW not found! This action will not be allowed.","hint":"list_symbols finds symbols by a part of their ticker or company name.","symbol":"NEW"}`},
		{"a company", nil, "buy", `{"symbol":"Nvidia Corp.","amount":1}`,
			`{"class":"refusal","code":"unknown_symbol","did_you_mean":[],"error":"Symbol Nvidia Corp. not found! This action will not be allowed.","hint":"list_symbols finds symbols by a part of their ticker or company name.","symbol":"Nvidia Corp."}`},
		{"a symbol with its exchange", nil, "buy", `{"symbol":"NASDAQ:NVDA","amount":1}`,
			`{"class":"refusal","code":"unknown_symbol","did_you_mean":["NVDA"],"error":"Symbol NASDAQ:NVDA not found! This action will not be allowed.","symbol":"NASDAQ:NVDA"}`},
		{"several symbols in one order", nil, "buy", `{"symbol":"NVDA,AMD","amount":1}`,
			`{"class":"refusal","code":"unknown_symbol","did_you_mean":["AMD","NVDA"],"error":"Symbol NVDA,AMD not found! This action will not be allowed.","symbol":"NVDA,AMD"}`},
		{"several symbols on a later date", nil, "get_price", `{"symbol":"NVDA,NEW","date":"2025-10-03"}`,
			`{"class":"caller","code":"not_yet","date":"2025-10-03","error":"2025-10-03 is not yet known: it is 2025-10-02 now","today_date":"2025-10-02"}`},
		{"no bar today", nil, "buy", `{"symbol":"MSFT","amount":1}`,
			`{"class":"refusal","code":"no_price","date":"2025-10-02","error":"MSFT has no price at 2025-10-02; its newest bar before that is 2025-10-01","nearest_date":"2025-10-01","symbol":"MSFT"}`},
		{"too little cash", nil, "buy", `{"symbol":"NVDA","amount":91}`,
			`{"cash_available":10000,"class":"refusal","code":"insufficient_cash","date":"2025-10-02","error":"Insufficient cash! This action will not be allowed.","max_amount":90,"price":110.5,"required_cash":10055.5,"symbol":"NVDA"}`},
		{"too little cash, in a dry run", nil, "buy", `{"symbol":"NVDA","amount":91,"dry_run":true}`,
			`{"cash_available":10000,"class":"refusal","code":"insufficient_cash","date":"2025-10-02","error":"Insufficient cash! This action will not be allowed.","max_amount":90,"price":110.5,"required_cash":10055.5,"symbol":"NVDA"}`},
		{"no position", nil, "sell", `{"symbol":"NVDA","amount":1}`,
			`{"class":"refusal","code":"insufficient_position","date":"2025-10-02","error":"No position for NVDA! This action will not be allowed.","have":0,"max_amount":0,"symbol":"NVDA","want_to_sell":1}`},
		{"a part of a share", nil, "buy", `{"symbol":"NVDA","amount":1.5}`,
			`{"amount":1.5,"class":"caller","code":"invalid_argument","error":"Invalid amount format. Amount must be an integer for stock trading. You provided: 1.5","minimum":1,"symbol":"NVDA"}`},
		{"nothing", nil, "buy", `{"symbol":"NVDA","amount":0}`,
			`{"amount":0,"class":"caller","code":"invalid_argument","error":"Amount must be positive. You tried to buy 0 shares.","minimum":1,"symbol":"NVDA"}`},
		{"no number", nil, "buy", `{"symbol":"NVDX","amount":"NaN"}`,
			`{"argument":"amount","cash_available":10000,"class":"caller","code":"invalid_argument","error":"Invalid amount format. Amount must be an integer for stock trading. You provided: NaN","have":0,"provided":"NaN"}`},
		{"an amount of money", nil, "buy", `{"symbol":"NVDA","amount":"$1000"}`,
			`{"argument":"amount","cash_available":10000,"class":"caller","code":"invalid_argument","error":"Invalid amount format. Amount must be an integer for stock trading. You provided: $1000","have":0,"price":110.5,"provided":"$1000","shares":9}`},
		{"an amount of money with cents", nil, "sell", `{"symbol":"NVDA","amount":"$1,105.50"}`,
			`{"argument":"amount","cash_available":10000,"class":"caller","code":"invalid_argument","error":"Invalid amount format. Amount must be an integer for stock trading. You provided: $1,105.50","have":0,"price":110.5,"provided":"$1,105.50","shares":10}`},
		{"all", func(f *fixture) { f.want(t, "buy", `{"symbol":"NVDA","amount":3}`, fillOf3) }, "sell", `{"symbol":"nvda","amount":"all"}`,
			`{"argument":"amount","cash_available":9668.5,"class":"caller","code":"invalid_argument","error":"Invalid amount format. Amount must be an integer for stock trading. You provided: all","have":3,"price":110.5,"provided":"all"}`},
		{"a date before all prices", nil, "get_price", `{"symbol":"NVDA","date":"2025-09-01"}`,
			`{"class":"refusal","code":"no_price","date":"2025-09-01","error":"NVDA has no price at 2025-09-01, and none before it; its first bar is 2025-10-01","nearest_date":"2025-10-01","symbol":"NVDA"}`},
		{"no arguments", nil, "buy", `null`, `{"argument":"symbol","class":"caller","code":"invalid_argument","error":"The argument \"symbol\" is missing."}`},
		{"arguments that are a list", nil, "buy", `[1]`, `{"class":"caller","code":"invalid_argument","error":"The arguments are not an object. Send one, such as {}."}`},
		{"an argument that no tool may have", nil, "buy", `{"symbol":"NVDA","amount":1,"signature":"other"}`,
			`{"argument":"signature","class":"caller","code":"invalid_argument","error":"Unknown argument \"signature\". Valid are: symbol, amount, order_id, dry_run, note.","valid":["symbol","amount","order_id","dry_run","note"]}`},
		{"an argument to a tool without any", nil, "get_portfolio", `{"date":"2025-10-03"}`,
			`{"argument":"date","class":"caller","code":"invalid_argument","error":"Unknown argument \"date\". This tool takes none.","valid":[]}`},
		{"a cursor of one's own", nil, "get_trades", `{"cursor":"x"}`,
			`{"argument":"cursor","class":"caller","code":"invalid_argument","error":"The argument \"cursor\" is none that was given out. Leave it out to start with the newest trade."}`},
		{"no date", nil, "get_price", `{"symbol":"NVDA","date":"tomorrow"}`,
			`{"argument":"date","class":"caller","code":"invalid_argument","error":"The argument date: \"tomorrow\" is not a date or time: write it as 2025-10-02, 2025-10-02 10:30 or 2025-10-02 10:30:00."}`},
		{"the first day after the last", nil, "get_price_history", `{"symbol":"NVDA","start":"2025-10-02","end":"2025-10-01"}`,
			`{"argument":"start","class":"caller","code":"invalid_argument","error":"The argument start, 2025-10-02, is after end, 2025-10-01."}`},
		{"a range before the first bar", nil, "get_price_history", `{"symbol":"AMD","end":"2025-09-01"}`,
			`{"class":"refusal","code":"no_price","date":"2025-09-01","error":"AMD has no price at 2025-09-01, and none before it; its first bar is 2025-10-02","nearest_date":"2025-10-02","symbol":"AMD"}`},
		{"a first moment after the last", nil, "get_price_history", `{"symbol":"NVDA","start":"2025-10-01 15:00:00","end":"2025-10-01 10:00:00"}`,
			`{"argument":"start","class":"caller","code":"invalid_argument","error":"The argument start, 2025-10-01 15:00:00, is after end, 2025-10-01 10:00:00."}`},
		{"a date with two readings", nil, "get_price", `{"symbol":"NVDA","date":"10/02/2025"}`,
			`{"argument":"date","class":"caller","code":"invalid_argument","error":"The argument date: \"10/02/2025\" is not a date or time: write it as 2025-10-02, 2025-10-02 10:30 or 2025-10-02 10:30:00."}`},
		{"a later date, loosely written", nil, "get_price", `{"symbol":"NVDA","date":"2025-10-3"}`,
			`{"class":"caller","code":"not_yet","date":"2025-10-03","error":"2025-10-03 is not yet known: it is 2025-10-02 now","today_date":"2025-10-02"}`},
		{"a later date, as a midnight", nil, "get_price", `{"symbol":"NVDA","date":"2025-10-03T00:00:00.000Z"}`,
			`{"class":"caller","code":"not_yet","date":"2025-10-03","error":"2025-10-03 is not yet known: it is 2025-10-02 now","today_date":"2025-10-02"}`},
		{"a later date, as a midnight without a zone", nil, "get_price", `{"symbol":"NVDA","date":"2025-10-03T00:00:00"}`,
			`{"class":"caller","code":"not_yet","date":"2025-10-03 00:00:00","error":"2025-10-03 00:00:00 is not yet known: it is 2025-10-02 now","today_date":"2025-10-02"}`},
		{"a later date", nil, "get_price", `{"symbol":"NVDA","date":"2025-10-03"}`,
			`{"class":"caller","code":"not_yet","date":"2025-10-03","error":"2025-10-03 is not yet known: it is 2025-10-02 now","today_date":"2025-10-02"}`},
		{"a later date of a symbol that is not there yet", nil, "get_price", `{"symbol":"NEW","date":"2025-10-03"}`,
			`{"class":"caller","code":"not_yet","date":"2025-10-03","error":"2025-10-03 is not yet known: it is 2025-10-02 now","today_date":"2025-10-02"}`},
		{"a later start", nil, "get_price_history", `{"symbol":"NVDA","start":"2025-10-03"}`,
			`{"class":"caller","code":"not_yet","date":"2025-10-03","error":"2025-10-03 is not yet known: it is 2025-10-02 now","today_date":"2025-10-02"}`},
		{"a date without a bar", nil, "get_price", `{"symbol":"MSFT","date":"2025-10-02"}`,
			`{"class":"refusal","code":"no_price","date":"2025-10-02","error":"MSFT has no price at 2025-10-02; its newest bar before that is 2025-10-01","nearest_date":"2025-10-01","symbol":"MSFT"}`},
		{"another market", nil, "buy", `{"symbol":"BTC-USDT","amount":1}`,
			`{"class":"caller","code":"invalid_argument","error":"BTC-USDT belongs to the market \"crypto\", which cannot be traded here. Trade US shares.","market":"crypto","symbol":"BTC-USDT"}`},
		{"the date went back", func(f *fixture) {
			f.want(t, "buy", `{"symbol":"NVDA","amount":3}`, fillOf3)
			f.set(t, session.TodayDate, "2025-10-01")
		}, "buy", `{"symbol":"NVDA","amount":1}`,
			`{"class":"fault","code":"date_backwards","date":"2025-10-01","error":"TODAY_DATE is 2025-10-01, but the newest record of this account is dated 2025-10-02. Set TODAY_DATE to that date or a later one.","newest_record":"2025-10-02"}`},
		{"an order id of another order", func(f *fixture) { f.call(t, "buy", `{"symbol":"NVDA","amount":3,"order_id":"o-1"}`) }, "buy", `{"symbol":"NVDA","amount":4,"order_id":"o-1"}`,
			`{"class":"caller","code":"order_id_reused","error":"The order id \"o-1\" belongs to another order: buy 3 NVDA on 2025-10-02. Use a new order id for a new order.",` +
				`"first":{"action":"buy","amount":3,"date":"2025-10-02","id":1,"symbol":"NVDA"},"order_id":"o-1"}`},
		{"an order id of an earlier date", func(f *fixture) {
			f.call(t, "buy", `{"symbol":"NVDA","amount":3,"order_id":"o-1"}`)
			f.set(t, session.TodayDate, "2025-10-03")
		}, "buy", `{"symbol":"NVDA","amount":3,"order_id":"o-1"}`,
			`{"class":"caller","code":"order_id_reused","error":"The order id \"o-1\" was used before today: buy 3 NVDA on 2025-10-02. Today is 2025-10-03. Use a new order id for a new order.",` +
				`"first":{"action":"buy","amount":3,"date":"2025-10-02","id":1,"symbol":"NVDA"},"order_id":"o-1"}`},
		{"no account", func(f *fixture) { f.set(t, session.Signature, "nobody") }, "buy", `{"symbol":"NVDA","amount":1}`,
			`{"class":"fault","code":"not_registered","error":"The account nobody is not registered. Open it with: mcp-trade ledger register nobody --cash 10000 --date YYYY-MM-DD","signature":"nobody"}`},
		{"an account that is opened later", func(f *fixture) { f.set(t, session.TodayDate, "2025-09-30") }, "get_portfolio", `{}`,
			`{"class":"fault","code":"not_registered","error":"The account gpt-5 is not registered. Open it with: mcp-trade ledger register gpt-5 --cash 10000 --date YYYY-MM-DD","signature":"gpt-5"}`},
		{"no session", func(f *fixture) { f.clear(t, session.TodayDate) }, "get_session", `{}`,
			`{"class":"fault","code":"session_missing","error":"TODAY_DATE environment variable is not set, and neither is the value in the session \"26\". Set it with: mcp-trade session set TODAY_DATE=VALUE --model-id 26","missing":"TODAY_DATE","model_id":"26"}`},
		{"no session to trade in", func(f *fixture) { f.clear(t, session.Signature) }, "sell", `{"symbol":"NVDA","amount":1}`,
			`{"class":"fault","code":"session_missing","error":"SIGNATURE environment variable is not set, and neither is the value in the session \"26\". Set it with: mcp-trade session set SIGNATURE=VALUE --model-id 26","missing":"SIGNATURE","model_id":"26"}`},
		{"a halt", func(f *fixture) { f.set(t, session.Halt, true) }, "buy", `{"symbol":"NVDA","amount":1}`,
			`{"class":"fault","code":"halted","error":"Trading is halted: HALT is set for the session \"26\" or for all. No order is executed until the operator clears it.","model_id":"26"}`},
		{"a halt, in a dry run", func(f *fixture) { f.set(t, session.Halt, true) }, "buy", `{"symbol":"NVDA","amount":1,"dry_run":true}`,
			`{"class":"fault","code":"halted","error":"Trading is halted: HALT is set for the session \"26\" or for all. No order is executed until the operator clears it.","model_id":"26"}`},
		{"a signature that leads out of the ledgers", func(f *fixture) { f.writeSession(t, `{"SIGNATURE": "../../etc", "TODAY_DATE": "2025-10-02"}`) }, "buy", `{"symbol":"NVDA","amount":1}`,
			`{"class":"fault","code":"session_invalid","error":"SIGNATURE in the session (from: file): signature \"../../etc\" is not valid: use 1 to 64 letters, digits, '.', '_' or '-', not starting with a dot","source":"file","value":"SIGNATURE"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, testBars)
			if c.before != nil {
				c.before(f)
			}
			rows := f.rows(t, "gpt-5")
			f.want(t, c.tool, c.arguments, c.want)
			if n := f.rows(t, "gpt-5"); n != rows {
				t.Errorf("the ledger grew from %d to %d rows", rows, n)
			}
		})
	}
}

func (f *fixture) clear(t *testing.T, names ...string) {
	t.Helper()
	if _, err := f.other.Clear(t.Context(), names...); err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) writeSession(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(f.store.SessionFile("26"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// An unreadable value is not taken for an absent one.
func TestServer_Unreadable(t *testing.T) {
	f := newFixture(t, testBars)
	f.writeSession(t, "{ torn")
	if got := f.wantCode(t, "buy", `{"symbol":"NVDA","amount":1}`, code.SessionUnreachable); got["engine"] != "file" {
		t.Error(got)
	}
	f.wantCode(t, "get_portfolio", `{}`, code.SessionUnreachable)

	f = newFixture(t, testBars)
	if err := os.WriteFile(f.store.LedgerFile("gpt-5"), []byte("garbage\n{}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := f.wantCode(t, "buy", `{"symbol":"NVDA","amount":1}`, code.LedgerUnreachable); got["engine"] != "file" || got["executed"] != "no" {
		t.Error(got)
	}
	f.wantCode(t, "get_trades", `{}`, code.LedgerUnreachable)
	if got, _ := f.call(t, "get_session", `{}`); !strings.Contains(got, `"account":"unreachable"`) {
		t.Error(got)
	}
}

// silent is a ledger that commits and loses the answer.
type silent struct{ store.Ledgers }

func (s silent) Append(ctx context.Context, c store.Commit) error {
	if err := s.Ledgers.Append(ctx, c); err != nil {
		return err
	}
	return &store.UnreachableError{Engine: "redis", Doing: "write the ledger", Err: fmt.Errorf("no answer"), Unknown: true}
}

// An order of which nothing was heard may be in the ledger: it must not be sent once more.
func TestBuy_LostAnswer(t *testing.T) {
	f := newFixture(t, testBars)
	f.Accounts = ledger.NewAccounts(silent{f.store})
	f.want(t, "buy", `{"symbol":"NVDA","amount":1}`, `{"class":"fault","code":"ledger_unreachable","engine":"redis",`+
		`"error":"redis: cannot write the ledger: no answer. It is unknown whether the order was executed: look at get_trades, or repeat it with the same order_id if it had one.","executed":"unknown"}`)
	if n := f.rows(t, "gpt-5"); n != 2 {
		t.Errorf("the ledger has %d rows", n)
	}
}

// Without prices nothing is traded.
func TestBuy_WithoutPrices(t *testing.T) {
	f := newFixture(t, nil)
	const want = `{"class":"fault","code":"prices_unconfigured","error":"The server has no prices. Start it with --prices FILE, or set MCP_TRADE_PRICES, or put a *merged*.jsonl into its data dir."}`
	for tool, arguments := range map[string]string{
		"buy": `{"symbol":"NVDA","amount":1}`, "sell": `{"symbol":"NVDA","amount":1}`, "get_price": `{"symbol":"NVDA"}`,
		"get_price_history": `{"symbol":"NVDA"}`, "get_portfolio": `{}`, "list_symbols": `{}`,
	} {
		f.want(t, tool, arguments, want)
	}
	f.want(t, "get_trades", `{}`, `{"trades":[]}`)
}

// A holding without a price leaves the total unknown.
func TestGetPortfolio_HoldingWithoutAPrice(t *testing.T) {
	f := newFixture(t, testBars)
	rows := func(yield func([]byte, error) bool) {
		yield([]byte(`{"date": "2025-10-01", "id": 0, "positions": {"CASH": 10.5, "GONE": 2, "MSFT": 1, "AMD": 0, "NVDA": 2}}`), nil)
	}
	old, err := ledger.ReadCopy(rows)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Accounts.Import(t.Context(), "old", old); err != nil {
		t.Fatal(err)
	}
	f.set(t, session.Signature, "old")
	// MSFT has no bar today and is valued at its last close, which is a trading day old.
	f.want(t, "get_portfolio", `{}`, `{"signature":"old","date":"2025-10-02","cash":10.5,"holdings":[{"symbol":"GONE","amount":2,"price":null,"value":null},`+
		`{"symbol":"MSFT","amount":1,"price":505,"price_type":"close","price_date":"2025-10-01","stale_days":1,"value":505},`+
		`{"symbol":"NVDA","amount":2,"price":110.5,"price_type":"open","price_date":"2025-10-02","value":221}],"total_value":null,"unpriced":["GONE"]}`)
}

// The server presumes that the session is what it was; the commit proves it. Another process changes it in between.
func TestBuy_SessionMoves(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*fixture)
		order  string
		want   string // the answer, or a part of it
		rows   string // of gpt-5 and of other
	}{
		{"nothing changed", func(*fixture) {}, `{"symbol":"NVDA","amount":1}`, `"date":"2025-10-02"`, "3 1"},
		{"another day", func(f *fixture) { f.set(t, session.TodayDate, "2025-10-03") }, `{"symbol":"NVDA","amount":1}`, `"date":"2025-10-03","action":"buy","symbol":"NVDA","amount":1,"price":130`, "3 1"},
		{"another day with another symbol", func(f *fixture) { f.set(t, session.TodayDate, "2025-10-03") }, `{"symbol":"NEW","amount":1}`, `"symbol":"NEW","amount":1,"price":7,`, "3 1"},
		{"another account", func(f *fixture) { f.set(t, session.Signature, "other") }, `{"symbol":"NVDA","amount":1}`, `"id":1,"date":"2025-10-02","action":"buy","symbol":"NVDA","amount":1,"price":110.5,"fees":0,"cash":389.5`, "2 2"},
		{"another account that is poorer", func(f *fixture) { f.set(t, session.Signature, "other") }, `{"symbol":"NVDA","amount":9}`, `"cash_available":500`, "2 1"},
		{"another account that holds less", func(f *fixture) { f.set(t, session.Signature, "other") }, `{"symbol":"NVDA","amount":9,"order_id":"new"}`, `"cash_available":500`, "2 1"},
		{"an order id that the account before had used", func(f *fixture) { f.set(t, session.Signature, "other") }, `{"symbol":"NVDA","amount":2,"order_id":"o-1"}`,
			`"replayed":false,"order_id":"o-1","id":1,"date":"2025-10-02","action":"buy","symbol":"NVDA","amount":2,"price":110.5,"fees":0,"cash":279`, "2 2"},
		{"an order id that the account before had used for another order", func(f *fixture) { f.set(t, session.Signature, "other") }, `{"symbol":"NVDA","amount":1,"order_id":"o-1"}`,
			`"replayed":false,"order_id":"o-1","id":1`, "2 2"},
		{"a halt", func(f *fixture) { f.set(t, session.Halt, true) }, `{"symbol":"NVDA","amount":1}`, `"code":"halted"`, "2 1"},
		{"a halt of all", func(f *fixture) {
			if err := f.store.SetValues(t.Context(), map[store.Key]string{{Model: store.AllModels, Name: session.Halt}: "true"}, 0); err != nil {
				t.Fatal(err)
			}
		}, `{"symbol":"NVDA","amount":1}`, `"code":"halted"`, "2 1"},
		{"a halt that was there and is over", func(f *fixture) {
			f.set(t, session.Halt, true)
			f.wantCode(t, "buy", `{"symbol":"NVDA","amount":1}`, code.Halted)
			f.set(t, session.Halt, false)
		}, `{"symbol":"NVDA","amount":1}`, `"status":"filled"`, "3 1"},
		{"no session any more", func(f *fixture) { f.clear(t, session.Signature) }, `{"symbol":"NVDA","amount":1}`, `"code":"session_missing"`, "2 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, testBars)
			f.register(t, "other", "500")
			if _, failed := f.call(t, "buy", `{"symbol":"NVDA","amount":2,"order_id":"o-1"}`); failed {
				t.Fatal("the first order failed")
			}
			c.change(f)
			if got, _ := f.call(t, "buy", c.order); !strings.Contains(got, c.want) {
				t.Errorf("\ngot  %s\nwant %s", got, c.want)
			}
			if got := fmt.Sprint(f.rows(t, "gpt-5"), f.rows(t, "other")); got != c.rows {
				t.Errorf("the ledgers have %s rows, want %s", got, c.rows)
			}
		})
	}
}

// A trade sets IF_TRADE and a dry run does not.
func TestBuy_IfTrade(t *testing.T) {
	f := newFixture(t, testBars)
	for _, c := range []struct {
		arguments string
		want      bool
	}{
		{`{"symbol":"NVDA","amount":1,"dry_run":true}`, false},
		{`{"symbol":"NVDA","amount":100000}`, false},
		{`{"symbol":"NVDA","amount":1,"dry_run":"false"}`, true},
	} {
		f.call(t, "buy", c.arguments)
		s, err := f.other.Read(t.Context())
		if err != nil || s.IfTrade != c.want {
			t.Errorf("after %s: IF_TRADE is %v, %v", c.arguments, s.IfTrade, err)
		}
	}
	// The agent resets it, and the next trade sets it again.
	f.set(t, session.IfTrade, false)
	f.call(t, "sell", `{"symbol":"NVDA","amount":1}`)
	if s, err := f.other.Read(t.Context()); err != nil || !s.IfTrade {
		t.Errorf("%+v, %v", s, err)
	}
}

// An order that has begun is finished, whether or not its caller still waits.
func TestBuy_CallerLeaves(t *testing.T) {
	f := newFixture(t, testBars)
	ctx, cancel := context.WithCancel(f.ctx(t))
	cancel()
	if _, err := buy(ctx, f.Deps, tradeParams{Symbol: "NVDA", Amount: decimal.NewFromInt(1)}); err != nil || f.rows(t, "gpt-5") != 2 {
		t.Errorf("%v, and %d rows", err, f.rows(t, "gpt-5"))
	}
}

// A caller reads its own ledger alone.
func TestGetTrades(t *testing.T) {
	f := newFixture(t, testBars)
	f.register(t, "other", "500")
	f.call(t, "buy", `{"symbol":"NVDA","amount":3}`)
	read := func(uri string) (string, error) {
		var req mcp.ReadResourceRequest
		req.Params.URI = uri
		r, err := f.client.ReadResource(f.ctx(t), req)
		if err != nil {
			return "", err
		}
		return r.Contents[0].(mcp.TextResourceContents).Text, nil
	}
	const want = `{"signature":"gpt-5","date":"2025-10-02","id":1,"positions":{"NVDA":3,"CASH":9668.5}}`
	if got, err := read("ledger://gpt-5/latest"); err != nil || got != want {
		t.Errorf("%s, %v", got, err)
	}
	for _, uri := range []string{"ledger://other/latest", "ledger://nobody/latest", "ledger://gpt-5x/latest", "ledger://GPT-5/latest", "ledger://%67pt-5/latest", "ledger://../latest"} {
		got, err := read(uri)
		if err == nil || strings.Contains(err.Error(), "500") {
			t.Errorf("%s: %s, %v", uri, got, err)
		}
	}
	_, errOther := read("ledger://other/latest")
	_, errNobody := read("ledger://nobody/latest")
	if errOther == nil || errNobody == nil || errOther.Error() != errNobody.Error() || !strings.Contains(errOther.Error(), "ledger://gpt-5/latest") {
		t.Errorf("whether an account exists shows: %v and %v", errOther, errNobody)
	}
	// The record is one as of today.
	f.set(t, session.TodayDate, "2025-10-01")
	if got, err := read("ledger://gpt-5/latest"); err != nil || !strings.Contains(got, `"id":0`) {
		t.Errorf("%s, %v", got, err)
	}
}

func (f *fixture) prompt(t *testing.T) string {
	t.Helper()
	var req mcp.GetPromptRequest
	req.Params.Name = "trading-day"
	r, err := f.client.GetPrompt(f.ctx(t), req)
	if err != nil || len(r.Messages) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	return r.Messages[0].Content.(mcp.TextContent).Text
}

func TestTradingDayPrompt(t *testing.T) {
	f := newFixture(t, testBars)
	steps := []struct {
		name   string
		before func()
		want   string
	}{
		{"a quiet start", func() {}, `Today is 2025-10-02, in a simulation on historical prices. You trade the account gpt-5.
Cash: 10000.00
Total value, at today's opens, else at last closes: 10000.00

Holdings: none

Market (symbol, last close, today's open):
AMD - 50
NVDA 103 110.5

Orders fill at today's opens. Highs, lows and closes of today are not known yet.
`},
		{"the day after a purchase", func() {
			f.call(t, "buy", `{"symbol":"NVDA","amount":10}`)
			f.set(t, session.TodayDate, "2025-10-03")
		}, `Today is 2025-10-03, in a simulation on historical prices. You trade the account gpt-5.
Cash: 8895.00
Total value, at today's opens, else at last closes: 10195.00
Profit since the open of 2025-10-02: +195.00

Holdings (symbol, shares, last close, price now, value now):
NVDA 10 119 130 1300

Market (symbol, last close, today's open):
MSFT 505 520
NEW - 7
NVDA 119 130

Orders fill at today's opens. Highs, lows and closes of today are not known yet.
`},
		{"a day without trading", func() { f.set(t, session.TodayDate, "2025-10-05") }, `Today is 2025-10-05, in a simulation on historical prices. You trade the account gpt-5.
Cash: 8895.00
Total value, at today's opens, else at last closes: 10285.00
Profit since the open of 2025-10-03: +90.00

Holdings (symbol, shares, last close, price now, value now):
NVDA 10 139 139 1390

Market: nothing trades today

Orders fill at today's opens. Highs, lows and closes of today are not known yet.
`},
	}
	for _, c := range steps {
		c.before()
		if got := f.prompt(t); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestServer_Offer(t *testing.T) {
	f := newFixture(t, testBars)
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"the default", Options{Toolsets: DefaultToolsets}, "buy get_portfolio get_price get_price_history get_session get_trades list_symbols search sell"},
		{"read only", Options{Toolsets: DefaultToolsets, ReadOnly: true}, "get_portfolio get_price get_price_history get_session get_trades list_symbols search"},
		{"AI-Trader", Options{Toolsets: []string{TradeSet, AITraderSet}}, "buy get_information get_market_news get_portfolio get_price_local get_session get_trades sell"},
		{"AI-Trader's crypto", Options{Toolsets: []string{AITraderSet}}, "get_information get_market_news get_price_local"},
		{"one toolset", Options{Toolsets: []string{MarketSet}}, "get_price get_price_history list_symbols"},
		{"orders", Options{Toolsets: []string{OrdersSet}}, "cancel_order get_orders place_order"},
		{"nothing", Options{}, ""},
	} {
		f.serve(t, c.o)
		r, err := f.client.ListTools(f.ctx(t), mcp.ListToolsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, tool := range r.Tools {
			names = append(names, tool.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	f.serve(t, Options{Toolsets: DefaultToolsets, ReadOnly: true})
	var req mcp.CallToolRequest
	req.Params.Name, req.Params.Arguments = "buy", json.RawMessage(`{"symbol":"NVDA","amount":1}`)
	if r, err := f.client.CallTool(f.ctx(t), req); err == nil {
		t.Errorf("a read-only server bought: %+v", r)
	}
	if _, err := NewServer(f.Deps, Options{Toolsets: DefaultToolsets, Refusals: "no"}); err == nil || err.Error() != `refusals as "no": use result or error` {
		t.Error(err)
	}
	if _, err := NewServer(f.Deps, Options{Toolsets: []string{"trade", "trades"}}); err == nil || err.Error() != `unknown toolset "trades"; known are trade, market, search, orders, ai-trader, math` {
		t.Error(err)
	}
}
