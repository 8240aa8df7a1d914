// The settings: a table with a row for each. Flags, environment, help and what a run hands to its servers are made from
// it, and the table of docs/configuration.md is held against it.
//
// A setting is a flag, else an environment variable, else a line of the environment file, which is .env in the working directory, else a
// default. Secrets have no flag, since arguments can be seen by every process of the machine.

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/joho/godotenv"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mcp-trade/internal/files"
	"mcp-trade/internal/mcpclient"
	"mcp-trade/internal/otlp"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/tools"
)

// fenceVariable tells the server that a run launches under which lease it trades.
const fenceVariable = "MCP_TRADE_FENCE"

// oauthIssuerVariable names the authorization server whose tokens are taken.
const oauthIssuerVariable = "MCP_TRADE_OAUTH_ISSUER"

// settings are the values. Each field but the last five has a row in the table.
type settings struct {
	modelID, dataDir, logPath string
	prices                    []string
	actions                   string // a file, "" without one
	adjusted                  string // what becomes of adjusted prices
	ledger                    string
	ttl                       time.Duration
	onRedisLoss               string
	search                    []string // "auto", "off", or names of providers
	mask                      string   // a seed; "": models see the true symbols and dates
	searchCache               string
	costs, slippage           string                 // of accounts that are opened
	fill, volumeCap           string                 // likewise
	limits                    string                 // that accounts are traded under: a file, or what is in one
	market                    string                 // of the accounts that are opened and served
	ofRules                   [len(ruleTable)]string // what the settings of rules say, in the order of their table
	serving                   tools.Options
	listen                    string // address and port
	auditDir                  string // "" without one
	metrics                   string // address and port, "" without any
	slowCall                  time.Duration
	compat                    string // whose servers to take the place of, "" for none
	tlsCert, tlsKey           string // files, "" without
	allowedHosts              []string
	oauthIssuer               string // an address, "" without
	oauthAudience             string // likewise
	logFormat                 string
	json                      bool
	shared                    bool // the folder's group may use the files

	envFile   string            // the environment file
	noEnvFile bool              // it is not read
	env       map[string]string // what it says
	envErr    error             // why it cannot be read

	own       map[string]any // values of single stores, by their names
	filesOnly bool           // keep to the files, whatever else is configured
	stderr    *switchWriter
	log       zerolog.Logger // to stderr
}

// What a server does when Redis, though configured, cannot be reached.
const (
	lossFile   = "file"   // it trades in the session of its file
	lossRefuse = "refuse" // it refuses every trade
)

// What becomes of adjusted prices.
const (
	adjustedWarn   = "warn"
	adjustedRefuse = "refuse" // no command goes on with them
)

// What --fill and --volume-cap can say beside a share of the volume.
const (
	fillOpen     = "open"
	fillNextOpen = "next-open"
	noVolumeCap  = "none"
)

// What --search can say beside names of providers.
const (
	searchAuto = "auto"
	searchOff  = "off"
)

// setting is a row of the table.
type setting struct {
	flag      string // "" without one
	variable  string // of the environment, "" without one
	help      string // of the flag
	preset    any    // the default; nil: the zero value
	otherwise string // what holds where the default is the zero value, in words
	secret    bool
	scope     scope
	child     inheritance
	kept      bool                  // by a demo and a replay, which keep to a folder of their own
	field     func(s *settings) any // pointer to the value; nil: it is looked up where it is needed
}

// scope says which commands have the flag.
type scope int

const (
	everyCommand scope = iota
	serving            // stdio and http
	listening          // http
	searching          // commands that search
	opening            // commands that open accounts
	running            // run
	limiting           // commands that trade, or hold ledgers against limits
	trading            // commands that open accounts, serve them, or step through the days of their market
)

// inheritance says what the server that a run launches gets of a setting.
type inheritance int

const (
	untouched            inheritance = iota // what our environment says
	inherited                               // our value, wherever it is from
	emptied                                 // none, whatever our environment says
	emptiedWithFilesOnly                    // none, if we keep to the files
	withheld                                // none: it is for the run and its models
)

var settingsTable = slices.Concat(ownSettings, ruleSettings(), keySettings(), storeSettings(), telemetrySettings())

// ownSettings are those of the program itself.
var ownSettings = []setting{
	{flag: "model-id", variable: "CURRENT_MODEL_ID", help: "whose session to use", preset: session.DefaultModel, child: inherited, kept: true,
		field: func(s *settings) any { return &s.modelID }},
	{flag: "data-dir", variable: "MCP_TRADE_DATA_DIR", help: "folder of sessions and price files", preset: "data", child: inherited,
		field: func(s *settings) any { return &s.dataDir }},
	{flag: "log-path", variable: "LOG_PATH", help: "folder of the ledgers", otherwise: "{data-dir}/agent_data", child: inherited,
		field: func(s *settings) any { return &s.logPath }},
	{flag: "prices", variable: "MCP_TRADE_PRICES", help: "price file, repeatable", otherwise: "every *merged*.jsonl in the data dir", child: inherited,
		field: func(s *settings) any { return &s.prices }},
	{flag: "actions", variable: "MCP_TRADE_ACTIONS", help: "file of corporate actions, beside those in the rows of the price files", otherwise: "none", child: inherited,
		field: func(s *settings) any { return &s.actions }},
	{flag: "adjusted", variable: "MCP_TRADE_ADJUSTED", help: "of prices that know of later splits or dividends warn, or refuse them: warn or refuse", preset: adjustedWarn, child: emptied,
		field: func(s *settings) any { return &s.adjusted }},
	{flag: "ledger", variable: "MCP_TRADE_LEDGER", help: "where ledgers are kept: " + strings.Join(ledgerNames(), " or "), otherwise: inWords(storeRow.ledgerName, " or ") + " when one is configured, else file", child: inherited,
		field: func(s *settings) any { return &s.ledger }},
	{flag: "session-ttl", variable: "MCP_TRADE_SESSION_TTL", help: "life of a session in Redis after its last use", preset: session.DefaultTTL, child: inherited, kept: true,
		field: func(s *settings) any { return &s.ttl }},
	{flag: "on-redis-loss", variable: "MCP_TRADE_ON_REDIS_LOSS", help: "without Redis trade in the session of the file, or refuse every trade: file or refuse", preset: lossFile, child: inherited,
		field: func(s *settings) any { return &s.onRedisLoss }},
	{flag: "toolsets", variable: "MCP_TRADE_TOOLSETS", help: "tools to serve: trade, market, search, orders, ai-trader, math", preset: tools.DefaultToolsets, scope: serving, child: emptied,
		field: func(s *settings) any { return &s.serving.Toolsets }},
	{flag: "search", variable: "MCP_TRADE_SEARCH", help: "where news comes from: auto, off, or some of " + strings.Join(providerNames(), ",") + " in order of preference", preset: []string{searchAuto}, scope: searching, child: inherited,
		field: func(s *settings) any { return &s.search }},
	{flag: "search-cache", variable: "MCP_TRADE_SEARCH_CACHE", help: "record answers, replay only recorded ones, or off", preset: searchOff, scope: searching, child: inherited,
		field: func(s *settings) any { return &s.searchCache }},
	{flag: "costs", variable: "MCP_TRADE_COSTS", help: "fees that an account is opened with: none, real or a file", preset: market.NoCosts, scope: opening,
		field: func(s *settings) any { return &s.costs }},
	{flag: "slippage", variable: "MCP_TRADE_SLIPPAGE", help: "how much worse than the open its orders fill, such as 5bps or half-spread:0.02", preset: market.NoSlippage, scope: opening,
		field: func(s *settings) any { return &s.slippage }},
	{flag: "fill", variable: "MCP_TRADE_FILL", help: "when its market orders fill: at the open that the trader sees, or at the next one: open or next-open", preset: fillOpen, scope: trading, child: inherited,
		field: func(s *settings) any { return &s.fill }},
	{flag: "volume-cap", variable: "MCP_TRADE_VOLUME_CAP", help: "how much of a bar's volume its orders may fill, such as 10%", preset: noVolumeCap, scope: opening,
		field: func(s *settings) any { return &s.volumeCap }},
	{flag: "limits", variable: "MCP_TRADE_LIMITS", help: "file of limits that accounts are traded under", otherwise: "none", scope: limiting, child: inherited,
		field: func(s *settings) any { return &s.limits }},
	{flag: "mask", variable: "MCP_TRADE_MASK", help: "SEED: models see made-up symbols and shifted dates; the ledgers keep the true ones", otherwise: "none: models see the true ones", scope: running, child: emptied,
		field: func(s *settings) any { return &s.mask }},
	{flag: "audit", variable: "MCP_TRADE_AUDIT", help: "folder to keep a line in for each call", otherwise: "none", scope: serving, child: emptied,
		field: func(s *settings) any { return &s.auditDir }},
	{flag: "refusals", variable: "MCP_TRADE_REFUSALS", help: "refused calls answer with an error, as MCP has it, or with a result, as AI-Trader's client needs it: error or result",
		otherwise: "result with the toolset ai-trader, else error", scope: serving, child: emptied,
		field: func(s *settings) any { return &s.serving.Refusals }},
	{flag: "read-only", variable: "MCP_TRADE_READ_ONLY", help: "do not offer buy and sell", scope: serving, child: emptied,
		field: func(s *settings) any { return &s.serving.ReadOnly }},
	{flag: "listen", variable: "MCP_TRADE_LISTEN", help: "address and port to serve at", preset: "127.0.0.1:8000", scope: listening, child: emptied,
		field: func(s *settings) any { return &s.listen }},
	{flag: "compat", variable: "MCP_TRADE_COMPAT", help: "whose tool servers to take the place of, on their ports: ai-trader", otherwise: "none", scope: listening, child: emptied,
		field: func(s *settings) any { return &s.compat }},
	{flag: "metrics", variable: "MCP_TRADE_METRICS", help: "address and port to serve metrics for Prometheus at, and on this machine profiles", otherwise: "none", scope: listening, child: emptied,
		field: func(s *settings) any { return &s.metrics }},
	{flag: "slow-call", variable: "MCP_TRADE_SLOW_CALL", help: "log calls that take as long, such as 1s", otherwise: "none", scope: listening, child: emptied,
		field: func(s *settings) any { return &s.slowCall }},
	{flag: "tls-cert", variable: "MCP_TRADE_TLS_CERT", help: "file of the certificate and those that lead to it, PEM: serve HTTPS", otherwise: "none: HTTP", scope: listening, child: emptied,
		field: func(s *settings) any { return &s.tlsCert }},
	{flag: "tls-key", variable: "MCP_TRADE_TLS_KEY", help: "file of its key, PEM", otherwise: "none", scope: listening, child: emptied,
		field: func(s *settings) any { return &s.tlsKey }},
	{flag: "allowed-hosts", variable: "MCP_TRADE_ALLOWED_HOSTS", help: "names by which clients reach the server, such as that of a proxy", otherwise: "the address that it listens at", scope: listening, child: emptied,
		field: func(s *settings) any { return &s.allowedHosts }},
	{flag: "oauth-issuer", variable: oauthIssuerVariable, help: "address of the authorization server whose access tokens are taken too", otherwise: "none", scope: listening, child: emptied,
		field: func(s *settings) any { return &s.oauthIssuer }},
	{flag: "oauth-audience", variable: "MCP_TRADE_OAUTH_AUDIENCE", help: "address of this server, as clients write it, for which those tokens must be", otherwise: "none", scope: listening, child: emptied,
		field: func(s *settings) any { return &s.oauthAudience }},
	{flag: "shared", variable: "MCP_TRADE_SHARED", help: "let the folder's group read and write the files that are made, and not their owner alone", child: inherited,
		field: func(s *settings) any { return &s.shared }},
	{flag: "env-file", help: "file of NAME=value, read for variables that the environment does not have", preset: defaultEnvFile,
		field: func(s *settings) any { return &s.envFile }},
	{flag: "no-env-file", help: "read no such file",
		field: func(s *settings) any { return &s.noEnvFile }},
	{flag: "log-format", help: "log on stderr as console or json", preset: "console", kept: true,
		field: func(s *settings) any { return &s.logFormat }},
	{flag: "json", help: "print JSON for programs", kept: true,
		field: func(s *settings) any { return &s.json }},
	{variable: "OPENAI_MODEL", child: withheld},
	{variable: "INIT_DATE", child: withheld},
	{variable: "END_DATE", child: withheld},
	{variable: session.Signature}, {variable: session.TodayDate}, {variable: session.IfTrade}, {variable: session.Halt}, // the session's last layer
	{variable: "MATH_HTTP_PORT"}, {variable: "SEARCH_HTTP_PORT"}, {variable: "TRADE_HTTP_PORT"}, {variable: "GETPRICE_HTTP_PORT"}, {variable: "CRYPTO_HTTP_PORT"}, // of --compat
	{variable: "RUNTIME_ENV_PATH", child: emptied}, // each account of a run has a session of its own
	{variable: webhookVariable, secret: true, child: withheld},
	{variable: fenceVariable}, // a run sets it for each of its servers
}

// keySettings are the keys of single APIs of models and providers of news, and where these go.
func keySettings() (rows []setting) {
	for _, use := range apiKeys() {
		rows = append(rows, use.settings(withheld)...)
	}
	for _, row := range providers {
		rows = append(rows, row.key.settings(untouched)...)
	}
	rows = append(rows, alpacaKey.settings(withheld)...)
	for _, row := range priceSources {
		if len(row.key.names) == 0 { // else its address stands beside the key
			rows = append(rows, setting{variable: row.variable, child: withheld})
		}
	}
	return rows
}

// settings are the variables of a key.
func (use keyUse) settings(child inheritance) (rows []setting) {
	for _, name := range use.names {
		rows = append(rows, setting{variable: name, secret: true, child: child})
	}
	for _, a := range use.addresses {
		if a.variable != "" {
			rows = append(rows, setting{variable: a.variable, child: child})
		}
	}
	return rows
}

// telemetrySettings are OpenTelemetry's own variables.
func telemetrySettings() (rows []setting) {
	for _, name := range otlp.Variables() {
		rows = append(rows, setting{variable: name, secret: strings.HasSuffix(name, "HEADERS")})
	}
	return rows
}

// newSettings returns the defaults.
func newSettings() *settings {
	s := &settings{own: map[string]any{}}
	for _, row := range stores {
		if row.values != nil {
			s.own[row.name] = row.values()
		}
	}
	for _, row := range settingsTable {
		if row.preset != nil {
			row.set(s, reflect.ValueOf(row.preset))
		}
	}
	return s
}

func (row setting) value(s *settings) reflect.Value { return reflect.ValueOf(row.field(s)).Elem() }

func (row setting) set(s *settings, v reflect.Value) { row.value(s).Set(v) }

// text is the value as a variable of the environment has it.
func (row setting) text(s *settings) string {
	if list, ok := row.field(s).(*[]string); ok {
		return strings.Join(*list, ",")
	}
	return fmt.Sprint(row.value(s))
}

// register registers the flags of a scope.
func (s *settings) register(f *pflag.FlagSet, in ...scope) {
	for _, row := range settingsTable {
		if row.flag == "" || !slices.Contains(in, row.scope) {
			continue
		}
		help := row.help
		if row.variable != "" {
			help += " (" + row.variable + ")"
		}
		if row.otherwise != "" {
			help += " (default " + row.otherwise + ")"
		}
		switch p := row.field(s).(type) {
		case *string:
			f.StringVar(p, row.flag, *p, help)
		case *[]string:
			f.StringSliceVar(p, row.flag, *p, help)
		case *int:
			f.IntVar(p, row.flag, *p, help)
		case *bool:
			f.BoolVar(p, row.flag, *p, help)
		case *time.Duration:
			f.DurationVar(p, row.flag, *p, help)
		}
	}
}

// programVariables are what this program heeds besides its settings: on its way to the network, and as a program of Go.
var programVariables = []string{
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GORACE", "GOTRACEBACK", "GOCOVERDIR",
}

// childEnvironment is the environment of the server of a model, launched by this process: no more than it is to have, and none of the
// keys of models. Settings travel there, where a password in one of them is not for everyone to see.
func (s *settings) childEnvironment() (func(model string) []string, error) {
	files, err := s.priceFiles()
	limits, errLimits := s.accountLimits()
	return func(model string) []string {
		own := *s
		own.modelID, own.prices, own.limits = model, files, limits.Only(model).String() // whatever becomes of their file
		env := mcpclient.Environment(programVariables...)
		for _, row := range settingsTable {
			switch {
			case row.child == untouched && row.variable != "":
				env = append(env, mcpclient.Variables(row.variable)...)
			case row.child == inherited:
				env = append(env, row.variable+"="+row.text(&own))
			case row.child == emptied, row.child == emptiedWithFilesOnly && s.filesOnly:
				env = append(env, row.variable+"=")
			}
		}
		return env
	}, errors.Join(err, errLimits)
}

// onlyFolder returns settings that use only the files of a folder, whatever else is configured.
func (s *settings) onlyFolder(dir string) *settings {
	own := newSettings()
	own.stderr, own.log, own.filesOnly, own.noEnvFile = s.stderr, s.log, true, true
	for _, row := range settingsTable {
		if row.kept {
			row.set(own, row.value(s))
		}
	}
	own.dataDir, own.logPath, own.ledger, own.search = dir, filepath.Join(dir, "agent_data"), fileLedgers, []string{searchOff}
	return own
}

// resolve fills in what the command line left open and checks the result.
func (s *settings) resolve(cmd *cobra.Command) error {
	if err := s.readEnv(cmd); err != nil {
		return err
	}
	for _, row := range settingsTable {
		flag := cmd.Flags().Lookup(row.flag)
		if text, ok := s.lookup(row.variable); flag != nil && !flag.Changed && ok && text != "" {
			if err := flag.Value.Set(text); err != nil {
				return usageError{fmt.Errorf("%s: %q is not valid for it", row.variable, text)}
			}
		}
	}
	if err := s.validStores(cmd.Flags().Changed); err != nil {
		return usageError{err}
	}
	if s.logPath == "" {
		s.logPath = filepath.Join(s.dataDir, "agent_data")
	}
	if s.logFormat != "console" && s.logFormat != "json" {
		return usageError{fmt.Errorf("--log-format %q: use console or json", s.logFormat)}
	}
	if s.ledger != "" && !slices.Contains(ledgerNames(), s.ledger) {
		return usageError{fmt.Errorf("--ledger %q: use %s", s.ledger, strings.Join(ledgerNames(), " or "))}
	}
	if !slices.Contains([]string{lossFile, lossRefuse}, s.onRedisLoss) {
		return usageError{fmt.Errorf("--on-redis-loss %q: use file or refuse", s.onRedisLoss)}
	}
	if !slices.Contains([]string{adjustedWarn, adjustedRefuse}, s.adjusted) {
		return usageError{fmt.Errorf("--adjusted %q: use warn or refuse", s.adjusted)}
	}
	if _, err := s.rules(); err != nil {
		return err
	}
	if s.ttl < time.Second {
		return usageError{fmt.Errorf("--session-ttl %v: use at least 1s", s.ttl)}
	}
	s.log = newLog(s.stderr, s.logFormat)
	return nil
}

// defaultEnvFile is the environment file, if no flag names another.
const defaultEnvFile = ".env"

// maxEnv bounds the environment file, in bytes.
const maxEnv = 1 << 20

// withoutEnv are the commands that need nothing of the environment file, or tell what is wrong with it.
var withoutEnv = []string{"version", "help", "completion", "demo", "doctor", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}

// readEnv reads the environment file, if there is one. A server keeps of it what it is to have: nothing but settings, and none of those
// that are for models.
func (s *settings) readEnv(cmd *cobra.Command) error {
	if s.noEnvFile {
		return nil
	}
	text, err := files.Read(s.envFile, maxEnv)
	if errors.Is(err, fs.ErrNotExist) && !cmd.Flags().Changed("env-file") {
		return nil
	}
	if err == nil {
		if s.env, err = godotenv.UnmarshalBytes(text); err != nil {
			err = fmt.Errorf("%s cannot be read; every line must be NAME=value (the file is not shown, it may hold secrets)", s.envFile)
		}
	}
	if err != nil {
		s.env, s.envErr = nil, fmt.Errorf("%w; --no-env-file goes without it", err)
		words := strings.Fields(cmd.CommandPath())
		if len(words) > 1 && slices.Contains(withoutEnv, words[1]) {
			return nil
		}
		return s.envErr
	}
	if cmd.Name() == "stdio" || cmd.Name() == "http" {
		maps.DeleteFunc(s.env, func(name, _ string) bool {
			return !slices.ContainsFunc(settingsTable, func(row setting) bool { return row.variable == name && row.child != withheld })
		})
	}
	return nil
}

// otherToolsets are the toolsets that the servers of a run have in place of the default ones, nil for those.
func (s *settings) otherToolsets() []string {
	if slices.Equal(s.serving.Toolsets, tools.DefaultToolsets) {
		return nil
	}
	return s.serving.Toolsets
}

// access says who may use the files that are kept.
func (s *settings) access() files.Access {
	if s.shared {
		return files.Group
	}
	return files.Owner
}

// lookup reads an environment variable, or the environment file under it.
func (s *settings) lookup(name string) (string, bool) {
	if text, ok := os.LookupEnv(name); ok {
		return text, true
	}
	text, ok := s.env[name]
	return text, ok
}

// first is the first of some variables that is set.
func (s *settings) first(variables ...string) string {
	for _, name := range variables {
		if text, ok := s.lookup(name); ok && text != "" {
			return text
		}
	}
	return ""
}
