package market

// This file says where prices know corporate actions from: an actions file, and the rows of price files.

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Tell adds corporate actions to those of the price files. It comes before anything is read.
func (p *Prices) Tell(actions []Action) { p.now.Load().tell(actions) }

// TellFile adds those of an actions file, which [Prices.Refresh] reads again. It comes before anything is read.
func (p *Prices) TellFile(path string) error {
	actions, state, err := readActions(path)
	if err == nil {
		p.fileSet.actions = &actionsFile{path, state}
		p.Tell(actions)
	}
	return err
}

func (c *content) tell(actions []Action) {
	c.told = map[string][]Action{}
	for _, a := range actions {
		c.told[a.Symbol] = append(c.told[a.Symbol], a)
	}
	for _, symbol := range slices.Sorted(maps.Keys(c.told)) {
		if c.series[symbol] == nil {
			c.warnings.add(Warning{Problem: fmt.Sprintf("%s; no price file has that symbol", c.told[symbol][0])})
		}
	}
}

// StatesActions tells whether the rows of any price file have places for dividends and splits, or an actions file was given. It reads
// the files, and no series.
func (p *Prices) StatesActions() (bool, error) {
	c := p.content()
	if c.told != nil {
		return true, nil
	}
	block := make([]byte, blockSize)
	for _, source := range c.sources {
		for at := int64(0); ; {
			n, err := source.file.ReadAt(block, at)
			if bytes.Contains(block[:n], []byte(`"7. dividend amount"`)) || bytes.Contains(block[:n], []byte(`"8. split coefficient"`)) {
				return true, nil
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return false, fmt.Errorf("price file: %w", err)
			}
			at += blockSize - 64 // a name may lie across two blocks
		}
	}
	return false, nil
}
