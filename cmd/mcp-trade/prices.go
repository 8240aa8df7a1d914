// mcp-trade prices: what the price files hold.

package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/internal/clip"
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
			found, err := oddPrices(prices)
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
					odd
				}{info, splits, adjusted, *found})
			}
			fmt.Fprintf(w, "%d symbols, %s to %s, %s\n\n", info.Symbols, info.First, info.Last, info.Interval)
			if text := cmp.Or(info.MadeUp(), info.Survivors()); text != "" {
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
			found.print(w)
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
	cmd.AddCommand(info, checkCommand(s), convertCommand(s), fetchCommand(s))
	return cmd
}

// odd is what is odd about price files.
type odd struct {
	Oddities []market.Oddity      `json:"oddities,omitempty"`     // of bars and days, by symbol
	Unknown  []market.UnknownDays `json:"unknown_days,omitempty"` // by market
	Problems []string             `json:"problems,omitempty"`     // damage, and bars of a wrong form
}

func oddPrices(prices *market.Prices) (*odd, error) {
	usable, err := prices.Usable()
	if err != nil {
		return nil, err
	}
	var found odd
	for _, w := range prices.Warnings() {
		found.Problems = append(found.Problems, w.String())
	}
	for _, u := range usable {
		for _, w := range u.Problems {
			found.Problems = append(found.Problems, w.String())
		}
		found.Oddities = append(found.Oddities, u.Oddities...)
	}
	found.Unknown, err = prices.UnknownDays()
	return &found, err
}

// print prints oddities in a table, those of several symbols that have the same together.
func (o *odd) print(w io.Writer) {
	for _, problem := range o.Problems {
		fmt.Fprintln(w, problem)
	}
	var rows []table.Row
	symbols := map[string][]string{} // by what they have
	for _, x := range o.Oddities {
		var first []string
		for _, at := range x.First {
			first = append(first, string(at))
		}
		if x.Count > len(first) {
			first = append(first, "...")
		}
		row := table.Row{x.Kind, x.Count, strings.Join(first, ", ")}
		if key := fmt.Sprint(row...); symbols[key] == nil {
			rows = append(rows, row)
		}
		symbols[fmt.Sprint(row...)] = append(symbols[fmt.Sprint(row...)], x.Symbol)
	}
	if len(rows) > 0 {
		fmt.Fprintln(w)
		t := newTable(w, "odd", ">count", "first", "symbols")
		for _, row := range rows {
			t.AppendRow(append(row, clip.List(symbols[fmt.Sprint(row...)], 3, ", ")))
		}
		t.Render()
	}
	for _, u := range o.Unknown {
		fmt.Fprintf(w, "%s: whether %d weekdays without a bar are holidays or gaps is not known, the first %s: the calendar of the exchanges has %s to %s.\n",
			u.Market, u.Count, u.First[0], u.From, u.To)
	}
}
