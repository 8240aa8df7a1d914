// Connections to external servers, bounded before they are held: what such a server sends is nobody's promise.

package mcpclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/client/transport"

	"mcp-trade/internal/bounded"
)

// maxMessage bounds a message of an external server, in bytes: one line of a command, or one body of an address.
const maxMessage = 8 << 20

// errMessageTooLong ends a connection.
var errMessageTooLong = fmt.Errorf("it sent a message of more than %d MiB", maxMessage>>20)

// connect returns the transport to an external server. Cancelling ctx ends it. tooLong is set once the server has sent a message that
// is longer than maxMessage; it is read no more then.
func (s Config) connect(ctx context.Context, stderr io.Writer, tooLong *atomic.Bool) (transport.Interface, error) {
	if s.URL != "" {
		return s.dial(tooLong)
	}
	return s.launch(ctx, stderr, tooLong)
}

// dial returns the transport to an address.
func (s Config) dial(tooLong *atomic.Bool) (transport.Interface, error) {
	web := &http.Client{
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := http.DefaultTransport.RoundTrip(r)
			if err == nil {
				response.Body = &limitedBody{ReadCloser: response.Body, left: maxMessage, tooLong: tooLong}
			}
			return response, err
		}),
		// A redirect would take the headers to where nobody sent them.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return transport.NewStreamableHTTP(s.URL, transport.WithHTTPHeaders(s.Headers), transport.WithHTTPBasicClient(web))
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// limitedBody is a body that ends in an error when it is longer than what is left.
type limitedBody struct {
	io.ReadCloser
	left    int
	tooLong *atomic.Bool
}

func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		b.tooLong.Store(true)
		return 0, bounded.ErrTooLong
	}
	return n, err
}

// process is a transport to a command. The client asks a transport for more than [transport.Interface], so the whole one is in it.
type process struct {
	*transport.Stdio
	end func() error
}

// Close ends the connection and the command.
func (p *process) Close() error { return errors.Join(p.Stdio.Close(), p.end()) }

// launch starts a command in a folder of its own, which goes with it, unless the user named one.
func (s Config) launch(ctx context.Context, stderr io.Writer, tooLong *atomic.Bool) (transport.Interface, error) {
	command := s.Command
	if strings.ContainsRune(filepath.ToSlash(command), '/') { // a path, which is not one of that folder
		absolute, err := filepath.Abs(command)
		if err != nil {
			return nil, err
		}
		command = absolute
	}
	cmd := exec.CommandContext(ctx, command, s.Args...)
	cmd.Env = Environment()
	for name, value := range s.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Stderr, cmd.Dir, cmd.WaitDelay = stderr, s.Folder, patience
	remove := func() error { return nil }
	if cmd.Dir == "" {
		dir, err := os.MkdirTemp("", "mcp-server-")
		if err != nil {
			return nil, err
		}
		cmd.Dir, remove = dir, func() error { return os.RemoveAll(dir) }
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, remove()) // a command that does not start has closed its input
	}
	t := transport.NewIO(&limitedLines{from: stdout, tooLong: tooLong}, stdin, nil)
	return &process{t, func() error { return errors.Join(end(cmd), remove()) }}, nil
}

// patience is how long a command whose input is closed may go on, and then what it left behind with its output open.
const patience = 2 * time.Second

// end waits for a command whose input is closed, and ends it if it goes on.
func end(cmd *exec.Cmd) error {
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	var status *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &status) && !errors.Is(err, exec.ErrWaitDelay) {
		return err
	}
	return nil // how it ends is its own business
}

// limitedLines ends at a line that is longer than maxMessage, as if the server had ended.
type limitedLines struct {
	from    io.Reader
	line    int // bytes since the last line feed
	tooLong *atomic.Bool
}

func (l *limitedLines) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	if at := bytes.LastIndexByte(p[:n], '\n'); at >= 0 {
		l.line = n - 1 - at
	} else {
		l.line += n
	}
	if l.line > maxMessage {
		l.tooLong.Store(true)
		return 0, io.EOF
	}
	return n, err
}
