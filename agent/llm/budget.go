// The budgets.

package llm

import (
	"fmt"

	"mcp-trade/agent/transcript"
	"mcp-trade/decimal"
)

// BudgetError says that an account cannot go on within its budget.
type BudgetError struct{ Spent, Worst, Budget decimal.Decimal }

func (e *BudgetError) Error() string {
	return fmt.Sprintf("%s of the budget of %s for the run are spent, and the next call of the model may cost %s; raise the budget to go on",
		e.Spent.Round(6), e.Budget, e.Worst.Round(6))
}

// Permanent tells that the same run cannot go on later: a budget does not grow by itself.
func (e *BudgetError) Permanent() bool { return true }

// overBudget tells whether a call that may cost so much would exceed the day's budget. That of the run is an error.
func (d *dayConversation) overBudget(worst *decimal.Decimal) (bool, error) {
	if worst == nil {
		return false, nil
	}
	today := transcript.SpendingOf(d.journal.Entries).Total()
	before := d.day.Spent().Total()
	if b := d.RunBudget; b != nil && before.Add(today).Add(*worst).GreaterThan(*b) {
		return false, &BudgetError{before.Add(today), *worst, *b}
	}
	return d.DayBudget != nil && today.Add(*worst).GreaterThan(*d.DayBudget), nil
}
