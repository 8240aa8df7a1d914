// Amounts in whole lots.

package ledger

import "mcp-trade/code"

// wholeLots refuses a part of a lot.
func wholeLots(a Attempt) error {
	if a.Rules.whole(a.Order.Amount) {
		return nil
	}
	return &Refusal{code.InvalidArgument, a.Rules.Amount().Invalid + a.Order.Amount.String(), a.Order.about(a.Rules)}
}
