// mcp-trade show: what a language model said and did on a day.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/agent/transcript"
	"mcp-trade/internal/format"
	"mcp-trade/market"
	"mcp-trade/store"
)

func transcriptCommand(s *settings) *cobra.Command {
	var full, unmask bool
	cmd := &cobra.Command{
		Use:   "show SIGNATURE [DATE]",
		Short: "Read back what a language model thought and did on a day",
		Long: "Read back what a language model thought and did on a day, the newest one if no date is given, from the transcripts\n" +
			"of 'mcp-trade run', on this machine or on others with the same Redis. Long texts are shortened, unless --full is given.",
		Example: "  mcp-trade show gpt-5 2025-10-02",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := store.CheckName("signature", args[0]); err != nil {
				return usageError{err}
			}
			r, err := s.open()
			if err != nil {
				return err
			}
			defer r.Close()
			days, err := s.saidDays(cmd.Context(), r, args[0])
			if err != nil {
				return err
			}
			if len(days) == 0 {
				return fmt.Errorf("there is no transcript of %s under %s; a run of a language model writes them (--log-path names another folder)", args[0], s.logPath)
			}
			shown := days[len(days)-1:]
			if len(args) > 1 {
				if shown, err = daysOf(days, args[1]); err != nil {
					return err
				}
			}
			read := func(d transcript.Day) ([]transcript.Entry, error) {
				return transcript.ReadIn(cmd.Context(), r.runs(), args[0], d)
			}
			if s.json {
				return printDays(cmd.OutOrStdout(), args[0], days, shown, unmask, read)
			}
			out := cmd.OutOrStdout()
			p := transcript.Printer{W: out, Width: proseWidth(out), Full: full, Ask: "--full", Paint: paint(out)}
			for _, day := range shown {
				entries, err := read(day)
				if err != nil {
					return err
				}
				if unmask {
					entries = transcript.Unmasked(entries)
				}
				p.Day(args[0], day.Date, entries)
			}
			if len(args) == 1 {
				return listDays(cmd.OutOrStdout(), args[0], days, read)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&unmask, "unmask", false, "show true symbols and dates where the model saw those of --mask")
	cmd.Flags().BoolVar(&full, "full", false, "show every text whole, and the system prompt")
	return cmd
}

// readDay reads the transcript of a day.
type readDay func(transcript.Day) ([]transcript.Entry, error)

// saidDays are the days of an account that have a transcript, here or in the store of its runs. Those here are there without the store.
func (s *settings) saidDays(ctx context.Context, r rooms, account string) ([]transcript.Day, error) {
	days, err := transcript.DaysIn(ctx, r.runs(), s.logPath, account)
	if gone, ok := errors.AsType[*store.UnreachableError](err); ok {
		s.log.Warn().Str("error", explain(gone)).Msg("days of runs on other machines are not shown")
		return transcript.Days(s.logPath, account)
	}
	return days, err
}

// daysOf picks the days that a date names: a moment names one, a day all of its moments.
func daysOf(days []transcript.Day, text string) ([]transcript.Day, error) {
	date, err := market.ReadStamp(text)
	if err != nil {
		return nil, usageError{err}
	}
	var found []transcript.Day
	for _, d := range days {
		if d.Date == date || date.IsDay() && d.Date.Day() == date {
			found = append(found, d)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("there is no transcript of %s; there are %d, from %s to %s", date, len(days), days[0].Date, days[len(days)-1].Date)
	}
	return found, nil
}

// printDays prints the transcripts as they are, or with the true symbols and dates.
func printDays(w io.Writer, account string, days, shown []transcript.Day, unmask bool, read readDay) error {
	type day struct {
		Date    market.Stamp       `json:"date"`
		Entries []transcript.Entry `json:"entries"`
	}
	out := struct {
		Account string         `json:"account"`
		Dates   []market.Stamp `json:"dates"` // that have a transcript
		Days    []day          `json:"days"`
	}{Account: account}
	for _, d := range days {
		out.Dates = append(out.Dates, d.Date)
	}
	for _, d := range shown {
		entries, err := read(d)
		if err != nil {
			return err
		}
		if unmask {
			entries = transcript.Unmasked(entries)
		}
		out.Days = append(out.Days, day{d.Date, entries})
	}
	return printJSON(w, out)
}

// listDays prints a row for each of the newest days.
func listDays(w io.Writer, account string, days []transcript.Day, read readDay) error {
	const most = 15
	older := max(len(days)-most, 0)
	t := newTable(w, "day", "ended", ">steps", ">trades", ">tokens in", ">tokens out", ">cost")
	var damaged error
	for _, d := range days[older:] {
		entries, err := read(d)
		if err != nil {
			damaged = errors.Join(damaged, err)
			continue
		}
		row := table.Row{d.Date, "not yet", "", filled(entries)}
		if n := len(entries); n > 0 && entries[n-1].End != nil {
			e := entries[n-1].End
			row = table.Row{d.Date, e.Reason, e.Steps, filled(entries), format.Count(e.Spent.In), format.Count(e.Spent.Out), format.Cost(e.Spent.Cost)}
		}
		t.AppendRow(row)
	}
	fmt.Fprintln(w)
	t.Render()
	if older > 0 {
		fmt.Fprintf(w, "and %d earlier days\n", older)
	}
	fmt.Fprintf(w, "Another day: mcp-trade show %s DATE\n", account)
	return damaged
}

// filled counts the orders of a day that were filled.
func filled(entries []transcript.Entry) int {
	n := 0
	for _, e := range entries {
		if e.Result != nil && e.Result.Filled {
			n++
		}
	}
	return n
}

// proseWidth is how many columns a transcript takes on w: lines that are wider are hard to read.
func proseWidth(w io.Writer) int {
	const usual, widest = 100, 120
	if !isTerminal(w) {
		return usual
	}
	return min(widthOf(w), widest)
}
