// A real Redis for tests.

package testenv

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// StartRedis starts a real Redis server that keeps nothing on disk, unless args, which come last on its command line,
// say otherwise. It returns the address, and ends the server with the test.
func StartRedis(t testing.TB, args ...string) (addr string) {
	t.Helper()
	return NewRedis(t, args...).Addr
}

// Redis is a real server that a test may kill and start again on the same port and the same files.
type Redis struct {
	Addr string
	Dir  string // its working directory

	argv    func(port string) []string
	answers func(addr string) bool // nil: to PING
	process *os.Process
	ended   chan struct{}
}

// NewRedis is [StartRedis] for a test that handles the server itself.
func NewRedis(t testing.TB, args ...string) *Redis {
	t.Helper()
	Program(t, "redis", "redis-server")
	r := &Redis{Dir: t.TempDir()}
	r.argv = func(port string) []string {
		return slices.Concat([]string{
			"--bind", "127.0.0.1", "--port", port, "--dir", r.Dir, "--save", "", "--appendonly", "no",
		}, args)
	}
	r.startAnywhere(t)
	return r
}

// StartTLSRedis is [StartRedis] for a server that speaks TLS, and nothing else, with a certificate.
func StartTLSRedis(t testing.TB, cert, key string) (addr string) {
	t.Helper()
	Program(t, "redis", "redis-server")
	r := &Redis{Dir: t.TempDir()}
	r.argv = func(port string) []string {
		return []string{
			"--bind", "127.0.0.1", "--port", "0", "--tls-port", port, "--dir", r.Dir, "--save", "",
			"--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no",
		}
	}
	r.answers = listens
	r.startAnywhere(t)
	return r.Addr
}

// startAnywhere starts the server on a free port, and on another one if somebody was quicker.
func (r *Redis) startAnywhere(t testing.TB) {
	t.Helper()
	t.Cleanup(r.Kill)
	var err error
	for range 3 {
		r.Addr = "127.0.0.1:" + FreePort(t)
		if err = r.start(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// Start starts the server again after a [Redis.Kill], and waits until it answers.
func (r *Redis) Start(t testing.TB) {
	t.Helper()
	if err := r.start(); err != nil {
		t.Fatal(err)
	}
}

func (r *Redis) start() error {
	_, port, _ := net.SplitHostPort(r.Addr) // made by startAnywhere
	var log bytes.Buffer
	cmd := exec.Command("redis-server", r.argv(port)...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	r.process, r.ended = cmd.Process, ended
	asked := r.answers
	if asked == nil {
		asked = answers
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		select {
		case <-ended:
			return fmt.Errorf("redis-server ended at once:\n%s", log.String())
		default:
		}
		if asked(r.Addr) {
			return nil
		}
		if time.Now().After(end) {
			r.Kill()
			return fmt.Errorf("redis-server does not answer on %s:\n%s", r.Addr, log.String())
		}
	}
}

// Hang stops the server without ending it: connections stay open and nothing is answered. Wake has it go on.
func (r *Redis) Hang(t testing.TB) {
	t.Helper()
	if err := Suspend(r.process); err != nil {
		t.Error(err) // in goroutines beside the test's as well
	}
}

// Wake has a server that hangs go on.
func (r *Redis) Wake(t testing.TB) {
	t.Helper()
	if err := Resume(r.process); err != nil {
		t.Error(err)
	}
}

// Kill ends the server at once, as kill -9 does.
func (r *Redis) Kill() {
	if r.process != nil {
		_ = r.process.Kill()
		<-r.ended
	}
}

// answers tells whether a server replies to PING, if only to ask for a password.
func answers(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	reply, _ := bufio.NewReader(c).ReadString('\n')
	return strings.HasPrefix(reply, "+PONG") || strings.HasPrefix(reply, "-NOAUTH")
}

// listens tells whether somebody accepts connections.
func listens(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}
