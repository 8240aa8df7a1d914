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

func TestReadStamp(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Stamp // "" is refused
	}{
		{"2025-10-02", "2025-10-02"},
		{"2025-10-02 10:30", "2025-10-02 10:30:00"},
		{"2025-10-02T00:00:00", "2025-10-02 00:00:00"},
		{"2025-10-2", "2025-10-02"},
		{"2025-1-2", "2025-01-02"},
		{" 2025/10/02 ", "2025-10-02"},
		{"2025/1/2", "2025-01-02"},
		{"2025.10.02", "2025-10-02"},
		{"20251002", "2025-10-02"},
		{"Oct 2, 2025", "2025-10-02"},
		{"october 2 2025", "2025-10-02"},
		{"2 October, 2025", "2025-10-02"},
		{"02-Oct-2025", "2025-10-02"},
		{"2025-10-02T00:00:00Z", "2025-10-02"},
		{"2025-10-02T00:00:00.000Z", "2025-10-02"},
		{"2025-10-02 00:00:00+00:00", "2025-10-02"},
		{"2025-10-02T00:00-0400", "2025-10-02"},
		{"2025-10-2T00:00Z", "2025-10-02"},
		{"2025-10-02 9:30", "2025-10-02 09:30:00"},
		{"2025/10/2 10:30", "2025-10-02 10:30:00"},
		{"2025-10-02T10:30:00.000", "2025-10-02 10:30:00"},
		// A moment in a zone is one of several in the market's time.
		{"2025-10-02T10:30:00Z", ""},
		{"2025-10-02T00:30:00+02:00", ""},
		// Two readings.
		{"10/02/2025", ""},
		{"02.10.2025", ""},
		{"10-02-2025", ""},
		{"25-10-02", ""},
		// No day of the calendar, or none at all.
		{"2025-2-29", ""},
		{"2025/13/01", ""},
		{"2025-10-02 25:00", ""},
		{"2025-10-02 10:30:00.5", ""},
		{"10:30", ""},
		{"2025", ""},
		{"1759363200", ""},
		{"tomorrow", ""},
		{"", ""},
		{strings.Repeat("2025-10-02 ", 100), ""},
	} {
		got, err := ReadStamp(c.in)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("ReadStamp(%q) = %q, %v; want %q", c.in, got, err, c.want)
		}
		if err != nil && (len(err.Error()) > 200 || !strings.Contains(err.Error(), "write it as 2025-10-02")) {
			t.Errorf("ReadStamp(%.20q...): %.300v", c.in, err)
		}
	}
}

func TestStamp_Day(t *testing.T) {
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
	for _, s := range []string{"2025-10-02", "2025-10-02T10:30", "2025-10-02 10:30:00", " x", "2025/1/2 9:30", "Oct 2, 2025", "2025-10-02T00:00:00Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if _, err := ParseStamp(in); err == nil {
			if plain, err := ReadStamp(in); err != nil || !strings.HasPrefix(strings.TrimSpace(in), string(plain.Day())) {
				t.Fatalf("%q is read as %q, %v", in, plain, err)
			}
		}
		stamp, err := ReadStamp(in)
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
