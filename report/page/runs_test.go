package page

// Runs under way, and conversations, on a page that is served.

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"mcp-trade/market"
)

// underWay is the state of so many runs, the first of which is in a turn.
func underWay(runs, turn int) json.RawMessage {
	var rows []string
	for i := range runs {
		rows = append(rows, fmt.Sprintf(`{"account":"a%d","state":"trading","day":14,"days":60,"date":"2025-01-21","turn":%d,"refused":0,"refused_today":0,"trader":"process 17 on a machine"}`, i, turn*(1-min(i, 1))))
	}
	return json.RawMessage(`{"halted":false,"accounts":[` + strings.Join(rows, ",") + `]}`)
}

// served answers a request.
func served(live *Live, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.Host = "127.0.0.1"
	w := httptest.NewRecorder()
	live.Handler(false).ServeHTTP(w, r)
	return w
}

// A turn of a run is told in few bytes, and has no report built anew.
func TestLive_Runs(t *testing.T) {
	x := &exchange{bourse: newBourse(t, "steady", "dice").season(t), t: t}
	source, turn := x.source(), 1
	source.Runs = func(context.Context) (json.RawMessage, error) { return underWay(20, turn), nil }
	live, err := NewLive(t.Context(), source, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	for turn = range 5 {
		turn += 2
		before, _ := live.state()
		if err := live.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		now, _ := live.state()
		if now.name == before.name || x.built != 1 {
			t.Fatalf("turn %d: the version is %s and was %s, %d times built", turn, now.name, before.name, x.built)
		}
		change := served(live, "/change/"+before.name).Body
		size := change.Len()
		z, err := gzip.NewReader(change)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if want := fmt.Sprintf(`"runs":["~",{"accounts":["~",{"0":["~",{"turn":["=",%d]}]},20,[]]}]`, turn); err != nil || size > 300 || !strings.Contains(string(text), want) || !strings.Contains(string(text), `"overview":null`) {
			t.Errorf("turn %d is told in %d bytes: %s, %v, want %s", turn, size, text, err, want)
		}
		if w := served(live, "/runs.json"); w.Body.String() != string(underWay(20, turn)) || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("/runs.json is %s", w.Body)
		}
	}
	last, _ := live.state()
	x.change(func() { x.trade(t, 1, 57, "SYN01", 10, "") })
	if err := live.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now, _ := live.state(); now.name == last.name || x.built != 2 || string(now.runs) != string(underWay(20, turn)) {
		t.Error("after a trade the runs are gone, or the trade is not there")
	}
}

func TestLive_Day(t *testing.T) {
	x := &exchange{bourse: newBourse(t, "steady"), t: t}
	source := x.source()
	source.Day = func(_ context.Context, account string, day market.Stamp) (string, error) {
		switch day {
		case "2025-01-02":
			return "<b>said\x1b[31m by " + account, nil
		case "2025-01-03":
			return "", errors.New("the disk is gone")
		}
		return "", nil
	}
	live, err := NewLive(t.Context(), source, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		code int
		text string
	}{
		"/day/steady/2025-01-02": {200, "<b>said\ufffd[31m by steady"},
		"/day/steady/2025-01-03": {503, "the disk is gone"},
		"/day/steady/2025-01-06": {404, ""},
		"/day/steady/yesterday":  {404, ""},
		"/day/other/2025-01-02":  {404, ""},
		"/runs.json":             {404, ""},
	} {
		w := served(live, path)
		if w.Code != want.code || !strings.Contains(w.Body.String(), want.text) || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d, %s, want %d, %s", path, w.Code, w.Body, want.code, want.text)
		}
	}
}
