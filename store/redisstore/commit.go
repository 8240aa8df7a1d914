// A commit: one script, sent again until its outcome is known.

package redisstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"mcp-trade/internal/pause"
	"mcp-trade/store"
)

//go:embed append.lua
var appendSource string

// appendScript is called by its hash. A server that does not have it is sent the source.
var appendScript = redis.NewScript(appendSource)

// Append implements [store.Ledgers]. In a cluster the session is not in the ledger's slot: it is checked just before the commit
// and updated just after it. If it is that of the model of the same name, as the sessions of runs are, the commit is refused if it was set
// after it was checked: see [Store.moveOf].
func (s *Store) Append(ctx context.Context, c store.Commit) error {
	if err := store.CheckName("signature", c.Account); err != nil {
		return err
	}
	to, err := s.reach(ctx)
	if err != nil {
		return s.unreachable("commit to the ledger", err)
	}
	return s.append(ctx, to, c, s.keysOf(c.Account))
}

func (s *Store) append(ctx context.Context, to *link, c store.Commit, k keys) error {
	together, others := store.SplitGuards(s, c.Guards)
	for round := 1; ; round++ {
		move, err := s.moveOf(ctx, to, c.Account, others)
		if err != nil {
			return err
		}
		for _, g := range others {
			if err := g.Check(ctx); err != nil {
				return s.unlessEarlier(ctx, to, k, c, err)
			}
		}
		if err = s.commit(ctx, to, c, k, together, move); err == nil {
			break
		}
		if !errors.Is(err, errMoved) {
			return err
		}
		if round == maxRounds {
			return store.ErrSessionChanged
		}
	}
	for _, g := range others {
		if err := g.ApplyAfter(ctx); err != nil {
			s.warn(fmt.Sprintf("the order is in the ledger, but the session could not be told: %v", err))
		}
	}
	return nil
}

// unlessEarlier returns the error that the contract of Append ranks before a changed session, if there is one: of an order id that
// is in the ledger, or of the lease.
func (s *Store) unlessEarlier(ctx context.Context, to *link, k keys, c store.Commit, changed error) error {
	if !errors.Is(changed, store.ErrSessionChanged) {
		return changed
	}
	if c.OrderID != "" {
		if _, line, err := s.Head(ctx, c.Account, c.OrderID); err == nil && line != nil {
			return &store.UsedError{Line: line}
		}
	}
	if err := s.judge(ctx, to, k, c); store.Refused(err) {
		return err
	}
	return changed
}

// maxRounds bounds how often one commit updates the index of order ids, because others have committed meanwhile.
const maxRounds = 10

// commit runs the script, and updates the index of order ids as often as the script asks for it.
func (s *Store) commit(ctx context.Context, to *link, c store.Commit, k keys, guards []store.Guard, move string) error {
	wrong := "" // the record that the index wrongly has for the order id
	for range maxRounds {
		reply, err := s.runAppend(ctx, to, c, k, guards, wrong, move)
		if err != nil {
			return err
		}
		switch reply[0] {
		case "ok":
			return nil
		case "session":
			return store.ErrSessionChanged
		case "moved":
			return errMoved
		case "leased":
			if c.Fence != 0 {
				return store.ErrLeaseLost
			}
			return &store.LeasedError{Account: c.Account, By: store.ParseHeld(reply[1]).Owner, Life: leaseLife}
		case "conflict":
			return store.ErrConflict
		case "removed":
			return s.unreachable("commit to the ledger", &store.DamagedError{
				Account: c.Account, Repairable: true,
				Err: fmt.Errorf("the newest entry of %s was taken out of Redis, which then takes no other under its number", k.ledger),
			})
		case "index":
			err = s.indexOrders(ctx, to, k)
		case "used":
			if line := []byte(reply[1]); hasOrderID(line, c.OrderID) {
				return &store.UsedError{Line: line}
			}
			wrong = reply[2]
			err = s.reindexOrders(ctx, to, k)
		}
		if err != nil {
			return s.unreachable("find the order ids of the ledger", err)
		}
	}
	return store.ErrConflict
}

// runAppend sends the script until it is answered. A try that got an error reply wrote nothing. The outcome of a try without any
// reply is unknown, whatever a later try is answered.
func (s *Store) runAppend(ctx context.Context, to *link, c store.Commit, k keys, guards []store.Guard, wrong, move string) ([]string, error) {
	mark := &commitToken{text: s.newToken()}
	args := s.appendArgs(c, k, guards, mark, wrong, move)
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var unknown bool
	for try := 1; ; try++ {
		mark.sent = false
		reply, err := s.send(ctx, to, k.ledger, args)
		if redis.HasErrorPrefix(err, "NOSCRIPT") {
			args[0], args[1] = "eval", appendSource
			mark.sent = false
			reply, err = s.send(ctx, to, k.ledger, args)
		}
		if err == nil {
			return reply, nil
		}
		unknown = unknown || mark.sent && !answered(err)
		if try == tries || !retryable(err) || pause.For(ctx, retryPause) != nil {
			e := s.unreachable("commit to the ledger", err)
			e.Unknown = unknown
			return nil, e
		}
	}
}

// appendArgs returns the words that call the script; append.lua describes them.
func (s *Store) appendArgs(c store.Commit, k keys, guards []store.Guard, m *commitToken, wrong, move string) []any {
	var ttl time.Duration
	sets := 0
	words, values, readOnly, theirs := make([]any, 0, 32), make([]any, 0, 8), []any(nil), []any(nil)
	words = append(words, "evalsha", appendScript.Hash(), nil, k.ledger, k.orders)
	for _, g := range guards {
		ttl = g.TTL
		for key, v := range g.Update {
			words, values, sets = append(words, s.sessionKey(key)), append(values, v), sets+1
		}
	}
	for _, g := range guards {
		for key, v := range g.Expect {
			if key.Model == store.AllModels {
				readOnly, theirs = append(readOnly, s.sessionKey(key)), append(theirs, v)
			} else {
				words, values = append(words, s.sessionKey(key)), append(values, v)
			}
		}
	}
	words[2] = len(words) - 3
	words = append(words, c.ID, c.Line, c.OrderID, m, c.After, ttl.Milliseconds(), sets, wrong, int64(c.Fence), move)
	return append(append(append(words, values...), theirs...), readOnly...)
}

// send calls a script once, and waits until enough replicas have the line.
func (s *Store) send(ctx context.Context, to *link, key string, words []any) ([]string, error) {
	cmd := once{redis.NewCmd(ctx, words...)}
	cmd.SetFirstKeyPos(3)
	if s.replicas == 0 {
		if err := to.Process(ctx, cmd); err != nil {
			return nil, err
		}
		return cmd.StringSlice()
	}
	replicated, err := s.sendAndWait(ctx, to, key, cmd)
	if err != nil {
		return nil, err
	}
	reply, err := cmd.StringSlice()
	if err == nil && (reply[0] == "ok" || reply[0] == "used") {
		err = replicated
	}
	return reply, err
}

// once is a command that go-redis sends a single time. Of several tries it would return only the last error.
type once struct{ *redis.Cmd }

func (once) NoRetry() bool { return true }

// commitToken tells one commit from every other. go-redis calls MarshalBinary when it writes the token to a connection, so sent
// says whether the commit was sent.
type commitToken struct {
	text string
	sent bool
}

// MarshalBinary implements [encoding.BinaryMarshaler].
func (m *commitToken) MarshalBinary() ([]byte, error) {
	m.sent = true
	return []byte(m.text), nil
}

// answered tells whether a try failed with an error reply, or without a connection: the server did not run it then.
func answered(err error) bool {
	var reply redis.Error
	var dial *net.OpError
	return errors.As(err, &reply) || errors.As(err, &dial) && dial.Op == "dial"
}

// retryable tells whether the same call may succeed in a moment.
func retryable(err error) bool {
	var reply redis.Error
	var alone replicasError
	if errors.As(err, &alone) {
		return false // the call has waited for them already
	}
	return !errors.As(err, &reply) || redis.IsReadOnlyError(err) || redis.IsTryAgainError(err) || redis.IsClusterDownError(err) || redis.IsLoadingError(err)
}

// sendAndWait sends a command, and a WAIT after it on the same connection. Too few replicas are an error of their own, replicated:
// the command was carried out, but a failover may lose what it wrote.
func (s *Store) sendAndWait(ctx context.Context, to *link, key string, cmd once) (replicated, err error) {
	node, err := to.master(ctx, key)
	if err != nil {
		return nil, err
	}
	have := redis.NewIntCmd(ctx, "wait", s.replicas, waitTime.Milliseconds())
	_, _ = node.Pipelined(ctx, func(p redis.Pipeliner) error { // each command has its own error
		return errors.Join(p.Process(ctx, cmd), p.Process(ctx, have))
	})
	switch {
	case cmd.Err() != nil:
		return nil, cmd.Err()
	case have.Err() != nil:
		return replicasError(fmt.Sprintf("which replicas have it is not known: %v", have.Err())), nil
	case have.Val() < int64(s.replicas):
		return replicasError(fmt.Sprintf("after %v only %d of the %d replicas that were asked for have it", waitTime, have.Val(), s.replicas)), nil
	}
	return nil, nil
}

// replicasError says that a line is in Redis, but in fewer replicas than were asked for.
type replicasError string

func (e replicasError) Error() string { return "the line is in Redis, and " + string(e) }

// confirm waits until enough replicas have the line of an order id. WAIT counts only what its own connection wrote, so confirm
// writes the order's record again, which changes nothing.
func (s *Store) confirm(ctx context.Context, to *link, k keys, orderID, record string) error {
	if s.replicas == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	cmd := once{redis.NewCmd(ctx, "hset", k.orders, orderID, record)}
	cmd.SetFirstKeyPos(1)
	replicated, err := s.sendAndWait(ctx, to, k.orders, cmd)
	if err == nil {
		err = replicated
	}
	if err != nil {
		e := s.unreachable("read the ledger", err)
		e.Unknown = true
		return e
	}
	return nil
}

// keys are where an account's ledger is kept.
type keys struct{ ledger, orders string }

func (s *Store) keysOf(account string) keys {
	return keys{s.prefix + "ledger:{" + account + "}", s.prefix + "orders:{" + account + "}"}
}

// entryID is the id of the entry that holds a line.
func entryID(id int64) string { return strconv.FormatInt(id, 10) + "-1" }
