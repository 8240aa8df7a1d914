// The settings of a run that make an account what it is: with others it would be another one under the same name. Paths,
// addresses, limits of time and money, and how many accounts trade at once are none of them.

package manifest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"mcp-trade/agent/mask"
	"mcp-trade/market"
)

// Known is what prices held as of a stamp: later bars change nothing in it.
type Known struct {
	AsOf   market.Stamp `json:"as_of"`
	SHA256 string       `json:"sha256"` // of the bars of all symbols
}

// HashView hashes all bars that a view shows.
func HashView(v market.View) (Known, error) {
	symbols, err := v.Symbols()
	if err != nil {
		return Known{}, err
	}
	sum := sha256.New()
	for _, symbol := range symbols {
		bars, _, err := v.Bars(symbol, "", "", 0)
		if err != nil {
			return Known{}, err
		}
		fmt.Fprintln(sum, symbol)
		for _, b := range bars {
			fmt.Fprintln(sum, b.Stamp, b.Open, b.High, b.Low, b.Close, b.Volume)
		}
	}
	return Known{v.AsOf(), hex.EncodeToString(sum.Sum(nil))}, nil
}

// Differs lists in which settings an account's run before, in the same store, was another one than that which is to begin.
func (r *Recorder) Differs(ctx context.Context, account string) ([]string, error) {
	run, ok := r.Runs[account]
	if !ok {
		return nil, nil
	}
	text, err := r.Store.Manifest(ctx, account)
	if err != nil {
		return nil, err
	}
	known, err := parseRuns(account, text)
	known = slices.DeleteFunc(known, func(k Run) bool { return k.Store != run.Store })
	if err != nil || len(known) == 0 {
		return nil, err
	}
	last := known[len(known)-1]
	prices, err := r.pricesDiffer(run, last)
	differs := run.differs(last)
	if maskText(run.Mask) == maskText(last.Mask) && !run.Mask.Same(last.Mask) {
		differs = append(differs, "the mask names symbols otherwise than it did, since the prices have others")
	}
	return append(differs, prices...), err
}

// pricesDiffer tells whether what the run before knew of the prices is no longer so. That they have grown is no difference.
func (r *Recorder) pricesDiffer(run, last Run) ([]string, error) {
	follows := run.Follows != nil && last.Follows != nil
	if follows {
		last.Known, last.Actions = last.knownBefore(run.To), run.Actions
	}
	switch {
	case follows && last.Known == nil:
		return nil, nil
	case !sameFile(run.Actions, last.Actions):
		return []string{"the file of corporate actions is another one"}, nil
	case sameFiles(run.Prices, last.Prices):
		return nil, nil
	case last.Known == nil:
		return []string{"the price files are others, and whether they agree with the earlier ones was not noted"}, nil
	}
	now, err := HashView(r.Prices.AsOf(last.Known.AsOf))
	if err != nil || now == *last.Known {
		return nil, err
	}
	return []string{fmt.Sprintf("the prices up to %s are others than they were", last.Known.AsOf)}, nil
}

// differs lists the settings that were others in an earlier run.
func (run Run) differs(earlier Run) []string {
	var list []string
	was := earlier.Settings()
	for i, s := range run.Settings() {
		const longest = 60
		switch before := was[i].Value; {
		case before == s.Value:
		case len(before) > longest || len(s.Value) > longest:
			list = append(list, s.Name+" is another text")
		default:
			list = append(list, fmt.Sprintf("%s was %s, and is %s", s.Name, cmp.Or(before, "none"), cmp.Or(s.Value, "none")))
		}
	}
	return list
}

func maskText(t *mask.Table) string {
	if t == nil {
		return ""
	}
	return t.String()
}

// Setting is one of the settings that make an account what it is.
type Setting struct{ Name, Value string }

// Settings are these of a run, always the same names in the same order.
func (run Run) Settings() []Setting {
	decider := cmp.Or(run.Decider, LLMDecider)
	if run.Recorded != nil {
		decider = "recorded:" + run.Recorded.SHA256[:min(12, len(run.Recorded.SHA256))] // wherever the file lies
	}
	m := run.Model
	sampling, _ := json.Marshal(struct { // which always encodes
		Temperature     *float64 `json:"temperature,omitempty"`
		TopP            *float64 `json:"top_p,omitempty"`
		Seed            *int     `json:"seed,omitempty"`
		ReasoningEffort string   `json:"reasoning_effort,omitempty"`
	}{m.Temperature, m.TopP, m.Seed, m.ReasoningEffort})
	return []Setting{
		{"decider", decider}, {"model", m.Model}, {"sampling", string(sampling)}, {"max_steps", fmt.Sprint(m.MaxSteps)}, {"memory", fmt.Sprint(m.Memory)},
		{"mask", maskText(run.Mask)}, {"limits", run.Limits}, {"prompt", m.Prompt}, {"custom_rules", m.Rules}, {"custom_instructions", m.Instructions},
	}
}
