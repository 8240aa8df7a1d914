// mcp-trade models probe: what language models recall of the prices that they are to trade on.

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/mask"
	"mcp-trade/agent/model/apis"
	"mcp-trade/internal/format"
	"mcp-trade/market"
)

func probeCommand(s *settings) *cobra.Command {
	var flags planFlags
	questions, seed := 20, int64(1)
	cmd := &cobra.Command{
		Use: "probe CONFIG.json", Short: "Ask each model which closes it recalls, by true names and by masked ones", Args: cobra.ExactArgs(1),
		Long: "Ask each enabled model of a configuration, without a tool, for closes of the days that it is to trade: once by true symbols and\n" +
			"dates, once by masked ones as --mask makes them. A model that comes much nearer by the true names remembers; by the masked ones\n" +
			"it can only guess. It shows how near each came, and what the questions cost. Nothing is traded or written.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if questions < 1 || questions > 200 {
				return usageError{fmt.Errorf("--questions %d: use 1 to 200", questions)}
			}
			p, err := s.configured(cmd, flags, args[0])
			if err != nil {
				return asUsage(err)
			}
			p.accounts = p.askedApart()
			asked, m, err := s.questions(p, questions, seed)
			if err != nil {
				return err
			}
			rows := probeModels(cmd, p, asked, m)
			if s.json {
				err = printJSON(cmd.OutOrStdout(), rows)
			} else {
				printProbed(cmd, rows)
			}
			for _, row := range rows {
				if err == nil && row.Error != "" {
					err = quietError(exitFailed)
				}
			}
			return err
		},
	}
	flags.trust.register(cmd.Flags())
	cmd.Flags().IntVar(&questions, "questions", questions, "how many closes to ask for")
	cmd.Flags().Int64Var(&seed, "seed", seed, "of the mask, and of which closes are asked for")
	return cmd
}

// questions draws closes of the days of a plan, and makes the mask under which they are asked for once more.
func (s *settings) questions(p plan, n int, seed int64) ([]llm.Question, *mask.Mask, error) {
	prices, err := s.needPrices()
	if err != nil {
		return nil, nil, err
	}
	defer prices.Close()
	v := prices.AsOf(endOfTime)
	info, err := prices.Info()
	if err != nil {
		return nil, nil, err
	}
	days, err := v.Days("", p.from, p.to)
	if err != nil {
		return nil, nil, err
	}
	if len(days) == 0 || len(info.Series) == 0 {
		return nil, nil, fmt.Errorf("the prices have no day from %s to %s to ask for", p.from, p.to)
	}
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	var asked []llm.Question
	for tries := 0; len(asked) < n && tries < 100*n; tries++ {
		symbol, day := info.Series[random.IntN(len(info.Series))].Symbol, days[random.IntN(len(days))]
		if price, err := v.Close(symbol, day); err == nil && price.IsPositive() {
			asked = append(asked, llm.Question{Symbol: symbol, Day: day, Close: price})
		} else if missing := (*market.NoPriceError)(nil); err != nil && !errors.As(err, &missing) {
			return nil, nil, err
		}
	}
	return asked, mask.New(seed, symbolsOf(info)), nil
}

// probed is what a model recalled under names of one kind.
type probed struct {
	Account string `json:"account"`
	Model   string `json:"model"`
	Names   string `json:"names"` // true or masked
	llm.Recalled
	Error string `json:"error,omitempty"` // why there is no reply
}

// atOnce is how many models are asked at a time.
const atOnce = 8

// probeModels asks the models of a plan, side by side.
func probeModels(cmd *cobra.Command, p plan, asked []llm.Question, m *mask.Mask) []probed {
	rows := make([]probed, 2*len(p.accounts))
	var all errgroup.Group
	all.SetLimit(atOnce)
	for i, a := range p.accounts {
		for j, names := range []string{"true", "masked"} {
			all.Go(func() error {
				row := probed{Account: a.Name, Model: p.models[a.Name].Model, Names: names}
				under := map[string]*mask.Mask{"masked": m}[names]
				var err error
				if row.Recalled, err = llm.Probe(cmd.Context(), p.models[a.Name], apis.Opener(time.Now), asked, under); err != nil {
					row.Error = explain(err)
				}
				rows[2*i+j] = row
				return nil
			})
		}
	}
	_ = all.Wait() // what went wrong is in the rows
	return rows
}

func printProbed(cmd *cobra.Command, rows []probed) {
	t := newTable(cmd.OutOrStdout(), "account", "model", "names", ">asked", ">answered", ">within 1 %", ">within 5 %", ">median off", ">cost")
	for _, r := range rows {
		median, cost := "-", "unknown"
		if r.Median != nil {
			median = strconv.FormatFloat(*r.Median*100, 'f', 2, 64) + " %"
		}
		if r.Cost != nil {
			cost = format.Cost(r.Cost)
		}
		t.AppendRow(table.Row{r.Account, r.Model, r.Names, r.Asked, r.Answered, r.Near, r.Rough, median, cost})
	}
	t.Render()
	for _, r := range rows {
		if r.Error != "" {
			fmt.Fprintf(cmd.OutOrStdout(), "%s was not asked by %s names: %.500s\n", r.Account, r.Names, r.Error)
		}
	}
}
