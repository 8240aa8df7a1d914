// mcp-trade http: the MCP server for many clients at once, over HTTP.

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"

	"mcp-trade/internal/oauth"
	"mcp-trade/serve"
	"mcp-trade/session"
	"mcp-trade/store"
	"mcp-trade/tools"
)

func httpCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "http",
		Short: "Serve MCP over HTTP, for many clients at once",
		Long: "Serve MCP over HTTP at /mcp, for many clients at once. Once a token was made, each call needs one, which says whose account and\n" +
			"session it is about: see 'mcp-trade token'. Until then the server listens on this machine alone, and serves the session of\n" +
			"--model-id. SIGTERM ends it when every request that it read is answered.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serveHTTP(cmd, s) },
	}
	s.register(cmd.Flags(), serving, listening, searching, limiting, trading)
	return cmd
}

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
	servers, err := tools.NewServers(deps, o)
	if err != nil {
		return usageError{err}
	}
	issuer, err := s.openIssuer(cmd.Context())
	if err != nil {
		return err
	}
	l, err := s.listenHTTP()
	if err != nil {
		return err
	}
	defer l.Close()
	reached := !isLoopback(l.Addr())
	any, err := r.tokens().AnyToken(cmd.Context())
	switch {
	case reached && err != nil:
		return fmt.Errorf("other machines reach %s, and whether there is a token cannot be told: %w", s.listen, err)
	case reached && !any && issuer == nil:
		return usageError{fmt.Errorf("other machines reach %s, and no token was made, so anybody could trade: make one with 'mcp-trade token new', or listen at 127.0.0.1", s.listen)}
	case reached && s.tlsCert == "":
		s.log.Warn().Msg("tokens come in clear over HTTP: let other machines in only through a proxy that speaks TLS, or use --tls-cert and --tls-key")
	}
	g := newGate(r.tokens(), servers, own, func(model string) (*session.Resolver, error) {
		return s.sessionWithin(r, model, func(string) (string, bool) { return "", false })
	}, s.log)
	g.issuer = issuer
	g.needed.Store(reached || issuer != nil)
	host, _, _ := net.SplitHostPort(s.listen)
	s.log.Info().Str("address", l.Addr().String()).Bool("tls", s.tlsCert != "").Bool("tokens", any).Msg("serving MCP over HTTP at " + serve.MCPPath)
	h := serve.New(servers, s.log).HTTP(g, r.ready(deps), append(s.allowedHosts, host)...)
	g.publish(h)
	return h.Serve(cmd.Context(), l)
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

// listenHTTP opens the address to serve at, with TLS if there is a certificate.
func (s *settings) listenHTTP() (net.Listener, error) {
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

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// readyTime is how long a server that is asked whether it is ready waits for its stores.
const readyTime = 2 * time.Second

// ready returns what tells why calls would fail, nil if they would not. It tells strangers no more than which part it is.
func (r rooms) ready(d *tools.Deps) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, readyTime)
		defer cancel()
		halt := store.Key{Model: store.AllModels, Name: session.Halt}
		stores := []store.Sessions{r.file}
		if r.shared != nil {
			stores = append(stores, r.shared)
		}
		for _, in := range stores {
			if _, err := in.Values(ctx, halt); err != nil {
				return errors.New("a store of sessions cannot be read")
			}
		}
		if _, err := r.tokens().AnyToken(ctx); err != nil {
			return errors.New("the tokens cannot be read")
		}
		if d.Prices == nil {
			return errors.New("there are no prices")
		}
		return nil
	}
}
