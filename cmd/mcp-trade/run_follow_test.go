package main

import (
	"strings"
	"testing"
	"time"

	"mcp-trade/agent/config"
)

func TestFollowFlags_Following(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags followFlags
		file  config.Config
		want  following
		fails string
	}{
		{"a flag alone", followFlags{follow: true}, config.Config{}, following{}, ""},
		{"a configuration alone", followFlags{}, config.Config{Follow: true, CatchUp: "trade", Deadline: "90m"}, following{catchUp: true, deadline: 90 * time.Minute}, ""},
		{"flags over a configuration", followFlags{catchUp: "skip", deadline: "2h"}, config.Config{Follow: true, CatchUp: "trade", Deadline: "90m"}, following{deadline: 2 * time.Hour}, ""},
		{"a time-lapse", followFlags{follow: true, clock: "2025-10-01T13:00:00Z@60"}, config.Config{}, following{lapse: "2025-10-01T13:00:00Z@60"}, ""},
		{"no clock", followFlags{follow: true, clock: "noon@60"}, config.Config{}, following{}, "--clock: "},
		{"no way to catch up", followFlags{follow: true, catchUp: "maybe"}, config.Config{}, following{}, "use skip or trade"},
		{"no deadline", followFlags{follow: true, deadline: "-1h"}, config.Config{}, following{}, "a duration above 0"},
		{"a part of it alone", followFlags{deadline: "2h"}, config.Config{}, following{}, "--deadline is about following the market"},
	} {
		got, err := c.flags.following(c.file)
		switch {
		case c.fails != "":
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: %v, want %q", c.name, err, c.fails)
			}
		case err != nil || got == nil || got.lapse != c.want.lapse || got.catchUp != c.want.catchUp || got.deadline != c.want.deadline:
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	if got, err := (followFlags{}).following(config.Config{Deadline: "2h"}); got != nil || err != nil {
		t.Errorf("a run over the past: %+v, %v", got, err)
	}
}
