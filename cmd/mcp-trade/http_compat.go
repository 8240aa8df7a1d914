// mcp-trade http --compat ai-trader: AI-Trader's tool servers, each at its port, with its tools.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"

	"mcp-trade/internal/jsonrpc"
	"mcp-trade/serve"
	"mcp-trade/tools"
)

// compatAITrader is what --compat may be.
const compatAITrader = "ai-trader"

// aiTraderPort is a tool server of AI-Trader. Its agent finds it at the port that the variable says.
type aiTraderPort struct {
	variable string
	preset   string // "": it is served only where the variable is set
	tools    []string
}

// aiTraderPorts are those of AI-Trader's start script and of its agents' default configuration.
var aiTraderPorts = []aiTraderPort{
	{"MATH_HTTP_PORT", "8000", []string{"add", "multiply"}},
	{"SEARCH_HTTP_PORT", "8001", []string{"get_information", "get_market_news"}},
	{"TRADE_HTTP_PORT", "8002", []string{"buy", "sell"}},
	{"GETPRICE_HTTP_PORT", "8003", []string{"get_price_local"}},
	{"CRYPTO_HTTP_PORT", "", []string{"buy_crypto", "sell_crypto"}},
}

// aiTraderToolsets have those tools.
var aiTraderToolsets = []string{tools.TradeSet, tools.AITraderSet, tools.MathSet}

// listenForAITrader opens AI-Trader's ports on this machine, and names the tools that each serves.
func (s *settings) listenForAITrader() (listeners []net.Listener, at map[string][]string, err error) {
	if s.tlsCert != "" || s.tlsKey != "" {
		return nil, nil, usageError{errors.New("--compat ai-trader serves HTTP on this machine, as AI-Trader's agents ask for: leave --tls-cert and --tls-key away")}
	}
	at = map[string][]string{}
	of := map[string]string{} // the variable of each port
	for _, p := range aiTraderPorts {
		set, _ := s.lookup(p.variable)
		port := cmp.Or(set, p.preset)
		if port == "" {
			continue
		}
		l, err := listenAtPort(p.variable, port, of)
		if err != nil {
			closeAll(listeners)
			return nil, nil, err
		}
		listeners = append(listeners, l)
		at[l.Addr().String()] = p.tools
	}
	return listeners, at, nil
}

func listenAtPort(variable, port string, of map[string]string) (net.Listener, error) {
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return nil, usageError{fmt.Errorf("%s=%.40q: use a port of 1 to 65535, or 0 for any that is free", variable, port)}
	}
	if other := of[port]; other != "" && port != "0" {
		return nil, usageError{fmt.Errorf("%s and %s are both %s: each of AI-Trader's servers has a port of its own", other, variable, port)}
	}
	of[port] = variable
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, fmt.Errorf("%s: %w; end what has the port, such as AI-Trader's start_mcp_services.py", variable, err)
	}
	return l, nil
}

// portGate leaves of what a gate grants the tools of the address that a request came to.
type portGate struct {
	serve.Gate
	at map[string][]string // tools by address; all at an address that is not there
}

// Admit implements [serve.Gate].
func (g portGate) Admit(r *http.Request) (ctx context.Context, done func(), err error) {
	ctx, done, err = g.Gate.Admit(r)
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && err == nil {
		if names, some := g.at[local.String()]; some {
			ctx = tools.Only(ctx, names)
		}
	}
	return ctx, done, err
}

// sellsForAITrader tells whether an order is a sale. What a model sells and buys at once arrives in any order, and a sale may have to pay for
// a purchase.
func sellsForAITrader(m *jsonrpc.Message) bool { return m.Name == "sell" || m.Name == "sell_crypto" }

// forAITrader has the tools of AI-Trader's servers among those that are served.
func forAITrader(o tools.Options) tools.Options {
	for _, set := range aiTraderToolsets {
		if !slices.Contains(o.Toolsets, set) {
			o.Toolsets = append(slices.Clip(o.Toolsets), set)
		}
	}
	return o
}

// closeAll closes listeners. Those that served are closed already.
func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}
