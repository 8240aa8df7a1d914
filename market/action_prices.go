package market

// This file says where prices know corporate actions from: an actions file, and the rows of price files.

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Tell adds the actions of an actions file. It comes before anything is read.
func (p *Prices) Tell(actions []Action) {
	p.told = map[string][]Action{}
	for _, a := range actions {
		p.told[a.Symbol] = append(p.told[a.Symbol], a)
	}
	for _, symbol := range slices.Sorted(maps.Keys(p.told)) {
		if p.series[symbol] == nil {
			p.warnings.add(Warning{Problem: fmt.Sprintf("%s; no price file has that symbol", p.told[symbol][0])})
		}
	}
}

// StatesActions tells whether the rows of any price file have places for dividends and splits, or an actions file was given. It reads
// the files, and no series.
func (p *Prices) StatesActions() (bool, error) {
	if p.told != nil {
		return true, nil
	}
	block := make([]byte, blockSize)
	for _, source := range p.sources {
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
