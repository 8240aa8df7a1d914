// The names of accounts that were put aside.

package store

import (
	"errors"
	"fmt"
	"regexp"
)

// maxName is how long a signature may be, in bytes.
const maxName = 64

// ArchiveName is the name of an account that is put aside for the n-th time, such as "gpt-5.archived-1". An account with a long
// name is called by the beginning of it.
func ArchiveName(account string, n int) string {
	end := fmt.Sprintf(".archived-%d", n)
	return account[:min(len(account), maxName-len(end))] + end
}

var archiveForm = regexp.MustCompile(`\.archived-[0-9]+$`)

// IsArchive tells whether a name is that of an account that was put aside.
func IsArchive(account string) bool { return archiveForm.MatchString(account) }

// ErrTaken says that an account cannot be put aside under a name, since there is something of that name.
var ErrTaken = errors.New("there is an account of that name already, or something of its runs")
