// What doctor says of the keys: to which host each would be sent, and who named that host.

package main

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"mcp-trade/agent/trust"
)

func keyUses() []keyUse {
	uses := apiKeys()
	for _, row := range providers {
		uses = append(uses, row.key)
	}
	uses = append(uses, alpacaKey)
	for _, row := range stores {
		uses = append(uses, row.keys...)
	}
	return uses
}

// checkKeys tells of each key that is set where it would be sent.
func (s *settings) checkKeys() []finding {
	var found []finding
	for _, use := range keyUses() {
		name, from := s.keySource(use)
		if name == "" {
			continue
		}
		state, goes := "ok", []string{}
		for _, a := range use.addresses {
			text, by := s.addressOf(a)
			host, encrypted := hostOf(text)
			way := fmt.Sprintf("%s (named by %s)", host, by)
			if by == fromDotEnv && from != fromDotEnv {
				state, way = "warning", way+", though the key is from the "+from+": make sure that this file is yours"
			}
			if !encrypted {
				state, way = "warning", way+", unencrypted"
			}
			goes = append(goes, way)
		}
		found = append(found, finding{"key " + name, state, fmt.Sprintf("from the %s, goes to %s", from, strings.Join(goes, " and "))})
	}
	return found
}

// Where a setting was found.
const (
	fromEnvironment = "environment"
	fromDotEnv      = ".env file"
)

// keySource names the variable that holds the key, and where that is set; "" if it is not.
func (s *settings) keySource(use keyUse) (name, from string) {
	for _, name := range use.names {
		if text, ok := s.lookup(name); ok && text != "" {
			return name, sourceOf(name)
		}
	}
	return "", ""
}

func sourceOf(variable string) string {
	if _, ok := os.LookupEnv(variable); ok {
		return fromEnvironment
	}
	return fromDotEnv
}

// addressOf returns an address and who named it.
func (s *settings) addressOf(a address) (text, by string) {
	if text, ok := s.lookup(a.variable); ok && text != "" {
		return text, sourceOf(a.variable)
	}
	return a.builtIn, "this program"
}

// misdirected tells whether a key is from the environment and an address that it would be sent to from an environment file: nobody who
// set the key has said that it may go there.
func (s *settings) misdirected(use keyUse) bool {
	name, from := s.keySource(use)
	return name != "" && from != fromDotEnv && slices.ContainsFunc(use.addresses, func(a address) bool {
		_, by := s.addressOf(a)
		return by == fromDotEnv
	})
}

// keyOf are the values of a key's variables; nil if it is not set, or not wholly.
func (s *settings) keyOf(use keyUse) (values []string) {
	if !use.all {
		if key := s.first(use.names...); key != "" {
			return []string{key}
		}
		return nil
	}
	for _, name := range use.names {
		key := s.first(name)
		if key == "" {
			return nil
		}
		values = append(values, key)
	}
	return values
}

// usable is the key of a source that is named; an error if it is not set, or must not be sent to where the source's address leads.
func (s *settings) usable(source string, use keyUse) ([]string, error) {
	key := s.keyOf(use)
	if len(use.names) > 0 && key == nil {
		return nil, fmt.Errorf("the source %s wants a key: set %s", source, use.needs())
	}
	if s.misdirected(use) {
		return nil, fmt.Errorf("the source %s is not asked: its key is in the environment and its address is only in the %s, which may be somebody else's", source, fromDotEnv)
	}
	return key, nil
}

// checkEnvFile tells what the environment file says, without values.
func (s *settings) checkEnvFile() []finding {
	if s.envErr != nil {
		return []finding{{"env file", "failed", s.envErr.Error()}}
	}
	if s.env == nil {
		return nil
	}
	var used, hidden []string
	others := len(s.env)
	for _, row := range settingsTable {
		if _, there := s.env[row.variable]; !there {
			continue
		}
		others--
		if sourceOf(row.variable) == fromDotEnv {
			used = append(used, row.variable)
		} else {
			hidden = append(hidden, row.variable)
		}
	}
	detail := fmt.Sprintf("%s sets %s", s.envFile, cmp.Or(strings.Join(used, ", "), "none of our variables"))
	if len(hidden) > 0 {
		detail += "; the environment comes before it for " + strings.Join(hidden, ", ")
	}
	if others > 0 {
		detail += fmt.Sprintf("; %d more variables in it are read only where a configuration names them", others)
	}
	return []finding{{"env file", "ok", detail}}
}

// hostOf returns the host of an address without what may be secret in it, and whether the way there is encrypted or does
// not leave the machine.
func hostOf(text string) (host string, encrypted bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "an address that cannot be read", true
	}
	return cmp.Or(u.Host, "?"), u.Scheme == "https" || u.Scheme == "rediss" || trust.Loopback(u.Hostname())
}
