// Forest plots: how far each account or variant is ahead, with its interval.

package page

import (
	"slices"

	"mcp-trade/report"
	"mcp-trade/report/chart"
)

// forest is a forest plot.
type forest struct {
	ID   string      `json:"id"`
	Name string      `json:"name"`
	Head string      `json:"head"` // of the column of names
	Rows []forestRow `json:"rows"`
}

// forestRow is a figure with its 95 % interval. Told says that it is told from 0 among all of them.
type forestRow struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	look
	Ahead    report.Number   `json:"v"`
	Interval report.Interval `json:"interval"`
	Adjusted report.Number   `json:"p"`
	Returns  int             `json:"returns"`
	Told     bool            `json:"told,omitempty"`
}

// forestsOf are the plots of a report: its accounts, or in their place the variants of its experiment and their differences.
func forestsOf(r report.Report, looks chart.Looks) []forest {
	against := "cash, which earns nothing"
	if r.Benchmark != nil {
		against = inert(r.Benchmark.Name)
	}
	accounts := forest{ID: "ahead", Name: "Ahead of " + against, Head: "Account"}
	variants := forest{ID: "variants-ahead", Name: "Variants ahead of " + against, Head: "Variant"}
	pairs := forest{ID: "variants-compared", Name: "Differences between variants", Head: "Variants"}
	if r.Variants != nil {
		for _, v := range r.Variants.Each {
			variants.add(v.Name, chart.Benchmark, v.Certainty.Comparison)
		}
		for _, c := range r.Variants.Pairs {
			pairs.add(c.Account+" against "+c.Against, chart.Benchmark, c.Comparison)
		}
	} else {
		for _, a := range r.Accounts {
			accounts.add(a.Signature, looks[a.Signature], a.Certainty)
		}
	}
	return slices.DeleteFunc([]forest{accounts, variants, pairs}, func(f forest) bool { return len(f.Rows) == 0 })
}

// add adds a comparison, unless there is no interval of it.
func (f *forest) add(name string, l chart.Look, c report.Comparison) {
	if !c.AheadInterval.Low.Known() {
		return
	}
	f.Rows = append(f.Rows, forestRow{
		Key: inert(name), Name: inert(name), look: newLook(l), Ahead: c.Ahead, Interval: c.AheadInterval, Adjusted: c.Adjusted, Returns: c.Returns,
		Told: c.Adjusted.Known() && c.Adjusted.Float() < 0.05,
	})
}
