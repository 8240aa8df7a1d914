package tools

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"mcp-trade/internal/jsonrpc"
)

// askWith asks servers for one thing, on behalf of the fixture's caller with a grant.
func (f *fixture) askWith(t *testing.T, s *Servers, g Grant, method, params string) (answer, lacks string) {
	t.Helper()
	m, err := jsonrpc.Read(json.RawMessage(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params)))
	if err != nil || m.Fault != "" {
		t.Fatal(err, m.Fault)
	}
	ctx := WithGrant(f.ctx(t), g)
	text, err := json.Marshal(s.Handle(ctx, &jsonrpc.Request{Message: m}))
	if err != nil {
		t.Fatal(err)
	}
	return string(text), s.Lacks(ctx, &m)
}

func TestServers_Grants(t *testing.T) {
	f := newFixture(t, testBars)
	all := Options{Toolsets: []string{TradeSet, MarketSet, SearchSet}}
	s, err := NewServers(f.Deps, all)
	if err != nil {
		t.Fatal(err)
	}
	reads := []string{"get_portfolio", "get_price", "get_price_history", "get_session", "get_trades", "list_symbols"}
	for name, c := range map[string]struct {
		grant Grant
		tools []string
	}{
		"everything":           {Everything(), append([]string{"buy", "search", "sell"}, reads...)},
		"nothing":              {Grant{}, nil},
		"no toolset":           {Grant{Scopes: Scopes, Toolsets: []string{}}, nil},
		"reading":              {Grant{Scopes: []string{ReadScope}}, reads},
		"trading":              {Grant{Scopes: []string{TradeScope}}, []string{"buy", "sell"}},
		"searching":            {Grant{Scopes: []string{SearchScope}}, []string{"search"}},
		"a toolset":            {Grant{Scopes: Scopes, Toolsets: []string{SearchSet}}, []string{"search"}},
		"one that is not here": {Grant{Scopes: Scopes, Toolsets: []string{MathSet, OrdersSet}}, nil},
		"an unknown scope":     {Grant{Scopes: []string{"admin", TradeScope}, Toolsets: []string{TradeSet}}, []string{"buy", "sell"}},
	} {
		answer, _ := f.askWith(t, s, c.grant, "tools/list", `{}`)
		var listed struct {
			Result struct{ Tools []struct{ Name string } }
		}
		if err := json.Unmarshal([]byte(answer), &listed); err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, tool := range listed.Result.Tools {
			got[tool.Name] = true
		}
		slices.Sort(c.tools)
		if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, c.tools) {
			t.Errorf("%s: the tools are %v, want %v", name, names, c.tools)
		}
		for tool, arguments := range map[string]string{"buy": `{"symbol":"NVDA","amount":1,"dry_run":true}`, "get_session": `{}`} {
			answer, lacks := f.askWith(t, s, c.grant, "tools/call", fmt.Sprintf(`{"name":%q,"arguments":%s}`, tool, arguments))
			served := strings.Contains(answer, "structuredContent")
			if served != slices.Contains(c.tools, tool) || !served && !strings.Contains(answer, "There is no tool") {
				t.Errorf("%s: %s is answered %.200s", name, tool, answer)
			}
			if want := (map[string]string{"buy": TradeScope, "get_session": ReadScope})[tool]; (lacks != "") != !slices.Contains(c.grant.Scopes, want) || lacks != "" && lacks != want {
				t.Errorf("%s: %s lacks %q", name, tool, lacks)
			}
		}
		for method, params := range map[string]string{"resources/read": `{"uri":"ledger://gpt-5/latest"}`, "prompts/get": `{"name":"trading-day"}`, "completion/complete": completionOf("report://{signature}", "signature", "")} {
			answer, lacks := f.askWith(t, s, c.grant, method, params)
			if may := slices.Contains(c.grant.Scopes, ReadScope); may != strings.Contains(answer, `"result"`) || may != (lacks == "") {
				t.Errorf("%s: %s lacks %q and is answered %.200s", name, method, lacks, answer)
			}
		}
	}
}

// What narrows a grant adds nothing to it.
func TestGrant_Narrowed(t *testing.T) {
	scopes := [][]string{nil, {}, {ReadScope}, {TradeScope, ReadScope}, Scopes}
	sets := [][]string{nil, {}, {TradeSet}, {MarketSet, TradeSet}}
	for i := range len(scopes) * len(scopes) * len(sets) * len(sets) {
		pick := func(of [][]string) []string {
			n := i % len(of)
			i /= len(of)
			return of[n]
		}
		a, b := Grant{Scopes: pick(scopes), Toolsets: pick(sets)}, Grant{Scopes: pick(scopes), Toolsets: pick(sets)}
		a.Tools, b.Tools = b.Toolsets, a.Toolsets // any names will do
		got := a.Narrowed(b)
		for _, scope := range Scopes {
			if slices.Contains(got.Scopes, scope) != (slices.Contains(a.Scopes, scope) && slices.Contains(b.Scopes, scope)) {
				t.Errorf("%+v by %+v is %+v", a, b, got)
			}
		}
		has := func(g Grant, set string) bool { return g.Toolsets == nil || slices.Contains(g.Toolsets, set) }
		for _, set := range []string{TradeSet, MarketSet, SearchSet} {
			offers := func(g Grant) bool { return g.Tools == nil || slices.Contains(g.Tools, set) }
			if has(got, set) != (has(a, set) && has(b, set)) || offers(got) != (offers(a) && offers(b)) {
				t.Errorf("%+v by %+v is %+v", a, b, got)
			}
		}
	}
}
