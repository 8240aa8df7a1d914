package pagetest

import (
	"context"
	"encoding/json"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

// Node is what a screen reader gets of an element.
type Node struct {
	Role, Name, Description string
	Level                   int    // of a heading
	Focusable               bool   // by the keyboard or by the page
	Live                    string // "polite" or "assertive" of a region whose changes are told
	Inside                  []Node // what it has in it, likewise, in reading order
}

// Tree is the page as a screen reader gets it. What is hidden from one, or tells nothing, is left out, and what is in it stands in its place.
func (tab *Tab) Tree() []Node {
	tab.t.Helper()
	var nodes []*accessibility.Node
	tab.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		result, err := cdp.Call(ctx, target, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		nodes = result.Nodes
		return err
	}))
	byID := map[accessibility.NodeID]*accessibility.Node{}
	for _, n := range nodes {
		byID[n.NodeID] = n
	}
	var read func(id accessibility.NodeID) []Node
	read = func(id accessibility.NodeID) (all []Node) {
		n := byID[id]
		if n == nil {
			return nil
		}
		for _, child := range n.ChildIDs {
			all = append(all, read(child)...)
		}
		if n.Ignored {
			return all
		}
		node := Node{Role: valueOf[string](n.Role), Name: valueOf[string](n.Name), Description: valueOf[string](n.Description), Inside: all}
		for _, p := range n.Properties {
			switch p.Name {
			case accessibility.PropertyNameLevel:
				node.Level = valueOf[int](p.Value)
			case accessibility.PropertyNameFocusable:
				node.Focusable = valueOf[bool](p.Value)
			case accessibility.PropertyNameLive:
				node.Live = valueOf[string](p.Value)
			}
		}
		return []Node{node}
	}
	return read(nodes[0].NodeID)
}

func valueOf[T any](v *accessibility.Value) (value T) {
	if v != nil {
		_ = json.Unmarshal(v.Value, &value) // what it is not of the type is as good as absent
	}
	return value
}

// All lists a node's descendants, in reading order.
func (n Node) All() []Node {
	var list []Node
	for _, x := range n.Inside {
		list = append(append(list, x), x.All()...)
	}
	return list
}
