package follow

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mcp-trade/internal/pause"
)

func TestParseClock(t *testing.T) {
	for text, want := range map[string]string{
		"2025-10-01@10": "before @ there is to be a time", "2025-10-01T13:00:00Z@": "how many times as fast", "2025-10-01T13:00:00Z@0": "how many times as fast",
		"2025-10-01T13:00:00Z@NaN": "how many times as fast", "2025-10-01T13:00:00Z@1e9": "up to 100000", "there-is-no-such-file": "the clock: ",
	} {
		if _, err := ParseClock(text, time.Now, pause.For); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestClock_Lapse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := ParseClock("2025-10-01T13:00:00Z@3600", time.Now, pause.For)
		if err != nil {
			t.Fatal(err)
		}
		began, start := time.Now(), time.Date(2025, 10, 1, 13, 0, 0, 0, time.UTC)
		if err := c.Wait(t.Context(), start.Add(48*time.Hour)); err != nil || time.Since(began) != 48*time.Second || !c.Now().Equal(start.Add(48*time.Hour)) {
			t.Errorf("%v: it is %s after %s", err, c.Now(), time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Wait(ctx, start.Add(1000*time.Hour)); err == nil {
			t.Error("it waits for ever")
		}
	})
}

// A machine that sleeps does not move the timers of its programs; the clock is looked at again.
func TestClock_Real(t *testing.T) {
	now := time.Date(2025, 10, 1, 13, 0, 0, 0, time.UTC)
	pauses := 0
	c := Real(func() time.Time { return now }, func(_ context.Context, d time.Duration) error {
		if pauses++; d > longestPause {
			t.Errorf("it pauses for %s", d)
		}
		now = now.Add(time.Hour)
		return nil
	})
	if err := c.Wait(t.Context(), now.Add(3*time.Hour)); err != nil || pauses != 3 {
		t.Errorf("%v, %d pauses", err, pauses)
	}
}

func TestClock_File(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clock")
	set := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set("noon")
	if _, err := ParseClock(file, time.Now, pause.For); err == nil || !strings.Contains(err.Error(), `holds "noon"`) {
		t.Errorf("%v", err)
	}
	set("2025-10-01T13:00:00Z\n")
	start := time.Date(2025, 10, 1, 13, 0, 0, 0, time.UTC)
	texts := []string{"", "2025-10-01T12:00:00Z", "2025-10-01T13:00:30Z", "2025-10-01T10:02:00-04:00"}
	pauses := 0
	var c Clock
	var err error
	c, err = ParseClock(file, time.Now, func(context.Context, time.Duration) error {
		set(texts[pauses])
		pauses++
		if c.Now().Before(start) {
			t.Errorf("it goes back to %s", c.Now())
		}
		return nil
	})
	if err != nil || !c.Now().Equal(start) {
		t.Fatal(c.Now(), err)
	}
	if err := c.Wait(t.Context(), start.Add(time.Minute)); err != nil || pauses != len(texts) || !c.Now().Equal(start.Add(time.Hour+2*time.Minute)) {
		t.Errorf("%v after %d pauses: it is %s", err, pauses, c.Now())
	}
}
