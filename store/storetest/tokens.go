// What must hold of tokens.

package storetest

import (
	"strings"
	"testing"

	"mcp-trade/store"
)

func tokens(t *testing.T, s store.Store) {
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	ctx := t.Context()
	want := func(hash, text string, all int) {
		t.Helper()
		got, err := s.Token(ctx, hash)
		if err != nil || string(got) != text || (got == nil) != (text == "") {
			t.Errorf("the token %.4s is %q, %v, want %q", hash, got, err, text)
		}
		listed, err := s.ListTokens(ctx)
		if err != nil || len(listed) != all || all > 0 && text != "" && string(listed[hash]) != text {
			t.Errorf("the tokens are %q, %v", listed, err)
		}
		if is, err := s.AnyToken(ctx); err != nil || is != (all > 0) {
			t.Errorf("there is a token: %v, %v, of %d", is, err, all)
		}
	}
	save := func(hash, text string) {
		t.Helper()
		if err := s.SaveToken(ctx, hash, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	want(a, "", 0)
	save(a, `{"id": "1"}`)
	want(a, `{"id": "1"}`, 1)
	want(b, "", 1)
	save(b, `{"id": "2"}`)
	save(a, `{"id": "1", "revoked": true}`)
	want(a, `{"id": "1", "revoked": true}`, 2)
	want(b, `{"id": "2"}`, 2)
	for _, hash := range []string{"", "..", "../a", "a/b", strings.Repeat("a", 65)} {
		if err := s.SaveToken(ctx, hash, []byte("{}")); err == nil {
			t.Errorf("a token was kept under %q", hash)
		}
	}
	want(a, `{"id": "1", "revoked": true}`, 2)
}
