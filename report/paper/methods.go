// The paragraph of a paper that says how the figures came about.

package paper

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcp-trade/internal/clip"
	"mcp-trade/internal/format"
	"mcp-trade/ledger"
	"mcp-trade/report"
)

// Methods says how the accounts of a report traded and how the figures are computed, from what the report and the runs noted, and ends
// with the command that makes the report again. What was not noted is said to be unknown.
func Methods(r report.Report) string {
	if len(r.Accounts) == 0 {
		return ""
	}
	var text []string
	say := func(form string, args ...any) { text = append(text, fmt.Sprintf(form, args...)) }
	say("%s traded on paper with mcp-trade%s.", sentence(count(len(r.Accounts), "account")), versions(r))
	for _, part := range alike(r.Accounts, who) {
		say("%s: %s.", part.names, part.what)
	}
	for _, part := range alike(r.Accounts, how) {
		say("%s %s.", part.names, part.what)
	}
	say("%s", prices(r))
	say("Values are those at the close of each trading day, each holding at its last known close.")
	if r.Benchmark != nil {
		say("The benchmark is %s.", r.Benchmark.Name)
	}
	say("Returns are daily; ratios are annualized by %s periods and take a risk-free rate of %s %% a year.", years(r.Accounts), report.Known(100*r.RiskFree).Text(2))
	say("The 95 %% intervals and p-values rest on the long-run variance of the returns (equal-weighted cosine); p-values are adjusted by Holm's method among %s.", count(len(r.Accounts), "account"))
	say("%s", ledgers(r.Accounts))
	for _, a := range r.Accounts {
		if a.Knowledge != nil {
			say("%s: the model's knowledge cutoff is %s%s.", a.Signature, cmp.Or(string(a.Knowledge.Cutoff), "not known"), map[bool]string{true: ", and it saw neither true symbols nor true dates", false: ""}[a.Knowledge.Masked])
		}
	}
	if r.Universe != "" {
		say("%s", r.Universe)
	}
	paragraph := strings.Join(text, " ") + "\n"
	if r.Made != nil {
		paragraph += "\n    " + r.Made.Command + "\n"
	}
	return paragraph
}

// group is what several accounts have in common.
type group struct{ names, what string }

// alike groups accounts of which the same is to be said, in their order.
func alike(accounts []report.Account, what func(report.Account) string) (groups []group) {
	names := map[string][]string{}
	var order []string
	for _, a := range accounts {
		said := what(a)
		if names[said] == nil {
			order = append(order, said)
		}
		names[said] = append(names[said], a.Signature)
	}
	for _, said := range order {
		groups = append(groups, group{clip.List(names[said], 10, ", "), said})
	}
	return groups
}

// who says who traded an account, and with what.
func who(a report.Account) string {
	if a.Run == nil {
		return "who traded was not noted"
	}
	text := fmt.Sprintf("%s with %s at the start", a.Run.Decider(), format.Money(a.Run.Cash))
	var settings []string
	for _, name := range slices.Sorted(maps.Keys(a.Run.Settings)) {
		if value := a.Run.Settings[name]; name != "decider" && name != "model" && value != "{}" && value != "0" {
			settings = append(settings, name+" "+value)
		}
	}
	if len(settings) > 0 {
		text += " (" + strings.Join(settings, ", ") + ")"
	}
	return text
}

// how says what an account traded under, and over which days.
func how(a report.Account) string {
	text := "traded " + a.Market.Get().Name
	if n := len(a.Periods); n > 0 {
		text += fmt.Sprintf(" from %s to %s (%s)", a.Periods[0].Date, a.Periods[n-1].Date, count(n, "trading day"))
	}
	text += "; orders filled at: " + a.Fills + "; costs: " + cmp.Or(a.Costs, "none")
	if a.Run != nil && a.Run.Rules != "" {
		text += "; rules " + a.Run.Rules
	}
	return text
}

// prices says what the prices are.
func prices(r report.Report) string {
	var files []report.File
	if r.Made != nil {
		files = r.Made.Prices
	}
	said := "The prices are " + filesText(files)
	var others []string
	for _, a := range r.Accounts {
		if a.Run != nil && !slices.Equal(a.Run.Prices, files) {
			others = append(others, a.Signature)
		}
	}
	if len(others) > 0 && r.Made != nil {
		said += "; the runs of " + clip.List(others, 10, ", ") + " had other files"
	}
	return said + "."
}

func filesText(files []report.File) string {
	var texts []string
	for _, f := range files {
		texts = append(texts, fmt.Sprintf("%s (SHA-256 %s)", f.Name, f.SHA256))
	}
	return cmp.Or(strings.Join(texts, ", "), "in files whose hashes were not taken")
}

// versions says which versions of the program ran the accounts and made the report.
func versions(r report.Report) string {
	all := map[string]bool{}
	for _, a := range r.Accounts {
		if a.Run != nil {
			all[a.Run.Version] = true
		}
	}
	var texts []string
	if len(all) > 0 {
		texts = append(texts, "version "+strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	}
	if r.Made != nil && !all[r.Made.Version] {
		texts = append(texts, "report by version "+r.Made.Version)
	}
	if len(texts) == 0 {
		return ""
	}
	return " (" + strings.Join(texts, "; ") + ")"
}

// years says how many periods a year has.
func years(accounts []report.Account) string {
	all := map[string]bool{}
	for _, a := range accounts {
		all[report.Known(a.Market.Get().PeriodsPerYear).Text(0)] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(all)), " or ")
}

// ledgers says how far the ledgers are proven.
func ledgers(accounts []report.Account) string {
	verified := 0
	for _, a := range accounts {
		if verdictOf(a) == ledger.Verified {
			verified++
		}
	}
	return fmt.Sprintf("Of %s, recomputed row by row, %d are verified in full.", count(len(accounts), "ledger"), verified)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return format.Count(n) + " " + what + "s"
}

// sentence begins a sentence with a text.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
