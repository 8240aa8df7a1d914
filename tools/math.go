// AI-Trader's tools add and multiply.

package tools

import (
	"context"
	"math"
)

type mathParams struct {
	A float64 `json:"a" jsonschema:"A number such as 1.5"`
	B float64 `json:"b" jsonschema:"A number such as 1.5"`
}

type mathResult struct {
	Result float64 `json:"result"`
}

func add(_ context.Context, _ *Deps, p mathParams) (mathResult, error) { return number(p.A + p.B) }

func multiply(_ context.Context, _ *Deps, p mathParams) (mathResult, error) { return number(p.A * p.B) }

func number(f float64) (mathResult, error) {
	if math.IsInf(f, 0) {
		return mathResult{}, wrong("The result is too large for a number. Send smaller ones.", nil)
	}
	return mathResult{f}, nil
}
