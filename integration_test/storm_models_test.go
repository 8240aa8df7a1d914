// A storm of random scripts: each has models trade a few days through an API that sends what the real ones send, good and bad, kills
// the run and its servers at random moments, and resumes it. Of 2,000 scripts a hundredth is played, unless MCP_TRADE_STORM says
// another part of them in percent; they are drawn from MCP_TRADE_STORM_SEED. All of them, in about an hour:
//
//	MCP_TRADE_STORM=100 go test ./integration_test -run StormOfScripts -timeout 6h

package integration_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcp-trade/agent/model"
	"mcp-trade/agent/model/apis"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/agent/transcript"
	"mcp-trade/internal/testenv"
	"mcp-trade/market"
)

// stormDays are the first trading days of the synthetic market.
var stormDays = []string{"2025-01-02", "2025-01-03", "2025-01-06"}

func TestStormOfScripts(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	seed := settingOf(t, "MCP_TRADE_STORM_SEED", 1)
	count := scaled(t, 2000, 20/raceSlows)
	t.Logf("MCP_TRADE_STORM_SEED=%d, %d scripts", seed, count)
	var replies, kills, again, calm atomic.Int64
	t.Cleanup(func() {
		t.Logf("%d replies, %d kills; %d replies were lost with the process that asked for them, and asked for once more; %d scripts were over before they were killed", replies.Load(), kills.Load(), again.Load(), calm.Load())
	})
	for i := range count {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			s := drawScript(rand.New(rand.NewPCG(uint64(seed), uint64(i))))
			replies.Add(int64(s.play(t)))
			kills.Add(int64(s.kills))
			if s.kills == 0 {
				calm.Add(1)
			}
			again.Add(int64(s.again))
		})
	}
}

// script is what the API of some models does on some days, whether its clients are killed or not.
type script struct {
	random   *rand.Rand
	run      llmRun
	days     map[string]*scriptDay // by model and date
	settings model.Settings        // that some of its days want

	mu     sync.Mutex
	killed bool   // the run that is killed is under way; before it, the undisturbed one
	dir    string // where the run keeps its transcripts
	fault  string // what must not be

	kills, again int
}

// scriptDay is what an API does to a model on a day.
type scriptDay struct {
	replies []modeltest.Reply                        // in order; after them the model ends the day
	refuse  func(modeltest.Request) *modeltest.Reply // nil: takes every request
	said    []string                                 // the conversations to which the undisturbed run got replies, in order
	given   map[string][]modeltest.Reply             // what it got to each: the last one is the one that counted
	kept    map[string]int                           // how many replies of the day were on disk when it first asked for one
	asked   map[string]int                           // how often the run that is killed asked for it
}

// drawScript draws one. No two days of an account are alike, and no order of one changes what another can buy.
func drawScript(r *rand.Rand) *script {
	s := &script{random: r, days: map[string]*scriptDay{}, run: llmRun{from: "2025-01-01", to: stormDays[r.IntN(len(stormDays))], cash: "100000"}}
	all := apis.All()
	s.run.api = all[r.IntN(len(all))].Name
	scenarios := slices.DeleteFunc(modeltest.Scenarios(s.run.api), func(c modeltest.Scenario) bool {
		return strings.HasSuffix(c.Name, "that is too long") // what was shortened before a kill is whole after it: neither is the other's conversation
	})
	for i := range 1 + r.IntN(3) {
		account := fmt.Sprint("model-", i)
		s.run.accounts = append(s.run.accounts, account)
		for _, date := range stormDays {
			s.days["scripted/"+account+" "+date] = s.drawDay(scenarios)
		}
	}
	s.run.tuning = object{"stream": r.IntN(2) == 0, "max_retries": 10, "max_tokens": s.settings.MaxTokens, "temperature": s.settings.Temperature, "reasoning_effort": s.settings.ReasoningEffort}
	return s
}

// drawDay draws a day: a scenario as it stands, replies of several, or random orders; with faults between.
func (s *script) drawDay(scenarios []modeltest.Scenario) *scriptDay {
	r := s.random
	d := &scriptDay{given: map[string][]modeltest.Reply{}, kept: map[string]int{}, asked: map[string]int{}}
	add := func(replies ...modeltest.Reply) {
		for _, reply := range replies {
			for r.IntN(4) == 0 {
				d.replies = append(d.replies, drawFault(r))
			}
			if reply.Header["Retry-After-Ms"] != "" {
				reply = modeltest.Fail(429, "0.01") // which is waited for in earnest
			}
			d.replies = append(d.replies, reply)
		}
	}
	draw := func() modeltest.Scenario {
		c := scenarios[r.IntN(len(scenarios))]
		if c.Settings != nil {
			c.Settings(&s.settings)
		}
		return c
	}
	switch r.IntN(3) {
	case 0:
		c := draw()
		d.refuse = c.Refuse
		add(c.Replies...)
	case 1:
		for range 1 + r.IntN(3) {
			if c := draw(); c.Refuse == nil {
				add(c.Replies...)
			}
		}
	default:
		for range 1 + r.IntN(4) {
			add(drawTurn(r))
		}
	}
	return d
}

// drawFault draws a fault after which the same is asked again.
func drawFault(r *rand.Rand) modeltest.Reply {
	keyed := []modeltest.Reply{
		{Status: 500, Body: `{"error":{"message":"the key ` + modelKey + ` is not to blame"}}`}, {Body: "<html>" + modelKey + "</html>"},
		{Body: `{"error":{"message":"overloaded: ` + modelKey + `","code":529}}`},
	}
	all := append(passing(), keyed...)
	for _, status := range []int{409, 425, 499, 502, 503, 520} {
		all = append(all, modeltest.Fail(status, ""))
	}
	return all[r.IntN(len(all))]
}

// drawTurn draws a turn of a model: orders that can be filled, orders that cannot, reads, and calls that are none.
func drawTurn(r *rand.Rand) modeltest.Reply {
	var reply modeltest.Reply
	for range r.IntN(4) {
		order := modeltest.Order([]string{"buy", "buy", "sell"}[r.IntN(3)], fmt.Sprintf("SYN%02d", 1+r.IntN(20)), 1+r.IntN(9))
		calls := []modeltest.Call{
			order, order, order, modeltest.To("get_portfolio", nil), modeltest.To("get_price_history", map[string]any{"symbol": "SYN03", "limit": 3}),
			modeltest.Order("buy", "SYN04", 100000), modeltest.Order("buy", "NONE", 1), {Tool: "functions." + order.Tool, Arguments: order.Arguments},
			{Tool: order.Tool, Arguments: order.Arguments[:len(order.Arguments)/2]}, {Tool: "transfer", Arguments: `{"key":"` + modelKey + `"}`},
		}
		reply.Calls = append(reply.Calls, calls[r.IntN(len(calls))])
	}
	reply.Text = []string{"", "I trade.", "größer\n\n", "The key is " + modelKey, `<tool_call>{"name":"buy"}</tool_call>`}[r.IntN(5)]
	if r.IntN(3) == 0 {
		reply.Reasoning = "It is cheap: " + modelKey
	}
	return reply
}

// play runs a script undisturbed, and again with kills, and compares the two. It returns how many replies the undisturbed run got.
func (s *script) play(t *testing.T) (replies int) {
	p := onFiles(t)
	data := p.dir
	p.prices = synthetic
	server := modeltest.Start(t, s.reply)
	s.run.url = server.URL
	s.dir = filepath.Join(p.dir, "agent_data")
	p.toItsEnd(t, p.llm(t, s.run), s)
	want, said, whole := p.books(t, s.run.accounts...), p.dialogues(t), server.Asked()
	p.hides(t, output{}, modelKey)
	for _, d := range s.days {
		replies += len(d.said)
	}
	p.afresh(t, filepath.Join(data, "killed"))
	p.env = nil
	s.killed, s.dir = true, filepath.Join(p.dir, "agent_data")
	args := p.llm(t, s.run)
	for range 1 + s.random.IntN(3) {
		left := max(1, 2*whole-server.Asked()) // requests until the run is at its end
		if p.killedOnce(t, args, server, s.random.IntN(left), s) {
			s.kills++
		}
	}
	p.toItsEnd(t, args, s)
	if got := p.books(t, s.run.accounts...); got != want {
		t.Errorf("after %d kills the ledgers differ from those of the undisturbed run:\n%s\nwant\n%s", s.kills, got, want)
	}
	if got := p.dialogues(t); got != said {
		t.Errorf("after %d kills what was said differs from the undisturbed run:\n%s", s.kills, firstDifference(got, said))
	}
	if s.fault != "" {
		t.Error(s.fault)
	}
	for _, account := range s.run.accounts {
		p.verified(t, account)
	}
	return replies
}

// firstDifference are the first lines in which two texts differ.
func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	n := 0
	for n < min(len(a), len(b))-1 && a[n] == b[n] {
		n++
	}
	return a[n] + "\nwant\n" + b[n]
}

// toItsEnd runs until every account is at its end: the faults that stop one pass when the same command is given again.
func (p *place) toItsEnd(t *testing.T, args []string, s *script) {
	t.Helper()
	const most = 20
	var out output
	for range most {
		out = p.try(t, args...)
		p.hides(t, out, modelKey)
		if out.code == 0 {
			return
		}
	}
	t.Fatalf("the run does not come to its end:\n%s\n%s", out.stderr, s.fault)
}

// killedOnce starts a run and kills it, or one of its servers, a little after so many requests. It tells whether there was something to kill.
func (p *place) killedOnce(t *testing.T, args []string, model *modeltest.Server, after int, s *script) bool {
	t.Helper()
	victim := []string{"the runner", "a server"}[s.random.IntN(2)]
	later := time.Duration(s.random.IntN(20_000)) * time.Microsecond
	var said bytes.Buffer
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = &said, &said
	first := model.Asked()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended, hit := make(chan struct{}), make(chan bool)
	go func() {
		for over := false; !over && model.Asked() < first+after; {
			select {
			case <-ended:
				over = true
			case <-time.After(200 * time.Microsecond):
			}
		}
		time.Sleep(later)
		hit <- p.strike(t, cmd.Process, victim) || p.strike(t, cmd.Process, "the runner") // which has no server yet
	}()
	err := cmd.Wait()
	close(ended)
	there := <-hit && err != nil
	p.childless(t)
	p.hides(t, output{stderr: said.String()}, modelKey)
	return there
}

// reply is the script itself. The undisturbed run gets the replies in order. The one that is killed gets to each conversation what
// the undisturbed run got to it: the faults, and then the reply that counted, as often as it is asked for.
func (s *script) reply(r modeltest.Request) modeltest.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, conversation := s.days[r.Model+" "+r.Date], saidIn(r)
	if d == nil {
		return s.wrong("%s is asked of the day %q", r.Model, r.Date)
	}
	at := slices.Index(d.said, conversation)
	r.Number = at
	if at < 0 {
		r.Number = len(d.said)
	}
	if d.refuse != nil {
		if refusal := d.refuse(r); refusal != nil {
			return *refusal
		}
	}
	kept, err := s.answered(r)
	switch {
	case err != nil:
		return s.wrong("%s on %s: %v", r.Model, r.Date, err)
	case !s.killed && at < 0:
		d.said, d.kept[conversation] = append(d.said, conversation), kept
	case at < 0:
		return s.wrong("%s on %s says what it never said undisturbed:\n%s", r.Model, r.Date, conversation)
	case kept != d.kept[conversation]:
		return s.wrong("%s on %s asks for what follows %d replies, and has %d in its transcript", r.Model, r.Date, d.kept[conversation], kept)
	}
	if !s.killed {
		return d.next(conversation)
	}
	given, n := d.given[conversation], d.asked[conversation]
	if d.asked[conversation]++; n >= len(given) {
		s.again++
	}
	return given[min(n, len(given)-1)]
}

// next is the reply to a conversation of the undisturbed run.
func (d *scriptDay) next(conversation string) modeltest.Reply {
	reply := modeltest.Say("Done. <FINISH_SIGNAL>")
	if len(d.replies) > 0 {
		reply, d.replies = d.replies[0], d.replies[1:]
	}
	d.given[conversation] = append(d.given[conversation], reply)
	return reply
}

// wrong notes what must not be, and ends the day.
func (s *script) wrong(format string, args ...any) modeltest.Reply {
	if s.fault == "" {
		s.fault = fmt.Sprintf(format, args...)
	}
	return modeltest.Say("<FINISH_SIGNAL>")
}

// answered is how many replies of the day are on disk: each must be there before the next is asked for, and none is asked for again.
func (s *script) answered(r modeltest.Request) (n int, err error) {
	entries, err := transcript.Read(transcript.File(s.dir, strings.TrimPrefix(r.Model, "scripted/"), market.Stamp(r.Date)))
	for _, e := range entries {
		if e.Reply != nil {
			n++
		}
	}
	return n, err
}

// saidIn is what was said in a conversation so far, whatever form and ids the API wants it to have.
func saidIn(r modeltest.Request) string {
	var all strings.Builder
	for _, m := range r.Messages {
		fmt.Fprintln(&all, strings.Join(strings.Fields(m.Text), " "))
		for _, c := range m.Calls {
			fmt.Fprintln(&all, c.Tool, c.Arguments)
		}
	}
	return strings.Join(strings.Fields(all.String()), " ")
}
