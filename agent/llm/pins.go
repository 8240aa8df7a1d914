// The tools of external servers, as an account met them first: a server whose tools change is not the one that was looked at.

package llm

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// Pin is what a model is told of a tool, as two SHA-256.
type Pin struct {
	Description string `json:"description"`
	Arguments   string `json:"arguments"` // the schema
}

// Pins are the tools of an account's external servers, by the names that the model sees. A nil *Pins knows none and keeps none. It is
// safe for concurrent use.
type Pins struct {
	mu    sync.Mutex
	tools map[string]Pin // nil: none are known yet
}

// All are the tools; nil while none are known.
func (p *Pins) All() map[string]Pin {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.tools)
}

// Recall has p know the tools of an earlier run.
func (p *Pins) Recall(tools map[string]Pin) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tools = maps.Clone(tools)
}

// hold keeps tools if none are known yet. Others than those that are known are a [ToolsChangedError].
func (p *Pins) hold(tools map[string]Pin) error {
	known := p.All()
	if known == nil {
		p.Recall(tools)
		return nil
	}
	var differs []string
	for _, name := range slices.Sorted(maps.Keys(tools)) {
		switch was, there := known[name]; {
		case !there:
			differs = append(differs, name+" is new")
		case was.Description != tools[name].Description:
			differs = append(differs, name+" is described otherwise")
		case was.Arguments != tools[name].Arguments:
			differs = append(differs, name+" takes other arguments")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if _, there := tools[name]; !there {
			differs = append(differs, name+" is gone")
		}
	}
	if len(differs) > 0 {
		return &ToolsChangedError{differs}
	}
	return nil
}

// ToolsChangedError says that the tools of external servers are others than the account began with.
type ToolsChangedError struct{ Differs []string } // a clause each

func (e *ToolsChangedError) Error() string {
	return "the tools of further MCP servers (mcp_servers) are others than the account began with: " + strings.Join(e.Differs, "; ")
}

// Permanent tells that it is no use to ask again.
func (e *ToolsChangedError) Permanent() bool { return true }
