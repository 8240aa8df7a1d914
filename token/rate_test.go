package token

import (
	"encoding/json"
	"testing"
	"time"
)

func TestParseRate(t *testing.T) {
	for text, want := range map[string]Rate{"1/s": {1, time.Second}, "60/m": {60, time.Minute}, "1000000/h": {1000000, time.Hour}} {
		if got, err := ParseRate(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "60", "60/", "/m", "0/m", "-1/m", "1.5/m", "60/d", "60/m/s", "60 / m", "1000001/h", "99999999999999999999/s"} {
		if got, err := ParseRate(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// What is kept of a rate is never read as none.
func TestRate_Kept(t *testing.T) {
	text, err := json.Marshal(Token{Rate: Rate{60, time.Minute}})
	var read Token
	if err != nil || json.Unmarshal(text, &read) != nil || read.Rate != (Rate{60, time.Minute}) || read.Orders != (Rate{}) {
		t.Errorf("%s %v: %+v", text, err, read)
	}
	for _, text := range []string{`{"rate":""}`, `{"rate":"0/m"}`, `{"rate":60}`} {
		if json.Unmarshal([]byte(text), &read) == nil {
			t.Errorf("%s is read as %+v", text, read)
		}
	}
}
