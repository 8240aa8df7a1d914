// mcp-trade prices: what the price files hold.

package main

import (
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/market"
)

func pricesCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{Use: "prices", Short: "Make, check and look at price files"}
	var symbols bool
	info := &cobra.Command{
		Use: "info", Short: "Print what the price files hold: files, symbols, dates", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			prices, err := s.openAnyPrices()
			if err := s.pricesMissing(prices, err); err != nil {
				return err
			}
			defer prices.Close()
			info, err := prices.Info()
			if err != nil {
				return err
			}
			problems, err := priceProblems(prices)
			if err != nil {
				return err
			}
			splits, err := prices.AsOf(info.Last.AddDays(1)).AllLikelySplits("")
			if err != nil {
				return err
			}
			adjusted, err := prices.Adjusted()
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			if s.json {
				return printJSON(w, struct {
					market.Info
					Splits   []market.LikelySplit `json:"likely_splits,omitempty"`
					Adjusted []market.Adjusted    `json:"adjusted,omitempty"`
					Problems []string             `json:"problems,omitempty"`
				}{info, splits, adjusted, problems})
			}
			fmt.Fprintf(w, "%d symbols, %s to %s, %s\n\n", info.Symbols, info.First, info.Last, info.Interval)
			if text := info.Survivors(); text != "" {
				fmt.Fprintf(w, "%s\n\n", text)
			}
			t := newTable(w, "file", ">symbols", ">bytes")
			for _, f := range info.Files {
				t.AppendRow(table.Row{f.Path, f.Symbols, f.Bytes})
			}
			t.Render()
			for _, split := range splits {
				fmt.Fprintf(w, "%s.\n", split)
			}
			for _, a := range adjusted {
				fmt.Fprintf(w, "%s.\n", a)
			}
			for _, problem := range problems {
				fmt.Fprintln(w, problem)
			}
			if symbols {
				fmt.Fprintln(w)
				t = newTable(w, "symbol", "name", ">bars", "first", "last")
				for _, x := range info.Series {
					t.AppendRow(table.Row{x.Symbol, x.Name, x.Bars, x.First, x.Last})
				}
				t.Render()
			}
			return nil
		},
	}
	info.Flags().BoolVar(&symbols, "symbols", false, "list the symbols too")
	cmd.AddCommand(info, checkCommand(s), convertCommand(s))
	return cmd
}

// priceProblems lists what is odd about the series: damage, gaps, outliers, bars that stand still or are there twice.
func priceProblems(prices *market.Prices) (problems []string, err error) {
	usable, err := prices.Usable()
	if err != nil {
		return nil, err
	}
	for _, w := range prices.Warnings() {
		problems = append(problems, w.String())
	}
	for _, u := range usable {
		for _, w := range u.Problems {
			problems = append(problems, w.String())
		}
	}
	return problems, nil
}
