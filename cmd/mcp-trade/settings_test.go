// Tests of the table of settings: it is held against docs/configuration.md, the flags and what a run hands down.

package main

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mcp-trade/store"
)

// documented is a row of the table of docs/configuration.md of settings.
type documented struct{ flag, environment, preset string }

func documentedSettings(t *testing.T) []documented {
	t.Helper()
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| flag | environment | default |\n|---|---|---|\n")
	if !found {
		t.Fatal("docs/configuration.md has no table of settings")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var rows []documented
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 {
			t.Fatalf("a row of %d cells: %s", len(cells), line)
		}
		for i, cell := range cells {
			cells[i] = strings.TrimSpace(strings.ReplaceAll(cell, "`", ""))
		}
		rows = append(rows, documented{cells[0], cells[1], cells[2]})
	}
	return rows
}

func TestSettings_Docs(t *testing.T) {
	rows := documentedSettings(t)
	defaults := newSettings()
	named := map[string][]string{"search": providerNames(), "ledger": ledgerNames()} // what has a row elsewhere
	for _, row := range settingsTable {
		i := slices.IndexFunc(rows, func(d documented) bool {
			flag, _, _ := strings.Cut(d.flag, " ")
			if row.flag != "" {
				return flag == "--"+row.flag
			}
			return slices.Contains(variablesIn(d.environment), row.variable)
		})
		switch {
		case i < 0:
			t.Errorf("--%s, %s: the table of docs/configuration.md has no row of it", row.flag, row.variable)
			continue
		case row.flag == "":
			continue
		}
		if got := firstOf(variablesIn(rows[i].environment)); got != row.variable {
			t.Errorf("--%s: the documented variable is %q, and ours %q", row.flag, got, row.variable)
		}
		for _, value := range named[row.flag] {
			if !regexp.MustCompile(`\b` + value + `\b`).MatchString(rows[i].environment) {
				t.Errorf("--%s: docs/configuration.md does not say %s", row.flag, value)
			}
		}
		preset, _, _ := strings.Cut(rows[i].preset, ": ")
		if row.otherwise != "" {
			preset = rows[i].preset // words can hold a colon
		}
		if want := row.inWords(defaults); preset != want {
			t.Errorf("--%s: the documented default is %q, and ours %q", row.flag, preset, want)
		}
	}
	for _, d := range rows {
		for _, name := range variablesIn(d.environment) {
			if !slices.ContainsFunc(settingsTable, func(row setting) bool { return row.variable == name }) {
				t.Errorf("%s: in docs/configuration.md, and not in the table", name)
			}
		}
		flag, _, _ := strings.Cut(strings.TrimPrefix(d.flag, "--"), " ")
		if flag != "" && !slices.ContainsFunc(settingsTable, func(row setting) bool { return row.flag == flag }) {
			t.Errorf("--%s: in docs/configuration.md, and not in the table", flag)
		}
	}
}

// inWords is the default as docs/configuration.md has it.
func (row setting) inWords(defaults *settings) string {
	if row.otherwise != "" {
		return row.otherwise
	}
	switch p := row.field(defaults).(type) {
	case *bool:
		return map[bool]string{true: "on", false: "off"}[*p]
	case *time.Duration:
		return strings.TrimSuffix(strings.TrimSuffix(p.String(), "0s"), "0m")
	}
	if text := row.text(defaults); text != "" {
		return text
	}
	return "none"
}

func variablesIn(text string) []string {
	return regexp.MustCompile(`\b[A-Z]+(?:_[A-Z]+)+\b|\b(?:SIGNATURE|HALT)\b`).FindAllString(text, -1)
}

func firstOf(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

func TestSettings_Flags(t *testing.T) {
	variables, fields := map[string]bool{}, map[any]bool{}
	s := newSettings()
	for _, row := range settingsTable {
		if row.variable != "" && variables[row.variable] {
			t.Errorf("%s has two rows", row.variable)
		}
		variables[row.variable] = true
		if (row.flag == "") != (row.field == nil) {
			t.Errorf("%s%s: a flag needs a field, and a field a flag", row.flag, row.variable)
		}
		if row.secret && (row.flag != "" || row.child == inherited) {
			t.Errorf("%s is a secret, and handed on", row.variable)
		}
		if row.field != nil {
			if fields[row.field(s)] {
				t.Errorf("--%s has the field of another", row.flag)
			}
			fields[row.field(s)] = true
		}
	}
	// Every flag that all commands have is in the table.
	root, _ := newRoot(newScreen(os.Stderr))
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) {
		if !slices.ContainsFunc(settingsTable, func(row setting) bool { return row.flag == f.Name && row.scope == everyCommand }) {
			t.Errorf("--%s is not in the table", f.Name)
		}
	})
}

// resolved returns the settings of a command line that serves.
func resolved(t *testing.T, args ...string) *settings {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, row := range settingsTable {
		if row.variable != "" {
			t.Setenv(row.variable, "")
		}
	}
	s := newSettings()
	s.stderr = &switchWriter{screen: newScreen(os.Stderr)}
	cmd := &cobra.Command{Use: "x", RunE: func(cmd *cobra.Command, _ []string) error { return s.resolve(cmd) }}
	for _, in := range []scope{everyCommand, serving, listening, searching, opening, running, limiting, trading} {
		s.register(cmd.Flags(), in)
	}
	cmd.SetArgs(args)
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	return s
}

// everyFlag gives every setting that has a flag a value which is not its default.
func everyFlag() (args []string) {
	s := newSettings()
	for _, row := range settingsTable {
		if row.flag == "" {
			continue
		}
		value := "given"
		switch row.field(s).(type) {
		case *bool:
			value = "true"
		case *int:
			value = "2"
		case *time.Duration:
			value = "2m"
		}
		for _, allowed := range choices[row.flag] {
			if allowed != row.text(s) {
				value = allowed
			}
		}
		if row.flag == "limits" {
			value = `{"all": {"max_positions": 2}, "accounts": {}}` // as a run hands them on
		}
		args = append(args, "--"+row.flag+"="+value)
	}
	return args
}

func TestSettings_Lease(t *testing.T) {
	for text, want := range map[string]store.Fence{"": 0, "1": 1, "1764187049123": 1764187049123} {
		t.Setenv(fenceVariable, text)
		if got, err := newSettings().lease(); got != want || err != nil {
			t.Errorf("%q is %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"0", "-1", "1.5", "x", " 1", "99999999999999999999"} {
		t.Setenv(fenceVariable, text)
		var usage usageError
		if _, err := newSettings().lease(); !errors.As(err, &usage) || !strings.Contains(err.Error(), fenceVariable) {
			t.Errorf("%q is answered %v", text, err)
		}
	}
}

// The server that a run launches has the settings of the run, however the run got them.
func TestSettings_ChildEnvironment(t *testing.T) {
	run := resolved(t, everyFlag()...)
	env, err := run.childEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	child := resolved(t)
	given := env("account")
	for _, pair := range given {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	cmd := &cobra.Command{}
	for _, in := range []scope{everyCommand, serving, listening, searching, opening, running, limiting, trading} {
		child.register(cmd.Flags(), in)
	}
	if err := child.resolve(cmd); err != nil {
		t.Fatal(err)
	}
	run.modelID = "account"
	defaults := newSettings()
	for _, row := range settingsTable {
		switch row.child {
		case inherited:
			got, want := row.text(child), row.text(run)
			if got != want || want == row.text(defaults) {
				t.Errorf("%s: %q in the server, %q in the run, which must not be the default", row.variable, got, want)
			}
		case emptied:
			if !slices.Contains(given, row.variable+"=") {
				t.Errorf("%s: the server takes ours", row.variable)
			}
		case emptiedWithFilesOnly:
			if slices.Contains(given, row.variable+"=") {
				t.Errorf("%s: the server does not see the Redis of its run", row.variable)
			}
		}
	}
	alone, err := run.onlyFolder("dir").childEnvironment()
	if err != nil || !slices.Contains(alone("account"), "UPSTASH_REDIS_REST_URL=") || !slices.Contains(alone("account"), "REDIS_URL=") {
		t.Errorf("%v: a server on files alone sees a Redis", err)
	}
}

func TestSettings_Alone(t *testing.T) {
	s := resolved(t, everyFlag()...)
	s.log, s.env = zerolog.Nop(), map[string]string{"HALT": "true"}
	before := *s
	own, defaults := s.onlyFolder("dir"), newSettings()
	if !reflect.DeepEqual(before, *s) {
		t.Error("the settings themselves were changed")
	}
	given := map[string]string{"data-dir": "dir", "log-path": filepath.Join("dir", "agent_data"), "ledger": "file", "search": "off", "no-env-file": "true"}
	for _, row := range settingsTable {
		if row.field == nil {
			continue
		}
		want, named := given[row.flag]
		switch {
		case named:
		case row.kept:
			want = row.text(s)
		default:
			want = row.text(defaults)
		}
		if got := row.text(own); got != want {
			t.Errorf("--%s: %q, want %q", row.flag, got, want)
		}
	}
	if !own.filesOnly || own.env != nil || own.stderr != s.stderr {
		t.Error("it does not keep to the files, or takes .env, or has another stderr")
	}
}
