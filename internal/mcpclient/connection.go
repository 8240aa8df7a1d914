// Connections to external servers, bounded before they are held: what such a server sends is nobody's promise.

package mcpclient

import (
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

// connection is a way to an external server.
type connection struct {
	transport.Interface
	tooLong atomic.Bool // the server sent a message that is longer than maxMessage, and is read no more
	end     func() error
}

// Close ends the connection, and the server if it is a command.
func (c *connection) Close() error { return c.end() }

// connect opens a connection. Cancelling ctx ends it.
func (s Config) connect(ctx context.Context, stderr io.Writer) (*connection, error) {
	if s.URL != "" {
		return s.dial()
	}
	return s.launch(ctx, stderr)
}

// dial connects to an address.
func (s Config) dial() (*connection, error) {
	c := &connection{}
	web := &http.Client{
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			response, err := http.DefaultTransport.RoundTrip(r)
			if err == nil {
				response.Body = &limitedBody{ReadCloser: response.Body, left: maxMessage, tooLong: &c.tooLong}
			}
			return response, err
		}),
		// A redirect would take the headers to where nobody sent them.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t, err := transport.NewStreamableHTTP(s.URL, transport.WithHTTPHeaders(s.Headers), transport.WithHTTPBasicClient(web))
	if err != nil {
		return nil, err
	}
	c.Interface, c.end = t, t.Close
	return c, nil
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

// launch starts a command in a folder of its own, which goes with it, unless the user named one.
func (s Config) launch(ctx context.Context, stderr io.Writer) (*connection, error) {
	command := s.Command
	if strings.ContainsRune(filepath.ToSlash(command), '/') { // a path, which is not one of that folder
		absolute, err := filepath.Abs(command)
		if err != nil {
			return nil, err
		}
		command = absolute
	}
	cmd := exec.CommandContext(ctx, command, s.Args...)
	cmd.Env = plainEnvironment()
	for name, value := range s.Env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Stderr, cmd.Dir = stderr, s.Folder
	remove := func() error { return nil }
	if cmd.Dir == "" {
		dir, err := os.MkdirTemp("", "mcp-server-")
		if err != nil {
			return nil, err
		}
		cmd.Dir, remove = dir, func() error { return os.RemoveAll(dir) }
	}
	c := &connection{}
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
	t := transport.NewIO(&limitedLines{from: stdout, tooLong: &c.tooLong}, stdin, nil)
	c.Interface = t
	c.end = func() error { return errors.Join(t.Close(), end(cmd), remove()) }
	return c, nil
}

// end waits for a command whose input is closed, and ends it if it goes on.
func end(cmd *exec.Cmd) error {
	const patience = 2 * time.Second
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	cmd.WaitDelay = patience // of what it started and left behind, with its output open
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
	for _, b := range p[:n] {
		if l.line++; b == '\n' {
			l.line = 0
		}
		if l.line > maxMessage {
			l.tooLong.Store(true)
			return 0, io.EOF
		}
	}
	return n, err
}
