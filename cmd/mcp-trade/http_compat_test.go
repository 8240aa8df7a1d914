package main

// Tests of AI-Trader's ports: which are open, what each serves, what is said of those that cannot be, and their end.

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
)

func TestAITraderPorts(t *testing.T) {
	want := map[string]string{"MATH_HTTP_PORT": "8000", "SEARCH_HTTP_PORT": "8001", "TRADE_HTTP_PORT": "8002", "GETPRICE_HTTP_PORT": "8003", "CRYPTO_HTTP_PORT": ""}
	for _, p := range aiTraderPorts {
		if preset, ok := want[p.variable]; !ok || preset != p.preset {
			t.Errorf("%s is %q where it is not set, want %q", p.variable, p.preset, preset)
		}
		delete(want, p.variable)
	}
	if len(want) != 0 {
		t.Errorf("there is nothing of %v", want)
	}
}

// onPorts are settings with AI-Trader's variables: 0, any port, but for those that are named.
func onPorts(variables map[string]string) *settings {
	s := newSettings()
	s.compat, s.env = compatAITrader, map[string]string{}
	for _, p := range aiTraderPorts {
		if p.preset != "" {
			s.env[p.variable] = "0"
		}
	}
	for name, port := range variables {
		s.env[name] = port
	}
	return s
}

func TestSettings_ListenForAITrader(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	_, taken, _ := net.SplitHostPort(busy.Addr().String())
	for name, c := range map[string]struct {
		variables map[string]string
		says      []string
		usage     bool
	}{
		"not a number":       {map[string]string{"TRADE_HTTP_PORT": "eight"}, []string{"TRADE_HTTP_PORT", "eight", "1 to 65535"}, true},
		"negative":           {map[string]string{"SEARCH_HTTP_PORT": "-1"}, []string{"SEARCH_HTTP_PORT", "-1"}, true},
		"too high":           {map[string]string{"GETPRICE_HTTP_PORT": "65536"}, []string{"GETPRICE_HTTP_PORT", "65536"}, true},
		"of crypto, no port": {map[string]string{"CRYPTO_HTTP_PORT": "x"}, []string{"CRYPTO_HTTP_PORT"}, true},
		"busy":               {map[string]string{"GETPRICE_HTTP_PORT": taken}, []string{"GETPRICE_HTTP_PORT", taken, "end what has the port"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			listeners, _, err := onPorts(c.variables).listenHTTP()
			closeAll(listeners)
			if err == nil || len(listeners) != 0 || errors.As(err, new(usageError)) != c.usage {
				t.Fatalf("%d are open, %v", len(listeners), err)
			}
			for _, text := range c.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not say %s", err, text)
				}
			}
		})
	}
	t.Run("the same twice, and none stays open", func(t *testing.T) {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(free.Addr().String())
		free.Close()
		_, _, err = onPorts(map[string]string{"MATH_HTTP_PORT": port, "TRADE_HTTP_PORT": port}).listenHTTP()
		if !errors.As(err, new(usageError)) || !strings.Contains(err.Error(), "MATH_HTTP_PORT and TRADE_HTTP_PORT are both "+port) {
			t.Error(err)
		}
		again, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		again.Close()
	})
	t.Run("no other program is known", func(t *testing.T) {
		s := onPorts(nil)
		s.compat = "other"
		if _, _, err := s.listenHTTP(); !errors.As(err, new(usageError)) || !strings.Contains(err.Error(), compatAITrader) {
			t.Error(err)
		}
	})
}

// servedTools asks for the tools at an address.
func servedTools(t *testing.T, address string) (names []string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var listed struct {
		Result struct{ Tools []struct{ Name string } }
	}
	if err := json.NewDecoder(answer.Body).Decode(&listed); err != nil {
		t.Fatal(err)
	}
	for _, tool := range listed.Result.Tools {
		names = append(names, tool.Name)
	}
	slices.Sort(names)
	return names
}

// beginRequest sends all of a request but its last byte, and returns once the server reads the body.
func beginRequest(t *testing.T, address string) (c net.Conn, in *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	body := `{"jsonrpc":"2.0","id":7,"method":"ping"}`
	fmt.Fprintf(c, "POST /mcp HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAccept: application/json\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", address, len(body))
	in = bufio.NewReader(c)
	if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
		t.Fatal(line, err)
	}
	if _, err := in.ReadString('\n'); err != nil { // the empty line after it
		t.Fatal(err)
	}
	fmt.Fprint(c, body[:len(body)-1])
	return c, in
}

// Each port has the tools of AI-Trader's server and no other. At the end all of them are closed, and what each has read is answered.
func TestHTTP_CompatAITrader(t *testing.T) {
	for _, p := range aiTraderPorts {
		t.Setenv(p.variable, "")
		if p.preset != "" {
			t.Setenv(p.variable, "0")
		}
	}
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	root, _ := newRoot(newScreen(log))
	root.SetArgs([]string{"http", "--compat", compatAITrader, "--data-dir", dir, "--no-env-file", "--log-format", "json"})
	ctx, end := context.WithCancel(t.Context())
	defer end()
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx) }()
	at := map[string]string{} // addresses, by the tools that the log says
	testenv.Eventually(t, "the ports", func() error {
		text, err := os.ReadFile(log.Name())
		for line := range strings.Lines(string(text)) {
			var said struct {
				Address string
				Tools   []string
			}
			if json.Unmarshal([]byte(line), &said) == nil && said.Address != "" {
				at[strings.Join(said.Tools, " ")] = said.Address
			}
		}
		if len(at) < 4 {
			return fmt.Errorf("%d are open, %w: %s", len(at), errors.Join(err, errors.New("of 4")), text)
		}
		return nil
	})
	var open []func() string
	for _, want := range []string{"add multiply", "get_information get_market_news", "buy sell", "get_price_local"} {
		address := at[want]
		if got := strings.Join(servedTools(t, address), " "); got != want {
			t.Errorf("%s serves %q, want %q", address, got, want)
		}
		if host, _, _ := net.SplitHostPort(address); host != "127.0.0.1" {
			t.Errorf("%s is not of this machine alone", address)
		}
		c, in := beginRequest(t, address)
		open = append(open, func() string {
			fmt.Fprint(c, "}")
			answer, _ := io.ReadAll(in)
			return string(answer)
		})
	}
	end()
	for _, address := range at {
		testenv.Eventually(t, "the end of "+address, func() error {
			if c, err := net.Dial("tcp", address); err == nil {
				c.Close()
				return errors.New("it still listens")
			}
			return nil
		})
	}
	for _, finish := range open {
		if answer := finish(); !strings.Contains(answer, " 200 OK") || !strings.Contains(answer, `"id":7`) {
			t.Errorf("what had been read is answered %q", answer)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
