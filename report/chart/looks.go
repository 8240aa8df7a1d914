// Which account has which look.

package chart

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"

	"mcp-trade/report"
)

// Looks are the looks of accounts, by signature. No two are the same, and those of at most ten accounts differ in colour.
type Looks map[string]Look

// LooksOf gives each account a look. An account has the one it has in kept, which may be nil. Of the others, each name prefers the colours in
// an order of its own, and some names go before others, both by their hash: so in other reports, beside other accounts and at other
// ranks an account mostly has the same colour. An account that is added changes the looks of about two others where all colours are taken.
func LooksOf(accounts []report.Account, kept Looks) Looks {
	looks, taken := Looks{}, map[Look]bool{}
	hashes := map[string][sha256.Size]byte{}
	for _, a := range accounts {
		if l, ok := kept[a.Signature]; ok {
			looks[a.Signature], taken[l] = l, true
		} else {
			hashes[a.Signature] = sha256.Sum256([]byte(a.Signature))
		}
	}
	names := make([]string, 0, len(hashes))
	for name := range hashes {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		x, y := hashes[a], hashes[b]
		return bytes.Compare(x[len(palette):], y[len(palette):])
	})
	for _, name := range names {
		l := firstFree(hashes[name], taken)
		looks[name], taken[l] = l, true
	}
	return looks
}

// differMost are the five colours that differ most from each other: 63 and more in CIELAB. A few accounts have these alone.
var differMost = [...]int{0, 3, 4, 6, 9}

// firstFree is the look that a name prefers of those that are not taken: solid in any colour before dashed in any. Dashes of two kinds in the
// colour that it prefers come before another colour, so that few names compete for a look.
func firstFree(hash [sha256.Size]byte, taken map[Look]bool) Look {
	var colors [len(palette)]int
	for i := range colors {
		colors[i] = i
	}
	slices.SortStableFunc(colors[:], func(a, b int) int { return cmp.Compare(hash[a], hash[b]) })
	for _, differing := range []bool{true, false} {
		for _, color := range colors {
			if slices.Contains(differMost[:], color) == differing && !taken[Look(color)] {
				return Look(color)
			}
		}
	}
	for turn := 1; ; turn += 2 {
		for _, color := range colors {
			for _, l := range []Look{Look(turn*len(palette) + color), Look((turn+1)*len(palette) + color)} {
				if !taken[l] {
					return l
				}
			}
		}
	}
}
