package market

// This file reads of all series of a price file when they have bars, and no figures: that takes a part of the time.

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
)

// outlines are those of the series of the file, and the stamps of their bars by market. Of a series that cannot be read it is that of one
// without bars.
func (s *priceFile) outlines() ([]outline, map[ID][]Stamp) {
	outlines := make([]outline, len(s.series))
	readers := make([]stampReader, max(1, runtime.GOMAXPROCS(0)))
	var next atomic.Int64
	var wait sync.WaitGroup
	for i := range readers {
		readers[i].known = map[stampForm]map[string]*stampUse{}
		wait.Go(func() {
			for n := int(next.Add(1)) - 1; n < len(s.series); n = int(next.Add(1)) - 1 {
				outlines[n], _ = readers[i].outlineOf(s.series[n])
			}
		})
	}
	wait.Wait()
	sets := map[ID]map[Stamp]struct{}{}
	for _, r := range readers {
		for form, uses := range r.known {
			if sets[form.market] == nil {
				sets[form.market] = map[Stamp]struct{}{}
			}
			for _, u := range uses {
				if u.used {
					sets[form.market][u.stamp] = struct{}{}
				}
			}
		}
	}
	stamps := map[ID][]Stamp{}
	for id, set := range sets {
		stamps[id] = slices.Sorted(maps.Keys(set))
	}
	return outlines, stamps
}

// stampReader reads the stamps of series. Nearly all of them are those of the series before.
type stampReader struct {
	known map[stampForm]map[string]*stampUse // by the text
	uses  []*stampUse                        // of the series at hand
	text  []byte
}

// stampForm is what a stamp is made of, beside its text.
type stampForm struct {
	market  ID
	daily   bool
	earlier time.Duration // than it is stamped, a bar within a day begins
}

type stampUse struct {
	stamp Stamp // "" if the text is none
	used  bool
}

// outlineOf reads a series.
func (r *stampReader) outlineOf(at seriesRef) (outline, error) {
	text, err := at.source.textInto(r.text, at.offset, at.length)
	if err != nil {
		return outline{}, err
	}
	r.text = text
	if xxhash.Sum64(text) != at.sum {
		return outline{}, errRewritten
	}
	var p parsed
	var keys []string
	err = p.object(trim(text), func(series []byte) error {
		keys, err = readKeys(series)
		return err
	})
	if err != nil {
		return outline{}, err
	}
	if p.symbol != at.symbol {
		return outline{}, fmt.Errorf("its symbol is %.40q", p.symbol)
	}
	o := outline{Name: p.name}
	known := r.form(&p)
	r.uses = r.uses[:0]
	for _, key := range keys {
		u := known[key]
		if u == nil {
			u = &stampUse{stamp: p.stampOf(key)}
			known[key] = u
		}
		if u.stamp == "" {
			continue
		}
		u.used = true
		o.Bars++
		if o.First == "" || u.stamp < o.First {
			o.First = u.stamp
		}
	}
	return o, nil
}

// form returns the stamps that are known of the form that a series has.
func (r *stampReader) form(p *parsed) map[string]*stampUse {
	form := stampForm{Of(p.symbol).ID, p.interval == "daily", p.stampedLate()}
	if r.known[form] == nil {
		r.known[form] = map[string]*stampUse{}
	}
	return r.known[form]
}

// stampOf is when the bar of a key begins, "" if the key is no stamp.
func (p *parsed) stampOf(key string) Stamp {
	stamp, err := p.stampAt(key)
	if err != nil {
		return ""
	}
	if late := p.stampedLate(); late > 0 && !stamp.IsDay() {
		stamp = stamp.add(-late)
	}
	return stamp
}

// readKeys returns the names of the bars of a time series.
func readKeys(text []byte) (keys []string, err error) {
	r := newObjectReader(text)
	err = r.members(func(key []byte) error {
		keys = append(keys, string(key))
		if kind := r.PeekKind(); kind != '{' && kind != 'n' {
			return fmt.Errorf("a value of kind %s is there instead of an object", kind)
		}
		return r.SkipValue()
	})
	return keys, err
}
