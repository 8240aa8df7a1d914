// mcp-trade run --replay: a recorded run again, without a model.

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/manifest"
	"mcp-trade/agent/runner"
	"mcp-trade/ledger"
)

// replay repeats the run that a log path holds, into another one, and holds the ledgers against each other.
func (s *settings) replay(cmd *cobra.Command, dir string) error {
	recorded, err := manifest.Read(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return usageError{fmt.Errorf("--replay %s: there is no run-manifest.json; name the log path of a run of language models", dir)}
	}
	if err != nil {
		return err
	}
	recording, err := recorded.Recording()
	if err != nil {
		return err
	}
	prices := s.prices
	if len(prices) == 0 {
		for _, f := range recording.Prices {
			prices = append(prices, f.Path)
		}
	}
	actions := s.actions
	if actions == "" && recording.Actions != nil {
		actions = recording.Actions.Path
	}
	if err := recording.SamePrices(prices, actions); err != nil {
		return err
	}
	out, err := s.replayInto(cmd, recording)
	if err != nil {
		return err
	}
	// Nothing but the transcripts and the prices has a part in it.
	s = s.onlyFolder(out)
	s.logPath, s.prices, s.actions = out, prices, actions
	rules, err := ledger.ParseRules(recording.Rules)
	if err != nil {
		return err
	}
	s.keepTo(rules)
	limits := ledger.AccountLimits{}
	p := plan{from: recording.From, to: recording.To, cash: recording.Cash, rules: rules}
	for _, name := range slices.Sorted(maps.Keys(recording.Runs)) {
		if own := recording.Runs[name].Toolsets; own != nil {
			s.serving.Toolsets = own
		}
		of, err := ledger.ParseLimits(name, []byte(cmp.Or(recording.Runs[name].Limits, "{}")))
		if err != nil {
			return err
		}
		limits = limits.With(name, of)
		p.accounts = append(p.accounts, runner.Account{
			Name: name, Decider: llm.Replay(dir),
			Opening: func(first ledger.Record) (ledger.Record, error) { return manifest.Opening(dir, name, first) },
		})
	}
	s.limits = limits.String()
	r, closeRooms, err := s.runner(p)
	if err != nil {
		return err
	}
	defer closeRooms()
	r.Recorder = &manifest.Recorder{LogPath: s.logPath} // of no run: the manifest of the recorded one says it all
	if err := trade(cmd, s, r, p.accounts); err != nil {
		return err
	}
	return s.compare(cmd, dir, recording)
}

// replayInto is the log path to replay into. It must be new to the accounts.
func (s *settings) replayInto(cmd *cobra.Command, recording manifest.Recording) (string, error) {
	if !cmd.Flags().Changed("log-path") {
		return os.MkdirTemp("", "mcp-trade-replay-")
	}
	for name := range recording.Runs {
		if _, err := os.Stat(filepath.Join(s.logPath, name)); err == nil {
			return "", usageError{fmt.Errorf("--log-path %s has an account %s already; replay into a new folder", s.logPath, name)}
		}
	}
	return s.logPath, nil
}

// compare says whether the ledgers are those of the recorded run.
func (s *settings) compare(cmd *cobra.Command, dir string, recording manifest.Recording) error {
	differ := 0
	say := func(format string, args ...any) {
		if !s.json {
			fmt.Fprintf(cmd.OutOrStdout(), format, args...)
		}
	}
	say("\nReplayed into %s\n", s.logPath)
	for _, name := range slices.Sorted(maps.Keys(recording.Runs)) {
		size, verdict, err := recording.Compare(dir, s.logPath, name)
		switch {
		case err != nil:
			return err
		case verdict == manifest.Elsewhere:
			say("%s: the recorded ledger is not in a file here; compare it with 'mcp-trade ledger export %s'\n", name, name)
		case verdict == manifest.Different:
			differ++
			fmt.Fprintf(cmd.ErrOrStderr(), "mcp-trade: the ledger of %s differs from the recorded one\n", name)
		default:
			say("%s: %d bytes of ledger, all as recorded\n", name, size)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(recording.Left)) {
		say("%s: not replayed, since %s\n", name, recording.Left[name])
	}
	if differ > 0 {
		return quietError(exitFailed)
	}
	return nil
}
