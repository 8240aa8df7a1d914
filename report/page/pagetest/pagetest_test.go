package pagetest

// Tests of the tests: what is wrong with a page is found.

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
)

func TestTab_Complaints(t *testing.T) {
	testenv.Slow(t)
	path := filepath.Join(t.TempDir(), "bad.html")
	page := `<!DOCTYPE html><title>bad</title><p style="color: #ddd; background: #fff">hardly to be read</p>
		<img src="http://elsewhere.example/x.png"><script>console.error("a word to the console"); setTimeout(() => { throw new Error("thrown") }); setTimeout(() => { window.done = 1 })</script>`
	if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	tab := Start(t).Open(t, Desktop, "file://"+path)
	tab.Wait(`window.done`)
	complaints := strings.Join(tab.Complaints(), "\n")
	for _, want := range []string{"a word to the console", "thrown", "request: http://elsewhere.example/x.png"} {
		if !strings.Contains(complaints, want) {
			t.Errorf("of %q nothing is said: %s", want, complaints)
		}
	}
	tab.Forget()
	findings := strings.Join(tab.Axe(), "\n")
	for _, want := range []string{"image-alt", "color-contrast", "html-has-lang"} {
		if !strings.Contains(findings, want) {
			t.Errorf("%s is not found: %s", want, findings)
		}
	}
}
