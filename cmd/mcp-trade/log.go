// The log on stderr, and what stands in for stderr while progress is shown there.

package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

func newLog(w io.Writer, format string) zerolog.Logger {
	if format == "console" {
		w = zerolog.ConsoleWriter{Out: w, TimeFormat: time.TimeOnly, NoColor: !isTerminal(os.Stderr)}
	}
	return zerolog.New(w).Level(zerolog.InfoLevel).With().Timestamp().Logger()
}

// relay is stderr, or what stands in for it while progress is shown there.
type relay struct {
	mu sync.Mutex
	to io.Writer
}

func (r *relay) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.to.Write(p)
}

func (r *relay) redirect(to io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = to
}
