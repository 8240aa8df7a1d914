// The settings of Redis: where it is, whom it trusts and whom it is to trust.

package main

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store/redisstore"
)

// openRedis returns nil if none is configured.
func (s *settings) openRedis(warn func(string)) (*redisstore.Store, error) {
	if s.filesOnly {
		return nil, nil
	}
	options, err := s.redisOptions()
	if err != nil || options == nil {
		return nil, err
	}
	redisstore.LogTo(warn)
	return redisstore.New(redisstore.Config{Options: options, Replicas: s.redisWait, Nonce: newNonce(), Warn: warn}), nil
}

func (s *settings) redisOptions() (*redis.UniversalOptions, error) {
	get := func(name string) string { text, _ := s.lookup(name); return text }
	restURL := get("UPSTASH_REDIS_REST_URL")
	var options *redis.UniversalOptions
	var err error
	switch {
	case s.redisURL != "":
		options, err = redisstore.Options(s.redisURL)
	case restURL != "":
		token := get("UPSTASH_REDIS_REST_TOKEN")
		if token == "" {
			return nil, errors.New("UPSTASH_REDIS_REST_URL is set but UPSTASH_REDIS_REST_TOKEN is not")
		}
		if options, err = redisstore.UpstashOptions(restURL, get("UPSTASH_REDIS_USER"), token); err != nil {
			err = fmt.Errorf("UPSTASH_REDIS_REST_URL: %w; any other Redis is named by REDIS_URL", err)
		}
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	options.SentinelUsername = cmp.Or(get("REDIS_SENTINEL_USERNAME"), options.SentinelUsername)
	options.SentinelPassword = cmp.Or(get("REDIS_SENTINEL_PASSWORD"), options.SentinelPassword)
	if path := get("MCP_TRADE_REDIS_CA"); path != "" {
		pem, err := os.ReadFile(path)
		if err == nil {
			err = redisstore.TrustCA(options, pem)
		}
		if err != nil {
			return nil, fmt.Errorf("MCP_TRADE_REDIS_CA: %s: %w", path, err)
		}
	}
	return options, nil
}

// newNonce returns marks that no other process and no other call gives.
func newNonce() func() string {
	var random [12]byte
	_, _ = rand.Read(random[:]) // never fails
	process, count := hex.EncodeToString(random[:]), atomic.Int64{}
	return func() string { return process + "-" + strconv.FormatInt(count.Add(1), 36) }
}
