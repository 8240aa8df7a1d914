// The checkpoint of an account: which day it is at, and what the ledger does not tell about it.

package runner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mcp-trade/agent/transcript"
	"mcp-trade/code"
	"mcp-trade/internal/files"
	"mcp-trade/market"
)

// checkpoint is saved when a day begins, when an order is refused, and when the day is complete; at once for a day that
// is complete and the next one that begins.
type checkpoint struct {
	Date     market.Stamp         `json:"date"`
	Complete bool                 `json:"complete"`
	Refused  map[string]code.Code `json:"refused,omitempty"` // orders of the day by id, and their codes
	Before   int                  `json:"refused_before"`    // how many orders were refused on earlier days
	Spent    transcript.Spending  `json:"spent,omitzero"`    // by a language model, on the days that are complete
}

// next is the checkpoint of a later day that begins.
func (c checkpoint) next(day market.Stamp) checkpoint {
	return checkpoint{Date: day, Before: c.Before + len(c.Refused), Spent: c.Spent}
}

func (c *checkpoint) refuse(id string, why code.Code) {
	if c.Refused == nil {
		c.Refused = map[string]code.Code{}
	}
	c.Refused[id] = why
}

func (a *accountRun) checkpointFile() string { return checkpointFile(a.LogPath, a.account.Name) }

func checkpointFile(logPath, account string) string {
	return filepath.Join(logPath, account, "run.json")
}

// maxCheckpoint bounds a checkpoint, in bytes.
const maxCheckpoint = 16 << 20

// readCheckpoint reads a checkpoint; a file that is not there is an account that was never run.
func readCheckpoint(path string) (checkpoint, error) {
	var c checkpoint
	text, err := files.Read(path, maxCheckpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return c, fmt.Errorf("the checkpoint %s cannot be read: %w; delete it to go on after the newest record", path, err)
	}
	return c, nil
}

// saveCheckpoint replaces the checkpoint on disk.
func (a *accountRun) saveCheckpoint() error {
	text, err := json.Marshal(a.checkpoint)
	if err != nil {
		return err
	}
	path := a.checkpointFile()
	if err := a.Files.MkdirAll(filepath.Dir(path)); err != nil {
		return err
	}
	return a.Files.Replace(path, append(text, '\n'))
}

// Refused returns how many orders of an account were refused in its runs; ok is false if it was never run.
func Refused(logPath, account string) (n int, ok bool, err error) {
	path := checkpointFile(logPath, account)
	if _, err := os.Stat(path); err != nil {
		return 0, false, nil
	}
	c, err := readCheckpoint(path)
	return c.Before + len(c.Refused), err == nil, err
}
