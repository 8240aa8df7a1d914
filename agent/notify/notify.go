// Package notify tells somebody on the web what happens in runs, through a webhook: that an account halted or stopped, that prices are late,
// that a day is over. It is never in the way of a trade: notices wait in a queue, and what cannot be delivered is lost, with a warning.
//
// The address is a secret, since who knows it can write there. Nothing here says a part of it.
package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"mcp-trade/internal/clip"
	"mcp-trade/internal/retryafter"
	"mcp-trade/internal/safetext"
	"mcp-trade/market"
)

// Event is what happened.
type Event string

// The events.
const (
	Halt      Event = "halt"       // the account stopped, since HALT is set
	Stopped   Event = "stopped"    // the account stopped, for another reason
	Budget    Event = "budget"     // the account stopped, since its model may cost no more
	LateData  Event = "late_data"  // a day is traded without some of its prices
	MissedDay Event = "missed_day" // a day was not traded
	Revision  Event = "revision"   // a source has another figure of a bar than it had
	EndOfDay  Event = "end_of_day" // a day is over, and the account has its value
)

// Notice is what is told. As JSON it has text a second time, as content: Slack and Mattermost read the one, Discord the other.
type Notice struct {
	Event   Event
	Account string       // "" if it is about no single one
	Date    market.Stamp // the trading day that it is about, "" if there is none
	At      time.Time    // when it happened, by the clock of the run
	Text    string       // a sentence
	Details map[string]any
}

// Limits of notices.
const (
	maxText  = 1800 // bytes; Discord takes 2,000 characters
	maxQueue = 256  // notices that wait
)

// calls are the characters by which a text calls people, or hides an address. Text from outside can be part of a notice.
var calls = strings.NewReplacer("@", "＠", "<", "‹", ">", "›")

// MarshalJSON writes the details beside the other members, which come before them.
func (n Notice) MarshalJSON() ([]byte, error) {
	text := clip.Bytes(calls.Replace(safetext.Spelled(n.Text)), maxText)
	all := map[string]any{}
	maps.Copy(all, n.Details)
	maps.Copy(all, map[string]any{"event": n.Event, "text": text, "content": text, "at": n.At.UTC().Format(time.RFC3339)})
	if n.Account != "" {
		all["account"] = n.Account
	}
	if n.Date != "" {
		all["date"] = n.Date
	}
	return json.Marshal(all)
}

// Webhook posts notices to an address, one after the other. A nil one tells nobody.
type Webhook struct {
	address string
	client  *http.Client
	now     func() time.Time
	log     zerolog.Logger
	asking  retryafter.Asking
	rest    time.Duration // that [Webhook.Close] leaves for what waits

	delivery context.Context // of what is under way
	stop     context.CancelFunc
	done     chan struct{} // closed when nothing is delivered any more

	mu     sync.Mutex
	queue  chan Notice       // nil when closed
	newest map[string]Notice // by account
	told   int               // how many notices
	lost   int               // of them
	broken bool              // the last notice was lost
}

// New returns a webhook, which must be closed. An address that is none of http or https is an error, which does not say it.
func New(address string, now func() time.Time, log zerolog.Logger) (*Webhook, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, errors.New("it is no address of the form https://HOST/PATH (it is a secret and not shown)")
	}
	return begin(&Webhook{
		address: address, now: now, log: log, rest: 10 * time.Second,
		client: retryafter.Sender(10 * time.Second),
		asking: retryafter.Asking{Tries: 4, First: time.Second, Longest: time.Minute},
	}), nil
}

func begin(w *Webhook) *Webhook {
	w.queue, w.done, w.newest = make(chan Notice, maxQueue), make(chan struct{}), map[string]Notice{}
	w.delivery, w.stop = context.WithCancel(context.Background())
	go func(queue <-chan Notice) {
		defer close(w.done)
		for n := range queue {
			if err := w.deliver(n); err != nil {
				w.lose(n, err.Error())
			} else {
				w.recover()
			}
		}
	}(w.queue)
	return w
}

// Tell has a notice posted, and returns at once. What differs from the account's notice before in its time alone is told once.
func (w *Webhook) Tell(n Notice) {
	if w == nil {
		return
	}
	w.mu.Lock()
	before, repeated := w.newest[n.Account]
	repeated = repeated && before.Event == n.Event && before.Date == n.Date && before.Text == n.Text
	w.newest[n.Account] = n
	why := ""
	if !repeated {
		w.told++
		select {
		case w.queue <- n:
		default:
			why = fmt.Sprintf("%d others wait", len(w.queue))
		}
	}
	w.mu.Unlock()
	if why != "" {
		w.lose(n, why)
	}
}

// Close waits a short while until all is posted, and gives up the rest.
func (w *Webhook) Close() {
	if w == nil {
		return
	}
	w.mu.Lock()
	if w.queue != nil {
		close(w.queue)
		w.queue = nil
	}
	w.mu.Unlock()
	late := time.AfterFunc(w.rest, w.stop)
	<-w.done
	late.Stop()
	w.stop()
	w.client.CloseIdleConnections()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost > 0 {
		w.log.Warn().Msgf("%d of %d notices did not reach the webhook", w.lost, w.told)
		w.lost, w.told = 0, 0
	}
}

// lose counts a notice that is not delivered, and says so of the first in a row.
func (w *Webhook) lose(n Notice, why string) {
	w.mu.Lock()
	first := !w.broken
	w.broken = true
	w.lost++
	w.mu.Unlock()
	if first {
		w.log.Warn().Str("event", string(n.Event)).Str("account", n.Account).Msg("the webhook did not get a notice: " + why)
	}
}

func (w *Webhook) recover() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = false
}

// deliver posts a notice, several times if that may help.
func (w *Webhook) deliver(n Notice) error {
	body, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("it cannot be written as JSON: %w", err)
	}
	_, err = retryafter.Do(w.delivery, w.asking, func() (struct{}, time.Duration, error) {
		pause, err := w.post(body)
		return struct{}{}, pause, err
	})
	if w.delivery.Err() != nil {
		return errors.New("the program ended before")
	}
	return err
}

// post makes one request. With an error, pause is the time to wait before the next: 0 for the usual one, less than 0 if another is useless.
func (w *Webhook) post(body []byte) (pause time.Duration, _ error) {
	req, err := http.NewRequestWithContext(w.delivery, http.MethodPost, w.address, bytes.NewReader(body))
	if err != nil {
		return -1, errors.New("its address cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "mcp-trade")
	return retryafter.Send(w.client, req, w.now, func(status int) bool {
		return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500
	})
}
