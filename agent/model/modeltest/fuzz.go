package modeltest

import (
	"strings"
	"testing"

	"mcp-trade/agent/model"
)

// FuzzKey is the key of the clients that are fuzzed.
const FuzzKey = "horse-battery-staple"

// Fuzz holds that whatever a client receives can be kept, or is an error that does not tell the key.
func Fuzz(f *testing.F, seeds []string, receive func(t *testing.T, text string) (model.Reply, error)) {
	for _, seed := range seeds {
		if len(seed) < 10_000 {
			f.Add(seed)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		reply, err := receive(t, text)
		if err == nil {
			CanBeKept(t, reply, FuzzKey)
		} else if said := err.Error(); strings.Contains(said, FuzzKey) {
			t.Fatal(said)
		}
	})
}
