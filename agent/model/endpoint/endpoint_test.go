package endpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestEvents(t *testing.T) {
	for text, want := range map[string]string{
		"data: a\n\ndata: b\n\n": "[ a][ b]",
		"data:a  \r\n\r\n: comment\r\n\r\nevent: ping\r\ndata: {}\r\n": "[ a][ping {}]",
		"event: error\ndata: x\n\ndata: y\n":                           "[error x][ y]",
		"id: 1\nretry: 2\nunheard: of\ndata:\n\n":                      "",
		"data: a\ndata: b\n\ndata: stop\n\ndata: c":                    "[ a][ b][ stop]",
		"": "",
	} {
		got := ""
		err := Events(strings.NewReader(text), func(name string, data []byte) error {
			got += fmt.Sprintf("[%s %s]", name, data)
			if string(data) == "stop" {
				return io.EOF
			}
			return nil
		})
		if got != want || err != nil {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
	if err := Events(strings.NewReader("data: "+strings.Repeat("x", 3*MaxReply)), func(string, []byte) error { return nil }); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
}

func TestLook(t *testing.T) {
	for text, want := range map[string]string{
		"\n\n  {": "whole", "[": "whole", "\ufeff{": "whole", "<html>": "page", ": keep-alive": "stream", "data: x": "stream", " \n": "EOF",
	} {
		b, err := look(strings.NewReader(text))
		got := "stream"
		switch {
		case err != nil:
			got = err.Error()
		case b.Whole():
			got = "whole"
		case b.page():
			got = "page"
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestLenient(t *testing.T) {
	var v struct {
		Text   Text
		Count  Count
		List   List[struct{ A Text }]
		Object Object[struct{ A Text }]
	}
	for text, want := range map[string]string{
		`{"text":"a","count":3,"list":[{"a":"b"}],"object":{"a":"c"}}`:       `a 3 [{b}] {{c}}`,
		`{"text":7,"count":"3.0","list":{"a":"b"},"object":[]}`:              `7 3 [{b}] {{}}`,
		`{"text":null,"count":-3,"list":[null,7,{"a":1}],"object":"x"}`:      ` 0 [{1}] {{}}`,
		`{"text":{},"count":1e99,"list":"x","object":null}`:                  ` 0 [] {{}}`,
		`{"text":[1],"count":"NaN","list":null,"object":{"a":{"deep":"x"}}}`: ` 0 [] {{}}`,
	} {
		v.Text, v.Count, v.List, v.Object.V.A = "", 0, nil, ""
		if err := json.Unmarshal([]byte(text), &v); err != nil || fmt.Sprintf("%s %d %v %v", v.Text, v.Count, v.List, v.Object) != want {
			t.Errorf("%s: %s %d %v %v, %v; want %s", text, v.Text, v.Count, v.List, v.Object, err, want)
		}
	}
}

func TestWait(t *testing.T) {
	now := time.Date(2025, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		header, message string
		want            time.Duration
	}{
		{"7", "try again in 2s", 7 * time.Second},
		{"", "Rate limit reached. Please try again in 2s.", 2 * time.Second},
		{"", "Please try again in 6m0s. Visit", 6 * time.Minute},
		{"", "Please retry in 45.5s.", 45500 * time.Millisecond},
		{"", "try again in 120ms", 120 * time.Millisecond},
		{"", "Please retry after 6 seconds.", 6 * time.Second},
		{"", "Try again in 2 minutes", 2 * time.Minute},
		{"", "try again in 99999999999999999999h", 0},
		{"", "try again in .", 0},
		{"", "try again later", 0},
	} {
		if got := wait(http.Header{"Retry-After": {c.header}}, c.message, now); got != c.want {
			t.Errorf("%q %q: %v, want %v", c.header, c.message, got, c.want)
		}
	}
}
