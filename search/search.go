// Package search finds news that somebody could have read at a stamp.
//
// A Provider finds raw articles. The Cutoff allows those that had been published before the stamp. A Searcher asks one provider
// after the other until one answers. An article that the cutoff does not allow leaves no trace for the caller: it changes no
// answer, no number or order of results, no error and no record.
package search

import (
	"context"
	"slices"
	"strings"
	"unicode"
)

// Query is what is asked, and as of when.
type Query struct {
	Text    string
	Symbols []string // what is found is about any of them; none: about anything
	Topics  []string // for providers that sort news by topic
	Limit   int      // how many results at most
	Cutoff  Cutoff   // what had been published by then
}

// Words returns the words of the text in lower case, each once. A word is made of letters and digits.
func (q Query) Words() []string {
	var words []string
	for _, w := range strings.FieldsFunc(strings.ToLower(q.Text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	}) {
		if !slices.Contains(words, w) && strings.IndexFunc(w, func(r rune) bool { return !unicode.IsMark(r) }) >= 0 {
			words = append(words, w)
		}
	}
	return words
}

// RawArticle is something that a provider found, as it came.
type RawArticle struct {
	Title, URL, Source, Summary, Content string
	Symbols                              []string // what it is about

	// Dates are all that is said about when it was published. The latest counts, and one that cannot be read keeps the
	// item from passing: it could be a later one.
	Dates []Date
}

// Provider is where news comes from. Its methods may be called at the same time.
type Provider interface {
	// Name is one word.
	Name() string

	// Search returns articles for the query, best first. It may return more than the limit, and articles that the cutoff
	// does not allow; the order of the allowed ones must not depend on those. It returns a *NotConfiguredError if it is not
	// set up. Any other failure that a caller may read about is a *ProviderError.
	Search(ctx context.Context, q Query) ([]RawArticle, error)

	// Check says in a few words what the provider has to offer, or why it cannot.
	Check(ctx context.Context) (string, error)
}

// Article is an article that the cutoff allows, fit to be shown to a model: bounded plain text.
type Article struct {
	Title       string `json:"title"`
	URL         string `json:"url"`
	Source      string `json:"source"`
	PublishedAt string `json:"published_at"`
	Summary     string `json:"summary"`
	Content     string `json:"content"`
}

// Limits of a result, in characters.
const (
	maxTitle  = 300
	maxSource = 100
	maxURL    = 2000
	maxText   = 1000 // of the summary, and of the content
)

// Answer is what one provider found.
type Answer struct {
	Provider string
	Articles []Article
	Has      *Span // of an answer without articles: what the provider has at all, if it can tell
}

// Span is the days of the oldest and of the newest article that the cutoff allows, as YYYY-MM-DD; both are "" if there is none.
type Span struct {
	First string `json:"first"`
	Last  string `json:"last"`
}

// Spanner is a provider that can tell what it has.
type Spanner interface {
	Span(ctx context.Context, c Cutoff) (Span, error)
}

// results returns the articles that the cutoff allows, each address once, and the number of those that it does not allow.
func (q Query) results(items []RawArticle) (found []Article, dropped int) {
	found = []Article{}
	seen := map[string]bool{}
	for _, item := range items {
		date, ok := q.Cutoff.LatestAllowed(item.Dates...)
		if !ok {
			dropped++
			continue
		}
		r := Article{
			Title: Cut(Plain(item.Title), maxTitle), URL: address(item.URL), Source: Cut(Plain(item.Source), maxSource), PublishedAt: date.Text,
			Summary: Cut(Plain(item.Summary), maxText), Content: Cut(Plain(item.Content), maxText),
		}
		if len(found) == q.Limit || seen[r.URL] {
			continue
		}
		seen[r.URL] = r.URL != ""
		found = append(found, r)
	}
	return found, dropped
}
