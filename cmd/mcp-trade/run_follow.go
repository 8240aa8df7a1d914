// mcp-trade run --follow: accounts through the days as they come.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"mcp-trade/agent/follow"
	"mcp-trade/agent/llm"
	"mcp-trade/agent/manifest"
	"mcp-trade/agent/notify"
	"mcp-trade/agent/runner"
	"mcp-trade/feed"
	"mcp-trade/internal/rawjson"
	"mcp-trade/internal/safetext"
	"mcp-trade/market"
)

// followed is a run that follows the market.
type followed struct {
	*settings
	p        plan
	follower *follow.Follower
	hook     *notify.Webhook // nil: nobody is told
	prices   *market.Prices  // as they were read last
	failed   bool            // a ledger

	mu  sync.Mutex // one event at a time
	out io.Writer
}

// follow has the accounts of a plan follow the market.
func (s *settings) follow(cmd *cobra.Command, p plan) error {
	if !p.rules.NextOpen() {
		return usageError{errors.New("--follow needs --fill next-open: who decides after the open cannot have got its price, so that an order waits for the next one")}
	}
	s.warnOfMemory(p)
	hook, err := s.webhook()
	if err != nil {
		return err
	}
	defer hook.Close()
	f := &followed{settings: s, p: p, hook: hook, out: cmd.OutOrStdout()}
	defer f.closePrices()
	f.follower = &follow.Follower{
		Clock: p.follow.clock, Lapse: p.follow.lapse, Market: p.rules.Market, From: p.from, To: p.to, Accounts: p.accounts, CatchUp: p.follow.catchUp,
		Deadline: p.follow.deadline, Poll: time.Minute, Prices: f.fetch, Standing: f.standing, Run: f.run, Tell: f.tell,
	}
	if err := f.look(); err != nil {
		return err
	}
	if err := f.warnOfAll(); err != nil {
		return err
	}
	err = f.follower.Follow(cmd.Context())
	ended := cmd.Context().Err() != nil
	if ended {
		fmt.Fprintln(cmd.ErrOrStderr(), "mcp-trade: ended; the same command goes on with the days that come, and --catch-up says what becomes of those until then")
	}
	switch {
	case ended && err != nil:
		return quietError(exitInterrupted)
	case err != nil:
		return err
	case f.failed:
		return quietError(exitFailed)
	}
	return nil
}

// warnOfAll tells what the prices keep the accounts from, when the run begins.
func (f *followed) warnOfAll() error {
	info, err := f.prices.Info()
	if err != nil || info.Last == "" {
		return err
	}
	for _, series := range info.Series {
		if of := market.Of(series.Symbol); of != f.p.rules.Market {
			return usageError{fmt.Errorf("--follow goes by the calendar of one market: %s is of %s, and --market is %s; give a price file of that market alone", series.Symbol, of.ID, f.p.rules.Market.ID)}
		}
	}
	return f.warnOfPrices(f.prices, info.Last, f.p.rules.Market)
}

// fetch asks the sources of the price files for what is new, and reads the files that changed.
func (f *followed) fetch(ctx context.Context) (*market.Prices, error) {
	paths, err := f.priceFiles()
	if err != nil {
		return nil, err
	}
	without, err := f.tradedWithout(ctx)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		got, err := f.refetch(ctx, path, f.follower.Clock.Now(), without)
		if err != nil {
			return nil, err
		}
		for _, r := range got.Revised {
			f.tell(follow.Event{Kind: follow.Revision, Date: r.Stamp, At: f.follower.Clock.Now().UTC(), Text: revisionText(r)})
		}
		for _, failed := range got.Failed {
			f.log.Debug().Msgf("%s: %s: %s", failed.Symbol, failed.Outcome, strings.Join(failed.Told, "; "))
		}
	}
	if err := f.look(); err != nil {
		return nil, err
	}
	return f.prices, nil
}

// revisionText says what a source has of a bar, and what the price file has.
func revisionText(r feed.Revision) string {
	source := r.By[len(r.By)-1].Source
	if len(r.Was) == 0 {
		return fmt.Sprintf("%s has a bar of %s on %s, which was traded without it: in the price file it stays unknown, as it was: %v", source, r.Symbol, r.Stamp, r.Is)
	}
	return fmt.Sprintf("%s has other figures of %s on %s than the price file, which keeps its own: %v was %v", source, r.Symbol, r.Stamp, r.Is, r.Was)
}

// tradedWithout are the days that accounts traded without the bar of a symbol, by symbol. A bar that comes after that would have the ledger
// say what nobody could know.
func (f *followed) tradedWithout(ctx context.Context) (map[string][]market.Stamp, error) {
	r, err := f.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	without := map[string][]market.Stamp{}
	for _, a := range f.p.accounts {
		runs, err := manifest.Of(ctx, r.runs(), a.Name)
		if err != nil {
			return nil, err
		}
		for _, day := range manifest.Forward(runs, r.ledgers.Name()) {
			for _, symbol := range day.Missing {
				without[symbol] = append(without[symbol], day.Date)
			}
		}
	}
	return without, nil
}

// look opens the prices, or takes what their files have become.
func (f *followed) look() (err error) {
	if f.prices != nil {
		return f.prices.Refresh()
	}
	f.prices, err = f.needPrices()
	return err
}

func (f *followed) closePrices() {
	if f.prices != nil {
		f.prices.Close()
	}
}

// standing tells how far an account is.
func (f *followed) standing(ctx context.Context, prices *market.Prices, a runner.Account, to market.Stamp) (st follow.Standing, err error) {
	r, err := f.open()
	if err != nil {
		return st, err
	}
	defer r.Close()
	runs, err := manifest.Of(ctx, r.runs(), a.Name)
	if err != nil {
		return st, err
	}
	st.Noted, st.Since = manifest.Forward(runs, r.ledgers.Name()), manifest.FollowedSince(runs, r.ledgers.Name())
	a.From, a.To, a.Skip = cmp.Or(a.From, f.p.from), to, manifest.Skipped(st.Noted)
	st.Pending, st.Newest, err = (&runner.Runner{Prices: prices, Accounts: r.accounts, Runs: r.runs(), Log: f.log}).Pending(ctx, a)
	if _, none := errors.AsType[*runner.NoDaysError](err); none {
		return st, nil
	}
	return st, err
}

// run runs accounts up to a day: as any run does, with all that it opened closed at its end.
func (f *followed) run(ctx context.Context, t follow.Turn) ([]runner.Result, error) {
	p := f.p
	p.to, p.accounts = t.To, t.Accounts
	r, closeRooms, err := f.runner(p)
	if err != nil {
		return nil, err
	}
	defer closeRooms()
	r.Follows = true
	if t.Underway {
		r.Underway = t.To
	}
	recorder := r.Recorder.(*manifest.Recorder)
	for name, run := range recorder.Runs {
		run.Follows, run.Forward = &t.Since, t.Skipped[name]
		run.Turn = &manifest.Turn{Until: f.until(name), Day: t.To, Missing: t.Missing, Clock: p.follow.lapse}
		recorder.Runs[name] = run
	}
	known := knownOnce(r.Prices)
	recorder.Forward = func(account string, date market.Stamp) (*manifest.ForwardDay, error) {
		day := f.follower.Note(account, date)
		if day == nil {
			return nil, nil
		}
		var err error
		day.Known, err = known(date)
		return day, err
	}
	r.Progress = f.day
	return r.Run(ctx, t.Accounts)
}

// until is the last day of an account, "" if it goes on without end.
func (f *followed) until(name string) market.Stamp {
	for _, a := range f.p.accounts {
		if a.Name == name {
			return cmp.Or(a.To, f.p.to)
		}
	}
	return f.p.to
}

// knownOnce hashes what prices show as of a stamp, once for all accounts.
func knownOnce(prices *market.Prices) func(market.Stamp) (*manifest.Known, error) {
	var mu sync.Mutex
	all := map[market.Stamp]manifest.Known{}
	return func(at market.Stamp) (*manifest.Known, error) {
		mu.Lock()
		defer mu.Unlock()
		if known, ok := all[at]; ok {
			return &known, nil
		}
		known, err := manifest.HashView(prices.AsOf(at))
		if err != nil {
			return nil, err
		}
		all[at] = known
		return &known, nil
	}
}

// decided is an event of the command itself: an account traded a day.
const decided follow.Kind = "day"

// day tells of a day that an account traded; of those of the past, of some.
func (f *followed) day(p runner.Progress) {
	if every := max(p.Of/10, 1); f.follower.Note(p.Account, p.Date) == nil && p.Done%every != 0 {
		return
	}
	text := fmt.Sprintf("%s, %s: traded, %d fills", p.Account, p.Date, p.Trades)
	if len(p.Refused) > 0 {
		text += ", refused: " + p.Refused.String()
	}
	f.tell(follow.Event{Kind: decided, Account: p.Account, Date: p.Date, At: f.follower.Clock.Now().UTC(), Text: text})
}

// notices are the events that a webhook is told of.
var notices = map[follow.Kind]notify.Event{
	follow.Halt: notify.Halt, follow.Stopped: notify.Stopped, follow.LateData: notify.LateData, follow.MissedDay: notify.MissedDay, follow.CatchingUp: notify.MissedDay,
	follow.EndOfDay: notify.EndOfDay, follow.Revision: notify.Revision,
}

// tell prints an event, warns of it if it is a fault, and tells the webhook.
func (f *followed) tell(e follow.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.Err != nil && e.Account != "" && e.Kind != follow.Standby {
		e.Text = e.Account + ": " + explain(e.Err)
	}
	f.failed = f.failed || e.Result != nil && e.Result.Failed
	plain := e.Kind == follow.Waiting || e.Kind == follow.EndOfDay || e.Kind == decided
	if !plain {
		f.log.Warn().Str("event", string(e.Kind)).Msg(e.Text)
	}
	switch {
	case f.json:
		line, err := rawjson.Marshal(e)
		if err != nil {
			f.log.Error().Msg(err.Error())
			return
		}
		fmt.Fprintf(f.out, "%s\n", safetext.JSON(line))
	case plain:
		fmt.Fprintln(f.out, e.Text)
	}
	event, told := notices[e.Kind]
	if _, spent := errors.AsType[*llm.BudgetError](e.Err); spent {
		event = notify.Budget
	}
	if told && f.hook != nil {
		n := notify.Notice{Event: event, Account: e.Account, Date: e.Date, At: e.At, Text: e.Text}
		if len(e.Missing) > 0 {
			n.Details = map[string]any{"missing": e.Missing}
		}
		f.hook.Tell(n)
	}
}
