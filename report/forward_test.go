package report

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-trade/market"
)

// decided is a day that was decided in the middle of it.
func decided(date market.Stamp) ForwardDay {
	at, _ := time.Parse(time.DateOnly, string(date))
	return ForwardDay{Date: date, Decided: at.Add(15 * time.Hour), Row: 3, Head: "abc"}
}

func TestBuild_Forward(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "100/110 110/121 121/133.1 133.1/146.41 146.41/161.051"})
	l := opened("2025-10-01", 100).trade(week[0], "A", 1, 100, 0).idle(week[1:]...).ledger("a")
	late, lapse, skipped := decided(week[3]), decided(week[1]), ForwardDay{Date: week[3], Skipped: "no price came\x1b"}
	late.CaughtUp, lapse.Clock = true, "2025-10-03T13:00:00Z@86400"
	part := decided(week[4])
	part.Missing = []string{"A", "B"}
	for _, c := range []struct {
		name          string
		from, to      market.Stamp
		days          []ForwardDay
		began         market.Stamp
		in            int // days in the range
		before, since int // days of the figures
		says          []string
	}{
		{"none", "", "", nil, "", 0, 0, 0, nil},
		{"the last three", "", "", []ForwardDay{decided(week[2]), late, part}, week[2], 3, 2, 3, []string{
			"Traded as the days came, by the real clock: 3 days, 2025-10-06 to 2025-10-08: 2 decided before their deadline; 1 caught up after it: 2025-10-07; 1 decided without all prices: 2025-10-08 (A, B); the newest decision is of 2025-10-08 15:00:00 UTC.",
			"Before the first day that was decided so, 2025-10-06, as a backtest: 2 trading days, total return 21.00 %",
			"Since that day, 2025-10-06: 3 trading days, total return 33.10 %",
		}},
		{"all", "", "", []ForwardDay{decided(week[0]), decided(week[1])}, week[0], 2, 0, 5, []string{"2 days, 2025-10-02 to 2025-10-03: 2 decided before", "Since that day, 2025-10-02: 5 trading days"}},
		{"of days that are not in the range", week[3], "", []ForwardDay{decided(week[1])}, week[1], 0, 0, 2, []string{"Since that day, 2025-10-03: 2 trading days"}},
		{"none in time", "", "", []ForwardDay{late}, "", 1, 0, 0, []string{"1 day, 2025-10-07: 0 decided before their deadline; 1 caught up after it: 2025-10-07; the newest"}},
		{"one not traded", "", "", []ForwardDay{decided(week[2]), skipped}, week[2], 2, 2, 3, []string{"1 not traded: 2025-10-07 (no price came\ufffd)"}},
		{"by a simulated clock", "", "", []ForwardDay{lapse}, "", 1, 0, 0, []string{"By a simulated clock, which proves nothing of when a day was decided: 1 day, 2025-10-03: 1 decided before their deadline; "}},
		{"a simulated clock before the real one", "", "", []ForwardDay{lapse, decided(week[4])}, week[4], 2, 4, 1, []string{"Traded as the days came, by the real clock: 1 day, 2025-10-08", "By a simulated clock", "Since that day, 2025-10-08: 1 trading day"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := l
			l.RunStats.Forward = c.days
			a := one(t, Options{View: p.AsOf(always), From: c.from, To: c.to}, l)
			f, said := a.Forward, strings.Join(a.Forward.Lines(), "\n")
			if c.days == nil {
				if f != nil || said != "" {
					t.Errorf("%+v", f)
				}
				return
			}
			if f.Began != c.began || len(f.Days) != c.in || length(f.Before) != c.before || length(f.Since) != c.since {
				t.Errorf("%+v, %+v, %+v", f, f.Before, f.Since)
			}
			if f.Before != nil && f.Since != nil {
				if both := (1+f.Before.TotalReturn.value)*(1+f.Since.TotalReturn.value) - 1; math.Abs(both-a.Metrics.Value(TotalReturn).value) > 1e-12 {
					t.Errorf("together the parts return %v, and all days %v", both, a.Metrics.Value(TotalReturn))
				}
			}
			for _, text := range c.says {
				if !strings.Contains(said, text) {
					t.Errorf("it says\n%s\nand not\n%s", said, text)
				}
			}
		})
	}
}

func length(x *Stretch) int {
	if x == nil {
		return 0
	}
	return x.Days
}

func TestForward_Lines_Long(t *testing.T) {
	var days []ForwardDay
	for i := range 100 {
		days = append(days, ForwardDay{Date: market.Stamp("2025-01-01").AddDays(i), Skipped: strings.Repeat("x", 5000)})
	}
	if said := strings.Join(NewForward(days).Lines(), ""); !strings.Contains(said, "100 not traded: 2025-01-01") || !strings.Contains(said, "and 95 more") {
		t.Errorf("%.300s", said)
	}
}

func TestWriteForward(t *testing.T) {
	late := decided(week[1])
	late.CaughtUp, late.Missing = true, []string{"A", "=B"}
	days := []ForwardDay{decided(week[0]), late, {Date: week[2], Skipped: "=1+1", Clock: "lapse"}}
	var text bytes.Buffer
	if err := WriteForward(&text, Report{Accounts: []Account{{Signature: "none"}, {Signature: "a", Forward: NewForward(days)}}}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"account,date,mark,decided,missing,skipped,clock,row,head",
		"a,2025-10-02,forward,2025-10-02T15:00:00Z,,,,3,abc",
		"a,2025-10-03,caught up,2025-10-03T15:00:00Z,A =B,,,3,abc",
		"a,2025-10-06,not traded,,,'=1+1,lapse,,",
	}
	if got := strings.Split(strings.TrimSpace(text.String()), "\n"); !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
}
