package convert

// This file reads replies of sources on the web that were kept: each file is one.

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcp-trade/feed"
	"mcp-trade/feed/alpaca"
	"mcp-trade/feed/binance"
	"mcp-trade/feed/tencent"
	"mcp-trade/feed/yahoo"
	"mcp-trade/internal/bounded"
	"mcp-trade/market"
)

// maxReply is how long a reply may be, in bytes.
const maxReply = 64 << 20

// begins tells whether JSON begins with a text, whatever space is in it.
func begins(head []byte, text string) bool {
	const enough = 200
	return bytes.HasPrefix(bytes.Join(bytes.Fields(head[:min(len(head), enough)]), nil), []byte(text))
}

// replyForms are the kinds of replies.
var replyForms = []form{
	{"yahoo chart", func(head []byte) bool { return begins(head, `{"chart":`) }, func(r *reader) error {
		r.file.note("the prices are raw as far as the reply tells of splits: a split after its last day is not undone, and without events nobody knows of any")
		return r.reply(yahoo.Parse, one)
	}},
	{"binance klines", func(head []byte) bool { return begins(head, `[[`) }, func(r *reader) error {
		symbol, err := symbolOfFile(r.file.File)
		if err == nil && market.Of(symbol).ID != market.Crypto {
			pair, isPair := strings.CutSuffix(symbol, "USDT")
			if symbol = pair + "-USDT"; !isPair {
				err = fmt.Errorf("%s: the reply does not say of which pair it is, and the name of the file does not end with USDT", r.file.File)
			}
		}
		if err != nil {
			return err
		}
		return r.reply(binance.Parse, func([]byte) []string { return []string{symbol} })
	}},
	{"tencent kline", func(head []byte) bool { return begins(head, `{"code":`) && bytes.Contains(head, []byte(`"data"`)) }, func(r *reader) error {
		return r.reply(tencent.Parse, one)
	}},
	{"alpaca bars", func(head []byte) bool { return begins(head, `{"bars":`) }, func(r *reader) error {
		return r.reply(alpaca.Parse, func(body []byte) []string {
			var symbols struct{ Bars map[string]json.RawMessage }
			if json.Unmarshal(body, &symbols) != nil || len(symbols.Bars) == 0 {
				return one(body)
			}
			return slices.Sorted(maps.Keys(symbols.Bars))
		})
	}},
}

// one stands for the one symbol that a reply names.
func one([]byte) []string { return []string{""} }

// parser reads the series of a symbol in a reply.
type parser func(reply []byte, job feed.Job) (*feed.Series, []string, error)

// reply reads the one reply that a file is: the series of each of its symbols.
func (r *reader) reply(parse parser, symbols func([]byte) []string) error {
	body, err := bounded.Read(r.in, maxReply)
	if err != nil {
		return fmt.Errorf("%s: %w", r.file.File, err)
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	for _, symbol := range symbols(body) {
		s, told, err := parse(body, feed.Job{Symbol: symbol})
		if err == nil && s.Interval == "" && len(s.Bars) > 0 {
			err = s.SetInterval()
		}
		if err != nil {
			return fmt.Errorf("%s: the reply cannot be read: %w", r.file.File, err)
		}
		for _, problem := range told {
			r.file.fault(1, s.Symbol, "%s: %s", s.Symbol, problem)
		}
		r.take(s)
	}
	return nil
}

// take takes over the series of a reply.
func (r *reader) take(s *feed.Series) {
	g := r.series(s.Symbol)
	if !r.sameInterval(g, s.Interval, 1) {
		return
	}
	g.Stamps = cmp.Or(g.Stamps, s.Stamps)
	for _, b := range s.Bars {
		b.Line = 1
		r.add(g, b)
	}
	if s.Actions != nil {
		g.act("", feed.Action{})
	}
	for day, a := range s.Actions {
		g.act(day, a)
	}
}
