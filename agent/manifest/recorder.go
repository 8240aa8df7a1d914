// The manifest as a runner writes it.

package manifest

import (
	"iter"

	"mcp-trade/internal/files"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// Recorder notes in the manifest of a log path what a runner does. It satisfies the runner's interface of that name.
type Recorder struct {
	Files   files.Access // who may use the manifest
	LogPath string
	Runs    map[string]Run // what is to be noted of each account; nothing of those that are not in it
}

// Begin notes what an account is run with.
func (r *Recorder) Begin(account string, before *ledger.Book) (differs []string, err error) {
	run, ok := r.Runs[account]
	if !ok {
		return nil, nil
	}
	var head *Head
	if before != nil {
		head = headOf(*before)
	}
	return run.begin(r.Files, r.LogPath, account, head)
}

// Split notes that rows of others stand between two heads.
func (r *Recorder) Split(account string, after, before ledger.Book) error {
	if _, ok := r.Runs[account]; !ok {
		return nil
	}
	return splitRun(r.Files, r.LogPath, account, headOf(after), headOf(before))
}

// End notes the head of the ledger after the run.
func (r *Recorder) End(account string, after ledger.Book) error {
	if _, ok := r.Runs[account]; !ok {
		return nil
	}
	return endRun(r.Files, r.LogPath, account, headOf(after))
}

// Verify verifies a ledger, also against the manifest and the transcripts.
func (r *Recorder) Verify(account string, lines iter.Seq2[[]byte, error], prices *market.Prices) (ledger.Report, error) {
	return Verify(lines, prices, r.LogPath, account, r.Runs[account].Store)
}
