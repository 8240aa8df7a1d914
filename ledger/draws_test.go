package ledger_test

// How many accounts of random orders are drawn.

import (
	"cmp"
	"flag"
	"os"
	"strconv"
	"testing"
)

// drawFew has a property drawn so many times, and with MCP_TRADE_STORM=100 a hundred times as often, until the test ends. The flag
// -rapid.checks, if it is given, says otherwise.
func drawFew(t *testing.T, times int) {
	checks := flag.Lookup("rapid.checks")
	if was := checks.Value.String(); was == checks.DefValue {
		storm, err := strconv.Atoi(cmp.Or(os.Getenv("MCP_TRADE_STORM"), "1"))
		if err != nil || storm < 1 {
			t.Fatalf("MCP_TRADE_STORM is %q", os.Getenv("MCP_TRADE_STORM"))
		}
		_ = checks.Value.Set(strconv.Itoa(times * storm))
		t.Cleanup(func() { _ = checks.Value.Set(was) })
	}
}
