// How a report was made, for whoever makes it again.

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mcp-trade/agent/manifest"
	"mcp-trade/report"
)

// made says how the report that is asked for is made.
func (s *settings) made(f reportFlags, names []string) (*report.Provenance, error) {
	files, err := s.priceFiles()
	if err != nil {
		return nil, err
	}
	hashes, err := manifest.HashFiles(files)
	if err != nil {
		return nil, err
	}
	words := []string{"mcp-trade", "report"}
	for _, name := range names {
		words = append(words, baseOf(name))
	}
	flag := func(name, value string) {
		if value != "" {
			words = append(words, "--"+name, value)
		}
	}
	for _, h := range hashes {
		flag("prices", filepath.Base(h.Path))
	}
	flag("benchmark", baseOf(f.benchmark))
	flag("experiment", baseOf(f.experiment))
	flag("from", f.from)
	flag("to", f.to)
	if report.Method(f.method) != report.Own {
		flag("method", f.method)
	}
	if f.riskFree != 0 {
		flag("risk-free", fmt.Sprint(f.riskFree))
	}
	for i, word := range words {
		if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./,:=+@") != "" {
			words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return &report.Provenance{Version: version(), Command: strings.Join(words, " "), Prices: namesOnly(hashes)}, nil
}

// baseOf is what is given, and of a file its name without folders. position.jsonl keeps those that say whose ledger it is.
func baseOf(given string) string {
	if _, err := os.Stat(given); given == "" || err != nil {
		return given
	}
	if dir, file := filepath.Split(filepath.Clean(given)); file == "position.jsonl" && dir != "" {
		return filepath.ToSlash(filepath.Join(filepath.Base(dir), file))
	}
	return filepath.Base(given)
}
