package lines

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.jsonl")
	long := strings.Repeat("x", 1<<20)
	if err := os.WriteFile(path, []byte("one\r\n\n  two \n\t\n"+long), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line, err := range Of(path) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(line))
	}
	if want := []string{"one", "two", long}; !slices.Equal(got, want) {
		t.Errorf("%.40q", got)
	}
	for _, err := range Of(path + ".no") {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file that is not there: %v", err)
		}
	}
}
