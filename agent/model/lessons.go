package model

import (
	"slices"
	"sync"
)

// Lessons are what an API is known to refuse of a request, each a short text that the API's package knows. They are learned from
// refusals, once for a model. A nil *Lessons knows none and keeps none. It is safe for concurrent use.
type Lessons struct {
	// Heard is told of each lesson that a refusal taught; nil: nobody is.
	Heard func(lesson, refusal string)

	mu    sync.Mutex
	known []string
}

// All lists the lessons, in the order in which they were learned.
func (l *Lessons) All() []string {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.known)
}

// Recall adds lessons of an earlier run.
func (l *Lessons) Recall(lessons ...string) {
	for _, lesson := range lessons {
		l.add(lesson)
	}
}

// Learn adds the lesson of a refusal, and tells of it if it is new.
func (l *Lessons) Learn(lesson, refusal string) {
	if l.add(lesson) && l.Heard != nil {
		l.Heard(lesson, refusal)
	}
}

// add adds a lesson, and reports whether it is new.
func (l *Lessons) add(lesson string) bool {
	if l == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.Contains(l.known, lesson) {
		return false
	}
	l.known = append(l.known, lesson)
	return true
}
