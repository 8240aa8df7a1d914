// A proxy that fails on demand: the network between a client and its server, as a test would have it.

package testenv

import (
	"bytes"
	"net"
	"sync"
	"testing"
	"time"
)

// Mode is what a [Proxy] does with connections.
type Mode int

const (
	Pass   Mode = iota // connections reach the server
	Refuse             // nobody listens, and what was connected is cut
	Hang               // connections are accepted, and nothing ever comes back
)

// Proxy stands before a server and passes bytes in both directions until it is told otherwise.
type Proxy struct {
	addr, target string

	mu       sync.Mutex
	mode     Mode
	listener net.Listener
	links    map[*link]bool
	armed    bool   // the next request that holds after loses its reply
	after    []byte // in small letters
	then     func()
	drops    int
	delay    time.Duration // of requests
	wg       sync.WaitGroup
}

// link is one client's connection and its way on to the server. Its flags are guarded by the proxy's mu.
type link struct {
	client, server net.Conn
	doomed         bool // the request is on its way, its reply will not come back
}

// StartProxy starts a proxy before the server at target. It ends with the test.
func StartProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	p := &Proxy{target: target, links: map[*link]bool{}, addr: "127.0.0.1:0"}
	if err := p.listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Set(Refuse)
		p.wg.Wait()
	})
	return p
}

// Addr is where the proxy listens, whatever its mode.
func (p *Proxy) Addr() string { return p.addr }

// Set changes the mode. A connection that was held in [Hang] is cut, so that nothing sent then arrives later.
func (p *Proxy) Set(m Mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set(m)
}

func (p *Proxy) set(m Mode) {
	if m == Refuse && p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	if m == Refuse || p.mode == Hang && m != Hang {
		for l := range p.links {
			l.cut()
		}
	}
	p.mode = m
	if m != Refuse && p.listener == nil {
		// The port is ours, but the system may take a moment to agree.
		for end := time.Now().Add(5 * time.Second); p.listen() != nil; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				panic("the proxy cannot listen on " + p.addr + " again")
			}
		}
	}
}

// DropReply lets the next request that holds that text (in capital or small letters, "" for any) through to the
// server, and when the server replies, cuts the connection instead of passing the reply on. Before the cut, so before
// the client can ask again, it calls then, which may be nil.
func (p *Proxy) DropReply(after string, then func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed, p.after, p.then = true, bytes.ToLower([]byte(after)), then
}

// Delay has requests arrive so much later. Those that are under way when it changes keep their time, also if their client
// goes away.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Drops is how many replies were dropped.
func (p *Proxy) Drops() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.drops
}

func (p *Proxy) listen() error {
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		return err
	}
	p.listener, p.addr = l, l.Addr().String()
	p.wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // closed
			}
			p.wg.Go(func() { p.serve(client) })
		}
	})
	return nil
}

func (p *Proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	l := &link{client: client, server: server}
	p.mu.Lock()
	if p.mode == Refuse { // it changed since the connection was accepted
		l.cut()
	}
	p.links[l] = true
	p.mu.Unlock()
	p.wg.Go(func() { p.pump(l, l.server, l.client, p.replyPasses) })
	p.pump(l, l.client, l.server, p.requestPasses)
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// pump passes what comes from one end to the other as far as passes allows, until either end is closed.
func (p *Proxy) pump(l *link, from, to net.Conn, passes func(*link, []byte) bool) {
	defer l.cut()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 && passes(l, buf[:n]) {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *Proxy) requestPasses(l *link, chunk []byte) bool {
	p.mu.Lock()
	delay := p.delay
	p.mu.Unlock()
	time.Sleep(delay)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mode == Pass && p.armed && bytes.Contains(bytes.ToLower(chunk), p.after) {
		p.armed, l.doomed = false, true
	}
	return p.mode == Pass
}

func (p *Proxy) replyPasses(l *link, _ []byte) bool {
	p.mu.Lock()
	doomed, then, passes := l.doomed, p.then, p.mode == Pass
	if doomed {
		l.doomed = false
		p.drops++
	}
	p.mu.Unlock()
	if !doomed {
		return passes
	}
	if then != nil {
		then()
	}
	l.cut()
	return false
}

func (l *link) cut() {
	_ = l.client.Close()
	_ = l.server.Close()
}
