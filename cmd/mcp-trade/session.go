// mcp-trade session: read and write the session from a shell or another language.

package main

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/session"
	"mcp-trade/store"
)

func sessionCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "session",
		Short: "Read and write who trades and on which date",
		Long: "Read and write the values of a session: SIGNATURE (whose account), TODAY_DATE (the simulated date), IF_TRADE (a trade\n" +
			"was made) and HALT (true stops all trading). Values go to Redis, if one is configured, and to the model's file.\n" +
			"--model-id says whose session; '*' stands for all of them and is good for HALT only.",
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "set NAME=VALUE...", Short: "Set values together", Args: cobra.MinimumNArgs(1),
			Example: "  mcp-trade session set SIGNATURE=gpt-5 TODAY_DATE=2025-10-02 IF_TRADE=false",
			RunE:    s.inSession(setValues),
		},
		&cobra.Command{
			Use: "get NAME", Short: "Print one value; exit 1 if it is not set", Args: cobra.ExactArgs(1),
			RunE: s.inSession(getValue),
		},
		&cobra.Command{
			Use: "list", Short: "Print all values and where they come from", Args: cobra.NoArgs,
			RunE: s.inSession(listValues),
		},
		&cobra.Command{
			Use: "clear [NAME...]", Short: "Remove values, all of them if none is named",
			RunE: s.inSession(clearValues),
		},
	)
	return cmd
}

// inSession runs do on the session of --model-id.
func (s *settings) inSession(do func(*cobra.Command, *settings, *session.Layers, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		r, err := s.open()
		if err != nil {
			return err
		}
		defer r.Close()
		l, err := s.session(r, s.modelID)
		if err != nil {
			return err
		}
		return do(cmd, s, l, args)
	}
}

func setValues(cmd *cobra.Command, s *settings, l *session.Layers, args []string) error {
	values := map[string]any{}
	for _, arg := range args {
		name, text, ok := strings.Cut(arg, "=")
		if !ok {
			return usageError{fmt.Errorf("%q is not NAME=VALUE", arg)}
		}
		if s.modelID == store.AllModels && name != session.Halt {
			return usageError{fmt.Errorf("only HALT can be set for all sessions; %s belongs to one", name)}
		}
		values[name] = session.Typed(name, text)
	}
	return l.Set(cmd.Context(), values)
}

func getValue(cmd *cobra.Command, s *settings, l *session.Layers, args []string) error {
	values, err := l.Values(cmd.Context(), args[0])
	if err != nil {
		return err
	}
	if len(values) == 0 {
		return fmt.Errorf("%s is not set for the model id %s", args[0], s.modelID)
	}
	if s.json {
		return printJSON(cmd.OutOrStdout(), values[0])
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), values[0].Text)
	return err
}

func listValues(cmd *cobra.Command, s *settings, l *session.Layers, _ []string) error {
	values, err := l.Values(cmd.Context(), session.Names...)
	if err != nil {
		return err
	}
	if s.json {
		return printJSON(cmd.OutOrStdout(), map[string]any{"model_id": s.modelID, "values": values})
	}
	if len(values) == 0 {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "Nothing is set for the model id %s. Set it with: mcp-trade session set SIGNATURE=... TODAY_DATE=...\n", s.modelID)
		return err
	}
	t := newTable(cmd.OutOrStdout(), "name", "value", "from")
	for _, v := range values {
		t.AppendRow(table.Row{v.Name, v.Text, v.Source})
	}
	t.Render()
	return nil
}

func clearValues(cmd *cobra.Command, _ *settings, l *session.Layers, args []string) error {
	if len(args) == 0 {
		args = session.Names
	}
	return l.Clear(cmd.Context(), args...)
}
