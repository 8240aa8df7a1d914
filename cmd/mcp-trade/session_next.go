// mcp-trade session next: the day after TODAY_DATE.

package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"mcp-trade/market"
	"mcp-trade/session"
)

func nextCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use: "next", Short: "Set TODAY_DATE to the next trading day of the prices", Args: cobra.NoArgs,
		Long: "Set TODAY_DATE to the next day on which any symbol of the price files has a bar; or to the next bar, if TODAY_DATE has\nan hour.",
		RunE: s.inSession(setNext),
	}
	s.register(cmd.Flags(), trading)
	return cmd
}

func setNext(cmd *cobra.Command, s *settings, l *sessionAt, _ []string) error {
	values, err := l.Values(cmd.Context(), session.TodayDate)
	if err != nil {
		return err
	}
	if len(values) == 0 {
		return fmt.Errorf("TODAY_DATE is not set for the model id %s: set the first day with 'mcp-trade session set TODAY_DATE=YYYY-MM-DD'", s.modelID)
	}
	today, err := market.ParseStamp(values[0].Text)
	if err != nil {
		return fmt.Errorf("TODAY_DATE: %w", err)
	}
	prices, err := s.needPrices()
	if err != nil {
		return err
	}
	defer prices.Close()
	next, err := nextStamp(prices, today)
	if err != nil {
		return err
	}
	w := written{Model: s.modelID, Names: []string{session.TodayDate}, Today: next, File: l.file, Homes: []session.Source{}, Others: []string{}}
	if w.Homes, err = l.Write(cmd.Context(), map[string]any{session.TodayDate: string(next)}); err != nil {
		return err
	}
	return s.tell(cmd, w, string(next)+", set in")
}

// nextStamp is the first day of the prices after a day, or the first bar after a moment.
func nextStamp(prices *market.Prices, after market.Stamp) (market.Stamp, error) {
	stamps, err := prices.Stamps("", "")
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(stamps, func(s market.Stamp) bool {
		if after.IsDay() {
			s = s.Day()
		}
		return s > after
	})
	switch {
	case len(stamps) == 0:
		return "", fmt.Errorf("the prices hold no bar")
	case at < 0:
		return "", fmt.Errorf("the prices end on %s: there is no trading day after %s", stamps[len(stamps)-1], after)
	case after.IsDay():
		return stamps[at].Day(), nil
	}
	return stamps[at], nil
}
