package llm

import (
	"testing"
)

func TestPins(t *testing.T) {
	a, b := Pin{"d", "a"}, Pin{"e", "b"}
	for _, c := range []struct {
		name       string
		known, now map[string]Pin
		want       string
	}{
		{"none are known", nil, map[string]Pin{"x": a}, ""},
		{"the same", map[string]Pin{"x": a, "y": b}, map[string]Pin{"y": b, "x": a}, ""},
		{"there were none", map[string]Pin{}, map[string]Pin{"x": a}, "x is new"},
		{"all at once", map[string]Pin{"x": a, "y": a, "z": a}, map[string]Pin{"x": {"other", "a"}, "y": {"d", "other"}, "w": b},
			"w is new; x is described otherwise; y takes other arguments; z is gone"},
	} {
		p := &Pins{}
		p.Recall(c.known)
		err := p.hold(c.now)
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != "the tools of further MCP servers (mcp_servers) are others than the account began with: "+c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.known == nil && len(p.All()) != len(c.now) {
			t.Errorf("%s: %v are kept", c.name, p.All())
		}
	}
	var none *Pins
	if err := none.hold(map[string]Pin{"x": a}); err != nil || none.All() != nil {
		t.Error(err)
	}
}
