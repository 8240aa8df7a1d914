// A key, and where it goes.

package main

// keyUse is a key, and the addresses that it goes to.
type keyUse struct {
	names     []string // environment variables of the key; the first that is set counts
	addresses []address
}

// address is where a key goes: what a variable says, else a host that is built in.
type address struct{ variable, builtIn string }
