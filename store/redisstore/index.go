// The indexes of order ids and of trades. They are made from the lines, so that not all lines need be read.
//
// Both stand in the account's hash of order ids: a user may be allowed no other key beside the ledger's own. Their fields have names
// that no order id can have: the empty one, and names that begin with a byte that UTF-8 does not use.
//
//	""               the entry up to which the index of order ids is complete: its id, a space, its token
//	"\xfftrades"     the entry up to which the index of trades is complete, in the same form, a space, and the number of trades
//	"\xfftrades:N"   the ids of the trades number N*256 to N*256+255
//	"\xfflease"      no index, but the run that has the account: see lease.lua
//
// An index whose entry is not in the ledger is of another ledger, and is made again.

package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store"
)

//go:embed index.lua
var indexSource string

var indexScript = redis.NewScript(indexSource)

const (
	ordersField = ""
	tradesField = "\xfftrades"
	leaseField  = "\xfflease"
	tradesPage  = 256 // trades in one field
	indexBatch  = 512 // entries that are read and indexed at once
)

// placeOf names an entry of a ledger as an index does; "" stands for none.
func placeOf(e redis.XMessage) string {
	if e.ID == "" {
		return ""
	}
	return e.ID + " " + tokenOf(e)
}

func idOf(e redis.XMessage) int64 {
	id, _, _ := strings.Cut(e.ID, "-")
	n, _ := strconv.ParseInt(id, 10, 64) // Redis made it of a number
	return n
}

func tokenOf(e redis.XMessage) string {
	text, _ := e.Values["mark"].(string)
	return text
}

// after reads the entries after the one up to which an index is complete. void says that the ledger has no such entry; the
// entries are the ledger's first ones then.
func (s *Store) after(ctx context.Context, to *link, k keys, place string) (entries []redis.XMessage, void bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if id, _, ok := strings.Cut(place, " "); ok {
		entries, err = to.XRangeN(ctx, k.ledger, id, "+", indexBatch+1).Result()
		if err != nil || len(entries) > 0 && placeOf(entries[0]) == place {
			return entries[min(1, len(entries)):], false, err
		}
	}
	entries, err = to.XRangeN(ctx, k.ledger, "-", "+", indexBatch).Result()
	return entries, true, err
}

// advance writes fields of an index, unless the field that says how far the index goes has changed meanwhile.
func (s *Store) advance(ctx context.Context, to *link, k keys, field, was string, fields []any) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	done, err := indexScript.Run(ctx, to, []string{k.orders}, append([]any{field, was}, fields...)...).Int()
	return done == 1, err
}

// field reads a field of the hash, "" if it is missing.
func (s *Store) field(ctx context.Context, to *link, k keys, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	text, err := to.HGet(ctx, k.orders, name).Result()
	if absent(err) {
		err = nil
	}
	return text, err
}

// indexOrders brings the index of order ids up to the newest line.
func (s *Store) indexOrders(ctx context.Context, to *link, k keys) error {
	for {
		was, err := s.field(ctx, to, k, ordersField)
		if err != nil {
			return err
		}
		entries, void, err := s.after(ctx, to, k, was)
		if err != nil || len(entries) == 0 && (!void || was == "") {
			return err
		}
		now := ""
		var fields []any
		for _, e := range entries {
			if entry, err := store.ReadEntry(lineOf(e)); err == nil && entry.OrderID != "" {
				fields = append(fields, entry.OrderID, strings.TrimSuffix(e.ID, "-1"))
			}
			now = placeOf(e)
		}
		if _, err = s.advance(ctx, to, k, ordersField, was, append(fields, ordersField, now)); err != nil {
			return err
		}
	}
}

// reindexOrders makes the index of order ids again, after it was found wrong.
func (s *Store) reindexOrders(ctx context.Context, to *link, k keys) error {
	was, err := s.field(ctx, to, k, ordersField)
	if err == nil {
		_, err = s.advance(ctx, to, k, ordersField, was, []any{ordersField, ""})
	}
	if err != nil {
		return err
	}
	return s.indexOrders(ctx, to, k)
}

// trades says how far the index of trades goes.
type trades struct {
	place string // of the newest entry that it knows
	count int    // of trades up to there
}

func (t trades) String() string { return t.place + " " + strconv.Itoa(t.count) }

func readTrades(text string) (t trades) {
	at := strings.LastIndexByte(text, ' ')
	if at < 0 {
		return trades{}
	}
	count, err := strconv.Atoi(text[at+1:])
	if err != nil || count < 0 {
		return trades{}
	}
	return trades{text[:at], count}
}

func pageField(n int) string { return tradesField + ":" + strconv.Itoa(n) }

// indexTrades brings the index of trades up to the newest line and returns it.
func (s *Store) indexTrades(ctx context.Context, to *link, k keys) (trades, error) {
	for {
		was, err := s.field(ctx, to, k, tradesField)
		if err != nil {
			return trades{}, err
		}
		now := readTrades(was)
		entries, void, err := s.after(ctx, to, k, now.place)
		if err != nil || len(entries) == 0 && !void {
			return now, err
		}
		if void {
			now = trades{}
		}
		var last []int64 // the ids of the page that is not full
		if now.count%tradesPage > 0 {
			if last, err = s.tradesOn(ctx, to, k, now, now.count/tradesPage); err != nil {
				return trades{}, err
			}
		}
		var fields []any
		write := func() { fields = append(fields, pageField((now.count-1)/tradesPage), joined(last)) }
		for _, e := range entries {
			if entry, err := store.ReadEntry(lineOf(e)); err == nil && entry.Traded {
				last, now.count = append(last, idOf(e)), now.count+1
				if now.count%tradesPage == 0 {
					write()
					last = nil
				}
			}
			now.place = placeOf(e)
		}
		if len(last) > 0 {
			write()
		}
		if len(entries) == 0 { // of an empty ledger
			return trades{}, nil
		}
		if _, err := s.advance(ctx, to, k, tradesField, was, append(fields, tradesField, now.String())); err != nil {
			return trades{}, err
		}
	}
}

// errIndex says that an index contradicts itself or the ledger.
var errIndex = errors.New("the index does not agree with itself")

// tradesOn reads one page of the index.
func (s *Store) tradesOn(ctx context.Context, to *link, k keys, t trades, page int) ([]int64, error) {
	text, err := s.field(ctx, to, k, pageField(page))
	if err != nil {
		return nil, err
	}
	var ids []int64
	for word := range strings.FieldsSeq(text) {
		id, err := strconv.ParseInt(word, 10, 64)
		if err != nil || len(ids) > 0 && id <= ids[len(ids)-1] {
			return nil, errIndex
		}
		ids = append(ids, id)
	}
	known := min(tradesPage, t.count-page*tradesPage) // other processes may have added to the last page
	if len(ids) < known {
		return nil, errIndex
	}
	return ids[:known], nil
}

func joined(ids []int64) string {
	var b []byte
	for i, id := range ids {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, id, 10)
	}
	return string(b)
}

// tradesBefore yields the ids of trades below an id, newest first, a page at a time.
func (s *Store) tradesBefore(ctx context.Context, to *link, k keys, before int64) iter.Seq2[[]int64, error] {
	return func(yield func([]int64, error) bool) {
		t, err := s.indexTrades(ctx, to, k)
		if err != nil {
			yield(nil, err)
			return
		}
		pages := (t.count + tradesPage - 1) / tradesPage
		page := sort.Search(pages, func(n int) bool { // the first page that begins at or after before
			ids, failed := s.tradesOn(ctx, to, k, t, n)
			if failed != nil {
				err = failed
				return true
			}
			return ids[0] >= before
		})
		above := int64(math.MaxInt64) // the first id of the next page
		for page--; page >= 0 && err == nil; page-- {
			ids, failed := s.tradesOn(ctx, to, k, t, page)
			if failed == nil && ids[len(ids)-1] >= above {
				failed = errIndex
			}
			if err = failed; err != nil {
				break
			}
			above = ids[0]
			end, _ := slices.BinarySearch(ids, before)
			ids = ids[:end]
			slices.Reverse(ids)
			if !yield(ids, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// forgetTrades empties the index, so that the next reader makes it again.
func (s *Store) forgetTrades(ctx context.Context, to *link, k keys) error {
	was, err := s.field(ctx, to, k, tradesField)
	if err == nil {
		_, err = s.advance(ctx, to, k, tradesField, was, []any{tradesField, ""})
	}
	if err != nil {
		return fmt.Errorf("the index of trades is wrong: %w", err)
	}
	return nil
}

// tradesBelow yields the entries of trades below an id, newest first, some at a time.
func (s *Store) tradesBelow(ctx context.Context, to *link, k keys, before int64) iter.Seq2[[]redis.XMessage, error] {
	return func(yield func([]redis.XMessage, error) bool) {
		for ids, err := range s.tradesBefore(ctx, to, k, before) {
			if err != nil {
				yield(nil, err)
				return
			}
			for some := range slices.Chunk(ids, 32) {
				entries, err := s.entries(ctx, to, k, some)
				if !yield(entries, err) || err != nil {
					return
				}
			}
		}
	}
}

// entries reads the entries of trades in one call. An entry that is missing, or is no trade, is errIndex.
func (s *Store) entries(ctx context.Context, to *link, k keys, ids []int64) ([]redis.XMessage, error) {
	replies := make([]*redis.XMessageSliceCmd, len(ids))
	_, err := within(ctx, func(ctx context.Context) ([]redis.Cmder, error) {
		return to.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, id := range ids {
				replies[i] = p.XRange(ctx, k.ledger, entryID(id), entryID(id))
			}
			return nil
		})
	})
	var entries []redis.XMessage
	for _, r := range replies {
		if err != nil {
			break
		}
		if len(r.Val()) != 1 {
			return nil, errIndex
		}
		if e, damaged := store.ReadEntry(lineOf(r.Val()[0])); damaged != nil || !e.Traded {
			return nil, errIndex
		}
		entries = append(entries, r.Val()[0])
	}
	return entries, err
}
