// A recording of a run, and the same run from it: without a model, without a connection, to the same bytes.

package integration_test

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/agent/manifest"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/agent/transcript"
	"mcp-trade/internal/testenv"
)

// trap listens where nobody should call, and tells whether somebody did.
func trap(t *testing.T) (address string, called func() bool) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	calls := make(chan struct{}, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			calls <- struct{}{}
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close() })
	return l.Addr().String(), func() bool { return len(calls) > 0 }
}

func TestARecordedRunIsReplayedToTheSameBytesWithoutAConnection(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	accounts := []string{"alice", "bob"}
	onBothStores(t, func(t *testing.T, p *place) {
		p.prices = synthetic
		model := modeltest.Start(t, busyDays)
		p.do(t, p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: "2025-01-31", cash: "100000", accounts: accounts})...)
		want, asked := p.books(t, accounts...), model.Asked()

		redis, redisCalled := trap(t)
		api, apiCalled := trap(t)
		elsewhere := onFiles(t)
		elsewhere.prices = synthetic
		elsewhere.env = []string{
			"REDIS_URL=redis://" + redis, "UPSTASH_REDIS_REST_URL=https://" + redis, "UPSTASH_REDIS_REST_TOKEN=token",
			"OPENAI_API_BASE=http://" + api, "OPENAI_API_KEY=" + modelKey,
		}
		out := filepath.Join(t.TempDir(), "again")
		said := elsewhere.do(t, "run", "--replay", filepath.Join(p.dir, "agent_data"), "--log-path", out)
		var got strings.Builder
		for _, a := range accounts {
			text, err := os.ReadFile(filepath.Join(out, a, "position", "position.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			got.Write(text)
		}
		if got.String() != want {
			t.Fatalf("the ledgers differ from those of the recorded run\n%s", said)
		}
		if redisCalled() || apiCalled() || model.Asked() != asked {
			t.Fatal("the replay opened a connection")
		}
		if strings.Count(said, "all as recorded") != len(accounts) {
			t.Errorf("it does not say that the ledgers are the same:\n%s", said)
		}

		p.do(t, "ledger", "archive", "bob")
		said = elsewhere.do(t, "run", "--replay", filepath.Join(p.dir, "agent_data"))
		if strings.Count(said, "all as recorded") != 1 || !strings.Contains(said, "bob.archived-1: not replayed, since it was put aside") {
			t.Errorf("it does not leave the account that was put aside:\n%s", said)
		}
	})
}

func TestAReplaySaysWhatKeepsItFromBeingOne(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.prices = synthetic
	model := modeltest.Start(t, busyDays)
	p.do(t, p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: fiveDays, cash: "100000", accounts: []string{"alice"}})...)
	recorded := filepath.Join(p.dir, "agent_data")
	out := func() string { return filepath.Join(t.TempDir(), "again") }

	other := onFiles(t)
	if o := other.try(t, "run", "--replay", recorded, "--log-path", out()); o.code != 1 || !strings.Contains(o.stderr, "SHA-256") {
		t.Errorf("on other prices: exit %d\n%s", o.code, o.stderr)
	}
	if o := p.try(t, "run", "--replay", t.TempDir(), "--log-path", out()); o.code != 2 || !strings.Contains(o.stderr, "run-manifest.json") {
		t.Errorf("without a manifest: exit %d\n%s", o.code, o.stderr)
	}
	if o := p.try(t, "run", "--replay", recorded, "--log-path", recorded); o.code != 2 || !strings.Contains(o.stderr, "into a new folder") {
		t.Errorf("into itself: exit %d\n%s", o.code, o.stderr)
	}
	// A reply that is changed afterwards no longer leads to what it led to.
	file := transcript.File(recorded, "alice", "2025-01-02")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(string(text), `\"amount\":100000,`, `\"amount\":1,`, 1)
	if forged == string(text) {
		t.Fatal("there is nothing to change")
	}
	if err := os.WriteFile(file, []byte(forged), 0o644); err != nil {
		t.Fatal(err)
	}
	if o := p.try(t, "run", "--replay", recorded, "--log-path", out()); o.code != 1 || !strings.Contains(o.stderr, "and now to") {
		t.Errorf("a changed reply: exit %d\n%s", o.code, o.stderr)
	}
}

func TestTheManifestKeepsEveryRunAndNoSecret(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	p := onFiles(t)
	p.prices = synthetic
	model := modeltest.Start(t, busyDays)
	run := llmRun{url: model.URL, from: "2025-01-01", to: "2025-01-03", cash: "100000", accounts: []string{"alice"}}
	for _, change := range []func(){
		func() {},
		func() {}, // the same again
		func() { run.accounts = []string{"bob"} },
		func() { run.accounts = []string{"alice"}; run.to = fiveDays },
	} {
		change()
		p.do(t, append(p.llm(t, run), "--account", "benchmark=momentum:3", "--lockstep")...)
	}
	text, err := os.ReadFile(manifest.File(filepath.Join(p.dir, "agent_data")))
	if err != nil {
		t.Fatal(err)
	}
	var m manifest.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	alice, bob := m.Accounts["alice"], m.Accounts["bob"]
	if len(alice) != 2 || len(bob) != 1 || alice[0].Resumed == nil || alice[0].To != "2025-01-03" || alice[1].To != fiveDays {
		t.Fatalf("%s", text)
	}
	head := p.headOf(t, "alice")
	if from, to := alice[0].Ledger, alice[1].Ledger; len(from) != 1 || len(to) != 1 || from[0].Before != nil || from[0].After.Hash != to[0].Before.Hash || to[0].After.Hash != head {
		t.Errorf("the heads are not those of one ledger that ends with %s:\n%s", head, text)
	}
	config, err := manifest.HashFiles([]string{filepath.Join(p.dir, "config.json")})
	if err != nil {
		t.Fatal(err)
	}
	if r := alice[1]; r.Decider != manifest.LLMDecider || !r.Lockstep || r.Store != "file" || r.Config == nil || *r.Config != config[0] || !slices.Equal(r.Search, []string{"auto"}) {
		t.Errorf("%+v", r)
	}
	if b := m.Accounts["benchmark"]; len(b) != 3 || b[0].Decider != "momentum:3" || b[0].Model.Model != "" || len(b[0].Prices) != 1 || b[2].Ledger[0].After.Hash != p.headOf(t, "benchmark") {
		t.Errorf("the account of a decider: %+v", b)
	}
	if len(alice[0].Prices) != 1 || len(alice[0].Prices[0].SHA256) != 64 || alice[0].Version == "" || alice[0].Model.Model != "scripted/alice" {
		t.Errorf("%s", text)
	}
	if strings.Contains(string(text), modelKey) {
		t.Errorf("the manifest shows the key:\n%s", text)
	}
	said := p.do(t, "run", "--replay", filepath.Join(p.dir, "agent_data"), "--log-path", filepath.Join(t.TempDir(), "again"))
	if !strings.Contains(said, "benchmark: not replayed") {
		t.Errorf("the replay does not say what it leaves out:\n%s", said)
	}
}

func TestTheManifestTellsWhatAModelCanSearchAndNoSecret(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	model := modeltest.Start(t, normalDay)
	config := p.config(t, model, firstDay, nil, "alice")
	p.amend(t, config, "mcp_servers", object{"desk": object{
		"command": binary, "args": []string{"stdio"}, "env": object{"MCP_TRADE_DATA_DIR": t.TempDir(), "TOKEN": "${DESK_TOKEN}"},
	}})
	const token, jina = "t0ken-horse-battery", "jina-horse-battery"
	p.env = append(p.env, "DESK_TOKEN="+token, "JINA_API_KEY="+jina)
	articles := filepath.Join(t.TempDir(), "articles.jsonl")
	if err := os.WriteFile(articles, []byte(`{"title": "T", "url": "https://example.com/1", "published_at": "2024-12-01"}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.do(t, "news", "import", articles)
	answers := filepath.Join(p.dir, "search_cache")
	if err := os.MkdirAll(answers, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(answers, "a.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	recorded := filepath.Join(t.TempDir(), "recorded.jsonl")
	if err := os.WriteFile(recorded, []byte(`{"date": "2025-01-01", "id": 0, "positions": {"CASH": 100000}}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.do(t, "run", config, "--trust-config", "--search-cache", "replay", "--account", "benchmark=equal-weight", "--account", "echo=recorded:"+recorded)
	text, err := os.ReadFile(manifest.File(p.logPath()))
	if err != nil {
		t.Fatal(err)
	}
	m := p.manifest(t)
	want, err := manifest.HashFolder(answers)
	if r := m.Accounts["alice"][0]; err != nil || len(r.News) != 1 || len(r.News[0].SHA256) != 64 || r.Cache != "replay" || r.Answers == nil || *r.Answers != *want || !slices.Equal(r.Servers, []string{"desk"}) {
		t.Errorf("%v\n%s", err, text)
	}
	if r := m.Accounts["benchmark"][0]; r.News != nil || r.Answers != nil || r.Servers != nil || r.Search != nil {
		t.Errorf("a decider that reads no news: %s", text)
	}
	file, err := manifest.HashFiles([]string{recorded})
	if r := m.Accounts["echo"][0]; err != nil || r.Decider != "recorded:"+recorded || r.Recorded == nil || *r.Recorded != file[0] {
		t.Errorf("a decider that repeats a ledger, %v: %s", err, text)
	}
	for _, secret := range []string{modelKey, token, jina} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the manifest shows %s:\n%s", secret, text)
		}
	}
}
