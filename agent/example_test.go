package agent_test

import (
	"context"
	"fmt"

	"mcp-trade/agent"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// A decider buys and sells through the day that it is given, which shows nothing later than itself. The runner does the rest:
// it registers the account, sends an order once however often it is interrupted, and closes the day.
func ExampleDecider() {
	var decider agent.Decider = agent.DeciderFunc(func(ctx context.Context, day *agent.Day) error {
		if day.Number > 0 {
			return nil // it buys on its first day and holds
		}
		filled, err := day.Order(ctx, ledger.Buy, "ACME", decimal.NewFromInt(5))
		fmt.Println(day.Account, day.Date, "filled:", filled)
		return err
	})

	ctx := context.Background()
	broker := &paper{} // of the runner, when it is one of `mcp-trade run`
	trader, err := decider.Open(ctx, "alice", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer trader.Close()
	for i, date := range []market.Stamp{"2025-10-02", "2025-10-03"} {
		day := &agent.Day{Account: "alice", Date: date, Number: i, Broker: broker}
		if err := trader.Decide(ctx, day); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(broker.asked)
	// Output:
	// alice 2025-10-02 filled: true
	// [buy 5 ACME]
}
