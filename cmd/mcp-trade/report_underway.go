// What a served page tells of runs under way, on any machine, and what was said on their days. All of it is read, and nothing written.

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"mcp-trade/agent/transcript"
	"mcp-trade/agent/underway"
	"mcp-trade/internal/clip"
	"mcp-trade/internal/rawjson"
	"mcp-trade/market"
	"mcp-trade/store"
)

// watchRuns watches the runs in the stores that are open. named tells that the accounts are named, and no others count.
func (s *settings) watchRuns(r rooms, named bool) *underway.Watch {
	w := &underway.Watch{Runs: r.runs(), Store: r.ledgers.Name(), Sessions: []store.Sessions{r.file}, Named: named, Prices: r.prices, Now: time.Now}
	if r.shared != nil {
		w.Sessions = []store.Sessions{r.shared} // what the files have beside it is a copy, which may be old
	}
	w.Queue, _ = r.ledgers.(store.Queue)
	return w
}

// underway tells how the runs stand.
func (v *liveReport) underway(ctx context.Context) (json.RawMessage, error) {
	runs, err := v.runs.Look(ctx, v.ledgers.Accounts())
	if err != nil {
		return nil, err
	}
	return rawjson.Marshal(runs)
}

// said returns how much was recorded of what a model said on a day, here or on the machine of its run.
func (v *liveReport) said(account string, day market.Stamp) int64 {
	if stat, err := os.Stat(transcript.File(v.logPath, account, day)); err == nil {
		return stat.Size()
	}
	return v.runs.Said(account)
}

// maxSaid bounds the conversation of a day, in bytes: what a browser shows without delay.
const maxSaid = 4 << 20

// conversation is what was said on a day, as mcp-trade show prints it: whole, but for the system prompt.
func (v *liveReport) conversation(ctx context.Context, account string, date market.Stamp) (string, error) {
	days, err := transcript.DaysIn(ctx, v.rooms.runs(), v.logPath, account)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	p := transcript.Printer{W: &out, Width: 110, Full: true, Short: true, Ask: fmt.Sprintf("mcp-trade show %s %s --full", account, date)}
	for _, d := range days {
		if d.Date != date && d.Date.Day() != date {
			continue
		}
		entries, err := transcript.ReadIn(ctx, v.rooms.runs(), account, d)
		if err != nil {
			return "", err
		}
		if out.Len() > 0 {
			out.WriteString("\n")
		}
		p.Day(account, d.Date, entries)
	}
	return clip.Bytes(out.String(), maxSaid), nil
}
