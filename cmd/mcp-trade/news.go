// mcp-trade news: the archive of news in the data dir.

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/internal/safetext"
	"mcp-trade/search/archive"
)

func newsCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{Use: "news", Short: "Keep an archive of news, to be searched without a network"}
	cmd.AddCommand(newsInfoCommand(s), newsFetchCommand(s), &cobra.Command{
		Use: "import FILE...", Short: "Add articles to the archive in the data dir", Args: cobra.MinimumNArgs(1),
		Long: "Add articles to the archive in the data dir. A file holds replies of Alpha Vantage's NEWS_SENTIMENT, or one JSON object a\n" +
			"line: {\"title\", \"url\", \"published_at\", \"source\", \"summary\", \"content\", \"symbols\": [...]}. An article that is there\n" +
			"already is not added again, one without a date is left out, and of a file that cannot be read nothing is added.",
		Example: "  mcp-trade news import news_2025-09.json articles.jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			i, err := s.archive().Importer(cmd.Context(), s.access())
			if err != nil {
				return err
			}
			defer i.Close()
			return importNews(cmd, s, i, args)
		},
	})
	return cmd
}

// imported is what became of one file.
type imported struct {
	File string `json:"file"`
	archive.Imported
}

// importNews adds files until one fails.
func importNews(cmd *cobra.Command, s *settings, i *archive.Importer, files []string) error {
	show, done := showReading(cmd.ErrOrStderr(), files)
	results := []imported{}
	var failed error
	for n, file := range files {
		r, err := i.File(cmd.Context(), file, func(bytes int64) { show(n, bytes) })
		if failed = err; failed != nil {
			break
		}
		results = append(results, imported{file, r})
	}
	done()
	if s.json {
		if err := printJSON(cmd.OutOrStdout(), results); err != nil {
			return err
		}
	} else if len(results) > 0 {
		t := newTable(cmd.OutOrStdout(), "file", ">added", ">known", ">undated")
		for _, r := range results {
			t.AppendRow(table.Row{r.File, r.Added, r.Known, r.Undated})
		}
		t.Render()
	}
	if failed != nil && cmd.Context().Err() != nil {
		fmt.Fprintln(cmd.ErrOrStderr(), "mcp-trade: interrupted; the same command goes on where it stopped")
		return quietError(exitInterrupted)
	}
	return failed
}

// showReading shows a bar per file on a terminal, and a line per file elsewhere. done must be called before anything else is
// printed.
func showReading(w io.Writer, files []string) (show func(file int, bytes int64), done func()) {
	if !isTerminal(w) {
		last := -1
		return func(file int, _ int64) {
			if file != last {
				fmt.Fprintf(w, "reading %s\n", files[file])
				last = file
			}
		}, func() {}
	}
	bars := newBars(w)
	trackers := make([]*progress.Tracker, len(files))
	for i, file := range files {
		trackers[i] = &progress.Tracker{Message: safetext.Line(filepath.Base(file)), Units: progress.UnitsBytes, DeferStart: true}
		if stat, err := os.Stat(file); err == nil {
			trackers[i].Total = stat.Size()
		}
		bars.AppendTracker(trackers[i])
	}
	go bars.Render()
	return func(file int, bytes int64) { trackers[file].SetValue(bytes) }, func() {
		for _, t := range trackers {
			if !t.IsDone() {
				t.MarkAsErrored()
			}
		}
		stopBars(w, bars)
	}
}
