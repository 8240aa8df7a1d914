package model

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func TestLessons_Learn(t *testing.T) {
	var heard atomic.Int64
	l := &Lessons{Heard: func(string, string) { heard.Add(1) }}
	l.Recall("recalled", "recalled")
	var wait sync.WaitGroup
	for range 8 { // accounts of one model, refused at once
		wait.Go(func() {
			for n := range 100 {
				l.Learn(fmt.Sprint("lesson ", n), "refused")
				l.Learn("recalled", "refused")
			}
		})
	}
	wait.Wait()
	if all := l.All(); len(all) != 101 || heard.Load() != 100 || !slices.Contains(all, "recalled") {
		t.Errorf("%d lessons, told of %d times", len(all), heard.Load())
	}
	var none *Lessons
	none.Learn("a", "refused")
	if none.All() != nil {
		t.Error("no lessons are kept where there is nobody to keep them")
	}
}
