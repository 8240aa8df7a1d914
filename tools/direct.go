// Calls that go to their tool directly.
//
// mcp-go reads the text of a call four times, finds the tool and calls it. A call of a name, arguments and a _meta that mcp-go has
// accepted before needs no more than that, so the server calls the tool itself and writes the answer as mcp-go would. A test
// compares both ways.

package tools

import (
	"context"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"
)

// clientMeta is the _meta of a call and the fields that mcp-go adds to the results for that client.
type clientMeta struct {
	said          string // params._meta, as it was written; "" without one
	meta          *mcp.Meta
	result        mcp.Result // what each result for this client says of itself
	before, after string     // the same as members of a JSON object, those before "content" and those after it
}

// direct calls the tool of a request. ok is false where the request needs mcp-go.
func (s *Server) direct(ctx context.Context, r *call) (answer any, ok bool) {
	tool, by := s.handlers[r.Name], &clientMeta{}
	if tool == nil || r.Method != string(mcp.MethodToolsCall) || r.More {
		return nil, false
	}
	if len(r.Meta) > 0 {
		if by = s.newest.Load(); by == nil || by.said != string(r.Meta) {
			return nil, false
		}
	}
	var req mcp.CallToolRequest
	req.Params.Name, req.Params.RawArguments, req.Params.Meta = r.Name, r.Args, by.meta
	result, err := awaitTurn(tool)(ctx, req)
	if err != nil {
		return s.rewriteError(mcp.NewJSONRPCError(mcp.NewRequestId(r.ID), mcp.INTERNAL_ERROR, "", nil), r, err), true
	}
	if text, ok := toolResponse(r.ID, result, by); ok {
		return text, true
	}
	result.Result = by.result
	return mcp.NewJSONRPCResultResponse(mcp.NewRequestId(r.ID), result), true
}

// learn keeps the fields that mcp-go added for the _meta of a call. A client sends the same _meta with each call, except where it
// asks for the progress of one.
func (s *Server) learn(r *call, answer any) {
	result, ok := answer.(*mcp.CallToolResult)
	if !ok || r.Method != string(mcp.MethodToolsCall) || r.More || len(r.Meta) == 0 {
		return
	}
	by := &clientMeta{said: string(r.Meta), meta: &mcp.Meta{}, result: result.Result}
	if json.Unmarshal(r.Meta, by.meta) != nil || by.meta.ProgressToken != nil {
		return
	}
	if by.result.Meta != nil {
		text, err := json.Marshal(by.result.Meta)
		if err != nil {
			return
		}
		by.before = `"_meta":` + string(text) + ","
	}
	if by.result.ResultType != "" {
		by.after = `,"resultType":"` + string(by.result.ResultType) + `"`
	}
	s.newest.Store(by)
}

// toolResponse is the response to a call with the result of a tool. ok is false if there is more in it than a result of ours has.
func toolResponse(id json.RawMessage, r *mcp.CallToolResult, by *clientMeta) (text json.RawMessage, ok bool) {
	if r.IsError || r.Meta != nil || r.ResultType != "" || len(r.InputRequests) > 0 || r.RequestState != "" || len(r.Content) != 1 {
		return nil, false
	}
	content, isText := r.Content[0].(mcp.TextContent)
	structured, isJSON := r.StructuredContent.(json.RawMessage)
	if !isText || !isJSON || content.Annotations != nil || content.Meta != nil {
		return nil, false
	}
	said, err := json.Marshal(content.Text)
	text = make([]byte, 0, 128+len(id)+len(by.before)+len(said)+len(by.after)+len(structured)+1) // with the line feed
	text = append(append(append(text, `{"jsonrpc":"2.0","id":`...), id...), `,"result":{`...)
	text = append(append(append(text, by.before...), `"content":[{"type":"text","text":`...), said...)
	text = append(append(append(text, `}]`...), by.after...), `,"structuredContent":`...)
	return append(append(text, structured...), "}}"...), err == nil
}
