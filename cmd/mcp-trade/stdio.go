// mcp-trade stdio: the MCP server on standard input and output.

package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"mcp-trade/tools"
)

func stdioCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stdio",
		Short: "Serve MCP on standard input and output, as the subprocess of an agent",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return serveStdio(cmd, s) },
	}
	s.register(cmd.Flags(), serving)
	s.register(cmd.Flags(), searching)
	return cmd
}

func serveStdio(cmd *cobra.Command, s *settings) error {
	// Standard output is protocol, whatever happens: anything else that would print there goes to stderr. A client that
	// is gone is an error of writing, not a signal that ends the program in the middle of an order.
	out := os.Stdout
	os.Stdout = os.Stderr
	signal.Ignore(syscall.SIGPIPE)

	// There is a server for each model: a little memory counts for more than a little speed.
	collectGarbage(70)

	r, err := s.open()
	if err != nil {
		return err
	}
	defer r.Close()
	layers, err := s.session(r, s.modelID)
	if err != nil {
		return err
	}
	prices, err := s.openPrices()
	if err != nil {
		return err
	}
	if prices == nil {
		s.log.Warn().Msg("no price files: name them with --prices or MCP_TRADE_PRICES; until then nothing can be traded")
	} else {
		defer prices.Close()
	}
	news, err := s.openNews()
	if err != nil {
		return err
	}
	defer news.Close()
	o := s.serving
	o.Version = version()
	server, err := tools.NewServer(&tools.Deps{
		Session: layers, Accounts: r.accounts, Prices: prices, Search: news.searcher, Ledger: r.ledgers.Name(), Log: s.log,
	}, o)
	if err != nil {
		return usageError{err}
	}
	return server.Serve(cmd.Context(), polled(os.Stdin), out)
}
