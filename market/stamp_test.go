package market

// Tests of the clock and of the forms of symbols.

import (
	"strings"
	"testing"
)

func TestParseStamp(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Stamp // "" is refused
	}{
		{"2025-10-02", "2025-10-02"},
		{" 2025-10-02\n", "2025-10-02"},
		{"2025-10-02 10:30:00", "2025-10-02 10:30:00"},
		{"2025-10-02 10:30", "2025-10-02 10:30:00"},
		{"2025-10-02T10:30:00", "2025-10-02 10:30:00"},
		{"2025-10-02T10:30", "2025-10-02 10:30:00"},
		{"2024-02-29", "2024-02-29"},
		{"2025-02-29", ""},
		{"2025-13-01", ""},
		{"2025-1-2", ""},
		{"20251002", ""},
		{"2025-10-02 24:00:00", ""},
		{"2025-10-02 9:30:000", ""},
		{"2025-10-02 9:30", ""},
		{"2025-10-02 10:30:00.5", ""},
		{"2025-10-02 10:30:00Z", ""},
		{"2025-10-02TT0:30", ""},
		{"tomorrow", ""},
		{"", ""},
		{strings.Repeat("9", 1000), ""},
	} {
		got, err := ParseStamp(c.in)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("ParseStamp(%q) = %q, %v; want %q", c.in, got, err, c.want)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("ParseStamp(%.20q...): error of %d bytes", c.in, len(err.Error()))
		}
	}
}

func TestStampDay(t *testing.T) {
	for _, c := range []struct {
		stamp, day Stamp
		isDay      bool
	}{
		{"2025-10-02", "2025-10-02", true},
		{"2025-10-02 10:30:00", "2025-10-02", false},
		{"", "", false},
	} {
		if c.stamp.Day() != c.day || c.stamp.IsDay() != c.isDay {
			t.Errorf("%q: Day %q, IsDay %v", c.stamp, c.stamp.Day(), c.stamp.IsDay())
		}
	}
}

func FuzzParseStamp(f *testing.F) {
	for _, s := range []string{"2025-10-02", "2025-10-02T10:30", "2025-10-02 10:30:00", " x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		stamp, err := ParseStamp(in)
		if err != nil {
			return
		}
		if again, err := ParseStamp(string(stamp)); err != nil || again != stamp {
			t.Fatalf("%q became %q, which becomes %q, %v", in, stamp, again, err)
		}
		if len(stamp) != len(dayForm) && len(stamp) != len(momentForm) {
			t.Fatalf("%q became %q", in, stamp)
		}
	})
}
