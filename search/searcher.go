// The searcher: one provider after the other, until one serves.

package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/semaphore"
)

// Config says how a Searcher works. A zero time or number stands for its default.
type Config struct {
	Providers []Provider        // in order of preference; none: search is off
	Hints     map[string]string // how to set a provider up, by its name
	Cache     *Cache            // nil: nothing is recorded or replayed
	Warn      func(text string) // told of failures, and of articles that the cutoff does not allow; nil: nobody
	Call      time.Duration     // for one search
	Provider  time.Duration     // for one provider in it
}

const (
	defaultCall     = 40 * time.Second
	defaultProvider = 18 * time.Second
	atOnce          = 12 // searches: others than these must find room to be answered
	failuresInARow  = 3  // after so many a provider is left alone
	leftAlone       = 30 * time.Second
)

// Searcher answers queries. It may be used at the same time.
type Searcher struct {
	c         Config
	providers []guardedProvider
	names     []string
	inflight  *semaphore.Weighted // 1 for each search
}

// guardedProvider is a provider behind a circuit that opens when it fails again and again.
type guardedProvider struct {
	Provider
	breaker *gobreaker.CircuitBreaker[[]RawArticle]
}

// New returns a searcher.
func New(c Config) *Searcher {
	c.Call, c.Provider = cmp.Or(c.Call, defaultCall), cmp.Or(c.Provider, defaultProvider)
	if c.Warn == nil {
		c.Warn = func(string) {}
	}
	s := &Searcher{c: c, inflight: semaphore.NewWeighted(atOnce)}
	for _, p := range c.Providers {
		s.names = append(s.names, p.Name())
		s.providers = append(s.providers, guardedProvider{p, gobreaker.NewCircuitBreaker[[]RawArticle](gobreaker.Settings{
			Name: p.Name(), Timeout: leftAlone,
			ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= failuresInARow },
			IsSuccessful: func(err error) bool { return err == nil || isNotConfigured(err) },
			// A caller who leaves says nothing about the provider.
			IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
		})})
	}
	return s
}

func isNotConfigured(err error) bool {
	var absent *NotConfiguredError
	return errors.As(err, &absent)
}

// Search asks the providers. It returns a *QueryError, a *NoProviderError, a *FailedError or a *NotRecordedError.
func (s *Searcher) Search(ctx context.Context, q Query) (Answer, error) {
	if len(q.Words()) == 0 {
		return Answer{}, &QueryError{"The query holds no word to search for. Say in a few words what to look for."}
	}
	if len(s.providers) == 0 {
		return Answer{}, &NoProviderError{}
	}
	if !s.inflight.TryAcquire(1) {
		return Answer{}, &FailedError{[]string{fmt.Sprintf("%d searches are under way already", atOnce)}}
	}
	defer s.inflight.Release(1)
	if answer, ok, err := s.recorded(q); ok || err != nil {
		return answer, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.c.Call)
	defer cancel()
	var hints, causes []string
	for _, p := range s.providers {
		items, err := s.ask(ctx, p, q)
		switch {
		case isNotConfigured(err):
			hints = append(hints, cmp.Or(s.c.Hints[p.Name()], p.Name()+": "+err.Error()))
		case err != nil:
			s.c.Warn(fmt.Sprintf("search: %s: %v", p.Name(), err))
			causes = append(causes, p.Name()+": "+userMessage(err))
		default:
			return s.finish(ctx, p.Provider, q, items)
		}
	}
	if len(causes) == 0 {
		return Answer{}, &NoProviderError{hints}
	}
	return Answer{}, &FailedError{causes}
}

// ask asks one provider, unless it is left alone.
func (s *Searcher) ask(ctx context.Context, p guardedProvider, q Query) ([]RawArticle, error) {
	ctx, cancel := context.WithTimeout(ctx, s.c.Provider)
	defer cancel()
	return p.breaker.Execute(func() ([]RawArticle, error) { return p.Search(ctx, q) })
}

// userMessage returns what a caller may know of a provider's error.
func userMessage(err error) string {
	var failed *ProviderError
	switch {
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return fmt.Sprintf("left alone for %v after %d failures in a row", leftAlone, failuresInARow)
	case errors.Is(err, context.DeadlineExceeded):
		return "did not answer in time"
	case errors.Is(err, context.Canceled):
		return "the search was cancelled"
	case errors.As(err, &failed):
		return failed.UserMessage
	}
	return "failed; the operator finds the reason in the server's log"
}

// recorded returns the recorded answer to a query. In a replay, not to have one is an error.
func (s *Searcher) recorded(q Query) (Answer, bool, error) {
	if s.c.Cache == nil {
		return Answer{}, false, nil
	}
	answer, ok, err := s.c.Cache.find(q, s.names)
	switch {
	case err != nil:
		s.c.Warn(fmt.Sprintf("search: %v", err))
		return answer, false, &FailedError{[]string{"the recorded answer cannot be read"}}
	case !ok && s.c.Cache.replay:
		return answer, false, &NotRecordedError{q.Text, string(q.Cutoff.Stamp())}
	}
	return answer, ok, nil
}

// finish makes the answer of what a provider found, and records it.
func (s *Searcher) finish(ctx context.Context, p Provider, q Query, items []RawArticle) (Answer, error) {
	found, dropped := q.results(items)
	if dropped > 0 {
		s.c.Warn(fmt.Sprintf("search: %d of %d articles of %s are not known to be published before %s", dropped, len(items), p.Name(), q.Cutoff.Stamp()))
	}
	answer := Answer{Provider: p.Name(), Articles: found}
	if has, ok := p.(Spanner); ok && len(found) == 0 {
		span, err := has.Span(ctx, q.Cutoff)
		if err != nil {
			return Answer{}, &FailedError{[]string{p.Name() + ": " + userMessage(err)}}
		}
		answer.Has = &span
	}
	if s.c.Cache == nil {
		return answer, nil
	}
	answer, err := s.c.Cache.keep(q, answer, s.names)
	if err != nil {
		s.c.Warn(fmt.Sprintf("search: %v", err))
		return Answer{}, &FailedError{[]string{"the answer cannot be recorded"}}
	}
	return answer, nil
}
