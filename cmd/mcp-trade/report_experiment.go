// mcp-trade report --experiment: what the accounts of an experiment tell of its models and prompts.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"mcp-trade/agent/config"
	"mcp-trade/agent/model/apis"
	"mcp-trade/internal/safetext"
	"mcp-trade/report"
)

// trialsOf adds the accounts of the experiment in a file, unless that is "", and has the report compare its variants. It tells which accounts
// are left out since they have not begun.
func (s *settings) trialsOf(ctx context.Context, file string, o *report.Options, r rooms, names []string) (all, absent []string, err error) {
	if file == "" {
		return names, nil, nil
	}
	c, _, err := config.Load(file, apis.All(), s.lookup)
	if err != nil {
		return nil, nil, err
	}
	there, err := r.accounts.Names(ctx)
	if err != nil {
		return nil, nil, err
	}
	variants := map[string]int{} // by name, from 1
	for _, m := range c.Enabled() {
		if m.Trial == nil {
			return nil, nil, usageError{fmt.Errorf("--experiment %s: the configuration has no experiment", file)}
		}
		if !slices.Contains(there, m.Signature) {
			absent = append(absent, m.Signature)
			continue
		}
		name := variantName(*m.Trial)
		if variants[name] == 0 {
			o.Variants = append(o.Variants, report.Variant{Name: name, Period: m.Trial.Period})
			variants[name] = len(o.Variants)
		}
		v := &o.Variants[variants[name]-1]
		if v.Accounts = append(v.Accounts, m.Signature); len(c.Experiment.Seeds) > 1 {
			v.Seeds = append(v.Seeds, *m.Trial.Seed)
		}
		names = append(names, m.Signature)
	}
	if len(o.Variants) == 0 {
		return nil, nil, errors.New("no account of the experiment has begun; begin them with: mcp-trade run " + file)
	}
	if len(absent) > 0 {
		absent = []string{fmt.Sprintf("%d accounts of the experiment have not begun and are left out, the first of them %s.", len(absent), absent[0])}
	}
	return names, absent, nil
}

// variantName names what the runs of a trial have in common.
func variantName(t config.Trial) string {
	return strings.Join(slices.DeleteFunc([]string{t.Model, t.Prompt, t.Period}, func(part string) bool { return part == "" }), " ")
}

// printVariants prints what variants tell, and how they compare.
func printVariants(w io.Writer, r report.Report) {
	fmt.Fprintln(w, "\nBy variant: means over its runs, with 95 % intervals that count days and runs; the max drawdown of its accounts in the median")
	header := []string{"variant", ">accounts", ">days"}
	var columns []report.Metric
	for _, x := range report.MetricTable() {
		if column := x.ColumnFor(r); x.HasInterval() && column != "" {
			columns, header = append(columns, x), append(header, ">"+column)
		}
	}
	t := newTable(w, append(header, ">max drawdown", ">cost / % of excess", ">tokens / % of excess")...)
	for _, v := range r.Variants.Each {
		row := table.Row{v.Name, len(v.Accounts), v.Certainty.Returns}
		for _, x := range columns {
			e := v.Estimates[x.Key]
			row = append(row, withInterval(e.Value, e.Interval, x.Unit))
		}
		drawdown := "-"
		if q, ok := v.Figures[report.MaxDrawdown]; ok {
			drawdown = percent(report.Known(q.Median))
		}
		t.AppendRow(append(row, drawdown, dashed(v.CostPerExcess, 4), dashed(v.TokensPerExcess, 0)))
	}
	t.Render()
	fmt.Fprintln(w)
	for _, v := range r.Variants.Each {
		fmt.Fprintf(w, "%s: %s\n", v.Name, safetext.Line(v.Verdict))
	}
	printPairs(w, r.Variants.Pairs)
	for _, s := range r.Variants.Spread {
		fmt.Fprintln(w, spreadText(s))
	}
}

// printPairs prints how variants compare with each other.
func printPairs(w io.Writer, pairs []report.VariantComparison) {
	if len(pairs) == 0 {
		return
	}
	fmt.Fprintln(w, "\nEach variant against each other one, over the days that all their accounts have")
	t := newTable(w, "variant", "against", ">runs", ">days", ">ahead (95 %)", ">p", ">p among all", ">Sharpe ahead (95 %)", ">days needed")
	for _, c := range pairs {
		t.AppendRow(table.Row{
			c.Account, c.Against, fmt.Sprintf("%d, %d", c.Runs, c.AgainstRuns), c.Returns, withInterval(c.Ahead, c.AheadInterval, report.Change),
			dashed(c.P, 2), dashed(c.Adjusted, 2), withInterval(c.Sharpe, c.SharpeInterval, report.Ratio), dashed(c.Needed, 0),
		})
	}
	t.Render()
	for _, c := range pairs {
		switch {
		case c.Undefined != "":
			fmt.Fprintf(w, "%s against %s: no interval, since %s.\n", c.Account, c.Against, c.Undefined)
		case !c.Needed.Known():
			fmt.Fprintf(w, "%s against %s: so few runs hide a difference of this size on any number of days.\n", c.Account, c.Against)
		}
	}
	fmt.Fprintln(w)
}

// withInterval writes a figure with its interval.
func withInterval(n report.Number, i report.Interval, unit report.Unit) string {
	write := func(n report.Number) string { return dashed(n, 2) }
	if unit == report.Change {
		write = percent
	}
	if !i.Low.Known() {
		return write(n)
	}
	return fmt.Sprintf("%s (%s to %s)", write(n), strings.TrimSuffix(write(i.Low), " %"), write(i.High))
}

// spreadText tells how far the runs of a variant lie apart, beside the variants.
func spreadText(s report.RunSpread) string {
	text := "On these days"
	if s.Period != "" {
		text += " (" + s.Period + ")"
	}
	if s.Undefined != "" {
		return fmt.Sprintf("%s runs are not told from variants: %s.", text, s.Undefined)
	}
	return fmt.Sprintf("%s the total returns of the runs of a variant lie %s apart (standard deviation), those of variants %s; which variant it is explains %s of the variance among runs (95 %% interval %s to %s; p %s that all are the same).",
		text, percent(s.Within), percent(s.Between), percent(s.Share), percent(s.ShareInterval.Low), percent(s.ShareInterval.High), s.P.Text(2))
}
