package rate

import (
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Rate{"1/s": {1, time.Second}, "60/m": {60, time.Minute}, "1000000/h": {1000000, time.Hour}} {
		if got, err := Parse(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "60", "60/", "/m", "0/m", "-1/m", "1.5/m", "60/d", "60/m/s", "60 / m", "1000001/h", "99999999999999999999/s"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
