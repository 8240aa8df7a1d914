// Package manifest keeps what the accounts under a log path were run with. This file is the manifest itself: what the accounts under it were run with, and
// the heads of their ledgers before and after. With the transcripts it is all that it takes to repeat a run (recording.go), and
// what a ledger can be held against (anchors.go). recorder.go writes it for the runner.
package manifest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/mask"
	"mcp-trade/decimal"
	"mcp-trade/internal/files"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/store"
)

// Manifest lists the runs of each account, in the order in which they were first started. It holds no secret.
type Manifest struct {
	Accounts map[string][]Run `json:"accounts"`
}

// Run is what an account was run with.
type Run struct {
	Decider  string      `json:"decider"`            // as --account has it, such as momentum:5; or [LLMDecider]; "" in manifests of earlier versions, which list language models only
	Recorded *FileHash   `json:"recorded,omitempty"` // the ledger that the decider "recorded" repeats
	Model    llm.Options `json:"model,omitzero"`
	Mask     *mask.Table `json:"mask,omitempty"`     // by which the model saw symbols and dates; nil: it saw the true ones
	Servers  []string    `json:"servers,omitempty"`  // names of the external servers
	Toolsets []string    `json:"toolsets,omitempty"` // of this program that its server had; nil: the default ones
	Learned  []string    `json:"learned,omitempty"`  // what the model's API refused of requests, and was asked instead

	Tools map[string]llm.Pin `json:"server_tools,omitzero"` // of the external servers, as the account met them first; nil: it has met none

	From     market.Stamp     `json:"from"`
	To       market.Stamp     `json:"to"`
	Cash     decimal.Decimal  `json:"cash"`
	Rules    string           `json:"rules,omitempty"`  // that the account is opened under, as its ledger states them; "" are the default ones
	Limits   string           `json:"limits,omitempty"` // that the account is traded under, as JSON; "" for none
	Lockstep bool             `json:"lockstep"`
	Store    string           `json:"store"`                  // where the ledger is kept: file or redis
	Config   *FileHash        `json:"config,omitempty"`       // the configuration
	Budget   *decimal.Decimal `json:"total_budget,omitempty"` // of all accounts of the configuration together; nil: no bound. That of the account alone is the model's
	Prices   []FileHash       `json:"prices"`
	Actions  *FileHash        `json:"actions,omitempty"`      // the actions file beside them
	Known    *Known           `json:"prices_known,omitempty"` // of them, by the end of the run; nil in manifests of earlier versions

	// Of a language model.
	Search  []string   `json:"search,omitempty"` // where news comes from, as --search has it
	News    []FileHash `json:"news,omitempty"`   // the archive, if it is searched
	Cache   string     `json:"search_cache,omitempty"`
	Answers *FileHash  `json:"search_answers,omitempty"` // what the cache held when the run began

	Version string     `json:"version"` // of this program
	Started time.Time  `json:"started"`
	Resumed *time.Time `json:"resumed,omitempty"` // the last time that the same was started
	Ledger  []Span     `json:"ledger,omitempty"`  // what the run wrote; more than one where others wrote in between

	Follows *time.Time   `json:"follows_since,omitempty"` // since when, by its clock, the run takes the days as they come; those before are a backtest. nil: all are
	Forward []ForwardDay `json:"forward,omitempty"`       // the days that came meanwhile, ascending; see [Forward]
	Turn    *Turn        `json:"turn,omitempty"`          // of a run that follows the market: the one that began last
}

// LLMDecider is the decider of the accounts that language models trade.
const LLMDecider = "llm"

// Span is a part of a ledger that a run wrote, between two heads.
type Span struct {
	Before *Head `json:"before,omitempty"` // nil: the run opened the account
	After  *Head `json:"after,omitempty"`  // nil: the run is under way, or was killed

	Intruded bool `json:"intruded,omitempty"` // the rows between the part before and this one were written by others while the run was under way
}

// Head is the newest row of a ledger at some time.
type Head struct {
	ID   int64        `json:"id"`
	Date market.Stamp `json:"date"`
	Hash string       `json:"hash"` // of its line
}

func headOf(b ledger.Book) *Head { return &Head{b.ID, b.Date, b.Hash} }

// FileHash is a file as it was.
type FileHash struct {
	Path   string `json:"path"` // absolute
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// File is where the manifest of a log path is.
func File(logPath string) string { return filepath.Join(logPath, "run-manifest.json") }

// HashFiles hashes files.
func HashFiles(paths []string) ([]FileHash, error) {
	hashes := []FileHash{}
	for _, path := range paths {
		sum := sha256.New()
		n, err := copyFile(sum, path)
		if err != nil {
			return nil, err
		}
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
		hashes = append(hashes, FileHash{path, n, hex.EncodeToString(sum.Sum(nil))})
	}
	return hashes, nil
}

func copyFile(w io.Writer, path string) (int64, error) {
	f, err := files.Open(path)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(w, f)
	return n, errors.Join(err, f.Close())
}

// HashFolder hashes all files of a folder as one: the SHA-256 of lines "{SHA-256 of the file}  {its path in the folder}", in
// the order of the paths. Files whose names begin with a dot do not count. A folder that is not there is nil.
func HashFolder(dir string) (*FileHash, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	all, lines := FileHash{}, sha256.New()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		sum := sha256.New()
		n, err := copyFile(sum, filepath.Join(dir, filepath.FromSlash(name)))
		all.Bytes += n
		fmt.Fprintf(lines, "%x  %s\n", sum.Sum(nil), name)
		return err
	})
	if err != nil {
		return nil, err
	}
	all.SHA256 = hex.EncodeToString(lines.Sum(nil))
	all.Path, err = filepath.Abs(dir)
	return &all, err
}

// maxManifest bounds a manifest, in bytes.
const maxManifest = 64 << 20

// Read reads the manifest of a log path.
func Read(logPath string) (Manifest, error) {
	m := Manifest{map[string][]Run{}}
	text, err := files.Read(File(logPath), maxManifest)
	if err == nil {
		if err = json.Unmarshal(text, &m); err != nil {
			err = fmt.Errorf("the manifest %s cannot be read: %w", File(logPath), err)
		}
	}
	return m, err
}

// Of is what is noted of an account, the oldest run first.
func Of(ctx context.Context, runs store.Runs, account string) ([]Run, error) {
	text, err := runs.Manifest(ctx, account)
	if err != nil {
		return nil, err
	}
	return parseRuns(account, text)
}

// InStore returns what is noted of an account whose ledger was copied to another store ("file" or "redis") byte for byte.
func InStore(account string, text []byte, name string) ([]byte, error) {
	runs, err := parseRuns(account, text)
	if err != nil {
		return nil, err
	}
	for i := range runs {
		runs[i].Store = name
	}
	return json.Marshal(runs)
}

// OfModel tells whether a language model decided.
func (run Run) OfModel() bool { return run.Decider == LLMDecider || run.Decider == "" }

// update changes what is noted of an account, under the lease of its run.
func update(ctx context.Context, runs store.Runs, lease store.Fence, account string, change func([]Run) []Run) error {
	return runs.UpdateManifest(ctx, account, lease, func(old []byte) ([]byte, error) {
		known, err := parseRuns(account, old)
		if err != nil {
			return nil, err
		}
		return json.Marshal(change(known))
	})
}

// recallTools has the model of a run know the tools that external servers had in the newest run of the account.
func (run Run) recallTools(known []Run) {
	for _, earlier := range slices.Backward(known) {
		if earlier.Tools != nil {
			run.Model.Pins.Recall(earlier.Tools)
			return
		}
	}
}

// recall has the model of a run know what the newest run of the same model at the same address learned.
func (run Run) recall(known []Run) {
	for _, earlier := range slices.Backward(known) {
		if earlier.Model.Model == run.Model.Model && earlier.Model.BaseURL == withoutSecrets(run.Model.BaseURL) {
			run.Model.Lessons.Recall(earlier.Learned...)
			return
		}
	}
}

// parseRuns reads what is noted of an account; no text is nothing.
func parseRuns(account string, text []byte) (runs []Run, err error) {
	if len(text) > 0 {
		if err = json.Unmarshal(text, &runs); err != nil {
			err = fmt.Errorf("the manifest of %s cannot be read: %w", account, err)
		}
	}
	return runs, err
}

// begin adds to what is noted of an account what it is about to be run with, and the head that its ledger has; nil if the run
// opens it. What was noted before stays. A run that is started again is the same as long as nothing but the time differs.
func (run Run) begin(known []Run, before *Head) []Run {
	run.Model.BaseURL = withoutSecrets(run.Model.BaseURL)
	run.Ledger = []Span{{Before: before}}
	if len(known) == 0 {
		return []Run{run}
	}
	last := &known[len(known)-1]
	if !sameRun(*last, run) || before == nil && !slices.Equal(last.Ledger, run.Ledger) {
		return append(known, run)
	}
	last.follow(run)
	last.Resumed = &run.Started
	if n := len(last.Ledger); n == 0 || last.Ledger[n-1].After != nil { // else that run was killed, and its part goes on
		last.Ledger = append(last.Ledger, run.Ledger...)
	}
	return known
}

// endRun notes the head of an account whose newest run ended.
func endRun(runs []Run, after *Head) []Run {
	if len(runs) > 0 {
		runs[len(runs)-1].end(after)
	}
	return runs
}

// splitRun notes that rows of others stand between two heads of an account whose newest run is under way.
func splitRun(runs []Run, after, before *Head) []Run {
	if len(runs) > 0 {
		run := &runs[len(runs)-1]
		run.end(after)
		run.Ledger = append(run.Ledger, Span{Before: before, Intruded: true})
	}
	return runs
}

// end closes the last part of what a run wrote. A part that goes on where the part before it ended is one with it.
func (run *Run) end(after *Head) {
	last := len(run.Ledger) - 1
	if last < 0 {
		return
	}
	run.Ledger[last].After = after
	if last > 0 && *run.Ledger[last-1].After == *run.Ledger[last].Before {
		run.Ledger[last-1].After = after
		run.Ledger = run.Ledger[:last]
	}
}

// sameRun tells whether two records differ in nothing but time, and what was written.
func sameRun(a, b Run) bool {
	for _, r := range []*Run{&a, &b} {
		r.Started, r.Resumed, r.Ledger, r.Learned, r.Tools, r.Forward, r.Turn = time.Time{}, nil, nil, nil, nil, nil, nil
	}
	if a.Follows != nil && b.Follows != nil {
		for _, r := range []*Run{&a, &b} {
			r.follow(Run{})
			r.Follows = nil
		}
	}
	left, err := json.Marshal(a)
	right, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(left, right)
}

// withoutSecrets leaves of an address what is no secret in any.
func withoutSecrets(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "" // who knows what it holds
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
