// Two servers on one store behind a balancer, which are killed in turn while accounts trade through it.

package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// balancer sends requests to servers in turn, and to the next one what one of them did not answer.
type balancer struct {
	addresses []string
	turn      atomic.Int64
	again     atomic.Int64 // how many requests were sent to another server
}

func (b *balancer) RoundTrip(r *http.Request) (response *http.Response, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	first := int(b.turn.Add(1))
	for i := range b.addresses {
		if i > 0 {
			b.again.Add(1)
		}
		to := r.Clone(r.Context())
		to.URL.Host, to.Body = b.addresses[(first+i)%len(b.addresses)], io.NopCloser(bytes.NewReader(body))
		if response, err = http.DefaultTransport.RoundTrip(to); err == nil {
			return response, nil
		}
	}
	return nil, err
}

// balance starts a balancer before servers, which is called like one of them.
func balance(t *testing.T, servers []*httpServer) (*httpServer, *balancer) {
	b := &balancer{}
	for _, s := range servers {
		b.addresses = append(b.addresses, s.address)
	}
	silent := func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	front := httptest.NewServer(&httputil.ReverseProxy{Transport: b, ErrorHandler: silent, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: "http", Host: b.addresses[0]})
	}})
	t.Cleanup(front.Close)
	return &httpServer{address: front.Listener.Addr().String(), client: http.DefaultClient}, b
}

// recordOf is the record that the answer of a filled order names, 0 if it is none.
func recordOf(answer string) int64 {
	var said struct {
		Result struct{ Content []struct{ Text string } }
	}
	var order struct {
		Status string
		ID     int64
	}
	if json.Unmarshal([]byte(answer), &said) != nil || len(said.Result.Content) != 1 ||
		json.Unmarshal([]byte(said.Result.Content[0].Text), &order) != nil || order.Status != "filled" {
		return 0
	}
	return order.ID
}

// balancedBuyer sends orders of an account one after the other, each until it is answered.
type balancedBuyer struct {
	name, token string
	newest      atomic.Int64 // the newest record that an answer named
	mu          sync.Mutex
	answered    map[string]int64 // record by order
	repeated    int
}

func (b *balancedBuyer) buy(t *testing.T, through *httpServer, over *atomic.Bool, client int) {
	for n := 0; !over.Load() || n == 0; n++ {
		id, before := fmt.Sprint(b.name, "-", client, "-", n), b.newest.Load()
		status, answer := through.post(b.token, orderOf(id))
		tries := 0
		for ; (status == 0 || status == http.StatusBadGateway) && tries < 1000; tries++ {
			time.Sleep(5 * time.Millisecond)
			status, answer = through.post(b.token, orderOf(id))
		}
		record := recordOf(answer)
		if status != http.StatusOK || record <= before {
			t.Errorf("%s, sent after the record %d was answered, is answered %d %s", id, before, status, answer)
			return
		}
		b.mu.Lock()
		b.answered[id] = record
		b.repeated += tries
		b.newest.Store(max(b.newest.Load(), record))
		b.mu.Unlock()
	}
}

// No order that was answered is lost or doubled, and one that is sent after an answer comes after it, whichever server took them.
func TestHTTP_TwoServersAreKilled(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		t.Parallel()
		var buyers []*balancedBuyer
		for _, name := range []string{"alice", "bob", "zachary"} {
			p.open(t, name, "1000000000", plainDays[0])
			buyers = append(buyers, &balancedBuyer{name: name, token: p.token(t, name), answered: map[string]int64{}})
		}
		servers := []*httpServer{p.serveHTTP(t, "127.0.0.1:0"), p.serveHTTP(t, "127.0.0.1:0")}
		through, b := balance(t, servers)
		var trading sync.WaitGroup
		var over atomic.Bool
		for _, buyer := range buyers {
			for client := range 2 {
				trading.Go(func() { buyer.buy(t, through, &over, client) })
			}
		}
		random := rand.New(rand.NewPCG(uint64(settingOf(t, "MCP_TRADE_STORM_SEED", 1)), 14))
		kills := scaled(t, 200, 2)
		for range kills {
			time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
			i := random.IntN(len(servers))
			if err := servers[i].process.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-servers[i].ended
			servers[i] = p.serveHTTP(t, servers[i].address)
		}
		over.Store(true)
		trading.Wait()
		orders, repeated := 0, 0
		for _, buyer := range buyers {
			kept := map[string]int64{}
			for _, r := range p.records(t, buyer.name)[1:] {
				if kept[r.OrderID] != 0 {
					t.Errorf("%s is in the ledger twice", r.OrderID)
				}
				kept[r.OrderID] = r.ID
			}
			for id, record := range buyer.answered {
				if kept[id] != record {
					t.Errorf("%s was answered with the record %d, and is %d in the ledger", id, record, kept[id])
				}
			}
			if len(kept) != len(buyer.answered) || len(kept) < 2 {
				t.Errorf("%s has %d orders, and %d were answered", buyer.name, len(kept), len(buyer.answered))
			}
			p.verified(t, buyer.name)
			orders, repeated = orders+len(kept), repeated+buyer.repeated
		}
		t.Logf("%d orders were answered over %d kills, %d of them sent to the other server and %d by the client again", orders, kills, b.again.Load(), repeated)
	})
}
