// mcp-trade run --queue: a run whose accounts workers trade, on any machine. This file is the run as it lies in the queue.

package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mcp-trade/agent/manifest"
	"mcp-trade/agent/runner"
	"mcp-trade/internal/files"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/store"
)

// job is a run as it lies in the queue: what a worker needs to make the same plan of it. It holds no key; workers have their own.
type job struct {
	From        market.Stamp `json:"from"`
	To          market.Stamp `json:"to"`
	Cash        string       `json:"cash"`
	Rules       string       `json:"rules"`            // that accounts are opened under, as a ledger states them
	Limits      string       `json:"limits,omitempty"` // of the accounts, as text
	Accounts    []string     `json:"accounts"`         // of the command line, as NAME=DECIDER[:ARG]
	Lockstep    bool         `json:"lockstep"`
	Changed     bool         `json:"change_settings"`
	Search      []string     `json:"search"`
	SearchCache string       `json:"search_cache"`
	Mask        string       `json:"mask,omitempty"`

	Config string            `json:"config,omitempty"` // its name among the files
	Files  map[string]string `json:"files,omitempty"`  // what is in the configuration, and in the files of prompts that it names

	Prices  []manifest.FileHash `json:"prices"` // those that a worker must have, by their hashes
	Actions *manifest.FileHash  `json:"actions,omitempty"`
	News    []manifest.FileHash `json:"news,omitempty"`

	Version string `json:"version"`
}

// id names the run. The same run has the same name.
func (j job) id() (id string, text []byte, err error) {
	text, err = json.Marshal(j)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6]), text, err
}

// queue is the queue of the store that is configured.
func (s *settings) queue(r rooms) (store.Queue, error) {
	if q, ok := r.ledgers.(store.Queue); ok {
		return q, nil
	}
	return nil, usageError{fmt.Errorf("machines share runs and ledgers in Redis, and the ledgers are kept in %s: %s", r.ledgers.Name(), redisRow.hint)}
}

// job makes the job of a plan. args are those of the command line.
func (s *settings) job(p plan, f planFlags, args []string, run *runner.Runner) (j job, err error) {
	limits, err := s.accountLimits()
	if err != nil {
		return j, err
	}
	j = job{
		From: p.from, To: p.to, Cash: p.cash.String(), Rules: p.rules.OtherThanDefault(), Limits: limits.String(), Accounts: f.accounts, Lockstep: p.lockstep, Changed: p.changed,
		Search: s.search, SearchCache: s.searchCache, Mask: s.mask, Version: version(),
	}
	recorded := run.Recorder.(*manifest.Recorder).Runs
	for _, a := range p.accounts {
		if r := recorded[a.Name]; j.Prices == nil || len(r.News) > 0 {
			j.Prices, j.Actions, j.News = r.Prices, r.Actions, r.News
		}
	}
	if len(args) > 0 {
		j.Config, j.Files, err = filesOf(args[0])
	}
	return j, err
}

// filesOf reads a configuration, and the files of prompts that it names.
func filesOf(config string) (name string, texts map[string]string, err error) {
	const most = 4 << 20
	text, err := files.Read(config, most)
	var tree any
	if err == nil {
		err = json.Unmarshal([]byte(strings.TrimPrefix(string(text), "\ufeff")), &tree)
	}
	name, texts = filepath.Base(config), map[string]string{filepath.Base(config): string(text)}
	for _, prompt := range promptFiles(tree) {
		if err == nil && !filepath.IsLocal(prompt) {
			err = fmt.Errorf("prompt_file %s lies beyond the folder of %s: workers get what lies in it", prompt, config)
		}
		if err == nil {
			text, err = files.Read(filepath.Join(filepath.Dir(config), prompt), most)
			texts[filepath.ToSlash(prompt)] = string(text)
		}
	}
	return name, texts, err
}

// promptFiles are the values of the key prompt_file, wherever it stands.
func promptFiles(tree any) (names []string) {
	switch node := tree.(type) {
	case map[string]any:
		for key, value := range node {
			if text, ok := value.(string); ok && key == "prompt_file" && text != "" {
				names = append(names, text)
			}
			names = append(names, promptFiles(value)...)
		}
	case []any:
		for _, value := range node {
			names = append(names, promptFiles(value)...)
		}
	}
	return names
}

// plan makes the plan of a job, with settings of their own that have what the job says and all else as this process has it. The files of
// the job are written into a folder.
func (j job) plan(cmd *cobra.Command, s *settings, trust trustFlags, dir string) (*settings, plan, error) {
	own, f := s.copied(), planFlags{trust: trust, accounts: j.Accounts, from: string(j.From), to: string(j.To), cash: j.Cash, lockstep: j.Lockstep, changed: j.Changed}
	own.search, own.searchCache, own.mask, own.limits = j.Search, j.SearchCache, j.Mask, j.Limits
	var args []string
	for name, text := range j.Files {
		if !filepath.IsLocal(name) {
			return nil, plan{}, fmt.Errorf("the run names a file %q beyond its folder", name)
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		err := s.access().MkdirAll(filepath.Dir(file))
		if err == nil {
			err = s.access().Replace(file, []byte(text)) // other workers on this machine may do so too
		}
		if err != nil {
			return nil, plan{}, err
		}
	}
	if j.Config != "" {
		args = []string{filepath.Join(dir, j.Config)}
	}
	p, err := own.plan(cmd, f, args)
	if err != nil {
		return nil, p, err
	}
	own.logPath = s.logPath // a configuration may name another, of the machine that it was written on
	if p.rules, err = ledger.ParseRules(j.Rules); err != nil {
		return nil, p, err
	}
	own.keepTo(p.rules)
	return own, p, nil
}

// copied returns settings with the same values.
func (s *settings) copied() *settings {
	own := newSettings()
	for _, row := range settingsTable {
		if row.field != nil {
			row.set(own, row.value(s))
		}
	}
	own.stderr, own.log, own.filesOnly, own.noEnvFile, own.env, own.envErr, own.envFile = s.stderr, s.log, s.filesOnly, s.noEnvFile, s.env, s.envErr, s.envFile
	return own
}

// sameBytes is an error unless the files of this machine are those of the job.
func (j job) sameBytes(has manifest.Run) error {
	hashes := func(files []manifest.FileHash) (sums []string) {
		for _, f := range files {
			sums = append(sums, f.SHA256)
		}
		return sums
	}
	one := func(f *manifest.FileHash) []manifest.FileHash {
		if f == nil {
			return nil
		}
		return []manifest.FileHash{*f}
	}
	for _, kind := range []struct {
		name      string
		want, has []manifest.FileHash
	}{{"price files", j.Prices, has.Prices}, {"actions file", one(j.Actions), one(has.Actions)}, {"news archive", j.News, has.News}} {
		if want, has := hashes(kind.want), hashes(kind.has); !slices.Equal(want, has) && (kind.name != "news archive" || has != nil) {
			return &otherBytesError{kind.name, want, has}
		}
	}
	return nil
}

// otherBytesError says that a worker has other files than those that the run was queued with.
type otherBytesError struct {
	kind      string
	want, has []string
}

func (e *otherBytesError) Error() string {
	short := func(sums []string) string {
		var texts []string
		for _, s := range sums {
			texts = append(texts, s[:12])
		}
		return strings.Join(texts, ", ")
	}
	if len(e.has) == 0 {
		return fmt.Sprintf("this worker has no %s, and the run needs %s (SHA-256): give it the same files", e.kind, short(e.want))
	}
	return fmt.Sprintf("the %s of this worker are %s (SHA-256), and the run was queued with %s: give it the same files", e.kind, short(e.has), short(e.want))
}

// queuedAccounts are the accounts of a plan for the queue. Those of the same days are in lockstep with each other.
func queuedAccounts(run *runner.Runner, p plan) (accounts []store.QueuedAccount, err error) {
	groups := map[string]int{}
	for _, a := range p.accounts {
		a.From, a.To = cmp.Or(a.From, p.from), cmp.Or(a.To, p.to)
		days, err := a.Days(run.Prices)
		if err != nil {
			return nil, err
		}
		period := string(a.From + " " + a.To)
		if _, ok := groups[period]; !ok {
			groups[period] = len(groups)
		}
		accounts = append(accounts, store.QueuedAccount{Name: a.Name, Group: groups[period], Days: len(days)})
	}
	return accounts, nil
}

// enqueue puts a run into the queue, or finds it there.
func (s *settings) enqueue(ctx context.Context, q store.Queue, run *runner.Runner, p plan, j job, priority string) (id string, err error) {
	id, text, err := j.id()
	if err != nil {
		return "", err
	}
	accounts, err := queuedAccounts(run, p)
	if err != nil {
		return "", err
	}
	created, err := q.Submit(ctx, store.QueuedRun{ID: id, Job: text, Priority: priority, Lockstep: j.Lockstep}, accounts)
	if err == nil && !created {
		s.log.Info().Str("run", id).Msg("the run is in the queue already, and goes on where it is")
	}
	return id, err
}

// ranResult is a result as it lies in the queue.
type ranResult struct {
	runner.Result
	Permanent bool `json:"permanent,omitempty"` // the error does not pass
}

func resultText(r runner.Result, err error) []byte {
	var stop interface{ Permanent() bool }
	ran := ranResult{r, errors.As(err, &stop) && stop.Permanent()}
	if err != nil {
		ran.Error = explain(err)
	}
	text, err := json.Marshal(ran)
	if err != nil {
		text, _ = json.Marshal(ranResult{Result: runner.Result{Account: r.Account, Error: err.Error()}})
	}
	return text
}
