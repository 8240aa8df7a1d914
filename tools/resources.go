// What a client can read without calling a tool: the resources, and the completion of their addresses.

package tools

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcp-trade/internal/safetext"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
)

// resource is one row of the resources: a template of addresses with one variable, {signature} or {symbol}.
type resource struct {
	template, name, description, mime string
	read                              func(ctx context.Context, d *Deps, of string) (string, error) // of is the value of the variable
}

const (
	ofSignature = "{signature}" // only that of the session can be read
	ofSymbol    = "{symbol}"
)

// accountResources are those of the session's account.
func accountResources() []resource {
	return []resource{
		{"ledger://" + ofSignature + "/latest", "latest-record", "The account's newest record as of today: date, id and positions. " + ownAlone, jsonText, ofOwn((*Deps).latest)},
		{"report://" + ofSignature, "performance", "How the account has done up to the last close before today: value by day, return, drawdown, Sharpe ratio, closed trades. " + ownAlone, jsonText, ofOwn((*Deps).performance)},
		{"briefing://" + ofSignature, "briefing", "The day's briefing: date, holdings, the last closes, today's opens, profit since yesterday. " + ownAlone, "text/plain", ofOwn((*Deps).briefing)},
	}
}

// barsResource is that of the prices, for servers of get_price_history.
func barsResource() resource {
	return resource{"bars://" + ofSymbol, "bars", "The newest 30 bars of a symbol, oldest first, up to today. Of today only the open is known yet; the rest is null.", jsonText,
		func(ctx context.Context, d *Deps, symbol string) (string, error) {
			return inJSON(getPriceHistory(ctx, d, historyParams{Symbol: symbol}))
		}}
}

const (
	ownAlone = "Only the account of the session can be read."
	jsonText = "application/json"
)

// uri is the address of the resource for a value of its variable.
func (r resource) uri(of string) string {
	before, after := r.around()
	return before + of + after
}

// around is the template before and after its variable.
func (r resource) around() (before, after string) {
	before, rest, _ := strings.Cut(r.template, "{")
	_, after, _ = strings.Cut(rest, "}")
	return before, after
}

// foreignError says that a resource belongs to another account than the session's.
type foreignError struct{ own string }

func (e *foreignError) Error() string { return ownAlone + " Ask for " + e.own + "." }

// ofOwn reads what is of the session's account and no other.
func ofOwn(read func(*Deps, context.Context, session.Session) (string, error)) func(context.Context, *Deps, string) (string, error) {
	return func(ctx context.Context, d *Deps, of string) (string, error) {
		s, err := readSession(ctx)
		if err == nil && of != s.Signature {
			err = &foreignError{s.Signature}
		}
		if err != nil {
			return "", err
		}
		return read(d, ctx, s)
	}
}

// latest is the newest record of the session's account as of the session's date.
func (d *Deps) latest(ctx context.Context, s session.Session) (string, error) {
	book, err := d.Accounts.Book(ctx, s.Signature, s.Today)
	return inJSON(struct {
		Signature string           `json:"signature"`
		Date      market.Stamp     `json:"date"`
		ID        int64            `json:"id"`
		Positions ledger.Positions `json:"positions"`
	}{s.Signature, book.Date, book.ID, holdingsAndCash(book.Positions)}, err)
}

// inJSON is a value as text, unless there is an error. What is from a ledger or a file may hold anything.
func inJSON(value any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(value)
	return string(safetext.JSON(text)), err
}

// handler is the resource as MCP reads it.
func (r resource) handler(d *Deps) server.ResourceTemplateHandlerFunc {
	before, after := r.around()
	return func(ctx context.Context, req mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		of := strings.TrimSuffix(strings.TrimPrefix(req.Params.URI, before), after)
		text, err := r.read(ctx, d, of)
		if foreign, ok := err.(*foreignError); ok {
			err = &foreignError{r.uri(foreign.own)}
		}
		if err != nil {
			return nil, err
		}
		return []mcp.ResourceContents{mcp.TextResourceContents{URI: req.Params.URI, MIMEType: r.mime, Text: text}}, nil
	}
}

// addResources offers resources, lists those of the caller's session, and completes their addresses.
func (s *Server) addResources(d *Deps, hooks *server.Hooks, offered []resource) {
	for _, r := range offered {
		s.mcp.AddResourceTemplate(mcp.NewResourceTemplate(r.template, r.name, mcp.WithTemplateDescription(r.description), mcp.WithTemplateMIMEType(r.mime)), r.handler(d))
	}
	hooks.AddAfterListResources(func(ctx context.Context, _ any, _ *mcp.ListResourcesRequest, result *mcp.ListResourcesResult) {
		own, err := readSession(ctx)
		if err != nil {
			return // without a session there is nothing to read yet; reading says what is missing
		}
		for _, r := range offered {
			if strings.Contains(r.template, ofSignature) {
				result.Resources = append(result.Resources, mcp.NewResource(r.uri(own.Signature), r.name, mcp.WithResourceDescription(r.description), mcp.WithMIMEType(r.mime)))
			}
		}
	})
}

// completer completes the variables of the templates of resources.
type completer struct {
	deps    *Deps
	offered []resource
}

// maxCompletions is what MCP allows.
const maxCompletions = 100

// CompleteResourceArgument implements [server.ResourceCompletionProvider]. A template that is not offered completes to nothing, as does
// a value that nothing begins with.
func (c completer) CompleteResourceArgument(ctx context.Context, uri string, argument mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	if !slices.ContainsFunc(c.offered, func(r resource) bool { return r.template == uri && strings.Contains(uri, "{"+argument.Name+"}") }) {
		return nil, nil
	}
	if strings.Contains(uri, ofSignature) {
		s, err := readSession(ctx)
		if err != nil || !strings.HasPrefix(s.Signature, argument.Value) {
			return nil, err
		}
		return &mcp.Completion{Values: []string{s.Signature}, Total: 1}, nil
	}
	found, err := listSymbols(ctx, c.deps, symbolsParams{Query: argument.Value, Limit: maxCompletions})
	if err != nil {
		return nil, err
	}
	completion := &mcp.Completion{HasMore: found.Next != ""}
	for _, row := range found.Symbols {
		completion.Values = append(completion.Values, row.Symbol)
	}
	return completion, nil
}

// cacheHints say for how long a client may keep what it was told. The lists of a server never change; it may be another server after
// its next start. What is read depends on the session, which may change at any time.
func cacheHints() (options []server.ServerOption) {
	const fresh = 5 * time.Minute
	for _, method := range []mcp.MCPMethod{mcp.MethodToolsList, mcp.MethodPromptsList, mcp.MethodResourcesTemplatesList} {
		options = append(options, server.WithMethodCacheHints(method, fresh.Milliseconds(), mcp.CacheScopePrivate))
	}
	return options
}
