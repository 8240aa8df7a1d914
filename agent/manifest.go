// The manifest of a log path: what the accounts under it were run with. With the transcripts it is all that it takes to
// repeat a run.

package agent

import (
	"bytes"
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
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2/maybe"
	"github.com/shopspring/decimal"

	"mcp-trade/market"
)

// Manifest lists the runs of each account, in the order in which they were first started. It holds no secret.
type Manifest struct {
	Accounts map[string][]RunRecord `json:"accounts"`
}

// RunRecord is what an account was run with.
type RunRecord struct {
	Model   LLM             `json:"model"`
	Servers []string        `json:"servers,omitempty"` // names of the further servers
	From    market.Stamp    `json:"from"`
	To      market.Stamp    `json:"to"`
	Cash    decimal.Decimal `json:"cash"`
	Prices  []FileHash      `json:"prices"`
	News    []FileHash      `json:"news,omitempty"`
	Version string          `json:"version"` // of this program
	Started time.Time       `json:"started"`
	Resumed *time.Time      `json:"resumed,omitempty"` // the last time that the same was started
}

// FileHash is a file as it was.
type FileHash struct {
	Path   string `json:"path"` // absolute
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// ManifestFile is where the manifest of a log path is.
func ManifestFile(logPath string) string { return filepath.Join(logPath, "run-manifest.json") }

// HashFiles hashes files.
func HashFiles(paths []string) ([]FileHash, error) {
	hashes := []FileHash{}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		sum := sha256.New()
		n, err := io.Copy(sum, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
		hashes = append(hashes, FileHash{path, n, hex.EncodeToString(sum.Sum(nil))})
	}
	return hashes, nil
}

// ReadManifest reads the manifest of a log path.
func ReadManifest(logPath string) (Manifest, error) {
	m := Manifest{map[string][]RunRecord{}}
	text, err := os.ReadFile(ManifestFile(logPath))
	if err == nil {
		if err = json.Unmarshal(text, &m); err != nil {
			err = fmt.Errorf("the manifest %s cannot be read: %w", ManifestFile(logPath), err)
		}
	}
	return m, err
}

// AddToManifest notes what accounts are run with. What other runs noted stays.
func AddToManifest(logPath string, runs map[string]RunRecord) (err error) {
	if err := os.MkdirAll(logPath, 0o755); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(logPath, ".run-manifest.lock"))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	m, err := ReadManifest(logPath)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for account, run := range runs {
		run.Model.BaseURL = withoutSecrets(run.Model.BaseURL)
		known := m.Accounts[account]
		if n := len(known); n > 0 && sameRun(known[n-1], run) {
			known[n-1].Resumed = &run.Started
			continue
		}
		m.Accounts[account] = append(known, run)
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return maybe.WriteFile(ManifestFile(logPath), append(text, '\n'), 0o644)
}

// sameRun tells whether two records differ in nothing but time.
func sameRun(a, b RunRecord) bool {
	a.Started, a.Resumed, b.Started, b.Resumed = time.Time{}, nil, time.Time{}, nil
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
