// Package trust says what a configuration wants that its reader must know of before it is used: commands to run, addresses to send
// to, variables and files to read, a folder to write to. A configuration is passed around; what it says is no word of the user.
package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mcp-trade/agent/config"
	"mcp-trade/internal/mcpclient"
)

// Want is something that a configuration wants.
type Want struct {
	Text  string // in one line of ASCII, without values of headers and environments, which may be secrets
	exact string // all of it
}

// Wants lists what a configuration that was not completed yet wants of its reader. fromFile tells of a variable that its value is from an
// environment file, such as .env, which may have come with the configuration. A key of its own API that goes to an address which the
// program has, or which comes from where the key comes from, is nothing to ask about.
func Wants(c config.Config, fromFile func(variable string) bool) []Want {
	var all []Want
	want := func(exact any, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		whole, _ := json.Marshal([]any{text, exact}) // which always encodes
		w := Want{text, string(whole)}
		if !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.MCPServers)) {
		wantServer(want, c.MCPServers[name])
	}
	for _, m := range c.Enabled() {
		switch {
		case m.NamedBy == config.ByFile, m.KeyNamed:
			want(m.BaseURL, "send prompts, and the key in %s, to %s", plain(m.KeyEnv), address(m.BaseURL))
		case m.NamedBy != "" && fromFile(m.NamedBy) && !fromFile(m.KeyEnv):
			want(m.BaseURL, "send prompts, and the key in %s of the environment, to %s, which only an environment file names (%s)", plain(m.KeyEnv), address(m.BaseURL), m.NamedBy)
		}
		if names := config.Variables(m.ExtraHeaders); len(names) > 0 {
			want([]any{m.BaseURL, map[string]string(m.ExtraHeaders)}, "send the variables %s to %s, in headers", plain(names...), address(m.BaseURL))
		}
		if _, inside := c.Inside(m.PromptFile); m.PromptFile != "" && !inside {
			want(nil, "read the file %s into a prompt", quoted(absolute(m.PromptFile)))
		}
	}
	if path := c.LogConfig.Path; path != "" && outside(c, path) {
		want(nil, "write ledgers and transcripts into the folder %s", quoted(absolute(path)))
	}
	return all
}

// wantServer says what an external server is given.
func wantServer(want func(exact any, format string, args ...any), s mcpclient.Config) {
	var gets strings.Builder
	for _, given := range []struct {
		what string
		mcpclient.Secrets
	}{{"variables", s.Env}, {"headers", s.Headers}} {
		if len(given.Secrets) > 0 {
			fmt.Fprintf(&gets, ", with the %s %s", given.what, plain(slices.Sorted(maps.Keys(given.Secrets))...))
		}
		if names := config.Variables(given.Secrets); len(names) > 0 {
			fmt.Fprintf(&gets, ", whose values hold %s of the environment", plain(names...))
		}
	}
	exact := []any{map[string]string(s.Env), map[string]string(s.Headers), s.URL}
	if s.URL != "" {
		want(exact, "connect to the MCP server at %s%s", address(s.URL), gets.String())
		return
	}
	command, folder := s.Command, "an empty folder"
	if strings.ContainsRune(filepath.ToSlash(command), '/') {
		command = absolute(command)
	}
	if s.Folder != "" {
		folder = "the folder " + quoted(absolute(s.Folder))
	}
	words := []string{quoted(command)}
	for _, arg := range s.Args {
		words = append(words, quoted(arg))
	}
	want(exact, "run the command %s in %s%s", strings.Join(words, " "), folder, gets.String())
}

// Hash stands for what is wanted, down to what the texts leave out.
func Hash(wants []Want) string {
	var exact []string
	for _, w := range wants {
		exact = append(exact, w.exact)
	}
	slices.Sort(exact)
	sum := sha256.Sum256([]byte(strings.Join(exact, "\n")))
	return hex.EncodeToString(sum[:])
}

// Unencrypted lists the hosts, as addresses have them, that a configuration sends to over plain HTTP, beyond this machine.
func Unencrypted(c config.Config) []string {
	var addresses, hosts []string
	for _, m := range c.Enabled() {
		addresses = append(addresses, m.BaseURL)
	}
	for _, s := range c.MCPServers {
		addresses = append(addresses, s.URL)
	}
	for _, a := range addresses {
		if u, err := url.Parse(a); err == nil && u.Scheme == "http" && !Loopback(u.Hostname()) {
			hosts = append(hosts, u.Hostname())
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// Loopback tells whether what is sent to a host does not leave this machine.
func Loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback() && ip.Zone() == ""
}

// outside tells whether a path leads out of both the working directory and the folder of the configuration.
func outside(c config.Config, path string) bool {
	if _, inside := c.Inside(path); inside {
		return false
	}
	here, err := os.Getwd()
	if err != nil {
		return true
	}
	_, inside := config.Config{Dir: here}.Inside(path)
	return !inside
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// quoted is a text in quotes, in which nothing acts on a terminal and no letter looks like another.
func quoted(text string) string { return strconv.QuoteToASCII(text) }

// plain are texts as quoted, without the quotes.
func plain(texts ...string) string {
	for i, text := range texts {
		text = quoted(text)
		texts[i] = text[1 : len(text)-1]
	}
	return strings.Join(texts, ", ")
}

// address is an address without its query, which may hold a secret.
func address(text string) string {
	before, _, query := strings.Cut(text, "?")
	if query {
		before += "?..."
	}
	return plain(before)
}
