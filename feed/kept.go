package feed

// This file keeps the replies of a fetch that is under way, so that it goes on where it was ended.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path/filepath"
	"time"

	"mcp-trade/internal/files"
)

// maxAge is how old a kept reply may be: a fetch that is older begins anew.
const maxAge = 24 * time.Hour

// Kept is a getter that keeps the replies of another one in a folder, and asks nothing again whose reply is there.
type Kept struct {
	Getter
	Dir    string
	Access files.Access
	Now    func() time.Time

	// Keep tells whether a reply is worth keeping: one that says to come back later, perhaps with the key in its words, is not. nil: all are.
	Keep func(Reply) bool
}

// Get implements [Getter]. A reply is kept before it is returned.
func (k Kept) Get(ctx context.Context, address string, header http.Header, accepted ...int) (Reply, error) {
	sum := sha256.Sum256([]byte(address))
	path := filepath.Join(k.Dir, hex.EncodeToString(sum[:])+".json")
	if text, err := files.Read(path, 2*maxReply); err == nil {
		var r Reply
		if json.Unmarshal(text, &r) == nil && r.Request == address && r.isWhole() && k.Now().Sub(r.At) < maxAge {
			return r, nil
		}
	}
	r, err := k.Getter.Get(ctx, address, header, accepted...)
	if err != nil || k.Keep != nil && !k.Keep(r) {
		return r, err
	}
	text, err := json.Marshal(r)
	if err == nil {
		err = k.Access.MkdirAll(k.Dir)
	}
	if err == nil {
		err = k.Access.Replace(path, text)
	}
	return r, err
}

func (r Reply) isWhole() bool {
	sum := sha256.Sum256(r.Body)
	return r.SHA256 == hex.EncodeToString(sum[:])
}
