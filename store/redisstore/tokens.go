// Tokens in Redis: one hash for all, with a field for each.

package redisstore

import (
	"context"

	"mcp-trade/store"
)

func (s *Store) tokensKey() string { return s.prefix + "tokens" }

// Token implements [store.Tokens].
func (s *Store) Token(ctx context.Context, hash string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	to, err := s.reach(ctx)
	if err != nil {
		return nil, s.unreachable("read a token", err)
	}
	text, err := to.HGet(ctx, s.tokensKey(), hash).Bytes()
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, s.unreachable("read a token", err)
	}
	return text, nil
}

// SaveToken implements [store.Tokens].
func (s *Store) SaveToken(ctx context.Context, hash string, text []byte) error {
	if err := store.CheckName("hash of a token", hash); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	to, err := s.reach(ctx)
	if err == nil {
		err = to.HSet(ctx, s.tokensKey(), hash, text).Err()
	}
	if err != nil {
		return s.unreachable("write a token", err)
	}
	return nil
}

// ListTokens implements [store.Tokens].
func (s *Store) ListTokens(ctx context.Context) (map[string][]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	to, err := s.reach(ctx)
	if err != nil {
		return nil, s.unreachable("list the tokens", err)
	}
	fields, err := to.HGetAll(ctx, s.tokensKey()).Result()
	if err != nil {
		return nil, s.unreachable("list the tokens", err)
	}
	all := make(map[string][]byte, len(fields))
	for hash, text := range fields {
		all[hash] = []byte(text)
	}
	return all, nil
}

// AnyToken implements [store.Tokens].
func (s *Store) AnyToken(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	to, err := s.reach(ctx)
	if err != nil {
		return false, s.unreachable("look for tokens", err)
	}
	n, err := to.Exists(ctx, s.tokensKey()).Result()
	if err != nil {
		return false, s.unreachable("look for tokens", err)
	}
	return n > 0, nil
}
