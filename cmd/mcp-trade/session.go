// mcp-trade session: read and write the session from a shell or another language.

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store"
)

func sessionCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "session",
		Short: "Read and write who trades and on which date",
		Long: "Read and write the values of a session: SIGNATURE (whose account), TODAY_DATE (the simulated date), IF_TRADE (a trade\n" +
			"was made) and HALT (true stops all trading). Values go to " + inWords(storeRow.title, " or ") + ", if one is configured, and to the model's file.\n" +
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
		nextCommand(s),
	)
	return cmd
}

// inSession runs do on the session of --model-id.
func (s *settings) inSession(do func(*cobra.Command, *settings, *sessionAt, []string) error) func(*cobra.Command, []string) error {
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
		return do(cmd, s, &sessionAt{l, r.file.SessionFile(s.modelID)}, args)
	}
}

// sessionAt is a session and the path of its file.
type sessionAt struct {
	*session.Resolver
	file string
}

// written is what became of a write.
type written struct {
	Model  string           `json:"model_id"`
	Names  []string         `json:"names"`
	Homes  []session.Source `json:"written"` // such as redis, file
	File   string           `json:"file"`
	Others []string         `json:"other_files"`          // session files in the same folder that another model id reads
	Today  market.Stamp     `json:"today_date,omitempty"` // if the command found it
}

func setValues(cmd *cobra.Command, s *settings, l *sessionAt, args []string) error {
	values := map[string]any{}
	for _, arg := range args {
		name, text, ok := strings.Cut(arg, "=")
		if !ok {
			return usageError{fmt.Errorf("%q is not NAME=VALUE", arg)}
		}
		if s.modelID == store.AllModels && name != session.Halt {
			return usageError{fmt.Errorf("only HALT can be set for all sessions; %s belongs to one", name)}
		}
		values[name] = session.ParseValue(name, text)
	}
	w := written{Model: s.modelID, Names: slices.Sorted(maps.Keys(values)), File: l.file, Homes: []session.Source{}, Others: []string{}}
	for _, name := range w.Names {
		s.warnUnknown(name)
	}
	var err error
	if w.Homes, err = l.Write(cmd.Context(), values); err != nil {
		return err
	}
	return s.tell(cmd, w, "set in")
}

// tell says where a write went, and warns of session files that it did not reach, where nobody said whose session is meant.
func (s *settings) tell(cmd *cobra.Command, w written, done string) error {
	path, _ := s.lookup("RUNTIME_ENV_PATH")
	if !cmd.Flags().Changed("model-id") && s.modelID == session.DefaultModel && path == "" {
		w.Others = otherSessions(s.dataDir, w.File)
	}
	names := strings.Join(w.Names, ", ")
	if len(w.Others) > 0 {
		all := ""
		if slices.Contains(w.Names, session.Halt) {
			all = "; --model-id '*' is good for HALT and means all of them"
		}
		s.log.Warn().Msgf("Only the session of the model id %s is meant. Servers that read these files go on as they were: %s. Name theirs with --model-id, or with RUNTIME_ENV_PATH%s",
			s.modelID, strings.Join(w.Others, ", "), all)
	}
	if s.json {
		return printJSON(cmd.OutOrStdout(), w)
	}
	where := w.File
	for _, home := range w.Homes {
		if home != fileLedgers {
			where = home.Title() + " and " + where
		}
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s %s\n", names, done, where)
	return err
}

// otherSessions are the session files in a folder beside one: those of other model ids, and that of AI-Trader.
func otherSessions(dir, own string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return []string{}
	}
	others := []string{}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		isSession := strings.HasPrefix(e.Name(), ".runtime_env") && strings.HasSuffix(e.Name(), ".json")
		if isSession && filepath.Clean(path) != filepath.Clean(own) && e.Name() != ".runtime_env_@all.json" {
			others = append(others, path)
		}
	}
	return others
}

// warnUnknown tells of a value that no program is known to read.
func (s *settings) warnUnknown(name string) {
	known := append(slices.Clone(session.Names), "MARKET", "LOG_PATH") // AI-Trader's own
	if slices.Contains(known, name) {
		return
	}
	nearest := slices.MinFunc(known, func(a, b string) int {
		return levenshtein.ComputeDistance(name, a) - levenshtein.ComputeDistance(name, b)
	})
	s.log.Warn().Msgf("%s is not a value that mcp-trade reads; the nearest one is %s", name, nearest)
}

func getValue(cmd *cobra.Command, s *settings, l *sessionAt, args []string) error {
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

func listValues(cmd *cobra.Command, s *settings, l *sessionAt, _ []string) error {
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

func clearValues(cmd *cobra.Command, s *settings, l *sessionAt, args []string) error {
	if len(args) == 0 {
		args = session.Names
	}
	homes, err := l.Clear(cmd.Context(), args...)
	if err != nil {
		return err
	}
	return s.tell(cmd, written{Model: s.modelID, Names: args, Homes: homes, File: l.file, Others: []string{}}, "removed from")
}
