// The settings, and the rooms wired up by them.
//
// A setting is a flag, else an environment variable, else a line of .env in the working directory, else a default. Secrets
// have no flag, since arguments can be seen by every process of the machine.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/joho/godotenv"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mcp-trade/internal/files"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/redisstore"
)

type settings struct {
	modelID, redisURL, dataDir, logPath string
	prices                              []string
	ledger                              string
	ttl                                 time.Duration
	onRedisLoss                         string
	redisWait                           int      // replicas that must have a trade
	search                              []string // "auto", "off", or names of providers
	searchCache                         string
	logFormat                           string
	json                                bool
	shared                              bool // the folder's group may use the files
	alone                               bool // keep to the files, whatever else is configured

	env    map[string]string // what .env says
	stderr *relay
	log    zerolog.Logger // to stderr
}

func newSettings() *settings { return &settings{stderr: &relay{to: os.Stderr}} }

// What a server does when Redis, though configured, cannot be reached.
const (
	lossFile   = "file"   // it trades in the session of its file
	lossRefuse = "refuse" // it refuses every trade
)

// variables names the environment variable of each flag that has one.
var variables = map[string]string{
	"model-id":    "CURRENT_MODEL_ID",
	"redis-url":   "REDIS_URL",
	"redis-wait":  "MCP_TRADE_REDIS_WAIT",
	"data-dir":    "MCP_TRADE_DATA_DIR",
	"log-path":    "LOG_PATH",
	"prices":      "MCP_TRADE_PRICES",
	"ledger":      "MCP_TRADE_LEDGER",
	"session-ttl": "MCP_TRADE_SESSION_TTL",
	"toolsets":    "MCP_TRADE_TOOLSETS",
	"read-only":   "MCP_TRADE_READ_ONLY",
	"refusals":    "MCP_TRADE_REFUSALS",
	"shared":      "MCP_TRADE_SHARED",

	"on-redis-loss": "MCP_TRADE_ON_REDIS_LOSS",

	"search":       "MCP_TRADE_SEARCH",
	"search-cache": "MCP_TRADE_SEARCH_CACHE",
}

func (s *settings) register(f *pflag.FlagSet) {
	f.StringVar(&s.modelID, "model-id", session.DefaultModel, "whose session to use (CURRENT_MODEL_ID)")
	f.StringVar(&s.redisURL, "redis-url", "", "Redis without a password in its address, such as redis://127.0.0.1:6379 (REDIS_URL)")
	f.IntVar(&s.redisWait, "redis-wait", 0, "how many replicas of the Redis must have a trade before it is acknowledged (MCP_TRADE_REDIS_WAIT)")
	f.StringVar(&s.dataDir, "data-dir", "data", "folder of sessions and price files (MCP_TRADE_DATA_DIR)")
	f.StringVar(&s.logPath, "log-path", "", "folder of the ledgers (LOG_PATH) (default {data-dir}/agent_data)")
	f.StringSliceVar(&s.prices, "prices", nil, "price file, repeatable (MCP_TRADE_PRICES) (default every *merged*.jsonl in the data dir)")
	f.StringVar(&s.ledger, "ledger", "", "where ledgers are kept: file or redis (MCP_TRADE_LEDGER) (default redis when one is configured, else file)")
	f.DurationVar(&s.ttl, "session-ttl", session.DefaultTTL, "life of a session in Redis after its last use (MCP_TRADE_SESSION_TTL)")
	f.StringVar(&s.onRedisLoss, "on-redis-loss", lossFile, "without Redis trade in the session of the file, or refuse every trade: file or refuse (MCP_TRADE_ON_REDIS_LOSS)")
	f.BoolVar(&s.shared, "shared", false, "let the folder's group read and write the files that are made, and not their owner alone (MCP_TRADE_SHARED)")
	f.StringVar(&s.logFormat, "log-format", "console", "log on stderr as console or json")
	f.BoolVar(&s.json, "json", false, "print JSON for programs")
}

// resolve fills in what the command line left open and checks the result.
func (s *settings) resolve(cmd *cobra.Command) error {
	if err := s.readEnv(); err != nil {
		return err
	}
	for name, variable := range variables {
		flag := cmd.Flags().Lookup(name)
		if text, ok := s.lookup(variable); flag != nil && !flag.Changed && ok && text != "" {
			if err := flag.Value.Set(text); err != nil {
				return usageError{fmt.Errorf("%s: %q is not valid for it", variable, text)}
			}
		}
	}
	if s.redisWait < 0 {
		return usageError{fmt.Errorf("--redis-wait %d: use 0 or more", s.redisWait)}
	}
	if cmd.Flags().Changed("redis-url") && (strings.Contains(s.redisURL, "@") || strings.Contains(s.redisURL, "sentinel_")) {
		return usageError{errors.New("--redis-url holds a user or password, which every process of the machine can see in an argument: put it into REDIS_URL")}
	}
	if s.logPath == "" {
		s.logPath = filepath.Join(s.dataDir, "agent_data")
	}
	if s.logFormat != "console" && s.logFormat != "json" {
		return usageError{fmt.Errorf("--log-format %q: use console or json", s.logFormat)}
	}
	if !slices.Contains([]string{"", "file", "redis"}, s.ledger) {
		return usageError{fmt.Errorf("--ledger %q: use file or redis", s.ledger)}
	}
	if !slices.Contains([]string{lossFile, lossRefuse}, s.onRedisLoss) {
		return usageError{fmt.Errorf("--on-redis-loss %q: use file or refuse", s.onRedisLoss)}
	}
	if s.ttl < time.Second {
		return usageError{fmt.Errorf("--session-ttl %v: use at least 1s", s.ttl)}
	}
	s.log = newLog(s.stderr, s.logFormat)
	return nil
}

// maxEnv bounds .env, in bytes.
const maxEnv = 1 << 20

// readEnv reads .env, if there is one.
func (s *settings) readEnv() error {
	text, err := files.Read(".env", maxEnv)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.env, err = godotenv.UnmarshalBytes(text); err != nil {
		return fmt.Errorf(".env cannot be read; every line must be NAME=value (the file is not shown, it may hold secrets)")
	}
	return nil
}

// access says who may use the files that are kept.
func (s *settings) access() files.Access {
	if s.shared {
		return files.Group
	}
	return files.Owner
}

func newLog(w io.Writer, format string) zerolog.Logger {
	if format == "console" {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: !isTerminal(os.Stderr)}
	}
	return zerolog.New(w).Level(zerolog.InfoLevel).With().Timestamp().Logger()
}

// relay is stderr, or what stands in for it while progress is shown there.
type relay struct {
	mu sync.Mutex
	to io.Writer
}

func (r *relay) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.to.Write(p)
}

func (r *relay) redirect(to io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = to
}

// lookup reads an environment variable, or the .env file under it.
func (s *settings) lookup(name string) (string, bool) {
	if text, ok := os.LookupEnv(name); ok {
		return text, true
	}
	text, ok := s.env[name]
	return text, ok
}

// rooms are the stores, wired up.
type rooms struct {
	file    *filestore.Store
	redis   *redisstore.Store // nil without Redis
	ledgers store.Store       // one of the two

	accounts *ledger.Accounts // in those ledgers
	prices   *market.Prices   // nil unless openPriced opened some
}

func (r rooms) Close() error {
	var errs []error
	if r.prices != nil {
		errs = append(errs, r.prices.Close())
	}
	if r.redis != nil {
		errs = append(errs, r.redis.Close())
	}
	return errors.Join(append(errs, r.file.Close())...)
}

// named returns the names that were given, or those of all accounts if none were.
func (r rooms) named(ctx context.Context, names []string) ([]string, error) {
	if len(names) > 0 {
		return names, nil
	}
	return r.accounts.Names(ctx)
}

// openPriced is open, with the price files. required tells that the command is nothing without them.
func (s *settings) openPriced(required bool) (r rooms, err error) {
	if r, err = s.open(); err != nil {
		return r, err
	}
	if required {
		r.prices, err = s.needPrices()
	} else {
		r.prices, err = s.openPrices()
	}
	if err != nil {
		return r, errors.Join(err, r.Close())
	}
	return r, nil
}

// open wires up the stores. It connects to nothing yet.
func (s *settings) open() (rooms, error) {
	options := []filestore.Option{filestore.WithAccess(s.access())}
	if path, ok := s.lookup("RUNTIME_ENV_PATH"); ok && path != "" {
		options = append(options, filestore.WithSessionFile(s.modelID, path))
	}
	warn := func(text string) { s.log.Warn().Msg(text) }
	r := rooms{file: filestore.New(s.dataDir, s.logPath, append(options, filestore.WithWarnings(warn))...)}
	r.ledgers = r.file
	var err error
	if r.redis, err = s.openRedis(warn); err != nil {
		return r, usageError{err}
	}
	switch {
	case s.ledger == "redis" && r.redis == nil:
		return r, usageError{errors.New("the ledger is to be kept in Redis, but no Redis is configured: set REDIS_URL, or --ledger file")}
	case s.ledger != "file" && r.redis != nil:
		r.ledgers = r.redis
	}
	r.accounts = ledger.NewAccounts(r.ledgers)
	return r, nil
}

// session wires up the session of a model.
func (s *settings) session(r rooms, model string) (*session.Layers, error) {
	c := session.Config{
		Model: model, File: r.file, Env: s.lookup, TTL: s.ttl, Refuse: s.onRedisLoss == lossRefuse,
		LedgersInRedis: r.redis != nil && r.ledgers.Name() == r.redis.Name(), Warn: func(text string) { s.log.Warn().Msg(text) },
	}
	switch {
	case r.redis != nil:
		c.Redis = r.redis
	case c.Refuse && !s.alone:
		return nil, usageError{errors.New("--on-redis-loss refuse asks for a Redis, but none is configured: set REDIS_URL")}
	}
	l, err := session.New(c)
	if err != nil {
		return nil, usageError{err}
	}
	return l, nil
}

// priceFiles are the files asked for, else those in the data dir.
func (s *settings) priceFiles() ([]string, error) {
	if len(s.prices) > 0 {
		return s.prices, nil
	}
	return filepath.Glob(filepath.Join(s.dataDir, "*merged*.jsonl"))
}

// openPrices opens the price files; without any it returns nil.
func (s *settings) openPrices() (*market.Prices, error) {
	files, err := s.priceFiles()
	if err != nil || len(files) == 0 {
		return nil, err
	}
	prices, err := market.Open(files...)
	if err != nil {
		return nil, err
	}
	for _, w := range prices.Warnings() {
		s.log.Warn().Msg(w.String())
	}
	return prices, nil
}

// needPrices is openPrices for a command that is nothing without them.
func (s *settings) needPrices() (*market.Prices, error) {
	prices, err := s.openPrices()
	if err == nil && prices == nil {
		err = usageError{fmt.Errorf("no price files: name them with --prices or MCP_TRADE_PRICES, or put a *merged*.jsonl into %s", s.dataDir)}
	}
	return prices, err
}
