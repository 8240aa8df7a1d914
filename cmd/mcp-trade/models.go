// mcp-trade models: the language models of a configuration, asked before they trade.

package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model/apis"
	"mcp-trade/decimal"
	"mcp-trade/internal/format"
)

func modelsCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{Use: "models", Short: "Ask the language models of a configuration before they trade"}
	var flags planFlags
	check := &cobra.Command{
		Use: "check CONFIG.json", Short: "Ask each model one cheap question with a tool", Args: cobra.ExactArgs(1),
		Long: "Ask each enabled model of a configuration one cheap question with a tool, as a run would ask it: whether its API is there, takes\n" +
			"the key and the settings, and whether the model calls the tool and goes on. It shows what an API refused of a request and was\n" +
			"asked instead, and what the question cost. Nothing is traded or written. It exits 1 if a model cannot trade.",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := s.configured(cmd, flags, args[0])
			if err != nil {
				return asUsage(err)
			}
			p.accounts = p.askedApart()
			checked := checkModels(cmd, p)
			if s.json {
				err = printJSON(cmd.OutOrStdout(), checked)
			} else {
				err = printChecked(cmd, checked)
			}
			for _, c := range checked {
				if err == nil && !c.OK {
					return quietError(exitFailed)
				}
			}
			return err
		},
	}
	flags.trust.register(check.Flags())
	cmd.AddCommand(check, probeCommand(s))
	return cmd
}

// checkedModel is what came of asking a model.
type checkedModel struct {
	Account string           `json:"account"`
	Model   string           `json:"model"`
	OK      bool             `json:"ok"`     // it called the tool and went on
	Says    string           `json:"says"`   // why not; else what it said
	In      int              `json:"in"`     // tokens
	Cached  int              `json:"cached"` // those of In that its API had in a cache
	Out     int              `json:"out"`
	Cost    *decimal.Decimal `json:"cost"` // null: its prices are not configured
	Learned []string         `json:"learned,omitempty"`
}

// checkModels asks the models of a plan, side by side.
func checkModels(cmd *cobra.Command, p plan) []checkedModel {
	checked := make([]checkedModel, len(p.accounts))
	var all errgroup.Group
	all.SetLimit(atOnce)
	for i, a := range p.accounts {
		all.Go(func() error {
			o := p.models[a.Name]
			c, err := llm.Check(cmd.Context(), o, apis.Opener(time.Now))
			checked[i] = checkedModel{a.Name, o.Model, err == nil && c.Called, c.Text, c.Usage.In, c.Usage.Cached, c.Usage.Out, c.Cost, c.Learned}
			switch {
			case err != nil:
				checked[i].Says = explain(err)
			case !c.Called:
				checked[i].Says = "it called no tool, and cannot trade; it said: " + c.Text
			}
			return nil
		})
	}
	_ = all.Wait() // what went wrong is in the rows
	return checked
}

func printChecked(cmd *cobra.Command, checked []checkedModel) error {
	t := newTable(cmd.OutOrStdout(), "account", "model", "can trade", ">tokens in", ">tokens out", ">cost")
	for _, c := range checked {
		can := "yes"
		if !c.OK {
			can = "no"
		}
		cost := "unknown"
		if c.Cost != nil {
			cost = format.Cost(c.Cost)
		}
		t.AppendRow(table.Row{c.Account, c.Model, can, format.Count(c.In), format.Count(c.Out), cost})
	}
	t.Render()
	for _, c := range checked {
		if len(c.Learned) > 0 {
			fmt.Fprintf(cmd.OutOrStdout(), "%s is asked otherwise: %s.\n", c.Account, strings.Join(c.Learned, "; "))
		}
		if !c.OK {
			fmt.Fprintf(cmd.OutOrStdout(), "%s cannot trade: %.500s\n", c.Account, cmp.Or(c.Says, "it said nothing"))
		}
	}
	return nil
}
