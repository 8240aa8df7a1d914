// The mask of a run: what its models see in place of symbols and dates.

package main

import (
	"fmt"
	"slices"
	"strconv"

	"mcp-trade/agent/config"
	"mcp-trade/agent/mask"
	"mcp-trade/market"
)

// masking makes the mask that --mask asks for, for the symbols of the prices; nil without one. News is searched under a mask only if
// --search names where: of its words no table says which company they give away.
func (s *settings) masking(c config.Config) (*mask.Mask, error) {
	if s.mask == "" {
		return nil, nil
	}
	seed, err := strconv.ParseInt(s.mask, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("--mask %q: give a seed, a whole number such as 7", s.mask)
	}
	if len(c.MCPServers) > 0 {
		return nil, fmt.Errorf("--mask cannot reach what the servers of mcp_servers say: leave out one of the two")
	}
	symbols, err := s.symbolsToMask()
	if err != nil {
		return nil, err
	}
	m := mask.New(seed, symbols)
	switch m.News = !slices.Equal(s.search, []string{searchOff}); {
	case slices.Equal(s.search, []string{searchAuto}):
		m.News, s.search = false, []string{searchOff}
	case m.News:
		s.log.Warn().Msgf("news is masked word by word: symbols, whole dates and the names that the prices have of companies; what else it says can tell a model which company and which day it is about")
	}
	return m, nil
}

// symbolsToMask are the symbols of the price files, with names where the files have some.
func (s *settings) symbolsToMask() ([]mask.Symbol, error) {
	files, err := s.priceFiles()
	if err != nil || len(files) == 0 {
		return nil, err // who needs prices says so
	}
	prices, err := market.Open(files...)
	if err != nil {
		return nil, err
	}
	defer prices.Close()
	info, err := prices.Info()
	return symbolsOf(info), err
}

func symbolsOf(info market.Info) (symbols []mask.Symbol) {
	for _, series := range info.Series {
		symbols = append(symbols, mask.Symbol{Symbol: series.Symbol, Name: series.Name})
	}
	return symbols
}
