// Adding the articles of replies of a source, all of them or none.

package archive

import (
	"context"
	"fmt"

	"mcp-trade/search"
)

// Replies adds the articles of replies: all of them, or none with an error. Each passes them to add, one reply after the other. Before
// they are there, keep is told which ones have changed.
func (i *Importer) Replies(ctx context.Context, each func(add func(Origin, []search.RawArticle) error) error, keep func([]Changed) error) (Fetched, error) {
	var done Fetched
	err := i.transaction(ctx, func(a *inserter) error {
		err := each(func(o Origin, items []search.RawArticle) error { return a.replyOf(ctx, o, items) })
		if err == nil {
			err = a.flush(ctx)
		}
		if err != nil {
			return err
		}
		done, done.Imported = a.fetched, a.done
		return keep(done.Changed)
	})
	if err != nil {
		return Fetched{}, fmt.Errorf("nothing was added to the archive: %w", err)
	}
	return done, nil
}
