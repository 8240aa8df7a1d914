package market

// Tests of zones: what moment a stamp is by the clocks of a market.

import (
	"testing"
	"time"
)

func TestStamp_In(t *testing.T) {
	for _, c := range []struct {
		name  string
		stamp Stamp
		id    ID
		want  string // in UTC, "" for none
	}{
		{"a summer's day in New York", "2025-10-02", US, "2025-10-02T04:00:00Z"},
		{"a winter's day in New York", "2025-12-02", US, "2025-12-02T05:00:00Z"},
		{"an hour in New York", "2025-10-02 10:30:00", US, "2025-10-02T14:30:00Z"},
		{"an hour that the clocks show twice", "2025-11-02 01:30:00", US, "2025-11-02T05:30:00Z"},
		{"the day on which they are put back", "2025-11-02", US, "2025-11-02T04:00:00Z"},
		{"the day after", "2025-11-03", US, "2025-11-03T05:00:00Z"},
		{"a day in Shanghai", "2025-10-02", CN, "2025-10-01T16:00:00Z"},
		{"a day of crypto", "2025-10-02", Crypto, "2025-10-02T00:00:00Z"},
		{"no stamp", "", US, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.stamp.In(c.id.Get().Zone())
			if c.want == "" && got.IsZero() {
				return
			}
			if s := got.UTC().Format(time.RFC3339); s != c.want {
				t.Fatalf("%s in %s is %s, want %s", c.stamp, c.id, s, c.want)
			}
		})
	}
}

func TestMarket_StampOf(t *testing.T) {
	if at := US.Get().StampOf(time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)); at != "2026-11-26 22:00:00" {
		t.Errorf("it is %s in New York", at)
	}
}
