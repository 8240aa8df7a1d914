// The limits that accounts are traded under: --limits.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"mcp-trade/internal/files"
	"mcp-trade/ledger"
)

// maxLimitsFile bounds a file of limits, in bytes: a run hands it to its servers in their environment.
const maxLimitsFile = 32 << 10

// accountLimits reads the limits that are set: a file, or, as a run hands them to its servers, the JSON itself.
func (s *settings) accountLimits() (ledger.AccountLimits, error) {
	if s.limits == "" {
		return ledger.AccountLimits{}, nil
	}
	text, source := []byte(s.limits), "MCP_TRADE_LIMITS"
	if !strings.HasPrefix(s.limits, "{") {
		var err error
		source = s.limits
		if text, err = files.Read(source, maxLimitsFile); errors.Is(err, fs.ErrNotExist) {
			return ledger.AccountLimits{}, usageError{fmt.Errorf("--limits: there is no file %q", source)}
		} else if err != nil {
			return ledger.AccountLimits{}, usageError{fmt.Errorf("--limits: %w", err)}
		}
	}
	limits, err := ledger.ParseAccountLimits(bytes.TrimPrefix(text, []byte("\ufeff"))) // some editors of Windows write it
	if err != nil {
		return ledger.AccountLimits{}, usageError{fmt.Errorf("%s: %w", source, err)}
	}
	return limits, nil
}
