// The decider recorded.

package decide

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"mcp-trade/agent"
	"mcp-trade/internal/files"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// recorded repeats the trades in a ledger, in their order, each on its date.
func recorded(path string) (agent.Decider, error) {
	f, err := files.Open(path)
	if err != nil {
		return nil, fmt.Errorf("recorded: %w", err)
	}
	defer f.Close()
	trades := map[market.Stamp][]ledger.Record{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for row := 0; lines.Scan(); row++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		rec, err := ledger.ParseLine(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("recorded:%s row %d: %w", path, row, err)
		}
		if rec.Traded() {
			trades[rec.Date] = append(trades[rec.Date], rec)
		}
	}
	repeat := func(ctx context.Context, d *agent.Day) error {
		for _, t := range trades[d.Date] {
			action := ledger.Sell
			if t.Buys() { // under any of its names
				action = ledger.Buy
			}
			if _, err := d.Order(ctx, action, t.Symbol, t.Amount); err != nil {
				return err
			}
		}
		return nil
	}
	return agent.DeciderFunc(repeat), lines.Err()
}
