package oauth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func TestNew(t *testing.T) {
	for _, good := range []string{"https://login.example.com", "https://login.example.com/realms/x", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:1/mcp"} {
		if _, err := New(good, good, time.Now); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "login.example.com", "http://login.example.com", "http://127.0.0.1.example.com", "https://x?y", "https://x#y", "https://u:p@x", "ftp://localhost", "https://", "https://%zz"} {
		if _, err := New(bad, "https://x", time.Now); err == nil {
			t.Errorf("the issuer %q is taken", bad)
		}
		if _, err := New("https://x", bad, time.Now); err == nil {
			t.Errorf("the audience %q is taken", bad)
		}
	}
}

func TestIssuer_MetadataURL(t *testing.T) {
	for audience, want := range map[string]string{
		"https://x":         "https://x/.well-known/oauth-protected-resource",
		"https://x/":        "https://x/.well-known/oauth-protected-resource",
		"https://x:8/mcp":   "https://x:8/.well-known/oauth-protected-resource/mcp",
		"https://x/a/b/mcp": "https://x/.well-known/oauth-protected-resource/a/b/mcp",
	} {
		i, err := New("https://issuer", audience, time.Now)
		if err != nil || i.MetadataURL() != want {
			t.Errorf("%s: %s %v", audience, i.MetadataURL(), err)
		}
	}
}

// Wherever an issuer leads to, nothing is asked over a network in clear.
func TestGuarded(t *testing.T) {
	if answer, err := client().Get("http://192.0.2.1/keys"); err == nil || answer != nil {
		t.Errorf("%v", err)
	}
}

// Keys that are secret, for encryption or of an unknown kind are none; the others are read.
func TestReadKeys(t *testing.T) {
	made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(jose.JSONWebKey{Key: made.Public(), KeyID: "1"})
	if err != nil {
		t.Fatal(err)
	}
	good := strings.TrimSuffix(string(text), "}")
	for text, want := range map[string]int{
		`{"keys":[` + good + `}]}`:                                       1,
		`{"keys":[{"kty":"odd"},7,{},` + good + `}]}`:                    1,
		`{"keys":[` + good + `,"use":"sig"},` + good + `,"use":"enc"}]}`: 1,
		`{"keys":[{"kty":"oct","k":"AAAA"}]}`:                            0,
		`{"keys":[]}`:                                                    0, `{}`: 0, `[]`: 0, ``: 0, `<html>`: 0,
	} {
		keys, err := readKeys([]byte(text))
		if len(keys) != want || (err == nil) != (want > 0) {
			t.Errorf("%.60s: %d keys, %v", text, len(keys), err)
		}
	}
}
