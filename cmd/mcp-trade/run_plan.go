// mcp-trade run --dry-run: what a run would do.

package main

import (
	"cmp"
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/agent/config"
	"mcp-trade/agent/runner"
	"mcp-trade/decimal"
	"mcp-trade/internal/format"
	"mcp-trade/market"
)

// plannedAccount is an account of a run that has not begun.
type plannedAccount struct {
	Account string           `json:"account"`
	Decider string           `json:"decider"`
	Model   string           `json:"model,omitempty"` // that a language model is called at its API
	From    market.Stamp     `json:"from"`
	To      market.Stamp     `json:"to"`
	Days    int              `json:"days"`            // trading days
	AtMost  *decimal.Decimal `json:"at_most"`         // what it may cost; null: without a bound, or it costs nothing
	Trial   *config.Trial    `json:"trial,omitempty"` // of an experiment
}

// printPlan lists what a run would do.
func (s *settings) printPlan(cmd *cobra.Command, p plan) error {
	prices, err := s.needPrices()
	if err != nil {
		return err
	}
	defer prices.Close()
	trials := map[string]*config.Trial{}
	for i, t := range p.trials {
		trials[t.Account] = &p.trials[i].Trial
	}
	planned := []plannedAccount{}
	for _, a := range p.accounts {
		from, to := cmp.Or(a.From, p.from), cmp.Or(a.To, p.to)
		days, err := runner.Days(prices, from, to)
		if err != nil {
			return err
		}
		account := plannedAccount{Account: a.Name, Decider: p.specs[a.Name], From: from, To: to, Days: len(days), Trial: trials[a.Name]}
		if model, ok := p.models[a.Name]; ok {
			account.Model = model.Model
			account.AtMost = bound(model.DayBudget, model.RunBudget, len(days))
		}
		planned = append(planned, account)
	}
	if s.json {
		return printJSON(cmd.OutOrStdout(), planned)
	}
	return printPlanned(cmd.OutOrStdout(), planned)
}

// bound is the most that an account may cost by its budgets, nil without any.
func bound(day, run *decimal.Decimal, days int) *decimal.Decimal {
	if day == nil {
		return run
	}
	all := day.Mul(decimal.NewFromInt(int64(days)))
	if run != nil && run.LessThan(all) {
		return run
	}
	return &all
}

func printPlanned(w io.Writer, planned []plannedAccount) error {
	t := newTable(w, "account", "model or decider", "from", "to", ">days", ">costs at most")
	asked, most, bounded := 0, decimal.Zero, true
	for _, a := range planned {
		row := table.Row{a.Account, cmp.Or(a.Model, a.Decider), a.From, a.To, a.Days, ""}
		if a.Model != "" {
			asked += a.Days
			if row[5] = "no bound"; a.AtMost != nil {
				row[5], most = format.Cost(a.AtMost), most.Add(*a.AtMost)
			}
			bounded = bounded && a.AtMost != nil
		}
		t.AppendRow(row)
	}
	t.Render()
	text := fmt.Sprintf("%s accounts", format.Count(len(planned)))
	if asked > 0 {
		text += fmt.Sprintf(", %s trading days of language models", format.Count(asked))
		if bounded {
			text += fmt.Sprintf(", which cost at most %s", format.Cost(&most))
		} else {
			text += ", whose cost has no bound without budget.day or budget.run"
		}
	}
	_, err := fmt.Fprintf(w, "\n%s. Nothing was opened, asked or spent; run the command without --dry-run to begin.\n", text)
	return err
}
