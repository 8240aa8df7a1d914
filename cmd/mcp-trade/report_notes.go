// What a report knows beside the ledger: refused orders from the checkpoint of a run, and from the transcripts of a language
// model what it said, and what that cost.

package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"mcp-trade/agent/manifest"
	"mcp-trade/agent/runner"
	"mcp-trade/agent/transcript"
	"mcp-trade/code"
	"mcp-trade/market"
	"mcp-trade/report"
)

// runStatsOf reads what the run of an account recorded. Of an account that was never run nothing is known.
func runStatsOf(ctx context.Context, r rooms, ledgers, logPath, account string) (report.RunStats, error) {
	var n report.RunStats
	runs := r.runs()
	noted, ok, err := runner.ReadNoted(ctx, runs, account)
	if err != nil {
		return n, err
	}
	if ok {
		n.Refused, n.Reasons, n.Caveat = report.Known(float64(noted.Refused)), noted.Reasons, noted.Caveat
	}
	ran, err := manifest.Of(ctx, runs, account)
	if err != nil {
		return n, err
	}
	n.Training, n.Forward, n.Run = trainingOf(ran), forwardDays(ran, ledgers), settingsOf(ran, ledgers)
	days, err := transcript.DaysIn(ctx, runs, logPath, account)
	if err != nil || len(days) == 0 {
		return n, err
	}
	var all, today transcript.Spending
	for _, d := range days {
		told, err := r.toldOn(ctx, account, d, ran)
		if err != nil {
			return n, err
		}
		if last := len(n.Days) - 1; last < 0 || n.Days[last].Date != d.Date.Day() { // a day on hourly prices has a transcript an hour
			n.Days = append(n.Days, report.DayStats{Date: d.Date.Day(), Refused: report.Known(0)})
			today = transcript.Spending{}
		}
		all, today = all.Plus(told.spent), today.Plus(told.spent)
		day := &n.Days[len(n.Days)-1]
		day.Tokens, day.Cost = tokensOf(today), costOf(today)
		day.Text = strings.TrimSpace(day.Text + "\n\n" + told.text)
		day.Refused = report.Known(day.Refused.Float() + float64(len(told.refused)))
		day.RefusedBy = day.RefusedBy.Plus(code.Of(told.refused...))
	}
	n.Tokens, n.Cost = tokensOf(all), costOf(all)
	return n, nil
}

// toldOn is what a report takes of the transcript of a day. What is over stays what it is as long as the account does.
func (r rooms) toldOn(ctx context.Context, account string, d transcript.Day, ran []manifest.Run) (told toldDay, err error) {
	key := account + "\n" + string(d.Date)
	if len(ran) > 0 {
		key += "\n" + ran[0].Started.String() // an account that begins anew is another one
	}
	if told, ok := r.told[key]; ok {
		return told, nil
	}
	entries, err := transcript.ReadIn(ctx, r.runs(), account, d)
	if err != nil {
		return told, err
	}
	told = tellDay(entries)
	if n := len(entries); r.told != nil && n > 0 && entries[n-1].End != nil {
		r.told[key] = told
	}
	return told, nil
}

// settingsOf is what the newest run of an account, whose ledger is kept in a store, was started with; nil if none noted it.
func settingsOf(all []manifest.Run, store string) *report.RunSettings {
	all = slices.DeleteFunc(slices.Clone(all), func(r manifest.Run) bool { return r.Store != store })
	if len(all) == 0 {
		return nil
	}
	run := all[len(all)-1]
	s := &report.RunSettings{
		Version: run.Version, From: run.From, To: run.To, Cash: run.Cash, Rules: run.Rules, Settings: map[string]string{},
		Prices: namesOnly(run.Prices), Runs: len(all),
	}
	const longest = 200
	for _, x := range run.Settings() {
		if s.Settings[x.Name] = x.Value; len(x.Value) > longest {
			s.Settings[x.Name] = fmt.Sprintf("SHA-256 %x", sha256.Sum256([]byte(x.Value)))
		}
	}
	return s
}

// namesOnly are files by their names: where they lie on this machine is nobody's business.
func namesOnly(hashes []manifest.FileHash) (list []report.File) {
	for _, f := range hashes {
		list = append(list, report.File{Name: filepath.Base(f.Path), Bytes: f.Bytes, SHA256: f.SHA256})
	}
	return list
}

// trainingOf is what the manifest says of the language models that traded an account, nil if none did. Of several the latest cutoff
// counts, and one that is not known makes all unknown.
func trainingOf(all []manifest.Run) *report.Training {
	cutoffs, t := map[string]market.Stamp{}, report.Training{Masked: true}
	for _, run := range all {
		if run.OfModel() {
			cutoffs[run.Model.Model] = run.Model.Cutoff // the newest word counts: what is known of a model can be known late
			t.Masked = t.Masked && run.Mask != nil
		}
	}
	if len(cutoffs) == 0 {
		return nil
	}
	known := slices.Sorted(maps.Values(cutoffs))
	if known[0] != "" {
		t.Cutoff = known[len(known)-1]
	}
	return &t
}

// forwardDays are the days that an account, whose ledger is kept in a store, traded as they came.
func forwardDays(all []manifest.Run, store string) (days []report.ForwardDay) {
	for _, d := range manifest.Forward(all, store) {
		day := report.ForwardDay{Date: d.Date, Decided: d.Decided, CaughtUp: d.CaughtUp, Missing: d.Missing, Skipped: d.Skipped, Clock: d.Clock}
		if d.Head != nil {
			day.Row, day.Head = d.Head.ID, d.Head.Hash
		}
		days = append(days, day)
	}
	return days
}

func tokensOf(s transcript.Spending) report.Number { return report.Known(float64(s.In + s.Out)) }

// costOf is not known where the run was not told the prices of tokens.
func costOf(s transcript.Spending) report.Number {
	if s.Cost == nil {
		return report.Number{}
	}
	return report.Known(s.Cost.InexactFloat64())
}
