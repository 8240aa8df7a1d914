// A real Redis for tests, and the wish list of the machine that runs them.

package storetest

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Require skips the test if it lacks what it needs, and says why. It fails the test instead where that was promised.
func Require(t testing.TB, what string, have bool, why string) {
	t.Helper()
	switch {
	case have:
	case Promised(what):
		t.Fatalf("MCP_TRADE_REQUIRE names %s, but %s", what, why)
	default:
		t.Skipf("%s: %s", what, why)
	}
}

// Promised tells whether the environment variable MCP_TRADE_REQUIRE, a comma list, names a thing.
func Promised(what string) bool {
	for name := range strings.SplitSeq(os.Getenv("MCP_TRADE_REQUIRE"), ",") {
		if strings.TrimSpace(name) == what {
			return true
		}
	}
	return false
}

// TestData returns the absolute path of the folder of real prices and ledgers that MCP_TRADE_TESTDATA names; a
// relative value counts from the root of the module. Without it the test is skipped.
func TestData(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("MCP_TRADE_TESTDATA")
	Require(t, "testdata", dir != "", "MCP_TRADE_TESTDATA does not name a folder")
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(moduleRoot(t), dir)
	}
	info, err := os.Stat(dir)
	Require(t, "testdata", err == nil && info.IsDir(), dir+" is not a folder")
	return dir
}

func moduleRoot(t testing.TB) string {
	dir, err := os.Getwd() // go test runs in the folder of the package
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the working directory")
		}
	}
}

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
	needRedis(t)
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
	needRedis(t)
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

func needRedis(t testing.TB) {
	t.Helper()
	_, err := exec.LookPath("redis-server")
	Require(t, "redis", err == nil, "redis-server is not on the PATH")
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
func (r *Redis) Hang(t testing.TB) { r.signal(t, syscall.SIGSTOP) }

// Wake has a server that hangs go on.
func (r *Redis) Wake(t testing.TB) { r.signal(t, syscall.SIGCONT) }

func (r *Redis) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := r.process.Signal(s); err != nil {
		t.Error(err) // in goroutines beside the test's as well
	}
}

// Kill ends the server at once, as kill -9 does.
func (r *Redis) Kill() {
	if r.process != nil {
		_ = r.process.Kill()
		<-r.ended
	}
}

// FreePort returns a port on 127.0.0.1 that was free a moment ago. It is below those that systems give to connections, which
// else could take the port of a server while that is killed and not yet started again.
func FreePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(10_000 + rand.IntN(22_000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("of 100 ports none is free")
	return ""
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
