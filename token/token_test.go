package token

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-trade/internal/rate"
	"mcp-trade/store/filestore"
)

var noon = time.Date(2025, 10, 2, 12, 0, 0, 0, time.UTC)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	s := filestore.New(dir, dir)
	secret, made, err := New(t.Context(), s, Token{Account: "gpt-5", Model: "26", Scopes: []string{"read"}, Toolsets: []string{"trade"}, Created: noon, Expires: noon.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if other, _, err := New(t.Context(), s, Token{Account: "gpt-5", Model: "26"}); err != nil || other == secret || len(other) != len(secret) {
		t.Errorf("another token is %d characters, as this one %v, %v", len(other), other == secret, err)
	}
	state := func(secret string, now time.Time) string {
		_, err := Find(t.Context(), filestore.New(dir, dir), secret, now) // as another process
		var invalid *InvalidError
		switch {
		case errors.As(err, &invalid):
			return "invalid " + invalid.State
		case err != nil:
			return err.Error()
		}
		return Active
	}
	for name, c := range map[string]struct {
		secret string
		now    time.Time
		want   string
	}{
		"the token":               {secret, noon, Active},
		"in its last moment":      {secret, noon.Add(time.Hour - 1), Active},
		"at its end":              {secret, noon.Add(time.Hour), "invalid expired"},
		"nothing":                 {"", noon, "invalid "},
		"without its prefix":      {strings.TrimPrefix(secret, prefix), noon, "invalid "},
		"its hash":                {prefix + made.ID, noon, "invalid "},
		"another last character":  {secret[:len(secret)-2] + "A" + secret[len(secret)-1:], noon, "invalid "},
		"with a space":            {secret + " ", noon, "invalid "},
		"a path":                  {prefix + strings.Repeat("../", 14) + "a", noon, "invalid "},
		"in other case of prefix": {strings.ToUpper(prefix) + strings.TrimPrefix(secret, prefix), noon, "invalid "},
	} {
		if got := state(c.secret, c.now); got != c.want && !(name == "another last character" && secret == c.secret) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	got, err := Find(t.Context(), s, secret, noon)
	if err != nil || got.Account != "gpt-5" || got.Model != "26" || !slices.Equal(got.Scopes, []string{"read"}) || !slices.Equal(got.Toolsets, []string{"trade"}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, id := range []string{"", made.ID[:4], "ffffffffffff"} {
		if _, err := Revoke(t.Context(), s, id, noon); err == nil {
			t.Errorf("a token %q was revoked", id)
		}
	}
	if state(secret, noon) != Active {
		t.Error("the token ended without being revoked")
	}
	for _, when := range []time.Time{noon, noon.Add(time.Minute)} { // the second time changes nothing
		if got, err := Revoke(t.Context(), s, made.ID, when); err != nil || !got.Revoked.Equal(noon) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if got := state(secret, noon); got != "invalid revoked" {
		t.Errorf("a revoked token is %s", got)
	}
}

// The store has the hash of a token and never the token; what is damaged or of a later version opens nothing and hides nothing.
func TestList(t *testing.T) {
	dir := t.TempDir()
	s := filestore.New(dir, dir)
	var secrets []string
	for i, account := range []string{"a", "b", "c"} {
		secret, _, err := New(t.Context(), s, Token{Account: account, Model: account, Created: noon.Add(time.Duration(i))})
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, secret)
	}
	files, err := filepath.Glob(filepath.Join(dir, ".tokens", "*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if strings.Contains(file+string(text), strings.TrimPrefix(secret, prefix)) {
				t.Error("a token is kept as it is")
			}
		}
	}
	hash, _ := hashOf(secrets[1])
	path := filepath.Join(dir, ".tokens", hash+".json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, changed := range map[string]string{
		"empty": "", "torn": string(text[:20]), "another's": strings.Replace(string(text), hash[:idChars], "000000000000", 1),
		"narrowed by a later version": strings.Replace(string(text), "{", `{"only": "AAPL",`, 1), "of no account": strings.Replace(string(text), `"account":"b"`, `"account":"../b"`, 1),
	} {
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Find(t.Context(), s, secrets[1], noon); err == nil || !strings.Contains(err.Error(), hash[:idChars]) {
			t.Errorf("%s: %v", name, err)
		}
		all, err := List(t.Context(), s)
		if err == nil || len(all) != 2 || all[0].Account != "a" || all[1].Account != "c" {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
	}
}

// What is kept of a rate is never read as none.
func TestRate_Kept(t *testing.T) {
	text, err := json.Marshal(Token{Rate: rate.Rate{Times: 60, Per: time.Minute}})
	var read Token
	if err != nil || json.Unmarshal(text, &read) != nil || read.Rate != (rate.Rate{Times: 60, Per: time.Minute}) || read.Orders != (rate.Rate{}) {
		t.Errorf("%s %v: %+v", text, err, read)
	}
	for _, text := range []string{`{"rate":""}`, `{"rate":"0/m"}`, `{"rate":60}`} {
		if json.Unmarshal([]byte(text), &read) == nil {
			t.Errorf("%s is read as %+v", text, read)
		}
	}
}
