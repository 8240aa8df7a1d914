// Tokens in plain files: one for each, named after the token's hash, so that a server sees a new or a changed one at once.

package filestore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mcp-trade/internal/files"
	"mcp-trade/store"
)

const tokenEnding = ".json"

// maxToken bounds the file of a token, in bytes.
const maxToken = 64 << 10

func (s *Store) tokensDir() string { return filepath.Join(s.dataDir, ".tokens") }

func (s *Store) tokenFile(hash string) (string, error) {
	return filepath.Join(s.tokensDir(), hash+tokenEnding), store.CheckName("hash of a token", hash)
}

func tokensUnreachable(doing string, err error) error {
	return &store.UnreachableError{Engine: engine, Doing: doing, Err: err}
}

// Token implements [store.Tokens].
func (s *Store) Token(_ context.Context, hash string) ([]byte, error) {
	path, err := s.tokenFile(hash)
	if err != nil {
		return nil, err
	}
	text, err := files.Read(path, maxToken)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, tokensUnreachable("read a token", err)
	}
	return text, nil
}

// SaveToken implements [store.Tokens].
func (s *Store) SaveToken(_ context.Context, hash string, text []byte) error {
	path, err := s.tokenFile(hash)
	if err != nil {
		return err
	}
	if err = s.access.MkdirAll(s.tokensDir()); err == nil {
		err = s.access.Replace(path, text)
	}
	if err != nil {
		return tokensUnreachable("write a token", err)
	}
	return nil
}

// ListTokens implements [store.Tokens].
func (s *Store) ListTokens(ctx context.Context) (map[string][]byte, error) {
	entries, err := os.ReadDir(s.tokensDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, tokensUnreachable("list the tokens", err)
	}
	all := map[string][]byte{}
	for _, e := range entries {
		hash, isToken := strings.CutSuffix(e.Name(), tokenEnding)
		if !isToken {
			continue
		}
		text, err := s.Token(ctx, hash)
		if err != nil {
			return nil, err
		}
		if text != nil {
			all[hash] = text
		}
	}
	return all, nil
}

// AnyToken implements [store.Tokens]. The folder is made with the first token.
func (s *Store) AnyToken(context.Context) (bool, error) {
	switch _, err := os.Lstat(s.tokensDir()); {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	default:
		return false, tokensUnreachable("look for tokens", err)
	}
}
