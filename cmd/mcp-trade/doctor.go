// mcp-trade doctor: whether everything that is configured works, and what follows where it does not.

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"mcp-trade/internal/format"
	"mcp-trade/ledger"
	"mcp-trade/search"
	"mcp-trade/session"
)

func doctorCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check whether everything that is configured works", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := s.open()
			if err != nil {
				return err
			}
			defer r.Close()
			found := append(checkFiles(cmd.Context(), s.access(), s.dataDir, s.logPath), s.checkPrices()...)
			found = append(append(found, s.checkEnvFile()...), s.checkKeys()...)
			l, err := s.session(r, s.modelID)
			if err != nil {
				return err
			}
			found = append(found, s.checkShared(cmd.Context(), r, l)...)
			found = append(found, finding{"ledger", "ok", "kept in " + r.ledgers.Name()})
			found = append(found, checkSession(cmd.Context(), l, r.accounts)...)
			news, err := s.openNews()
			if err != nil {
				return err
			}
			defer news.Close()
			found = append(found, s.checkSearch(cmd.Context(), news)...)
			if s.json {
				err = printJSON(cmd.OutOrStdout(), found)
			} else {
				t := newTable(cmd.OutOrStdout(), "", "", "")
				t.ResetHeaders()
				cutLines(t, 0) // it holds sentences
				for _, f := range found {
					t.AppendRow(table.Row{f.What, f.State, f.Detail})
				}
				t.Render()
			}
			if err != nil {
				return err
			}
			for _, f := range found {
				if f.State == "failed" {
					return quietError(exitFailed)
				}
			}
			return nil
		},
	}
	s.register(cmd.Flags(), searching, trading)
	return cmd
}

func checkSession(ctx context.Context, l *session.Resolver, accounts *ledger.Accounts) []finding {
	what := "session " + l.Model
	s, err := l.Read(ctx)
	var missing *session.MissingError
	switch {
	case errors.As(err, &missing):
		return []finding{{what, "warning", explain(err)}}
	case err != nil:
		return []finding{{what, "failed", explain(err)}}
	}
	detail := fmt.Sprintf("%s on %s (SIGNATURE from %s, TODAY_DATE from %s)", s.Signature, s.Today, s.Sources[session.Signature], s.Sources[session.TodayDate])
	found := []finding{{what, "ok", detail}}
	if s.Halted {
		found[0] = finding{what, "warning", detail + "; HALT is set: nothing is traded"}
	}
	book, err := accounts.Head(ctx, s.Signature)
	if err != nil {
		return append(found, finding{"account " + s.Signature, "warning", explain(err)})
	}
	return append(found, finding{"account " + s.Signature, "ok", fmt.Sprintf("newest row: id %d of %s, cash %s", book.ID, book.Date, format.Money(book.Cash()))})
}

// checkTime is for asking one provider of news.
const checkTime = 20 * time.Second

// checkSearch asks each provider that is set up. Nothing is wrong with those that are not, unless they were asked for.
func (s *settings) checkSearch(ctx context.Context, n news) []finding {
	var found []finding
	var ways []string
	for _, p := range n.providers {
		what := "search " + p.Name()
		if s.misdirected(keyOfProvider(p.Name())) {
			found = append(found, finding{what, "warning", "not asked: its address is from the .env file and its key is not"})
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, checkTime)
		detail, err := p.Check(ctx)
		cancel()
		_, absent := errors.AsType[*search.NotConfiguredError](err)
		switch {
		case absent && n.auto:
			ways = append(ways, setupHints()[p.Name()])
		case absent:
			found = append(found, finding{what, "warning", explain(err)})
		case err != nil:
			found = append(found, finding{what, "failed", explain(err)})
		default:
			found = append(found, finding{what, "ok", detail})
		}
	}
	switch {
	case len(n.providers) == 0:
		return []finding{{"search", "ok", "is off"}}
	case len(found) == 0:
		return []finding{{"search", "warning", "no source of news: " + strings.Join(ways, "; or ")}}
	}
	return found
}
