// mcp-trade stdio: the MCP server on standard input and output.

package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"mcp-trade/audit"
	"mcp-trade/internal/otlp"
	"mcp-trade/serve"
	"mcp-trade/session"
	"mcp-trade/store"
	"mcp-trade/tools"
)

func stdioCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stdio",
		Short: "Serve MCP on standard input and output, as the subprocess of an agent",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return serveStdio(cmd, s) },
	}
	s.register(cmd.Flags(), serving, searching, limiting, trading)
	return cmd
}

// lease is the lease of the run that launched this server; 0 if none did.
func (s *settings) lease() (store.Fence, error) {
	text, _ := s.lookup(fenceVariable)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return 0, usageError{fmt.Errorf("%s=%.40q is no number of a lease; a run sets it for its servers, and nobody else should", fenceVariable, text)}
	}
	return store.Fence(n), nil
}

func serveStdio(cmd *cobra.Command, s *settings) error {
	// Standard output is protocol, whatever happens: anything else that would print there goes to stderr. A client that
	// is gone is an error of writing, not a signal that ends the program in the middle of an order.
	out := os.Stdout
	os.Stdout = os.Stderr
	signal.Ignore(syscall.SIGPIPE)

	r, err := s.open()
	if err != nil {
		return err
	}
	defer r.Close()
	lease, err := s.lease()
	if err != nil {
		return err
	}
	layers, err := s.session(r, s.modelID)
	if err != nil {
		return err
	}
	deps, o, closeDeps, err := s.openTools(r)
	if err != nil {
		return err
	}
	defer closeDeps()
	deps.Accounts = r.accounts.Under(lease)
	server, err := tools.NewServer(deps, o)
	if err != nil {
		return usageError{err}
	}
	kept, err := s.openAudit()
	if err != nil {
		return err
	}
	defer kept.Close()
	told := s.openTelemetry(o.Version, otlp.Attribute{Key: "network.transport", Value: "pipe"})
	defer told.end()
	if isTerminal(os.Stdin) {
		s.log.Info().Msg("serving MCP on standard input and output, for a client that launches this program; Ctrl-D ends it")
	}
	ctx := session.WithCaller(cmd.Context(), &session.Caller{Session: layers})
	ctx = audit.WithCaller(ctx, audit.Caller{Model: s.modelID})
	// There is a server for each model: from here on a little memory counts for more than a little speed.
	collectGarbage(50)
	return serve.New(audit.Watch(server, kept.keep("stdio"), told.tells()), s.log).Stdio(ctx, nonblocking(os.Stdin), out)
}

// openTools opens what a server's tools work with, and says what it offers.
func (s *settings) openTools(r rooms) (d *tools.Deps, o tools.Options, closeAll func(), err error) {
	rules, err := s.rules()
	if err == nil {
		rules, err = s.fillRules(rules)
	}
	if err != nil {
		return nil, o, nil, err
	}
	prices, err := s.openPrices()
	if err != nil {
		return nil, o, nil, err
	}
	closePrices := func() {}
	if prices == nil {
		s.log.Warn().Msg("no price files: name them with --prices or MCP_TRADE_PRICES; until then nothing can be traded")
	} else {
		closePrices = func() { prices.Close() }
	}
	news, err := s.openNews()
	if err != nil {
		closePrices()
		return nil, o, nil, err
	}
	o = s.serving
	o.Version = version()
	d = &tools.Deps{Accounts: r.accounts, Prices: prices, Search: news.searcher, Ledger: r.ledgers.Name(), Rules: rules, Log: s.log}
	return d, o, func() { news.Close(); closePrices() }, nil
}
