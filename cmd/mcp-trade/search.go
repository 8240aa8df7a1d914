// mcp-trade search: what an agent would find on a day; and the wiring of search.

package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"mcp-trade/market"
	"mcp-trade/search"
	"mcp-trade/search/archive"
)

// news is search, wired up.
type news struct {
	searcher  *search.Searcher
	providers []search.Provider
	archive   *archive.Archive
	auto      bool // the providers are those that happen to be set up
}

func (n news) Close() error { return n.archive.Close() }

func (s *settings) archive() *archive.Archive { return archive.New(filepath.Join(s.dataDir, "news")) }

func (s *settings) searchCacheDir() string { return filepath.Join(s.dataDir, "search_cache") }

// openNews wires up search. It opens and connects to nothing yet.
func (s *settings) openNews() (news, error) {
	n := news{archive: s.archive()}
	var cache *search.Cache
	switch dir := s.searchCacheDir(); s.searchCache {
	case "record":
		cache = search.Record(dir, s.access())
	case "replay":
		cache = search.Replay(dir)
	case searchOff:
	default:
		return n, usageError{fmt.Errorf("--search-cache %q: use record, replay or off", s.searchCache)}
	}
	names := s.search
	switch {
	case len(names) == 1 && names[0] == searchOff:
		names = nil
	case len(names) == 1 && names[0] == searchAuto:
		n.auto, names = true, providerNames()
	}
	for _, name := range names {
		p := s.openProvider(name, n.archive)
		if p == nil {
			return n, usageError{fmt.Errorf("--search %q: use auto, off, or some of %s", name, strings.Join(providerNames(), ","))}
		}
		n.providers = append(n.providers, p)
	}
	n.searcher = search.New(search.Config{Providers: n.providers, Hints: setupHints(), Cache: cache, Warn: func(text string) { s.log.Warn().Msg(text) }})
	return n, nil
}

// openProvider opens the provider that --search names; nil if there is none of that name.
func (s *settings) openProvider(name string, a *archive.Archive) search.Provider {
	for _, row := range providers {
		if row.name == strings.TrimSpace(name) {
			first := s.first
			if s.misdirected(row.key) {
				s.log.Warn().Msgf("%s is not asked: its key is in the environment and its address is only in the %s, which may be somebody else's", row.name, fromDotEnv)
				first = func(...string) string { return "" }
			}
			return row.open(first, a)
		}
	}
	return nil
}

func searchCommand(s *settings) *cobra.Command {
	var asOf string
	var limit int
	var symbols []string
	cmd := &cobra.Command{
		Use: "search QUERY", Short: "Search the news that had been published before a date", Args: cobra.ExactArgs(1),
		Example: "  mcp-trade search 'Nvidia earnings' --as-of 2025-10-02",
		RunE: func(cmd *cobra.Command, args []string) error {
			stamp, err := market.ReadStamp(asOf)
			if err != nil {
				return usageError{fmt.Errorf("--as-of: %w", err)}
			}
			if limit < 1 || limit > 20 {
				return usageError{fmt.Errorf("--limit %d: use 1 to 20", limit)}
			}
			if len([]rune(args[0])) > 400 {
				return usageError{fmt.Errorf("the query is longer than 400 characters; say in a few words what to look for")}
			}
			n, err := s.openNews()
			if err != nil {
				return err
			}
			defer n.Close()
			answer, err := n.searcher.Search(cmd.Context(), search.Query{Text: args[0], Symbols: symbols, Limit: limit, Cutoff: search.NewCutoff(stamp, market.Default)})
			if err != nil {
				return err
			}
			if s.json {
				return printJSON(cmd.OutOrStdout(), map[string]any{"provider": answer.Provider, "as_of": stamp, "results": answer.Articles})
			}
			printNews(cmd.OutOrStdout(), answer, stamp)
			return nil
		},
	}
	cmd.Flags().StringVar(&asOf, "as-of", "", "what had been published before this day, or this moment, in New York")
	cmd.Flags().IntVar(&limit, "limit", 5, "how many results at most")
	cmd.Flags().StringSliceVar(&symbols, "symbol", nil, "only news about this symbol, repeatable")
	_ = cmd.MarkFlagRequired("as-of")
	s.register(cmd.Flags(), searching)
	return cmd
}

// printNews prints results one below the other.
func printNews(w io.Writer, answer search.Answer, stamp market.Stamp) {
	const width = 100
	results := "results"
	if len(answer.Articles) == 1 {
		results = "result"
	}
	fmt.Fprintf(w, "%d %s from %s, published before %s\n", len(answer.Articles), results, answer.Provider, stamp)
	for i, r := range answer.Articles {
		fmt.Fprintf(w, "\n%2d. %s\n", i+1, r.Title)
		for _, line := range []string{strings.TrimSpace(r.PublishedAt + "  " + r.Source), r.URL, r.Summary, r.Content} {
			if line != "" {
				for part := range strings.SplitSeq(text.WrapSoft(line, width), "\n") {
					fmt.Fprintf(w, "    %s\n", strings.TrimRight(part, " "))
				}
			}
		}
	}
}
