// Ledgers in Redis: one stream per account, appended to by one script.

package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store"
)

//go:embed append.lua
var appendSource string

// appendScript is loaded by its hash; a server that lost it is sent the source again.
var appendScript = redis.NewScript(appendSource)

func ledgerKey(account string) string { return "ledger:{" + account + "}" }
func ordersKey(account string) string { return "orders:{" + account + "}" }

// Head implements [store.Ledgers].
func (s *Store) Head(ctx context.Context, account, orderID string) (head, ordered []byte, err error) {
	if err := store.CheckName("signature", account); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var newest *redis.XMessageSliceCmd
	var record *redis.StringCmd
	_, err = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		newest = p.XRevRangeN(ctx, ledgerKey(account), "+", "-", 1)
		if orderID != "" {
			record = p.HGet(ctx, ordersKey(account), orderID)
		}
		return nil
	})
	if err != nil && !absent(err) {
		return nil, nil, s.unreachable("read the ledger", err)
	}
	if entries := newest.Val(); len(entries) > 0 {
		head = lineOf(entries[0])
	}
	if record == nil || record.Err() != nil {
		return head, nil, nil
	}
	at := record.Val() + "-1"
	entries, err := s.client.XRange(ctx, ledgerKey(account), at, at).Result()
	if err != nil {
		return nil, nil, s.unreachable("read the ledger", err)
	}
	if len(entries) > 0 {
		ordered = lineOf(entries[0])
	}
	return head, ordered, nil
}

// Append implements [store.Ledgers]. In a cluster the session is not in the ledger's slot: it is checked just before
// the commit and told just after it.
func (s *Store) Append(ctx context.Context, c store.Commit) error {
	if err := store.CheckName("signature", c.Account); err != nil {
		return err
	}
	together, others := store.Apart(s, c.Guards)
	for _, g := range others {
		if err := g.Check(ctx); err != nil {
			return s.unlessUsed(ctx, c, err)
		}
	}
	if err := s.runAppend(ctx, c, together); err != nil {
		return err
	}
	for _, g := range others {
		if err := g.Follow(ctx); err != nil {
			s.warn(fmt.Sprintf("the order is in the ledger, but the session could not be told: %v", err))
		}
	}
	return nil
}

// unlessUsed puts an order id that is in the ledger before a session that changed, as Append promises.
func (s *Store) unlessUsed(ctx context.Context, c store.Commit, changed error) error {
	if c.OrderID != "" && errors.Is(changed, store.ErrSessionChanged) {
		if _, line, err := s.Head(ctx, c.Account, c.OrderID); err == nil && line != nil {
			return &store.UsedError{Line: line}
		}
	}
	return changed
}

func (s *Store) runAppend(ctx context.Context, c store.Commit, guards []store.Guard) error {
	g := store.Guard{Want: map[store.Key]string{}, Set: map[store.Key]string{}}
	for _, more := range guards {
		maps.Copy(g.Want, more.Want)
		maps.Copy(g.Set, more.Set)
		g.TTL = more.TTL
	}
	keys := make([]string, 2, 2+len(g.Want)+len(g.Set))
	keys[0], keys[1] = ledgerKey(c.Account), ordersKey(c.Account)
	args := make([]any, 7, 7+len(g.Want)+len(g.Set))
	mark := &mark{text: s.nonce()}
	args[0], args[1], args[2], args[3] = c.ID, c.Line, c.OrderID, mark
	args[4], args[5], args[6] = g.TTL.Milliseconds(), len(g.Want), c.After
	for k, v := range g.Want {
		if v == "" {
			v = "-"
		} else {
			v = "=" + v
		}
		keys, args = append(keys, sessionKey(k)), append(args, v)
	}
	for k, v := range g.Set {
		keys, args = append(keys, sessionKey(k)), append(args, v)
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	reply, err := appendScript.EvalSha(ctx, s.client, keys, args...).StringSlice()
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		mark.sent-- // it did not run
		reply, err = appendScript.Eval(ctx, s.client, keys, args...).StringSlice()
	}
	if err != nil {
		unreachable := s.unreachable("commit to the ledger", err)
		unreachable.Unknown = mark.mayHaveRun(err)
		return unreachable
	}
	switch reply[0] {
	case "ok":
		return nil
	case "used":
		return &store.UsedError{Line: []byte(reply[1])}
	case "session":
		return store.ErrSessionChanged
	default:
		return store.ErrConflict
	}
}

// mark tells one commit from every other. It counts how often it was written to a connection, which go-redis asks it
// for at that moment: of several tries, only the last one's error is told.
type mark struct {
	text string
	sent int
}

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m *mark) MarshalBinary() ([]byte, error) {
	m.sent++
	return []byte(m.text), nil
}

// mayHaveRun tells whether the script may have run though its call failed: not if it was never sent, nor if the one
// time that it was sent the server answered with an error.
func (m *mark) mayHaveRun(err error) bool {
	var answered redis.Error
	return m.sent > 1 || m.sent == 1 && !errors.As(err, &answered)
}

// page is how many entries one trip reads.
const page = 256

// Lines implements [store.Ledgers].
func (s *Store) Lines(ctx context.Context, account string) iter.Seq2[[]byte, error] {
	return s.pages(account, "-", func(from string) ([]redis.XMessage, error) {
		ctx, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		return s.client.XRangeN(ctx, ledgerKey(account), from, "+", page).Result()
	})
}

// LinesBefore implements [store.Ledgers].
func (s *Store) LinesBefore(ctx context.Context, account string, f store.Filter) iter.Seq2[[]byte, error] {
	from := "+"
	if f.Before != store.Newest {
		from = "(" + strconv.FormatInt(max(f.Before, 0), 10) + "-1"
	}
	lines := s.pages(account, from, func(from string) ([]redis.XMessage, error) {
		ctx, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		return s.client.XRevRangeN(ctx, ledgerKey(account), from, "-", page).Result()
	})
	if f.AsOf == "" && !f.Trades {
		return lines
	}
	return func(yield func([]byte, error) bool) {
		for line, err := range lines {
			if err == nil {
				e, damaged := store.ReadEntry(line)
				if damaged == nil && !f.Passes(e) {
					continue
				}
				err = damaged
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// Repair implements [store.Ledgers].
func (s *Store) Repair(context.Context, string, bool) ([]store.Fault, error) { return nil, nil }

// pages yields the lines of one page after the other, each read from behind the last entry of the one before.
func (s *Store) pages(account, first string, read func(from string) ([]redis.XMessage, error)) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := store.CheckName("signature", account); err != nil {
			yield(nil, err)
			return
		}
		for from := first; ; {
			entries, err := read(from)
			if err != nil {
				yield(nil, s.unreachable("read the ledger", err))
				return
			}
			for _, e := range entries {
				if !yield(lineOf(e), nil) {
					return
				}
			}
			if len(entries) < page {
				return
			}
			from = "(" + entries[len(entries)-1].ID
		}
	}
}

// Accounts implements [store.Ledgers].
func (s *Store) Accounts(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var accounts []string
	var mu sync.Mutex // the nodes of a cluster are scanned side by side
	scan := func(ctx context.Context, c redis.UniversalClient) error {
		keys := c.Scan(ctx, 0, ledgerKey("*"), 1000).Iterator()
		mu.Lock()
		defer mu.Unlock()
		for keys.Next(ctx) {
			account := strings.TrimSuffix(strings.TrimPrefix(keys.Val(), "ledger:{"), "}")
			if store.CheckName("signature", account) == nil {
				accounts = append(accounts, account)
			}
		}
		return keys.Err()
	}
	var err error
	if c, ok := s.client.(*redis.ClusterClient); ok {
		err = c.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return scan(ctx, node) })
	} else {
		err = scan(ctx, s.client)
	}
	if err != nil {
		return nil, s.unreachable("list the ledgers", err)
	}
	slices.Sort(accounts)
	return slices.Compact(accounts), nil
}

func lineOf(e redis.XMessage) []byte {
	text, _ := e.Values["line"].(string)
	return []byte(text)
}
