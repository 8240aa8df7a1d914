package modeltest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// ask posts a conversation on one day, with answered calls before.
func ask(t *testing.T, s *Server, stream bool, messages string) (status int, body string, err error) {
	t.Helper()
	text := fmt.Sprintf(`{"model": "m", "stream": %v, "stream_options": {"include_usage": true}, "messages": [%s]}`, stream, messages)
	answer, err := http.Post(s.URL+"/chat/completions", "application/json", strings.NewReader(text))
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(read), err
}

const day = `{"role": "system", "content": "Trade."}, {"role": "user", "content": "Today is 2025-10-02, in a simulation."}`

func TestServer_Stream(t *testing.T) {
	long := strings.Repeat("größer ", 20)
	s := Start(t, func(r Request) Reply {
		return Reply{Text: long + r.Date + fmt.Sprint(r.Turn), Calls: []Call{Order("buy", "AAPL", 1), To("get_price", map[string]any{"symbol": "ß"})}}
	})
	_, whole, err := ask(t, s, false, day)
	if err != nil {
		t.Fatal(err)
	}
	var want wireReply
	if err := json.Unmarshal([]byte(whole), &want); err != nil {
		t.Fatal(err)
	}
	_, streamed, err := ask(t, s, true, day)
	if err != nil {
		t.Fatal(err)
	}
	var text, finish string
	var calls [2]wireCall
	var usage *wireUsage
	done := false
	for lines := bufio.NewScanner(strings.NewReader(streamed)); lines.Scan(); {
		event, isData := strings.CutPrefix(lines.Text(), "data: ")
		if done = event == "[DONE]"; !isData || done {
			continue
		}
		var piece wireReply
		if err := json.Unmarshal([]byte(event), &piece); err != nil {
			t.Fatalf("%v: %s", err, event)
		}
		usage = piece.Usage
		for _, c := range piece.Choices {
			if c.Delta.Content != nil {
				text += *c.Delta.Content
			}
			if c.Finish != nil {
				finish = *c.Finish
			}
			for _, call := range c.Delta.ToolCalls {
				calls[*call.Index].ID += call.ID
				calls[*call.Index].Function.Name += call.Function.Name
				calls[*call.Index].Function.Arguments += call.Function.Arguments
			}
		}
	}
	message := want.Choices[0].Message
	if text != *message.Content || text != long+"2025-10-020" || finish != *want.Choices[0].Finish || usage == nil || usage.Completion != want.Usage.Completion {
		t.Errorf("streamed %q %q %v, whole %s", text, finish, usage, whole)
	}
	for i, c := range message.ToolCalls {
		if calls[i].ID != c.ID || calls[i].Function != c.Function {
			t.Errorf("call %d: streamed %+v, whole %+v", i, calls[i], c)
		}
	}
}

func TestRequest_Try(t *testing.T) {
	s := Start(t, func(r Request) Reply {
		if r.Try == 0 {
			return Fail(http.StatusTooManyRequests, "7")
		}
		return Say("now")
	})
	if status, _, err := ask(t, s, false, day); status != http.StatusTooManyRequests || err != nil {
		t.Errorf("first: %d %v", status, err)
	}
	if status, body, err := ask(t, s, false, day); status != http.StatusOK || !strings.Contains(body, "now") || err != nil {
		t.Errorf("second: %d %s %v", status, body, err)
	}
	if status, _, _ := ask(t, s, false, day+`, {"role": "user", "content": "more"}`); status != http.StatusTooManyRequests {
		t.Errorf("another request: %d", status)
	}
	if s.Asked() != 3 {
		t.Errorf("asked %d times", s.Asked())
	}
}

func TestReply_Cut(t *testing.T) {
	s := Start(t, func(Request) Reply { return Reply{Text: strings.Repeat("x", 1000), Cut: true} })
	for _, stream := range []bool{false, true} {
		if _, body, err := ask(t, s, stream, day); err == nil || body == "" || strings.Contains(body, "finish_reason\":\"stop") {
			t.Errorf("stream %v: %d bytes, %v", stream, len(body), err)
		}
	}
}

func TestServer_OpenCalls(t *testing.T) {
	s := Start(t, func(Request) Reply { return Say("well") })
	const calls = `{"role": "assistant", "content": null, "tool_calls": [{"id": "a", "function": {"name": "x", "arguments": "{}"}}, {"id": "b", "function": {"name": "x", "arguments": "{}"}}]}`
	const a, b = `{"role": "tool", "tool_call_id": "a", "content": "1"}`, `{"role": "tool", "tool_call_id": "b", "content": "2"}`
	for _, c := range []struct {
		messages string
		want     int
	}{
		{calls + "," + a + "," + b, 200},
		{calls + "," + b + "," + a, 200},
		{calls + "," + a, 400},
		{calls + "," + a + "," + a, 400},
		{calls + "," + a + `, {"role": "user", "content": "go on"}`, 400},
		{b, 400},
	} {
		if status, body, _ := ask(t, s, false, c.messages); status != c.want {
			t.Errorf("%s: %d %s", c.messages, status, body)
		}
	}
}
