// mcp-trade news fetch: news from the web, into the archive.

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/feed"
	"mcp-trade/feed/articles"
	"mcp-trade/market"
	"mcp-trade/search"
	"mcp-trade/search/archive"
)

func newsFetchCommand(s *settings) *cobra.Command {
	var f struct {
		symbols, sources []string
		from, to, out    string
	}
	cmd := &cobra.Command{
		Use: "fetch --symbols LIST --from DAY", Short: "Get news from the web into the archive", Args: cobra.NoArgs,
		Long: "Get news about symbols from the web into the archive, with where each article is from. What the archive has stays: a later version of an\n" +
			"article is added beside it, each from its own time on, and one that was changed without another time is printed and written\n" +
			"beside, to FILE.revisions. A fetch that is ended goes on with the same command, and adds all of it or nothing. Sources are asked\n" +
			"in the order of --source, each only for symbols of which the one before had no article; no other one is ever asked.\n\n" +
			"Exit 1 if a source refused, or did not know a symbol, or if an article was changed. That there was no news is no failure.",
		Example: "  mcp-trade news fetch --symbols AAPL,BTC-USDT --from 2025-09-01 --to 2025-10-31\n" +
			"  mcp-trade news fetch --symbols nasdaq100 --from 2025-09-01 --source alpaca",
		RunE: func(cmd *cobra.Command, _ []string) error {
			a := s.archive()
			if f.out != "" {
				a = archive.At(f.out)
			}
			p := newsPlan{archive: a}
			jobs, err := newsJobs(f.symbols, f.from, f.to, time.Now())
			if err == nil {
				p.jobs = jobs
				p.routes, err = s.newsRoutes(f.sources, p.kept())
			}
			if err != nil {
				return usageError{err}
			}
			return s.fetchNews(cmd, p)
		},
	}
	var names []string
	for _, row := range newsSources() {
		names = append(names, row.name)
	}
	cmd.Flags().StringSliceVar(&f.symbols, "symbols", nil, "symbols such as AAPL or BTC-USDT, or a list: nasdaq100, crypto10")
	cmd.Flags().StringVar(&f.from, "from", "", "first day")
	cmd.Flags().StringVar(&f.to, "to", "", "last day (default today)")
	cmd.Flags().StringSliceVar(&f.sources, "source", nil, "sources in their order: "+strings.Join(names, ", ")+" (default the first whose key is set)")
	cmd.Flags().StringVar(&f.out, "out", "", "archive (default {data-dir}/news/news.db, which is the one that is searched)")
	return cmd
}

// newsPlan is a fetch with everything in it decided.
type newsPlan struct {
	archive *archive.Archive
	jobs    []articles.Job
	routes  []*articles.Route
}

func (p *newsPlan) revisions() string { return revisionsOf(p.archive.File()) }
func (p *newsPlan) kept() string      { return p.archive.File() + ".fetch" }

// newsJobs are what is asked about each symbol: the days of its market.
func newsJobs(named []string, from, to string, now time.Time) (jobs []articles.Job, err error) {
	first, err := market.ParseStamp(from)
	if err != nil || !first.IsDay() {
		return nil, fmt.Errorf("--from %q: name the first day, such as 2025-09-01", from)
	}
	last := market.Stamp("")
	if to != "" {
		if last, err = market.ParseStamp(to); err != nil || !last.IsDay() {
			return nil, fmt.Errorf("--to %q: name the last day, such as 2025-10-31", to)
		}
	}
	symbols, err := namedSymbols(named, "nasdaq100 or crypto10", func(symbol string, of *market.Market) error {
		if of.ID == market.CN {
			return fmt.Errorf("%s: no source has news about %s", symbol, of.Name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, symbol := range symbols {
		zone := market.Of(symbol).Zone()
		today := feed.Moment(now.In(zone)).Day()
		until := min(cmp.Or(last, today), today)
		if until < first {
			return nil, fmt.Errorf("there is no day from %s to %s that has begun", first, until)
		}
		jobs = append(jobs, articles.Job{Symbol: symbol, From: first.In(zone), Before: until.AddDays(1).In(zone)})
	}
	return jobs, nil
}

func (s *settings) fetchNews(cmd *cobra.Command, p newsPlan) error {
	results, err := fetchEach(p.jobs, func(j articles.Job) string { return j.Symbol }, cmd.ErrOrStderr(), func(j articles.Job) (articles.Fetched, error) {
		return articles.Fetch(cmd.Context(), p.routes, j)
	})
	var added archive.Fetched
	if err == nil {
		added, err = s.addNews(cmd.Context(), p, results)
	}
	if err != nil {
		if cmd.Context().Err() != nil {
			fmt.Fprintln(cmd.ErrOrStderr(), "mcp-trade: interrupted; the same command goes on where it stopped")
			return quietError(exitInterrupted)
		}
		return err
	}
	if err := printNewsFetched(cmd.OutOrStdout(), s.json, &p, results, added); err != nil {
		return err
	}
	is := func(kinds ...feed.Kind) bool {
		return slices.ContainsFunc(results, func(r articles.Fetched) bool { return slices.Contains(kinds, r.Outcome) })
	}
	if !is(feed.Refused, feed.Broken) {
		if err := os.RemoveAll(p.kept()); err != nil {
			return err
		}
	}
	if is(feed.Refused, feed.Broken, feed.NoSuch) || len(added.Changed) > 0 {
		return quietError(exitFailed)
	}
	return nil
}

// addNews adds what was fetched to the archive.
func (s *settings) addNews(ctx context.Context, p newsPlan, results []articles.Fetched) (added archive.Fetched, err error) {
	if !slices.ContainsFunc(results, func(r articles.Fetched) bool { return r.Outcome == feed.Done }) {
		return added, nil
	}
	i, err := p.archive.Importer(ctx, s.access())
	if err != nil {
		return added, err
	}
	defer i.Close()
	return i.Replies(ctx, func(add func(archive.Origin, []search.RawArticle) error) error {
		for _, r := range results {
			err := r.Pages(ctx, func(page articles.Page) error { return add(archive.Origin(page.Provenance), page.Articles) })
			if err != nil {
				return err
			}
		}
		return nil
	}, func(changed []archive.Changed) error {
		_, err := keepRevisions(s, p.revisions(), changed)
		return err
	})
}

func printNewsFetched(w io.Writer, asJSON bool, p *newsPlan, results []articles.Fetched, added archive.Fetched) error {
	if asJSON {
		if added.Changed == nil {
			added.Changed = []archive.Changed{}
		}
		return printJSON(w, struct {
			Out     string             `json:"out"`
			Symbols []articles.Fetched `json:"symbols"`
			archive.Fetched
		}{p.archive.File(), results, added})
	}
	t := newTable(w, "symbol", "source", "outcome", ">articles")
	for _, r := range results {
		t.AppendRow(table.Row{r.Symbol, r.Source, r.Outcome, r.Articles})
	}
	t.Render()
	for _, r := range results {
		for _, told := range r.Told {
			fmt.Fprintf(w, "%s: %s.\n", r.Symbol, told)
		}
	}
	for _, c := range added.Changed {
		fmt.Fprintf(w, "%s of %s: the source has changed %s since; the archive keeps what it was, %s has the change.\n",
			cmp.Or(search.Plain(c.URL), "an article"), c.Published, strings.Join(slices.Sorted(maps.Keys(c.Is)), " and "), p.revisions())
	}
	if added.More > 0 {
		fmt.Fprintf(w, "%d articles more were changed, and are not written beside.\n", added.More)
	}
	_, err := fmt.Fprintf(w, "%s: %d added, of which %d are later versions; %d there already, %d without a time of publication left out.\n",
		p.archive.File(), added.Added, added.Versions, added.Known, added.Undated)
	return err
}
