package apis

import (
	"testing"
	"time"

	"mcp-trade/agent/model"
	"mcp-trade/agent/model/anthropic"
	"mcp-trade/agent/model/openai"
)

func TestAll(t *testing.T) {
	names, variables := map[string]bool{}, map[string]bool{}
	for _, api := range All() {
		if api.Name == "" || api.KeyVariable == "" || api.BaseURL == "" || api.Open == nil {
			t.Errorf("the API lacks something: %+v", api)
		}
		if names[api.Name] || variables[api.KeyVariable] {
			t.Errorf("%s or %s is that of another API too", api.Name, api.KeyVariable)
		}
		names[api.Name], variables[api.KeyVariable] = true, true
		if m, err := api.Open(model.Settings{Model: "m"}, time.Now); err == nil || m != nil {
			t.Errorf("%s: %v, %v without an address", api.Name, m, err)
		}
	}
}

func TestOpener(t *testing.T) {
	open := func(api string) (model.Model, error) {
		return Opener(time.Now)(model.Settings{API: api, Model: "m", BaseURL: "http://127.0.0.1:1/v1"})
	}
	for _, name := range []string{"", "openai"} { // "" is what earlier manifests have
		if m, err := open(name); err != nil {
			t.Error(err)
		} else if _, ok := m.(*openai.Client); !ok {
			t.Errorf("%q is %T", name, m)
		}
	}
	if m, err := open("anthropic"); err != nil {
		t.Error(err)
	} else if _, ok := m.(*anthropic.Client); !ok {
		t.Errorf("it is %T", m)
	}
	if _, err := open("telepathy"); err == nil {
		t.Error("an API that nobody speaks was opened")
	}
}
