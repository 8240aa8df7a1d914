// What doctor says of the price files: whether each holds anything that can be traded, and what is odd about it.

package main

import (
	"fmt"
	"strings"

	"mcp-trade/market"
)

// checkPrices looks at every price file.
func (s *settings) checkPrices() []finding {
	prices, err := s.openAnyPrices()
	switch {
	case err != nil:
		return []finding{{"prices", "failed", explain(err)}}
	case prices == nil:
		return []finding{{"prices", "warning", fmt.Sprintf("none: name files with --prices or MCP_TRADE_PRICES, or put a *merged*.jsonl into %s", s.dataDir)}}
	}
	defer prices.Close()
	info, err := prices.Info()
	if err != nil {
		return []finding{{"prices", "failed", explain(err)}}
	}
	all, err := prices.Usable()
	if err != nil {
		return []finding{{"prices", "failed", explain(err)}}
	}
	var found []finding
	for _, f := range info.Files {
		found = append(found, checkPriceFile(f, all, market.ID(s.market).Get()))
	}
	problems := prices.Warnings()
	for _, u := range all {
		problems = append(problems, u.All()...)
	}
	splits, err := prices.AsOf(info.Last.AddDays(1)).AllLikelySplits("")
	if err != nil {
		return []finding{{"prices", "failed", explain(err)}}
	}
	if len(splits) > 0 {
		found = append(found, finding{"splits", "warning", "the prices jump as in a split, and tell of none: " + splitsText(splits)})
	}
	adjusted, err := prices.Adjusted()
	if err != nil {
		return []finding{{"prices", "failed", explain(err)}}
	}
	for _, a := range adjusted {
		found = append(found, finding{"adjusted", map[string]string{adjustedWarn: "warning", adjustedRefuse: "failed"}[s.adjusted], a.String() + "; take the raw prices"})
	}
	detail := fmt.Sprintf("%d symbols, %s to %s, %s", info.Symbols, info.First, info.Last, info.Interval)
	if n := len(problems); n > 0 {
		return append(found, finding{"prices", "warning", fmt.Sprintf("%s; %d warnings, the first: %s", detail, n, problems[0])})
	}
	return append(found, finding{"prices", "ok", detail})
}

// splitsText names the first likely splits.
func splitsText(splits []market.LikelySplit) string {
	const told = 3
	var texts []string
	for _, s := range splits[:min(told, len(splits))] {
		texts = append(texts, s.String())
	}
	text := strings.Join(texts, "; ")
	if more := len(splits) - told; more > 0 {
		text += fmt.Sprintf("; and %d more, see: mcp-trade prices info", more)
	}
	return text
}

// checkPriceFile tells how many symbols of a file can be traded by accounts in a market.
func checkPriceFile(f market.FileInfo, all []market.Usable, in *market.Market) finding {
	n := 0
	for _, u := range all {
		if u.File == f.Path && u.Tradable(in.ID) {
			n++
		}
	}
	detail := fmt.Sprintf("%s: %d of %d symbols can be traded", f.Path, n, f.Symbols)
	if n == 0 {
		return finding{"price file", "warning", fmt.Sprintf("%s: an order needs a bar with a known open, and only %s can be traded with --market %s", detail, in.Name, in.ID)}
	}
	return finding{"price file", "ok", detail}
}
