// What a report and its accounts rest on, so that others can make them again.

package report

import (
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/market"
)

// Provenance says how a report was made.
type Provenance struct {
	Version string `json:"version"` // of the program
	Command string `json:"command"` // that makes it again, with files by their names alone
	Prices  []File `json:"prices"`
}

// File is a file as it was.
type File struct {
	Name   string `json:"name"` // without folders
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// RunSettings are what the newest run of an account was started with, as it noted them.
type RunSettings struct {
	Version  string            `json:"version"` // of the program that ran it
	From     market.Stamp      `json:"from"`
	To       market.Stamp      `json:"to"`
	Cash     decimal.Decimal   `json:"cash"`
	Rules    string            `json:"rules,omitempty"` // that the account was opened under; "" are the default ones
	Settings map[string]string `json:"settings"`        // such as the decider, the model and its temperature; a long text by its SHA-256
	Prices   []File            `json:"prices"`
	Runs     int               `json:"runs"` // how many runs the account has had, with other settings or later dates
}

// shown is the settings with texts that are safe to show: a manifest may hold anything.
func (s *RunSettings) shown() *RunSettings {
	if s == nil {
		return nil
	}
	safe := *s
	safe.Version, safe.Rules, safe.Settings, safe.Prices = plain(s.Version), plain(s.Rules), map[string]string{}, []File{}
	for name, value := range s.Settings {
		if value != "" {
			safe.Settings[plain(name)] = plain(value)
		}
	}
	for _, f := range s.Prices {
		safe.Prices = append(safe.Prices, File{plain(f.Name), f.Bytes, plain(f.SHA256)})
	}
	return &safe
}

// Decider names who trades: a strategy, or the language model.
func (s *RunSettings) Decider() string {
	if model := s.Settings["model"]; model != "" {
		return "the language model " + model
	}
	return "the strategy " + strings.TrimSpace(s.Settings["decider"])
}
