// Redis as a store, and its settings: where it is, whom it trusts and whom it is to trust.

package main

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store/redisstore"
)

var redisRow = storeRow{
	name: "redis", hint: "set REDIS_URL", values: func() any { return &redisValues{} }, valid: validRedis, open: openRedis, check: checkRedis,
	settings: []setting{
		{flag: "redis-url", variable: "REDIS_URL", help: "Redis without a password in its address, such as redis://127.0.0.1:6379", child: inherited,
			field: func(s *settings) any { return &redisOf(s).url }},
		{variable: "UPSTASH_REDIS_REST_URL", child: emptiedWithFilesOnly},
		{variable: "UPSTASH_REDIS_REST_TOKEN", secret: true},
		{variable: "UPSTASH_REDIS_USER"},
		{variable: "REDIS_SENTINEL_USERNAME"},
		{variable: "REDIS_SENTINEL_PASSWORD", secret: true},
		{variable: "MCP_TRADE_REDIS_CA"},
		{flag: "redis-wait", variable: "MCP_TRADE_REDIS_WAIT", help: "how many replicas of the Redis must have a trade before it is acknowledged", child: inherited,
			field: func(s *settings) any { return &redisOf(s).wait }},
		{flag: "redis-prefix", variable: "MCP_TRADE_REDIS_PREFIX", help: "what each key in the Redis begins with, such as team1:", child: inherited,
			field: func(s *settings) any { return &redisOf(s).prefix }},
	},
	keys: redisKeys,
}

var redisKeys = []keyUse{
	{names: []string{"UPSTASH_REDIS_REST_TOKEN"}, addresses: []address{{"UPSTASH_REDIS_REST_URL", ""}}},
	{names: []string{"REDIS_SENTINEL_PASSWORD"}, addresses: []address{{"REDIS_URL", ""}}},
}

// redisValues are the settings of Redis that have a flag.
type redisValues struct {
	url  string
	wait int // replicas that must have a trade

	prefix string // of keys
}

func redisOf(s *settings) *redisValues { return s.own["redis"].(*redisValues) }

func validRedis(s *settings, given func(flag string) bool) error {
	v := redisOf(s)
	if err := redisstore.CheckPrefix(v.prefix); err != nil {
		return fmt.Errorf("--redis-prefix %.80q: %w", v.prefix, err)
	}
	switch {
	case v.wait < 0:
		return fmt.Errorf("--redis-wait %d: use 0 or more", v.wait)
	case given("redis-url") && (strings.Contains(v.url, "@") || strings.Contains(v.url, "sentinel_")):
		return errors.New("--redis-url holds a user or password, which every process of the machine can see in an argument: put it into REDIS_URL")
	}
	return nil
}

func openRedis(s *settings, warn func(string)) (sharedStore, error) {
	options, err := s.redisOptions()
	if err != nil || options == nil {
		return nil, err
	}
	redisstore.LogTo(warn)
	return redisstore.New(redisstore.Config{Options: options, Prefix: redisOf(s).prefix, Replicas: redisOf(s).wait, NewToken: newNonce(), Warn: warn}), nil
}

// logConnections has what the client of Redis says of its connections go elsewhere.
func logConnections(to func(string)) { redisstore.LogTo(to) }

func (s *settings) redisOptions() (*redis.UniversalOptions, error) {
	get := func(name string) string { text, _ := s.lookup(name); return text }
	for _, use := range redisKeys {
		if s.misdirected(use) {
			return nil, fmt.Errorf("%s is in the environment and %s only in the %s, which may be somebody else's: put both into one of the two", use.names[0], use.addresses[0].variable, fromDotEnv)
		}
	}
	restURL := get("UPSTASH_REDIS_REST_URL")
	var options *redis.UniversalOptions
	var err error
	switch {
	case redisOf(s).url != "":
		options, err = redisstore.Options(redisOf(s).url)
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
