// What doctor says of the keys: to which host each would be sent, and who named that host.

package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"
)

func keyUses() []keyUse {
	uses := apiKeys()
	for _, row := range providers {
		uses = append(uses, row.key)
	}
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

// misdirected tells whether the key of a provider of news is from elsewhere than the address that it would be sent to: nobody who set
// the key has said that it may go there.
func (s *settings) misdirected(provider string) bool {
	for _, row := range providers {
		if row.name != provider {
			continue
		}
		if name, from := s.keySource(row.key); name != "" && from != fromDotEnv {
			for _, a := range row.key.addresses {
				if _, by := s.addressOf(a); by == fromDotEnv {
					return true
				}
			}
		}
	}
	return false
}

// hostOf returns the host of an address without what may be secret in it, and whether the way there is encrypted or does
// not leave the machine.
func hostOf(text string) (host string, encrypted bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "an address that cannot be read", true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	loopback := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	return cmp.Or(u.Host, "?"), u.Scheme == "https" || u.Scheme == "rediss" || loopback
}
