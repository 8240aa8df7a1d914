package runner

import (
	"strings"
	"testing"
	"time"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/session"
	"mcp-trade/store/filestore"
)

func TestAccountRun_TurnTo(t *testing.T) {
	asked := 0
	r := newRoom(t, t.TempDir()).with(t, func(modeltest.Request) modeltest.Reply {
		asked++
		return modeltest.Say("<FINISH_SIGNAL>")
	})
	if err := r.tradeDay(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	before, own := r.ledger(t), r.session
	// What the runner writes now does not reach the server.
	elsewhere, err := session.New(session.Config{
		Model: "alice", Local: filestore.New(t.TempDir(), r.logPath), Env: func(string) (string, bool) { return "", false },
		TTL: time.Hour, Warn: func(text string) { t.Log(text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.session = elsewhere
	err = r.tradeDay(t.Context(), 1)
	const want = "the MCP server trades alice on 2025-01-02 (SIGNATURE from: file, TODAY_DATE from: file), not alice on 2025-01-03"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	if asked != 1 || r.ledger(t) != before || len(r.transcript(t, 1)) > 0 {
		t.Errorf("the model was asked %d times, and the ledger is\n%s", asked, r.ledger(t))
	}
	r.session = own
	if err := r.tradeDay(t.Context(), 1); err != nil {
		t.Errorf("the day does not go on: %v", err)
	}
}

func TestAccountRun_TradeDay_MovedSession(t *testing.T) {
	var r *room
	r = newRoom(t, t.TempDir()).with(t, func(q modeltest.Request) modeltest.Reply {
		if q.Turn == 1 {
			if err := r.session.Set(t.Context(), map[string]any{session.TodayDate: "2025-01-07"}); err != nil {
				t.Error(err)
			}
		}
		return modeltest.Do(modeltest.Order("buy", "SYN01", 1))
	})
	err := r.tradeDay(t.Context(), 0)
	if err == nil || !strings.Contains(err.Error(), "The session is alice on 2025-01-07") {
		t.Errorf("%v", err)
	}
	if n := strings.Count(r.ledger(t), "\n"); n != 2 {
		t.Errorf("%d records, want the first and one fill:\n%s", n, r.ledger(t))
	}
}

func TestToolAnswer_CheckFill(t *testing.T) {
	for answer, want := range map[string]string{
		`{"status":"filled","id":7,"date":"2025-01-03"}`: "",
		`{"status":"filled","id":7,"date":"2025-01-02"}`: "the order was filled on 2025-01-02, as record 7, and not on 2025-01-03",
		`{"status":"filled"}`:                            "the order was filled on , as record 0",
		`filled`:                                         "the order was filled on , as record 0",
	} {
		err := readAnswer(answer).checkFill("2025-01-03")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", answer, err, want)
		}
	}
}
