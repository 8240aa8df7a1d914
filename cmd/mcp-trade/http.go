// mcp-trade http: the MCP server for many clients at once, over HTTP.

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"mcp-trade/audit"
	"mcp-trade/internal/oauth"
	"mcp-trade/internal/otlp"
	"mcp-trade/serve"
	"mcp-trade/session"
	"mcp-trade/tools"
)

func httpCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "http",
		Short: "Serve MCP over HTTP, for many clients at once",
		Long: "Serve MCP over HTTP at /mcp, for many clients at once. Once a token was made, each call needs one, which says whose account and\n" +
			"session it is about: see 'mcp-trade token'. Until then the server listens on this machine alone, and serves the session of\n" +
			"--model-id. SIGTERM ends it when every request that it read is answered.\n\n" +
			"With --compat ai-trader it takes the place of AI-Trader's tool servers, on their ports: MATH_HTTP_PORT (8000), SEARCH_HTTP_PORT (8001),\n" +
			"TRADE_HTTP_PORT (8002) and GETPRICE_HTTP_PORT (8003) of this machine, and CRYPTO_HTTP_PORT where that is set.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serveHTTP(cmd, s) },
	}
	s.register(cmd.Flags(), serving, listening, searching, limiting, trading)
	return cmd
}

// holdBack is how long a caller that has reached a limit waits for the answer that says so.
const holdBack = 250 * time.Millisecond

func serveHTTP(cmd *cobra.Command, s *settings) error {
	r, err := s.open()
	if err != nil {
		return err
	}
	defer r.Close()
	own, err := s.session(r, s.modelID)
	if err != nil {
		return err
	}
	deps, o, closeDeps, err := s.openTools(r)
	if err != nil {
		return err
	}
	defer closeDeps()
	if s.compat != "" {
		o = forAITrader(o)
	}
	servers, err := tools.NewServers(deps, o)
	if err != nil {
		return usageError{err}
	}
	kept, err := s.openAudit()
	if err != nil {
		return err
	}
	defer kept.Close()
	m := s.newMeters()
	closeMetrics, err := s.serveMetrics(m)
	if err != nil {
		return err
	}
	defer closeMetrics()
	told := s.openTelemetry(o.Version, otlp.Attribute{Key: "network.transport", Value: "tcp"}, otlp.Attribute{Key: "network.protocol.name", Value: "http"})
	defer told.end()
	issuer, err := s.openIssuer(cmd.Context())
	if err != nil {
		return err
	}
	listeners, at, err := s.listenHTTP()
	if err != nil {
		return err
	}
	defer closeAll(listeners)
	reached, any, err := s.reach(cmd.Context(), r, listeners, issuer)
	if err != nil {
		return err
	}
	g := newGate(r.tokens(), servers, own, func(model string) (*session.Resolver, error) {
		return s.sessionWithin(r, model, func(string) (string, bool) { return "", false })
	}, s.log)
	g.issuer = issuer
	g.needed.Store(reached || issuer != nil)
	host, _, _ := net.SplitHostPort(s.listen)
	for _, l := range listeners {
		event := s.log.Info().Str("address", l.Addr().String()).Bool("tls", s.tlsCert != "").Bool("tokens", any)
		if names := at[l.Addr().String()]; names != nil {
			event.Strs("tools", names)
		}
		event.Msg("serving MCP over HTTP at " + serve.MCPPath)
	}
	ready := &readiness{rooms: r, dataDir: s.dataDir, tools: deps, audit: kept}
	h := serve.New(audit.Watch(m.watch(servers), kept.keep("http"), m.counts(), told.tells()), s.log).HTTP(told.gate(portGate{g, at}), ready.check, append(s.allowedHosts, host)...)
	g.publish(h)
	h.HoldBack(holdBack)
	h.OnDenied(func(r *http.Request, began time.Time, status int, reason string) {
		kept.denied(r, began, status, reason)
		m.denied(status)
	})
	if s.compat != "" {
		h.TurnsBySession(sellsForAITrader)
	}
	return h.Serve(cmd.Context(), listeners...)
}

// reach tells whether other machines reach the listeners, which nobody may without a token, and whether there is any token.
func (s *settings) reach(ctx context.Context, r rooms, listeners []net.Listener, issuer *oauth.Issuer) (reached, any bool, err error) {
	reached = slices.ContainsFunc(listeners, func(l net.Listener) bool { return !isLoopback(l.Addr()) })
	any, err = r.tokens().AnyToken(ctx)
	switch {
	case reached && err != nil:
		return reached, any, fmt.Errorf("other machines reach %s, and whether there is a token cannot be told: %w", s.listen, err)
	case reached && !any && issuer == nil:
		return reached, any, usageError{fmt.Errorf("other machines reach %s, and no token was made, so anybody could trade: make one with 'mcp-trade token new', or listen at 127.0.0.1", s.listen)}
	case reached && s.tlsCert == "":
		s.log.Warn().Msg("tokens come in clear over HTTP: let other machines in only through a proxy that speaks TLS, or use --tls-cert and --tls-key")
	}
	return reached, any, nil
}

// openIssuer returns the issuer whose tokens are taken, nil if none is set. One that does not answer may do so later.
func (s *settings) openIssuer(ctx context.Context) (*oauth.Issuer, error) {
	if s.oauthIssuer == "" && s.oauthAudience == "" {
		return nil, nil
	}
	if s.oauthIssuer == "" || s.oauthAudience == "" {
		return nil, usageError{errors.New("--oauth-issuer and --oauth-audience go together: name whose tokens are taken, and the address of this server for which they must be")}
	}
	issuer, err := oauth.New(s.oauthIssuer, s.oauthAudience, time.Now)
	if err != nil {
		return nil, usageError{fmt.Errorf("--oauth-issuer, --oauth-audience: %w", err)}
	}
	if err := issuer.Reach(ctx); err != nil {
		s.log.Error().Err(err).Msg("issuer not reached; calls with its tokens are answered 503 until it is")
	}
	return issuer, nil
}

// listenHTTP opens the addresses to serve at. at names those tools of each that are not all.
func (s *settings) listenHTTP() (listeners []net.Listener, at map[string][]string, err error) {
	switch s.compat {
	case "":
		l, err := s.listenAt()
		if err != nil {
			return nil, nil, err
		}
		return []net.Listener{l}, nil, nil
	case compatAITrader:
		return s.listenForAITrader()
	}
	return nil, nil, usageError{fmt.Errorf("--compat %q: use %s, or leave it away", s.compat, compatAITrader)}
}

// listenAt opens the address of --listen, with TLS if there is a certificate.
func (s *settings) listenAt() (net.Listener, error) {
	if (s.tlsCert == "") != (s.tlsKey == "") {
		return nil, usageError{errors.New("--tls-cert and --tls-key go together: name both files or none")}
	}
	if _, _, err := net.SplitHostPort(s.listen); err != nil {
		return nil, usageError{fmt.Errorf("--listen %q: use an address and a port, such as 127.0.0.1:8000", s.listen)}
	}
	config := &tls.Config{NextProtos: []string{"http/1.1"}}
	if s.tlsCert != "" {
		certificate, err := tls.LoadX509KeyPair(s.tlsCert, s.tlsKey)
		if err != nil {
			return nil, usageError{fmt.Errorf("--tls-cert, --tls-key: %w", err)}
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	l, err := net.Listen("tcp", s.listen)
	if err == nil && s.tlsCert != "" {
		l = tls.NewListener(l, config)
	}
	return l, err
}
