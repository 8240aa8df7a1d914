// The log on stderr, and what stands in for stderr while progress is shown there.

package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/rs/zerolog"

	"mcp-trade/internal/safetext"
)

func newLog(to *switchWriter, format string) zerolog.Logger {
	var w io.Writer = jsonLog{to}
	if format == "console" {
		w = consoleLog(to)
	}
	return zerolog.New(w).Level(zerolog.InfoLevel).With().Timestamp().Logger()
}

// consoleLog writes an event as a line for people.
func consoleLog(to *switchWriter) io.Writer {
	painted := paint(to.screen)
	return zerolog.ConsoleWriter{
		Out: to, TimeFormat: time.TimeOnly, NoColor: true,
		FormatLevel: func(name any) string {
			level, err := zerolog.ParseLevel(fmt.Sprint(name))
			if err != nil {
				return fmt.Sprint(name)
			}
			return painted(zerolog.FormattedLevels[level], text.Colors{text.Color(zerolog.LevelColors[level])})
		},
		FormatMessage: func(message any) string {
			if message == nil {
				return ""
			}
			return safetext.Line(fmt.Sprint(message)) // its second line would look like another event
		},
	}
}

// jsonLog writes events for programs.
type jsonLog struct{ to io.Writer }

func (l jsonLog) Write(event []byte) (int, error) {
	if _, err := l.to.Write(safetext.JSON(event)); err != nil {
		return 0, err
	}
	return len(event), nil
}

// switchWriter writes to stderr, or to what replaces it while progress is shown there.
type switchWriter struct {
	screen *screen

	mu      sync.Mutex
	instead io.Writer // nil: the screen
}

func (r *switchWriter) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.instead != nil {
		return r.instead.Write(p)
	}
	return r.screen.Write(p)
}

// redirect has another writer stand in for the screen; nil ends it.
func (r *switchWriter) redirect(instead io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.instead = instead
}
