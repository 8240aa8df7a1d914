// How a run is to follow the market: the flags, and the keys of a configuration under them.

package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"mcp-trade/agent/config"
	"mcp-trade/agent/follow"
	"mcp-trade/internal/pause"
)

// followFlags are the flags of run that are about following the market. What is "" was not given.
type followFlags struct {
	follow                   bool
	clock, catchUp, deadline string
}

func (f *followFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.follow, "follow", false, "go on with the days as they come, until --to or until it is ended; needs --fill next-open")
	flags.StringVar(&f.clock, "clock", "", "with --follow: a time-lapse such as 2025-10-01T13:00:00Z@3600, or a file that holds a time (default the clock of the machine)")
	flags.StringVar(&f.catchUp, "catch-up", "", "with --follow: skip or trade the days that were missed (default skip)")
	flags.StringVar(&f.deadline, "deadline", "", "with --follow: until when after its open a day can be traded, such as 2h (default until its close)")
}

// following is how a run follows the market.
type following struct {
	clock    follow.Clock
	lapse    string // the clock as --clock has it, "" for that of the machine
	catchUp  bool
	deadline time.Duration // after the open; 0: the close
}

// following reads the flags, and what a configuration says where they say nothing; nil if the run does not follow the market.
func (f followFlags) following(c config.Config) (*following, error) {
	given := map[string]string{"--clock": f.clock, "--catch-up": f.catchUp, "--deadline": f.deadline}
	if !f.follow && !c.Follow {
		for _, flag := range []string{"--clock", "--catch-up", "--deadline"} {
			if given[flag] != "" {
				return nil, fmt.Errorf("%s is about following the market; give --follow too", flag)
			}
		}
		return nil, nil
	}
	p := &following{lapse: cmp.Or(f.clock, c.Clock), clock: follow.Real(time.Now, pause.For)}
	var err error
	if p.lapse != "" {
		if p.clock, err = follow.ParseClock(p.lapse, time.Now, pause.For); err != nil {
			return nil, fmt.Errorf("--clock: %w", err)
		}
	}
	switch word := cmp.Or(f.catchUp, c.CatchUp, "skip"); word {
	case "skip":
	case "trade":
		p.catchUp = true
	default:
		return nil, fmt.Errorf("--catch-up %q: use skip or trade", word)
	}
	if text := cmp.Or(f.deadline, c.Deadline); text != "" {
		if p.deadline, err = time.ParseDuration(text); err != nil || p.deadline <= 0 {
			return nil, fmt.Errorf("--deadline %q: use a duration above 0, such as 90m or 2h", text)
		}
	}
	return p, nil
}
