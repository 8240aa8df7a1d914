// The contract for tokens, by which a server knows who calls over the network.

package store

import "context"

// Tokens keeps what is known of each token, by the hash of the token: the token itself is kept nowhere. A hash is a name that
// [CheckName] takes. An engine that gives no answer is an *[UnreachableError].
type Tokens interface {
	// Token returns what is kept of a token, nil if nothing is.
	Token(ctx context.Context, hash string) ([]byte, error)
	// SaveToken keeps it in place of what was kept before, and returns once that is durable.
	SaveToken(ctx context.Context, hash string, text []byte) error
	// ListTokens returns what is kept of each token, by its hash.
	ListTokens(ctx context.Context) (map[string][]byte, error)
	// AnyToken tells whether a token was ever kept, without reading them. It is cheap.
	AnyToken(ctx context.Context) (bool, error)
}
