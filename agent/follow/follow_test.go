// A run that follows a made-up market, by a clock that jumps from wait to wait.

package follow

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-trade/agent"
	"mcp-trade/agent/manifest"
	"mcp-trade/agent/runner"
	"mcp-trade/market"
	"mcp-trade/store"
)

// sim is a market whose bars come as the clock goes, and accounts that trade each day that they are run for.
type sim struct {
	t    *testing.T
	now  time.Time
	from market.Stamp
	days []market.Stamp // of the market

	symbols []string
	late    map[string]time.Duration // by "AAA 2025-11-26": how long after the open its bar comes; negative: never

	newest map[string]market.Stamp
	noted  map[string][]manifest.ForwardDay
	fails  func(account string, day market.Stamp, now time.Time) error
	at     map[string]func() // by the time from which on it is to happen

	f      *Follower
	opened *market.Prices
	heard  []string
}

const form = "2006-01-02 15:04"

// Now and Wait make it a clock.
func (s *sim) Now() time.Time { return s.now }

func (s *sim) Wait(ctx context.Context, until time.Time) error {
	if until.After(s.now) {
		s.now = until
	}
	for at, do := range s.at {
		if s.now.UTC().Format(form) >= at {
			delete(s.at, at)
			do()
		}
	}
	return ctx.Err()
}

// bars writes what is there now.
func (s *sim) bars(context.Context) (*market.Prices, error) {
	var text strings.Builder
	for _, symbol := range s.symbols {
		var bars []string
		for _, day := range s.days {
			slot := scheduleOf(s.f.Market, s.days).at(day)
			after := s.late[symbol+" "+string(day)]
			switch {
			case after < 0 || s.now.Before(slot.opens.Add(after)):
			case s.now.Before(slot.closes.Add(after)):
				bars = append(bars, fmt.Sprintf(`%q: {"1. open": "10"}`, day))
			default:
				bars = append(bars, fmt.Sprintf(`%q: {"1. open": "10", "2. high": "11", "3. low": "9", "4. close": "10", "5. volume": "100"}`, day))
			}
		}
		name := "Daily"
		if !s.days[0].IsDay() {
			name = "60min"
		}
		if len(bars) > 0 {
			fmt.Fprintf(&text, `{"Meta Data": {"2. Symbol": %q}, "Time Series (%s)": {%s}}`+"\n", symbol, name, strings.Join(bars, ", "))
		}
	}
	file := filepath.Join(s.t.TempDir(), "merged.jsonl")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	if s.opened != nil {
		s.opened.Close()
	}
	var err error
	s.opened, err = market.Open(file)
	return s.opened, err
}

func (s *sim) standing(_ context.Context, prices *market.Prices, a runner.Account, to market.Stamp) (Standing, error) {
	st := Standing{Newest: s.newest[a.Name], Noted: s.noted[a.Name]}
	if st.Newest != "" {
		st.Since = s.f.began.Add(-time.Hour)
	}
	days, err := runner.Days(prices, s.from, to)
	if _, none := errors.AsType[*runner.NoDaysError](err); none {
		err = nil
	}
	for _, d := range days {
		skipped := slices.ContainsFunc(st.Noted, func(n manifest.ForwardDay) bool { return n.Date == d && n.Skipped != "" })
		if d > st.Newest && !skipped {
			st.Pending = append(st.Pending, d)
		}
	}
	return st, err
}

func (s *sim) run(ctx context.Context, t Turn) (results []runner.Result, err error) {
	for _, a := range t.Accounts {
		s.noted[a.Name] = append(s.noted[a.Name], t.Skipped[a.Name]...)
		r := runner.Result{Account: a.Name, Verified: true}
		days, err := runner.Days(s.opened, s.from, a.To)
		if err != nil {
			return nil, err
		}
		for _, d := range days {
			if d <= s.newest[a.Name] || slices.Contains(a.Skip, d) {
				continue
			}
			if s.fails != nil {
				if r.Err = s.fails(a.Name, d, s.now); r.Err != nil {
					break
				}
			}
			said := "trades"
			if day := s.f.Note(a.Name, d); day == nil {
				said = "walks"
			} else {
				if day.CaughtUp {
					said = "catches up with"
				}
				if len(day.Missing) > 0 {
					said = "without " + strings.Join(day.Missing, ",") + " trades"
				}
				s.noted[a.Name] = append(s.noted[a.Name], *day)
			}
			s.hear("%s %s %s", a.Name, said, d)
			s.newest[a.Name] = d
		}
		results = append(results, r)
	}
	return results, ctx.Err()
}

func (s *sim) hear(format string, args ...any) {
	s.heard = append(s.heard, s.now.In(s.f.Market.Zone()).Format("02 15:04 ")+fmt.Sprintf(format, args...))
}

// newSim is the week of Thanksgiving 2025 in New York: Thursday is closed, Friday ends at 13:00. The clock stands on Tuesday evening.
func newSim(t *testing.T) *sim {
	s := &sim{t: t, from: "2025-11-25", symbols: []string{"AAA", "BBB"}, late: map[string]time.Duration{}, newest: map[string]market.Stamp{}, noted: map[string][]manifest.ForwardDay{},
		at: map[string]func(){}, days: []market.Stamp{"2025-11-24", "2025-11-25", "2025-11-26", "2025-11-28", "2025-12-01", "2025-12-02", "2025-12-03"}}
	s.now = time.Date(2025, 11, 25, 23, 0, 0, 0, time.UTC)
	s.f = &Follower{Clock: s, Market: market.US.Get(), From: s.from, To: "2025-12-01", Accounts: []runner.Account{{Name: "alice"}}, Poll: 10 * time.Minute,
		Prices: s.bars, Standing: s.standing, Run: s.run, Tell: func(e Event) {
			text := e.Text
			if e.Kind == EndOfDay {
				text = e.Account + " ends " + string(e.Date)
			}
			s.hear("%s", text)
		}}
	return s
}

// unavailable is a fault that passes, gone one that does not.
type gone struct{}

func (gone) Error() string   { return "the budget is spent" }
func (gone) Permanent() bool { return true }

const (
	firstWait = "25 18:00 waiting for 2025-11-26, which opens at 09:30 America/New_York, in 15 h 30 min"
	openDay1  = "26 09:30 alice trades 2025-11-26"
	closing1  = "26 09:30 waiting for the close of 2025-11-26 at 2025-11-26 16:00 America/New_York, in 6 h 30 min"
	closed1   = "26 16:00 alice ends 2025-11-26"
	waiting2  = "26 16:00 waiting for 2025-11-28, which opens at 09:30 America/New_York, in 1 d 17 h"
	openDay2  = "28 09:30 alice trades 2025-11-28"
	closing2  = "28 09:30 waiting for the close of 2025-11-28 at 2025-11-28 13:00 America/New_York, in 3 h 30 min"
	closed2   = "28 13:00 alice ends 2025-11-28"
	waiting3  = "28 13:00 waiting for 2025-12-01, which opens at 09:30 America/New_York, in 2 d 20 h"
	openDay3  = "01 09:30 alice trades 2025-12-01"
	closing3  = "01 09:30 waiting for the close of 2025-12-01 at 2025-12-01 16:00 America/New_York, in 6 h 30 min"
	closed3   = "01 16:00 alice ends 2025-12-01"
)

func TestFollower_Follow(t *testing.T) {
	day1, day2 := []string{openDay1, closing1, closed1, waiting2}, []string{openDay2, closing2, closed2, waiting3}
	day3 := []string{openDay3, closing3, closed3}
	unavailable := errors.New("the model does not answer")
	during := func(from, to string, err error) func(string, market.Stamp, time.Time) error {
		return func(_ string, _ market.Stamp, now time.Time) error {
			if at := now.In(market.US.Get().Zone()).Format("02 15:04"); at >= from && at < to {
				return err
			}
			return nil
		}
	}
	for _, c := range []struct {
		name  string
		begin func(s *sim)
		want  []string
		err   error
	}{
		{"a holiday, a half day and a weekend", func(*sim) {}, slices.Concat([]string{firstWait}, day1, day2, day3), nil},
		{"what is in the prices already is a backtest", func(s *sim) { s.from = "2025-11-23"; s.f.From = s.from }, slices.Concat(
			[]string{"25 18:00 alice walks 2025-11-24", "25 18:00 alice walks 2025-11-25", "25 18:00 alice ends 2025-11-25", firstWait}, day1, day2, day3), nil},
		{"prices that come late", func(s *sim) {
			s.late["AAA 2025-11-26"], s.late["BBB 2025-11-26"], s.late["BBB 2025-11-28"] = 5*time.Minute, 15*time.Minute, 2*time.Hour
		}, slices.Concat([]string{firstWait,
			"26 09:30 waiting for prices of 2025-11-26 until 2025-11-26 16:00 America/New_York",
			"26 09:50 alice trades 2025-11-26", "26 09:50 waiting for the close of 2025-11-26 at 2025-11-26 16:00 America/New_York, in 6 h 10 min",
			"26 16:20 alice ends 2025-11-26", "26 16:20 waiting for 2025-11-28, which opens at 09:30 America/New_York, in 1 d 17 h",
			"28 09:30 waiting for prices of 2025-11-28 until 2025-11-28 13:00 America/New_York: BBB", "28 11:30 alice trades 2025-11-28",
			"28 11:30 waiting for the close of 2025-11-28 at 2025-11-28 13:00 America/New_York, in 1 h 30 min", "28 15:00 alice ends 2025-11-28",
			"28 15:00 waiting for 2025-12-01, which opens at 09:30 America/New_York, in 2 d 18 h",
		}, day3), nil},
		{"a symbol that is missing at the deadline", func(s *sim) { s.late["BBB 2025-11-28"] = -1; s.f.Deadline = time.Hour }, slices.Concat([]string{firstWait}, day1, []string{
			"28 09:30 waiting for prices of 2025-11-28 until 2025-11-28 10:30 America/New_York: BBB",
			"28 10:30 2025-11-28 is traded at its deadline without the prices of BBB", "28 10:30 alice without BBB trades 2025-11-28",
			"28 10:30 waiting for the close of 2025-11-28 at 2025-11-28 13:00 America/New_York, in 2 h 30 min", closed2, waiting3,
		}, day3), nil},
		{"no prices until the deadline", func(s *sim) { s.late["AAA 2025-11-28"], s.late["BBB 2025-11-28"] = 4*time.Hour, 4*time.Hour }, slices.Concat([]string{firstWait}, day1, []string{
			"28 09:30 waiting for prices of 2025-11-28 until 2025-11-28 13:00 America/New_York", waiting3,
			"01 09:30 alice missed 2025-11-28, and it is skipped: nobody traded it by its deadline, 2025-11-28 13:00 America/New_York",
		}, day3), nil},
		{"prices that never come", func(s *sim) { s.late["AAA 2025-11-28"], s.late["BBB 2025-11-28"] = -1, -1 }, slices.Concat([]string{firstWait}, day1, []string{
			"28 09:30 waiting for prices of 2025-11-28 until 2025-11-28 13:00 America/New_York", waiting3,
			"01 09:30 alice missed 2025-11-28, and it is skipped: there are no prices of it",
		}, day3), nil},
		{"a model that answers again before the deadline", func(s *sim) { s.fails = during("26 09:00", "26 09:45", unavailable) }, slices.Concat([]string{firstWait,
			"26 09:30 alice: the model does not answer", "26 09:50 alice trades 2025-11-26", "26 09:50 waiting for the close of 2025-11-26 at 2025-11-26 16:00 America/New_York, in 6 h 10 min",
			closed1, waiting2}, day2, day3), nil},
		{"a model that does not answer until the deadline", func(s *sim) { s.fails = during("26 09:00", "26 17:00", unavailable) }, slices.Concat([]string{firstWait,
			"26 09:30 alice: the model does not answer", "26 16:00 alice missed 2025-11-26, and it is skipped: the model does not answer", waiting2,
		}, day2, day3), nil},
		{"likewise, and the day is caught up with", func(s *sim) { s.fails = during("26 09:00", "26 17:00", unavailable); s.f.CatchUp = true }, slices.Concat([]string{firstWait,
			"26 09:30 alice: the model does not answer",
			"26 16:00 alice missed 2025-11-26, and it is traded as soon as its prices are there: the model does not answer", "26 16:00 alice: the model does not answer",
			"26 17:00 alice catches up with 2025-11-26", "26 17:00 alice ends 2025-11-26", "26 17:00 waiting for 2025-11-28, which opens at 09:30 America/New_York, in 1 d 16 h",
		}, day2, day3), nil},
		{"a halt that is lifted", func(s *sim) { s.fails = during("26 09:00", "26 12:00", &agent.HaltedError{Account: "alice"}) }, slices.Concat([]string{firstWait,
			"26 09:30 alice: trading is halted", "26 12:00 alice trades 2025-11-26", "26 12:00 waiting for the close of 2025-11-26 at 2025-11-26 16:00 America/New_York, in 4 h 0 min",
			closed1, waiting2}, day2, day3), nil},
		{"a budget that is spent", func(s *sim) { s.fails = during("28 09:00", "29 00:00", gone{}) }, slices.Concat([]string{firstWait}, day1, []string{
			"28 09:30 alice: the budget is spent"}), ErrStopped},
		{"another one has the account", func(s *sim) {
			s.fails = during("26 09:00", "26 10:00", &store.LeasedError{Account: "alice", By: store.Owner{Name: "process 7"}})
		}, slices.Concat([]string{firstWait,
			"26 09:30 another run trades this account: process 7 has alice since an unknown time; wait for it, or end it; this one stands by",
			"26 10:00 alice trades 2025-11-26", "26 10:00 waiting for the close of 2025-11-26 at 2025-11-26 16:00 America/New_York, in 6 h 0 min", closed1, waiting2}, day2, day3), nil},
		{"the other one has traded the day", func(s *sim) {
			s.fails = func(_ string, d market.Stamp, _ time.Time) error {
				s.newest["alice"] = d
				return &store.LeasedError{Account: "alice", By: store.Owner{Name: "process 7"}}
			}
			s.f.To = "2025-11-26"
		}, []string{firstWait,
			"26 09:30 another run trades this account: process 7 has alice since an unknown time; wait for it, or end it; this one stands by",
			"26 09:40 waiting for the close of 2025-11-26 at 2025-11-26 16:00 America/New_York, in 6 h 20 min", closed1}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSim(t)
			c.begin(s)
			if err := s.f.Follow(t.Context()); !errors.Is(err, c.err) {
				t.Errorf("%v, want %v", err, c.err)
			}
			for i := range max(len(s.heard), len(c.want)) {
				if i >= len(s.heard) || i >= len(c.want) || s.heard[i] != c.want[i] {
					t.Fatalf("line %d\ngot\n%s\nwant\n%s", i, strings.Join(s.heard, "\n"), strings.Join(c.want, "\n"))
				}
			}
		})
	}
}

// Nobody ran it on the Wednesday and the Friday: the follower is started on Friday evening, and the account has followed since Tuesday.
func TestFollower_Follow_AfterAnOutage(t *testing.T) {
	for _, c := range []struct {
		name    string
		catchUp bool
		want    []string
	}{
		{"skip", false, []string{
			"28 18:00 alice missed 2025-11-26, and it is skipped: nobody traded it by its deadline, 2025-11-26 16:00 America/New_York",
			"28 18:00 alice missed 2025-11-28, and it is skipped: nobody traded it by its deadline, 2025-11-28 13:00 America/New_York",
			"28 18:00 alice ends 2025-11-28", "28 18:00 waiting for 2025-12-01, which opens at 09:30 America/New_York, in 2 d 15 h", openDay3, closing3, closed3,
		}},
		{"trade", true, []string{
			"28 18:00 alice missed 2025-11-26, and it is traded as soon as its prices are there: nobody traded it by its deadline, 2025-11-26 16:00 America/New_York",
			"28 18:00 alice missed 2025-11-28, and it is traded as soon as its prices are there: nobody traded it by its deadline, 2025-11-28 13:00 America/New_York",
			"28 18:00 alice catches up with 2025-11-26", "28 18:00 alice catches up with 2025-11-28", "28 18:00 alice ends 2025-11-28",
			"28 18:00 waiting for 2025-12-01, which opens at 09:30 America/New_York, in 2 d 15 h", openDay3, closing3, closed3,
		}},
	} {
		s := newSim(t)
		s.now, s.newest["alice"], s.f.CatchUp = time.Date(2025, 11, 28, 23, 0, 0, 0, time.UTC), "2025-11-25", c.catchUp
		since := time.Date(2025, 11, 25, 23, 0, 0, 0, time.UTC)
		s.from, s.f.From = "2025-11-24", "2025-11-24"
		standing := s.f.Standing
		s.f.Standing = func(ctx context.Context, p *market.Prices, a runner.Account, to market.Stamp) (Standing, error) {
			st, err := standing(ctx, p, a, to)
			st.Since = since
			return st, err
		}
		if err := s.f.Follow(t.Context()); err != nil || !slices.Equal(s.heard, c.want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.name, err, strings.Join(s.heard, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

func TestFollower_Follow_Ended(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newSim(t)
	s.at["2025-11-26 21:00"] = cancel // after the close, in UTC
	if err := s.f.Follow(ctx); err != nil || !slices.Equal(s.heard, []string{firstWait, openDay1, closing1}) {
		t.Errorf("while it waits: %v, %q", err, s.heard)
	}
	ctx, cancel = context.WithCancel(t.Context())
	s = newSim(t)
	s.fails = func(string, market.Stamp, time.Time) error { cancel(); return context.Canceled }
	if err := s.f.Follow(ctx); !errors.Is(err, context.Canceled) || !slices.Equal(s.heard, []string{firstWait}) {
		t.Errorf("while it trades: %v, %q", err, s.heard)
	}
}

func TestFollower_Follow_Faults(t *testing.T) {
	broken := errors.New("the file is torn")
	s := newSim(t)
	s.f.Prices = func(context.Context) (*market.Prices, error) { return nil, broken }
	if err := s.f.Follow(t.Context()); !errors.Is(err, broken) {
		t.Errorf("the first look at the prices: %v", err)
	}
	s = newSim(t)
	s.f.Prices = func(ctx context.Context) (*market.Prices, error) {
		if at := s.now.In(market.US.Get().Zone()).Format(form); at >= "2025-11-26 09:30" && at < "2025-11-26 09:45" {
			return nil, broken
		}
		return s.bars(ctx)
	}
	if err := s.f.Follow(t.Context()); err != nil || !slices.Contains(s.heard, "26 09:30 the prices: the file is torn") || !slices.Contains(s.heard, "26 09:50 alice trades 2025-11-26") {
		t.Errorf("a later one: %v, %q", err, s.heard)
	}
	s = newSim(t)
	s.f.Prices = func(ctx context.Context) (*market.Prices, error) {
		if at := s.now.In(market.US.Get().Zone()).Format(form); at >= "2025-11-28 09:30" && at < "2025-11-28 15:00" {
			return nil, &market.ChangedError{Symbol: "AAA", Stamp: "2025-11-26", Figure: "close", Was: "10", Is: "11"}
		}
		return s.bars(ctx)
	}
	err := s.f.Follow(t.Context())
	skipped := slices.ContainsFunc(s.heard, func(line string) bool {
		return strings.HasPrefix(line, "28 13:00 alice missed 2025-11-28, and it is skipped: the prices: AAA") || strings.HasPrefix(line, "01 09:30 alice missed 2025-11-28, and it is skipped: the prices: AAA")
	})
	if err != nil || !skipped || !slices.Contains(s.heard, openDay3) || slices.Contains(s.heard, openDay2) {
		t.Errorf("prices that are others than they were: %v\n%s", err, strings.Join(s.heard, "\n"))
	}
	for _, c := range []struct {
		name  string
		turn  int // that fails
		fails error
		ends  bool
	}{
		{"the first turn", 0, broken, true}, {"a later one", 1, broken, false}, {"other settings", 1, &runner.OtherSettingsError{}, true},
	} {
		s, turns := newSim(t), 0
		s.f.Run = func(ctx context.Context, turn Turn) ([]runner.Result, error) {
			if turns++; turns == c.turn+1 {
				return nil, c.fails
			}
			return s.run(ctx, turn)
		}
		if err := s.f.Follow(t.Context()); (err != nil) != c.ends || !c.ends && !slices.Contains(s.heard, closed3) {
			t.Errorf("%s: %v, %q", c.name, err, s.heard)
		}
	}
}

// Two accounts, of which one ends before the other, and one is passed by a fault.
func TestFollower_Follow_Accounts(t *testing.T) {
	s := newSim(t)
	s.f.Accounts = []runner.Account{{Name: "alice", To: "2025-11-26"}, {Name: "bob"}}
	s.fails = func(account string, day market.Stamp, now time.Time) error {
		if account == "bob" && day == "2025-11-26" {
			return errors.New("no answer")
		}
		return nil
	}
	if err := s.f.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{firstWait, openDay1, "26 09:30 bob: no answer", "26 16:00 bob missed 2025-11-26, and it is skipped: no answer", closed1, waiting2,
		"28 09:30 bob trades 2025-11-28", closing2, "28 13:00 bob ends 2025-11-28", waiting3, "01 09:30 bob trades 2025-12-01", closing3, "01 16:00 bob ends 2025-12-01"}
	if !slices.Equal(s.heard, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(s.heard, "\n"), strings.Join(want, "\n"))
	}
}

// Bars of an hour, on a day and on a half day: each is a slot, and the day is settled after its last.
func TestFollower_Follow_Hours(t *testing.T) {
	s := newSim(t)
	s.days = nil
	for _, day := range []string{"2025-11-25", "2025-11-26", "2025-11-28", "2025-12-01"} {
		for _, hour := range []string{"11:00:00", "12:00:00", "13:00:00"} {
			if day != "2025-11-28" || hour != "13:00:00" {
				s.days = append(s.days, market.Stamp(day+" "+hour))
			}
		}
	}
	s.f.To = "2025-11-28"
	if err := s.f.Follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := slices.DeleteFunc(s.heard, func(line string) bool { return strings.Contains(line, "waiting") })
	want := []string{"26 11:00 alice trades 2025-11-26 11:00:00", "26 12:00 alice trades 2025-11-26 12:00:00", "26 13:00 alice trades 2025-11-26 13:00:00", "26 14:00 alice ends 2025-11-26 13:00:00",
		"28 11:00 alice trades 2025-11-28 11:00:00", "28 12:00 alice trades 2025-11-28 12:00:00", "28 13:00 alice ends 2025-11-28 12:00:00"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSchedule_After(t *testing.T) {
	for _, c := range []struct {
		market      market.ID
		like, after []market.Stamp
		want        string
	}{
		{market.US, []market.Stamp{"2025-11-25"}, []market.Stamp{"2025-11-26", "2025-11-28", "2025-11-25 10:00:00"}, "2025-11-28 2025-12-01 2025-11-26"},
		{market.US, nil, []market.Stamp{"2029-01-05"}, "2029-01-08"}, // the calendar does not tell of it
		{market.CN, nil, []market.Stamp{"2025-09-30"}, "2025-10-09"},
		{market.Crypto, nil, []market.Stamp{"2025-11-28"}, "2025-11-29"},
		{market.Crypto, []market.Stamp{"2025-11-28 22:00:00", "2025-11-28 23:00:00"}, []market.Stamp{"2025-11-28", "2025-11-28 22:00:00", "2025-11-28 23:00:00"}, "2025-11-28 22:00:00 2025-11-28 23:00:00 2025-11-29 22:00:00"},
	} {
		s := scheduleOf(c.market.Get(), c.like)
		var got []string
		for _, after := range c.after {
			got = append(got, string(s.after(after).stamp))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s after %v: %s, want %s", c.market, c.after, got, c.want)
		}
	}
}
