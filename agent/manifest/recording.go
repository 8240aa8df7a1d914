// A recorded run, as it is repeated from its transcripts.

package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"mcp-trade/agent/transcript"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/store"
)

// Recording is a run of language models as its manifest tells it.
type Recording struct {
	Runs     map[string]Run    // the newest of each account
	Left     map[string]string // accounts that are not repeated, each with the reason
	From, To market.Stamp
	Cash     decimal.Decimal
	Rules    string // that the accounts were opened under, see [Run]
	Prices   []FileHash
	Actions  *FileHash // the actions file; nil for none
}

// Recording puts the accounts of a manifest that language models traded together. They must have been opened alike, and trade on the same prices.
func (m Manifest) Recording() (Recording, error) {
	r := Recording{Runs: map[string]Run{}, Left: map[string]string{}}
	for _, account := range slices.Sorted(maps.Keys(m.Accounts)) {
		if store.IsArchive(account) {
			r.Left[account] = "it was put aside"
			continue
		}
		for _, run := range m.Accounts[account] {
			if !run.OfModel() {
				r.Left[account] = "no language model traded it"
				continue
			}
			if r.From == "" {
				r.From, r.Cash, r.Rules, r.Prices, r.Actions = run.From, run.Cash, run.Rules, run.Prices, run.Actions
			}
			before, again := r.Runs[account]
			switch {
			case run.From != r.From || !run.Cash.Equal(r.Cash):
				return r, fmt.Errorf("the accounts were not opened alike: %s on %s with %s, another on %s with %s", account, run.From, run.Cash, r.From, r.Cash)
			case run.Rules != r.Rules:
				return r, fmt.Errorf("the accounts were not opened alike: the rules of %s are others", account)
			case again && before.Limits != run.Limits:
				return r, fmt.Errorf("the limits of %s changed in the course of the run", account)
			case !sameFiles(run.Prices, r.Prices) || !sameFile(run.Actions, r.Actions):
				return r, fmt.Errorf("the prices changed in the course of the run: %s", account)
			}
			r.To, r.Runs[account] = max(r.To, run.To), run
		}
	}
	if len(r.Runs) == 0 {
		return r, errors.New("the manifest lists no account that a language model traded; other deciders do the same again when they are run again")
	}
	return r, nil
}

// Head is the hash of an account's newest row when the run ended; "" if it is not known.
func (r Recording) Head(account string) string {
	parts := r.Runs[account].Ledger
	if n := len(parts); n > 0 && parts[n-1].After != nil {
		return parts[n-1].After.Hash
	}
	return ""
}

// SamePrices is an error unless price files and the actions file, "" for none, hold what they held when the run was recorded.
func (r Recording) SamePrices(files []string, actions string) error {
	now, err := HashFiles(files)
	if err == nil && actions != "" {
		var file []FileHash
		if file, err = HashFiles([]string{actions}); err == nil && !sameFile(&file[0], r.Actions) {
			err = errors.New("the actions file is not that of the recorded run: its SHA-256 differs from the manifest's")
		}
	}
	if err == nil && !sameFiles(now, r.Prices) {
		err = errors.New("the price files are not those of the recorded run: their SHA-256 differ from the manifest's")
	}
	return err
}

// sameFile tells whether two files, of which either may not be there, hold the same.
func sameFile(a, b *FileHash) bool {
	return a == nil && b == nil || a != nil && b != nil && a.SHA256 == b.SHA256
}

func sameFiles(a, b []FileHash) bool {
	return slices.EqualFunc(a, b, func(x, y FileHash) bool { return x.SHA256 == y.SHA256 })
}

// Opening is the record that an account is opened with when its run under a log path is repeated: as the recorded one was.
// Those of earlier versions state no rules.
func Opening(logPath, account string, first ledger.Record) (ledger.Record, error) {
	days, err := transcript.Days(logPath, account)
	if err != nil || len(days) == 0 {
		return first, err
	}
	marks, err := transcript.ReadMarks(days[0].Path)
	earlier := first
	earlier.Rules = ""
	if marks.Begin == ledger.Hash(earlier.Line()) {
		return earlier, err
	}
	return first, err
}

// Likeness is what comparing a repeated ledger with the recorded one says.
type Likeness string

const (
	Same      Likeness = "same"      // byte for byte
	Different Likeness = "different" // in one byte or more
	Elsewhere Likeness = "elsewhere" // the recorded ledger is not in a file here, and no hash of it was noted: nothing is known
)

// Compare holds the ledger of an account that was repeated into a log path against the recorded one in another. Of one that is not in a
// file there, the manifest has the hash of the last row, which stands for every byte before it. size is of the repeated ledger, in bytes.
func (r Recording) Compare(recorded, repeated, account string) (size int, l Likeness, err error) {
	file := filepath.Join(account, "position", "position.jsonl")
	got, err := os.ReadFile(filepath.Join(repeated, file))
	if err != nil {
		return 0, "", err
	}
	same := false
	want, err := os.ReadFile(filepath.Join(recorded, file))
	switch head := r.Head(account); {
	case err == nil:
		same = bytes.Equal(got, want)
	case !errors.Is(err, fs.ErrNotExist):
		return 0, "", err
	case head == "":
		return len(got), Elsewhere, nil
	default:
		same = ledger.HeadOf(got) == head
	}
	if !same {
		return len(got), Different, nil
	}
	return len(got), Same, nil
}
