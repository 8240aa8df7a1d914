// The live page over HTTP: read-only, and for as many viewers as there are.

package page

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/sync/semaphore"

	"mcp-trade/market"
)

// Limits of the server.
const (
	headerTime  = 5 * time.Second  // for a request's head to arrive
	answerTime  = 30 * time.Second // for the page, or one event, to leave
	idleTime    = 2 * time.Minute  // of a connection between requests
	endTime     = time.Second / 2  // for answers under way when the server ends
	heartbeat   = 15 * time.Second // between comments that keep an idle connection open
	maxHead     = 16 << 10         // bytes of a request's head
	maxViewers  = 256              // that follow at the same time
	maxReaders  = 4                // conversations that are read at the same time
	retryMillis = 1000             // after which a browser tries again
)

// Serve serves the page, and follows the source, until ctx is done. It closes the listener. Unless it is open to others, it
// answers only requests that name this machine: a foreign page whose name was made to lead here gets nothing.
func (l *Live) Serve(ctx context.Context, listener net.Listener, open bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		l.Follow(ctx)
	}()
	server := &http.Server{
		Handler: l.Handler(open), BaseContext: func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, WriteTimeout: answerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHead,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		last, stop := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer stop()
		if server.Shutdown(last) != nil {
			err = server.Close()
		}
	}
	cancel()
	<-followed
	return err
}

// Handler answers GET / with the page, and GET /events with the versions that follow it. GET /part/ has the parts of the newest version
// as JSON, GET /change/ what turns a version into the next one, or 204 if it is too long ago. GET /day/ACCOUNT/DATE is what was said on a
// day, as text. GET /report.json is the report, GET /runs.json the runs that are under way, and GET /healthz answers 200, or 503 if the
// ledgers cannot be read.
func (l *Live) Handler(open bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", l.page)
	mux.HandleFunc("GET /part/{name}", func(w http.ResponseWriter, r *http.Request) {
		now, _ := l.state()
		w.Header().Set("Report-Version", now.name)
		packed(w, r, now.parts[r.PathValue("name")])
	})
	mux.HandleFunc("GET /change/{version}", func(w http.ResponseWriter, r *http.Request) {
		if data := l.changeOf(r.PathValue("version")); data != nil {
			packed(w, r, data)
		} else {
			w.WriteHeader(http.StatusNoContent) // too long ago; a browser would call 404 an error
		}
	})
	mux.HandleFunc("GET /healthz", l.health)
	mux.HandleFunc("GET /report.json", func(w http.ResponseWriter, _ *http.Request) {
		now, _ := l.state()
		w.Header().Set("Content-Type", "application/json")
		_ = now.json(w) // a viewer that is gone
	})
	mux.HandleFunc("GET /runs.json", func(w http.ResponseWriter, r *http.Request) {
		now, _ := l.state()
		if now.runs == nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(now.runs) // a viewer that is gone
	})
	readers := semaphore.NewWeighted(maxReaders)
	mux.HandleFunc("GET /day/{account}/{date}", func(w http.ResponseWriter, r *http.Request) {
		if readers.Acquire(r.Context(), 1) == nil {
			defer readers.Release(1)
			l.day(w, r)
		}
	})
	viewers := semaphore.NewWeighted(maxViewers)
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		if !viewers.TryAcquire(1) {
			http.Error(w, fmt.Sprintf("%d viewers follow already", maxViewers), http.StatusServiceUnavailable)
			return
		}
		defer viewers.Release(1)
		l.events(w, r)
	})
	return secured(mux, open)
}

// secured adds the security headers to every answer, and refuses foreign hosts unless open.
func secured(next http.Handler, open bool) http.Handler {
	allow := policy(true) + "; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", allow)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !open && !IsLoopback(r.Host) {
			http.Error(w, "this page is for this machine only: open it by the name localhost or the address 127.0.0.1", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// IsLoopback tells whether an address, with or without a port, is one of this machine to itself.
func IsLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip, err := netip.ParseAddr(trimBrackets(host))
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

func trimBrackets(host string) string {
	if n := len(host); n > 1 && host[0] == '[' && host[n-1] == ']' {
		return host[1 : n-1]
	}
	return host
}

func (l *Live) page(w http.ResponseWriter, _ *http.Request) {
	now, _ := l.state()
	var out bytes.Buffer
	if err := now.write(&out, true); err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(out.Bytes()) // a viewer that is gone
}

// day answers with what was said on a day of an account that the page shows.
func (l *Live) day(w http.ResponseWriter, r *http.Request) {
	now, _ := l.state()
	account := r.PathValue("account")
	date, err := market.ParseStamp(r.PathValue("date"))
	if err != nil || l.source.Day == nil || now.parts["account-"+elementID(account)] == nil {
		http.NotFound(w, r)
		return
	}
	text, err := l.source.Day(r.Context(), account, date)
	switch {
	case err != nil:
		http.Error(w, "what was said cannot be read: "+inert(err.Error()), http.StatusServiceUnavailable)
	case text == "":
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(inert(text))) // a viewer that is gone
	}
}

// packed answers with JSON that was compressed once for all.
func packed(w http.ResponseWriter, r *http.Request, data []byte) {
	if data == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip") // which every browser takes
	_, _ = w.Write(data)                       // a viewer that is gone
}

// health tells whether the page is up to date.
func (l *Live) health(w http.ResponseWriter, _ *http.Request) {
	now, trouble := l.state()
	w.Header().Set("Content-Type", "application/json")
	if trouble != "" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"version": now.name, "trouble": trouble}) // strings always marshal
}

// events sends a viewer each snapshot newer than the one it has. Of snapshots made while an event is being sent, it sends the last.
func (l *Live) events(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // nothing more is to come; a deadline would end the answer
	send := func(text string) bool {
		_ = out.SetWriteDeadline(time.Now().Add(answerTime)) // not every writer has one
		_, err := fmt.Fprint(w, text)
		return errors.Join(err, out.Flush()) == nil
	}
	has := r.URL.Query().Get("version")
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		has = id // a reconnecting browser names the last event it got
	}
	var seen *snapshot
	if now, _ := l.state(); now.name == has {
		seen = now
	}
	trouble := ""
	if !send(fmt.Sprintf("retry: %d\n\n", retryMillis)) {
		return
	}
	for {
		ctx, stop := context.WithTimeout(r.Context(), heartbeat)
		now, why, err := l.next(ctx, seen, trouble)
		stop()
		text := ": still here\n\n"
		switch {
		case r.Context().Err() != nil:
			return
		case err == nil && (now != seen || why == ""):
			text = now.changeEvent()
			if why != "" {
				text += troubleEvent(why)
			}
		case err == nil:
			text = troubleEvent(why)
		}
		seen, trouble = now, why
		if !send(text) {
			return
		}
	}
}

// changeEvent tells a viewer that there is a new snapshot.
func (v *snapshot) changeEvent() string { return event("change", "id: "+v.name+"\n", v.name) }

func troubleEvent(why string) string { return event("trouble", "", why) }

func event(name, id string, data any) string {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // strings always marshal
	}
	return fmt.Sprintf("event: %s\n%sdata: %s\n\n", name, id, text)
}
