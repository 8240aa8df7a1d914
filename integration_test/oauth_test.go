// A real authorization server in front of the server over HTTP: oidc-provider of npm, run by node on this machine.

package integration_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
)

const oauthAudience = "https://trade.example.com/mcp"

// startIssuer starts the authorization server at a port (0: any), with a key of its own, and returns its address.
func startIssuer(t *testing.T, port string) (address string, stop func()) {
	t.Helper()
	module := testenv.File(t, "oidc-provider", "MCP_TRADE_OIDC_PROVIDER", "the folder of the module oidc-provider of npm")
	script, err := filepath.Abs("testdata/issuer.mjs")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(testenv.Program(t, "oidc-provider", "node"), script, module, port, oauthAudience)
	stdin, err := cmd.StdinPipe() // it ends with this
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	stop = func() { _ = stdin.Close(); _ = cmd.Wait() }
	t.Cleanup(stop)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "http://") {
			return lines.Text(), stop
		}
	}
	t.Fatal("the issuer does not start")
	return "", nil
}

// getJSON reads a document.
func getJSON(t *testing.T, address string, to any) {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(to); err != nil {
		t.Fatal(err)
	}
}

// accessToken gets a token as a runner does: it is told by the server who issues them, and shows the issuer its credentials.
func (s *httpServer) accessToken(t *testing.T, scope, resource string) string {
	t.Helper()
	response, err := http.Post("http://"+s.address+"/mcp", "application/json", strings.NewReader(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	found := regexp.MustCompile(`resource_metadata="https://trade\.example\.com(/[^"]+)"`).FindStringSubmatch(response.Header.Get("WWW-Authenticate"))
	if found == nil || response.StatusCode != http.StatusUnauthorized {
		t.Fatalf("%d, challenged by %s", response.StatusCode, response.Header.Get("WWW-Authenticate"))
	}
	var resourceOf struct {
		Resource string
		Servers  []string `json:"authorization_servers"`
	}
	getJSON(t, "http://"+s.address+found[1], &resourceOf)
	if resourceOf.Resource != oauthAudience || len(resourceOf.Servers) != 1 {
		t.Fatalf("%+v", resourceOf)
	}
	var issuer struct {
		Tokens string `json:"token_endpoint"`
	}
	getJSON(t, resourceOf.Servers[0]+"/.well-known/openid-configuration", &issuer)
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
	if resource != "" {
		form.Set("resource", resource)
	}
	request, err := http.NewRequest(http.MethodPost, issuer.Tokens, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("runner-1", "of-a-test")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var got struct {
		Token string `json:"access_token"`
		Error string `json:"error_description"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || got.Token == "" {
		t.Fatalf("the issuer gives no token: %v %s", err, got.Error)
	}
	return got.Token
}

// A runner trades by tokens that it gets from a real provider by client credentials, in both eras of the protocol. What is not for
// this server, or lacks a scope, is refused, and the provider may change its key and be away for a while.
func TestOAuth_RealProvider(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "10000", plainDays[0])
	issuer, stop := startIssuer(t, "0")
	s := p.serveHTTP(t, "127.0.0.1:0", "--oauth-issuer", issuer, "--oauth-audience", oauthAudience)
	token := s.accessToken(t, "read trade", oauthAudience)
	if answer := s.order(token, "0"); !strings.Contains(answer, `\"runner-1\" has no account here`) {
		t.Errorf("before anything is granted: %s", answer)
	}
	p.do(t, "token", "grant", "--issuer", issuer, "--subject", "runner-1", "--account", "alice", "--scopes", "read,trade")
	for _, era := range eras {
		s.connect(t, token, era).filled(t, "buy", "MSFT", 1)
	}
	for name, c := range map[string]struct{ token, says string }{
		"a token to read with":        {s.accessToken(t, "read", oauthAudience), "needs the scope trade"},
		"a token for another service": {s.accessToken(t, "read trade", "https://other.example.com/mcp"), "expected audience"},
		"a token that is no JWT":      {s.accessToken(t, "", ""), "none that was made here"},
	} {
		if answer := s.order(c.token, name); !strings.Contains(answer, c.says) {
			t.Errorf("%s: %s", name, answer)
		}
	}
	stop()
	if answer := s.order(token, "away"); !strings.Contains(answer, `"status":"filled"`) {
		t.Errorf("while the issuer is away: %s", answer)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(issuer, "http://"), ":")
	startIssuer(t, port)
	rotated := s.accessToken(t, "read trade", oauthAudience)
	testenv.Eventually(t, "an order by the issuer's new key", func() error {
		if answer := s.order(rotated, "rotated"); !strings.Contains(answer, `"status":"filled"`) {
			return errors.New(answer)
		}
		return nil
	})
	s.stop(t)
	for _, secret := range []string{token, rotated} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log shows a token: %s", s.log)
		}
	}
}
