// The names of accounts that were put aside.

package store

import (
	"errors"
	"strconv"
	"strings"
)

// archived stands before the number of an account that was put aside.
const archived = ".archived-"

// maxName is how long a signature may be, in bytes.
const maxName = 64

// ArchiveName is the name of an account that is put aside for the n-th time, such as "gpt-5.archived-1". An account with a long
// name is called by the beginning of it.
func ArchiveName(account string, n int) string {
	end := archived + strconv.Itoa(n)
	return account[:min(len(account), maxName-len(end))] + end
}

// IsArchive tells whether a name is that of an account that was put aside.
func IsArchive(account string) bool {
	at := strings.LastIndex(account, archived)
	if at < 0 {
		return false
	}
	number := account[at+len(archived):]
	return number != "" && strings.Trim(number, "0123456789") == ""
}

// ErrTaken says that an account cannot be put aside under a name, since there is something of that name.
var ErrTaken = errors.New("there is an account of that name already, or something of its runs")
