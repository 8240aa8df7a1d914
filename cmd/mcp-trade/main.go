// Command mcp-trade lets language models trade on paper: an MCP server, the session and the ledgers behind it, and a
// runner that trades through it day after day. There is one file per subcommand; this one holds the root, the other
// shared ones are settings.go (flags, environment, wiring) and print.go (tables and JSON).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:])) }

// run executes one command line and returns its exit code.
func run(args []string) int {
	collectGarbage(200) // what starts makes little that is garbage; who serves for long says so again
	ctx, stop := untilSignal()
	defer stop()
	out, stderr := newScreen(os.Stdout), newScreen(os.Stderr)
	root, began := newRoot(stderr)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	var usage usageError
	var quiet quietError
	exit := exitFailed
	switch {
	case err == nil && out.Err() != nil:
		err = fmt.Errorf("not all could be printed: %w", out.Err())
	case err == nil:
		return 0
	case errors.As(err, &quiet):
		return int(quiet)
	case errors.As(err, &usage) || !*began && out.Err() == nil:
		exit = exitUsage
	}
	// Of a command line that could not be read nobody knows what its flags say.
	json := root.PersistentFlags().Lookup("json").Value.String() == "true" || !*began && slices.Contains(args, "--json")
	printError(stderr, err, exit, json, cmd.CommandPath())
	return exit
}

// untilSignal returns a context that the first signal to end cancels. The second signal ends the program at once, whatever blocks.
// A signal that was ignored when the program began, as nohup has it, stays ignored.
func untilSignal() (context.Context, context.CancelFunc) {
	ends := slices.DeleteFunc([]os.Signal{os.Interrupt, syscall.SIGHUP}, signal.Ignored)
	ctx, stop := signal.NotifyContext(context.Background(), append(ends, syscall.SIGTERM)...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// newRoot returns the command tree, and whether a subcommand began: an error before that is one of usage.
func newRoot(stderr *screen) (root *cobra.Command, began *bool) {
	began = new(bool)
	s := newSettings()
	s.stderr = &switchWriter{screen: stderr}
	root = &cobra.Command{
		Use:           "mcp-trade",
		Short:         "Paper trading for language models, on historical prices, through MCP",
		Long:          "mcp-trade lets language models trade on paper: an MCP server with the tools to trade on historical prices,\nthe session that tells it who trades and on which date, and ledgers that prove every cent.\n\nStart with: mcp-trade demo",
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return s.resolve(cmd) },
	}
	s.register(root.PersistentFlags(), everyCommand)
	root.AddCommand(stdioCommand(s), httpCommand(s), tokenCommand(s), auditCommand(s), runCommand(s), workerCommand(s), runsCommand(s), modelsCommand(s), transcriptCommand(s), demoCommand(s), sessionCommand(s), ledgerCommand(s), settleCommand(s), reportCommand(s),
		pricesCommand(s), newsCommand(s), searchCommand(s), doctorCommand(s), versionCommand(s))
	root.Version = strings.TrimPrefix(readBuild().String(), "mcp-trade ")
	group(root)
	s.complete(root)
	checkHelp(root)
	root.SetUsageFunc(usage)
	markStarted(root, began)
	return root, began
}

// markStarted makes cmd and every subcommand below it set began when it starts.
func markStarted(cmd *cobra.Command, began *bool) {
	if do := cmd.RunE; do != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			*began = true
			return do(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		markStarted(sub, began)
	}
}
