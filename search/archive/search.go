// Searching: the newest articles that hold every word, else those that hold the most of them.

package archive

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"mcp-trade/search"
)

const (
	maxWords = 32  // of a query; more are left out
	perWord  = 200 // how many of the newest articles with one word are weighed against those with another
)

// Search implements [search.Provider]. The articles with all words come first, the newest of them before the others. If
// there are fewer than asked for, those with some of the words follow: each word names its newest articles, and an article
// that is named more often comes before one that is named less. Only articles that the cutoff allows are read at all.
func (a *Archive) Search(ctx context.Context, q search.Query) ([]search.RawArticle, error) {
	db, err := a.open()
	if err != nil {
		return nil, err
	}
	words := indexWords(q.Words())
	words = words[:min(len(words), maxWords)]
	s := query{ctx, db, q}
	// An address may come up in more than one version, and counts once: look for twice as many as are wanted.
	ids, err := s.newest(allOf(words), 2*q.Limit)
	if err == nil && len(ids) < q.Limit {
		ids, err = s.fill(ids, words)
	}
	if err != nil {
		return nil, unreadable(err)
	}
	items, err := s.items(ids)
	if err != nil {
		return nil, unreadable(err)
	}
	return items, nil
}

// query is one search under way.
type query struct {
	ctx context.Context
	db  *sql.DB
	q   search.Query
}

// newest returns the ids of the newest articles that the cutoff allows and that match.
func (s query) newest(match string, limit int) ([]int64, error) {
	if len(s.q.Symbols) > 0 {
		match = "(" + match + ") AND (" + anyOf(s.q.Symbols) + ")"
	}
	moment, day := idLimits(s.q.Cutoff)
	rows, err := s.db.QueryContext(s.ctx, `SELECT rowid FROM word WHERE word MATCH ? AND rowid < ?
		AND (rowid & ? = 0 AND rowid < ? OR rowid & ? <> 0 AND rowid < ?) ORDER BY rowid DESC LIMIT ?`,
		match, max(moment, day), dayBit, moment, dayBit, day, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// Span implements [search.Spanner]. Articles that the cutoff does not allow are not read.
func (a *Archive) Span(ctx context.Context, c search.Cutoff) (search.Span, error) {
	db, err := a.open()
	if err != nil {
		return search.Span{}, err
	}
	moment, day := idLimits(c)
	end := func(order string) (string, error) {
		var id int64
		err := db.QueryRowContext(ctx, `SELECT id FROM article WHERE id < ? AND (id & ? = 0 AND id < ? OR id & ? <> 0 AND id < ?) ORDER BY id `+order+` LIMIT 1`,
			max(moment, day), dayBit, moment, dayBit, day).Scan(&id)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return "", nil
		case err != nil:
			return "", unreadable(err)
		case id&dayBit != 0:
			return timeOf(id).Format(time.DateOnly), nil
		}
		return timeOf(id).In(c.Zone()).Format(time.DateOnly), nil
	}
	first, err := end("ASC")
	if err != nil || first == "" {
		return search.Span{}, err
	}
	last, err := end("DESC")
	return search.Span{First: first, Last: last}, err
}

// fill adds articles that hold some of the words.
func (s query) fill(ids []int64, words []string) ([]int64, error) {
	named := map[int64]int{}
	for _, w := range words {
		if isStopWord(w) {
			continue
		}
		of, err := s.newest(allOf([]string{w}), perWord)
		if err != nil {
			return nil, err
		}
		for _, id := range of {
			named[id]++
		}
	}
	for _, id := range ids {
		delete(named, id)
	}
	more := slices.SortedFunc(maps.Keys(named), func(a, b int64) int {
		if named[a] != named[b] {
			return cmp.Compare(named[b], named[a])
		}
		return cmp.Compare(b, a)
	})
	return append(ids, more[:min(len(more), 2*s.q.Limit)]...), nil
}

// items reads articles, in the order of the ids.
func (s query) items(ids []int64) ([]search.RawArticle, error) {
	var items []search.RawArticle
	read, err := s.db.PrepareContext(s.ctx, "SELECT title, url, source, published, summary, substr(content, 1, 4000) FROM article WHERE id = ?")
	if err != nil {
		return nil, err
	}
	defer read.Close()
	for _, id := range ids {
		var item search.RawArticle
		var published string
		if err := read.QueryRowContext(s.ctx, id).Scan(&item.Title, &item.URL, &item.Source, &published, &item.Summary, &item.Content); err != nil {
			return nil, err
		}
		item.Dates = []search.Date{dateOf(id, published)}
		items = append(items, item)
	}
	return items, nil
}

// indexWords are the words as the index knows them: see [segmentCJK]. A pair of characters says more than each of them.
func indexWords(words []string) []string {
	var known []string
	for _, w := range words {
		parts := strings.Fields(segmentCJK(plainWords(w)))
		if slices.ContainsFunc(parts, isPair) {
			parts = slices.DeleteFunc(parts, func(part string) bool { return isCJK([]rune(part)[0]) && !isPair(part) })
		}
		known = append(known, parts...)
	}
	return known
}

func isPair(part string) bool {
	runes := []rune(part)
	return len(runes) == 2 && isCJK(runes[0])
}

// allOf is an expression of FTS5 for all of the words. A word with accents also finds itself without them; for the opposite, see
// [row.words].
func allOf(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
		if plain := withoutAccents(w); plain != w {
			quoted[i] = "(" + quote(w) + " OR " + quote(plain) + ")"
		}
	}
	return strings.Join(quoted, " AND ")
}

// anyOf is an expression of FTS5 for one of the symbols.
func anyOf(symbols []string) string {
	quoted := make([]string, len(symbols))
	for i, s := range symbols {
		quoted[i] = quote(symbolWord(s))
	}
	return strings.Join(quoted, " OR ")
}

// quote makes a text in which nothing is an operator.
func quote(word string) string { return `"` + word + `"` }

// stopWords say nothing about what an article is about. They count where every word must be there, as in a title.
const stopWords = " a about after all also an and any are as at be been before but by can could did do does for from had has have how i if in into is it its " +
	"latest me more most new news no not now of on or our out over recent s should so some t than that the their them there these they this to today up " +
	"was we were what when where which who why will with would you your "

func isStopWord(w string) bool { return strings.Contains(stopWords, " "+w+" ") }
