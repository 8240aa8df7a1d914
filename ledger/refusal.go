// Why an order was not executed.

package ledger

import "mcp-trade/code"

// Refusal says why an order was not executed, and what the caller can do. The sentences are those of AI-Trader where it
// has one.
type Refusal struct {
	code    code.Code
	message string
	details map[string]any
}

func (r *Refusal) Error() string { return r.message }

func (r *Refusal) Code() code.Code { return r.code }

func (r *Refusal) Details() map[string]any { return r.details }
