// The answer of an exchange of HTTP on its way to the client.

package serve

import (
	"encoding/json"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Times of an answer.
const (
	writeTime = 10 * time.Second // to write it, or a piece of a stream
	patience  = 5 * time.Second  // after which it becomes a stream, where the client takes one
	heartbeat = 15 * time.Second // of a stream
)

// reply is where the answer of an exchange goes: as JSON, or as an event of a stream.
type reply struct {
	json, events bool // what the client takes
	patience     time.Duration
	handled      bool // a message came to the handler

	mu      sync.Mutex
	w       http.ResponseWriter
	control *http.ResponseController
	timer   *time.Timer
	begun   bool // the stream
	over    bool
}

func newReply(w http.ResponseWriter, r *http.Request, patience time.Duration) *reply {
	to := &reply{w: w, control: http.NewResponseController(w), patience: patience}
	accept := strings.Join(r.Header.Values("Accept"), ",")
	if to.json = strings.TrimSpace(accept) == ""; to.json {
		return to
	}
	for kind := range strings.SplitSeq(accept, ",") {
		switch media, _, _ := mime.ParseMediaType(kind); media {
		case "application/json", "application/*", "*/*":
			to.json = true
		case "text/event-stream", "text/*":
			to.events = true
		}
	}
	return to
}

// wait begins to wait for an answer. Where the client takes a stream, one begins when that takes long, and shows from time to time
// that the server lives.
func (to *reply) wait() {
	to.mu.Lock()
	defer to.mu.Unlock()
	if to.events && to.timer == nil {
		to.timer = time.AfterFunc(to.patience, to.beat)
	}
}

func (to *reply) beat() {
	to.mu.Lock()
	defer to.mu.Unlock()
	if to.over {
		return
	}
	to.stream(": waiting\n\n")
	to.timer.Reset(heartbeat)
}

// stream sends a piece of the stream, and begins it with the first.
func (to *reply) stream(piece string) {
	if !to.begun {
		to.begun = true
		to.w.Header().Set("Content-Type", "text/event-stream")
		to.w.Header().Set("Cache-Control", "no-store")
		to.w.Header().Set("X-Accel-Buffering", "no") // a proxy sends it on at once
		to.w.Header().Set("X-Content-Type-Options", "nosniff")
		to.w.WriteHeader(http.StatusOK)
	}
	_ = to.control.SetWriteDeadline(time.Now().Add(writeTime)) // a writer of a test has none
	_, _ = to.w.Write([]byte(piece))                           // a client that is gone wants no answer
	_ = to.control.Flush()
}

// send sends the answer; nil is none.
func (to *reply) send(status int, answer any) {
	to.mu.Lock()
	defer to.mu.Unlock()
	to.over = true
	if to.timer != nil {
		to.timer.Stop()
	}
	_ = to.control.SetWriteDeadline(time.Now().Add(writeTime))
	switch {
	case answer == nil && !to.begun:
		to.w.WriteHeader(status)
	case answer == nil:
	case to.begun || !to.json && status == http.StatusOK:
		text, err := json.Marshal(answer)
		if err == nil {
			to.stream("event: message\ndata: " + string(text) + "\n\n")
		}
	default:
		writeAnswer(to.w, status, answer)
	}
}

// writeAnswer writes an answer as one line of JSON.
func writeAnswer(w http.ResponseWriter, status int, answer any) {
	text, err := json.Marshal(answer)
	if err != nil {
		text, status = []byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"The answer cannot be written."}}`), http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // a client that is gone wants no answer
}
