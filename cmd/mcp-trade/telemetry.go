// What OpenTelemetry is told of the calls of a server, by its conventions for MCP. No span has an argument, a text of an answer, an account or a
// token.

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/audit"
	"mcp-trade/internal/jsonrpc"
	"mcp-trade/internal/otlp"
	"mcp-trade/internal/safetext"
	"mcp-trade/serve"
)

// telemetry tells of the calls of a server. One of nil tells of none.
type telemetry struct {
	exporter *otlp.Exporter
	network  []otlp.Attribute
	agreed   atomic.Value // string: the version of the protocol of the client at standard input and output, once it is agreed
}

// openTelemetry returns what tells of the calls that come by a transport, to be ended; nil unless the environment says where to. An environment
// file may be somebody else's, who would then hear of the calls: what it says is not heeded.
func (s *settings) openTelemetry(version string, network ...otlp.Attribute) *telemetry {
	for _, name := range otlp.Variables() {
		if s.env[name] != "" && os.Getenv(name) == "" {
			s.log.Warn().Msgf("%s of %s is not heeded: only the environment can name who is told of calls", name, s.envFile)
		}
	}
	h := otlp.Histogram{
		Name: "mcp.server.operation.duration", Description: "Time from a request of MCP until its answer",
		Bounds: []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300},
	}
	exporter := otlp.New(os.Getenv, "mcp-trade", version, h, time.Now, s.log)
	if exporter == nil {
		return nil
	}
	return &telemetry{exporter: exporter, network: network}
}

func (t *telemetry) end() {
	if t != nil {
		t.exporter.End()
	}
}

// tells returns what tells of each call, nil if nobody is told.
func (t *telemetry) tells() func(context.Context, audit.Call) {
	if t == nil {
		return nil
	}
	return t.tell
}

func (t *telemetry) tell(ctx context.Context, c audit.Call) {
	head, overHTTP := ctx.Value(headKey{}).(http.Header)
	var meta struct {
		Traceparent, Tracestate string
		Version                 string `json:"io.modelcontextprotocol/protocolVersion"`
	}
	_ = json.Unmarshal(c.Meta, &meta) // what is not as it must be is not there
	parent, link := otlp.ParseParent(meta.Traceparent, meta.Tracestate), otlp.ParseParent(head.Get("traceparent"), strings.Join(head.Values("tracestate"), ","))
	if parent == (otlp.Parent{}) {
		parent, link = link, parent
	}
	method, tool, prompt := c.Known()
	method = cmp.Or(method, "_OTHER")
	failure, status, outcome := "", "", ""
	if c.Outcome != audit.OK {
		failure, outcome = "tool_error", c.Outcome
		if _, err := strconv.Atoi(c.Code); err == nil {
			failure, status, c.Code = c.Code, c.Code, ""
		}
	}
	operation := ""
	if method == string(mcp.MethodToolsCall) {
		operation = "execute_tool"
	}
	client, _, _ := net.SplitHostPort(c.Remote)
	t.exporter.Tell(otlp.Span{
		Name: strings.TrimSpace(method + " " + cmp.Or(tool, prompt)), Began: c.Began, Took: c.Took, Failed: failure != "", Parent: parent, Link: link,
		Labels: append([]otlp.Attribute{
			{Key: "mcp.method.name", Value: method}, {Key: "gen_ai.tool.name", Value: tool}, {Key: "gen_ai.prompt.name", Value: prompt}, {Key: "gen_ai.operation.name", Value: operation},
			{Key: "error.type", Value: failure}, {Key: "rpc.response.status_code", Value: status}, {Key: "mcp.protocol.version", Value: t.versionOf(c, overHTTP, cmp.Or(meta.Version, head.Get(mcp.HeaderProtocolVersion)))},
		}, t.network...),
		Details: []otlp.Attribute{
			{Key: "jsonrpc.request.id", Value: idText(c.ID)}, {Key: "client.address", Value: client}, {Key: "mcp_trade.outcome", Value: outcome}, {Key: "mcp_trade.code", Value: c.Code},
		},
	})
}

// versionOf is the version of the protocol of a call that names one, or none: then that holds which the client agreed on before.
func (t *telemetry) versionOf(c audit.Call, overHTTP bool, named string) string {
	agreed := serve.AgreedVersion(c.Answer)
	switch {
	case agreed != "" && !overHTTP:
		t.agreed.Store(agreed)
	case agreed == "" && !overHTTP:
		agreed, _ = t.agreed.Load().(string)
	}
	if named == "" {
		named = agreed
	}
	if !mcp.IsValidProtocolVersion(named) {
		return ""
	}
	return named
}

// idText is the id of a request without quotes.
func idText(id json.RawMessage) string {
	text := string(id)
	_ = json.Unmarshal(id, &text) // a number stays as it was written
	return safetext.Line(jsonrpc.Cut(text))
}

type headKey struct{}

// gate returns a gate through which what tells of calls finds what it needs.
func (t *telemetry) gate(g serve.Gate) serve.Gate {
	if t == nil {
		return g
	}
	return tracedGate{g}
}

// tracedGate has what tells of calls find the head of the request by which they came.
type tracedGate struct{ serve.Gate }

// Admit implements [serve.Gate].
func (g tracedGate) Admit(r *http.Request) (ctx context.Context, done func(), err error) {
	if ctx, done, err = g.Gate.Admit(r); err == nil {
		ctx = context.WithValue(ctx, headKey{}, r.Header)
	}
	return ctx, done, err
}
