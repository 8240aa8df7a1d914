package pagetest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Parts are the parts of data that a page has in it, each as JSON.
func Parts(t testing.TB, page string) map[string][]byte {
	t.Helper()
	_, rest, ok := strings.Cut(page, `<script id="data" type="application/json">`)
	text, _, closed := strings.Cut(rest, "</script>")
	packed := map[string][]byte{}
	if !ok || !closed || json.Unmarshal([]byte(text), &packed) != nil {
		t.Fatalf("the page has no data: %.300s", text)
	}
	for name, data := range packed {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var out bytes.Buffer
		if _, err := out.ReadFrom(z); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		packed[name] = out.Bytes()
	}
	return packed
}

// Text is what a page says: its frame, and all texts of its data, markup of accounts included.
func Text(t testing.TB, page string) string {
	t.Helper()
	out := []string{page}
	var walk func(value any)
	walk = func(value any) {
		switch x := value.(type) {
		case string:
			out = append(out, x)
		case []any:
			for _, v := range x {
				walk(v)
			}
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(x)) {
				walk(x[key])
			}
		}
	}
	parts := Parts(t, page)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		var value any
		if err := json.Unmarshal(parts[name], &value); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		walk(value)
	}
	return strings.Join(out, "\n")
}
