// A key, and where it goes.

package main

import (
	"strings"

	"mcp-trade/agent/model/apis"
	"mcp-trade/feed/alpaca"
)

// keyUse is a key, and the addresses that it goes to.
type keyUse struct {
	names     []string // environment variables of the key; the first that is set counts
	addresses []address
	all       bool // the key is all of the variables together
}

// address is where a key goes: what a variable says, else a host that is built in.
type address struct{ variable, builtIn string }

// needs says which variables are to be set.
func (use keyUse) needs() string {
	if use.all {
		return strings.Join(use.names, " and ")
	}
	return use.names[len(use.names)-1]
}

// apiKeys are the keys of the APIs of language models.
func apiKeys() (uses []keyUse) {
	for _, api := range apis.All() {
		uses = append(uses, keyUse{names: []string{api.KeyVariable}, addresses: []address{{api.BaseVariable, api.BaseURL}}})
	}
	return uses
}

// alpacaKey is the pair of keys of Alpaca, and where it goes.
var alpacaKey = keyUse{names: []string{"APCA_API_KEY_ID", "APCA_API_SECRET_KEY"}, addresses: []address{{"ALPACA_DATA_URL", alpaca.URL}}, all: true}
