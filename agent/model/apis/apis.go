// Package apis lists the APIs of language models that this program speaks.
package apis

import (
	"fmt"
	"time"

	"mcp-trade/agent/model"
	"mcp-trade/agent/model/anthropic"
	"mcp-trade/agent/model/openai"
)

// All returns them. The first is that of a model that names none.
func All() []model.API { return []model.API{openai.API(), anthropic.API()} }

// Opener makes clients of the API that the settings name; "" is the first.
func Opener(now func() time.Time) model.Opener {
	return func(s model.Settings) (model.Model, error) {
		for i, api := range All() {
			if s.API == api.Name || s.API == "" && i == 0 {
				return api.Open(s, now)
			}
		}
		return nil, fmt.Errorf("the API %q is not one that can be asked", s.API)
	}
}
