// Package transcript keeps what is said and done on a day: what a language model was told, what it replied, what it called, and what came of it. It is also
// the journal that makes a day survive anything: a line is on disk before what follows from it begins.
//
// One file per day, {log path}/{account}/log/{date}/transcript.jsonl, one JSON object per line. A line has its wall-clock
// time and one of these:
//
//	begin    the first messages, and the ledger that the day started from
//	ask      the model is being asked; without a reply after it, the call may have been paid for nothing
//	retry    the model could not be asked, and is asked again
//	reply    what the model replied
//	result   what a call of that reply came to
//	nudge    a message of ours in between: the reply called nothing and did not end the day
//	end      the day is over
//
// Times, tokens and costs are in here and in no ledger.
package transcript

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"mcp-trade/agent/mask"
	"mcp-trade/agent/model"
	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/internal/files"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// Entry is a line of a transcript. One of the pointers is set.
type Entry struct {
	Time   time.Time      `json:"time"`
	Begin  *Begin         `json:"begin,omitempty"`
	Ask    *Ask           `json:"ask,omitempty"`
	Retry  *Retry         `json:"retry,omitempty"`
	Reply  *Reply         `json:"reply,omitempty"`
	Result *Outcome       `json:"result,omitempty"`
	Nudge  *model.Message `json:"nudge,omitempty"`
	End    *End           `json:"end,omitempty"`
}

// Begin opens a day.
type Begin struct {
	Account  string          `json:"account"`
	Date     market.Stamp    `json:"date"`
	Model    string          `json:"model"`
	Ledger   string          `json:"ledger"` // hash of the account's newest record of the days before
	Tools    []string        `json:"tools"`  // names that the model was offered
	Messages []model.Message `json:"messages"`
	Mask     *mask.Table     `json:"mask,omitempty"` // by which the model saw symbols and dates; nil: it saw the true ones
}

// Ask is a call of the model that is under way.
type Ask struct {
	Step  int              `json:"step"`
	Worst *decimal.Decimal `json:"worst,omitempty"` // what it may cost at most, where prices are known
}

// Retry is a call of the model that failed and is repeated.
type Retry struct {
	Step    int              `json:"step"`
	Error   string           `json:"error"`
	Wait    float64          `json:"wait"` // seconds before the next try
	Seconds float64          `json:"seconds"`
	Cost    *decimal.Decimal `json:"cost,omitempty"` // what it may have cost, where it may have cost anything
}

// Reply is a turn of the model: a [model.Reply], and what it took. Steps count from 1.
type Reply struct {
	Step    int              `json:"step"`
	Message model.Message    `json:"message"`
	Finish  string           `json:"finish,omitempty"` // why the model stopped, in the endpoint's words
	Sent    int              `json:"sent"`             // bytes that the model was sent, roughly
	Usage   model.Usage      `json:"usage"`
	Cost    *decimal.Decimal `json:"cost,omitempty"` // where prices are known
	Seconds float64          `json:"seconds"`
}

// Outcome is what a call came to. Calls of a turn count from 1.
type Outcome struct {
	Step      int             `json:"step"`
	Call      int             `json:"call"`
	Tool      string          `json:"tool"`
	Arguments json.RawMessage `json:"arguments,omitempty"` // as sent to the server; none if nothing was sent
	Content   string          `json:"content"`             // as the model sees it
	Failed    bool            `json:"failed,omitempty"`
	Code      code.Code       `json:"code,omitempty"`     // of a refusal
	Limit     string          `json:"limit,omitempty"`    // which limit the order would have exceeded
	OrderID   string          `json:"order_id,omitempty"` // of an order that was sent
	Filled    bool            `json:"filled,omitempty"`   // it is in the ledger
	Placed    bool            `json:"placed,omitempty"`   // it is in the ledger and filled nothing: it waits, or it ended one that waits
	Seconds   float64         `json:"seconds"`
}

// End closes a day. What the account holds is what the ledger says.
type End struct {
	Reason   string              `json:"reason"` // one of the constants below
	Ledger   string              `json:"ledger"` // hash of the account's newest record; "" in transcripts of earlier versions
	Steps    int                 `json:"steps"`
	Spent    Spending            `json:"spent"`
	Cash     decimal.Decimal     `json:"cash"`
	Holdings ledger.Positions    `json:"holdings"`
	Value    decimal.NullDecimal `json:"value"`             // after the close of the day, before it at the hour's opens; null if a holding has no price
	Stale    ledger.StaleCloses  `json:"stale,omitempty"`   // holdings that it counts at a close of an earlier trading day
	Differs  []string            `json:"differs,omitempty"` // where the closing text states something else, in sentences
}

// Why a day ended.
const (
	EndFinished = "finished" // the model said so
	EndNoCalls  = "no_calls" // turns without calls
	EndEmpty    = "empty"    // two turns of nothing
	EndCutOff   = "cut_off"  // two replies that a bound ended
	EndFiltered = "filtered" // two replies that a filter of the API ended
	EndRefused  = "refused"  // the model refused
	EndRepeats  = "repeats"  // the same calls failed again and again
	EndMaxSteps = "max_steps"
	EndBudget   = "budget" // the next call might have exceeded the day's budget
	EndHalted   = "halted" // HALT was set
)

// Spending adds up replies.
type Spending struct {
	Calls   int              `json:"calls"`
	In      int              `json:"in"`
	Cached  int              `json:"cached"`
	Out     int              `json:"out"`
	Seconds float64          `json:"seconds"`
	Cost    *decimal.Decimal `json:"cost,omitempty"` // where prices are known
}

// File is where the transcript of a day is.
func File(logPath, account string, date market.Stamp) string {
	return filepath.Join(folder(logPath, account, date), "transcript.jsonl")
}

// folder is the folder of a day's logs, under AI-Trader's name for it as far as the system can spell it.
func folder(logPath, account string, date market.Stamp) string {
	name := string(date)
	if runtime.GOOS == "windows" {
		name = strings.ReplaceAll(name, ":", "-")
	}
	return filepath.Join(logPath, account, "log", name)
}

// maxBytes bounds a transcript.
const maxBytes = 256 << 20

// Read reads a transcript. The last line may be torn; it is then left out. A file that is not there has no lines.
func Read(path string) (entries []Entry, err error) {
	text, err := files.Read(path, maxBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for number := 1; len(text) > 0; number++ {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		e, err := parse(line, entries)
		if !whole || err != nil && len(rest) == 0 {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the transcript %s is damaged in line %d: %w", path, number, err)
		}
		entries = append(entries, e)
		text = rest
	}
	return entries, nil
}

// parse reads a line that follows others. A result must be of a call of the newest reply: what goes on from it relies on that.
func parse(line []byte, before []Entry) (e Entry, err error) {
	if err := json.Unmarshal(line, &e); err != nil || e.Result == nil {
		return e, err
	}
	for _, b := range slices.Backward(before) {
		if r := b.Reply; r != nil {
			if e.Result.Step == r.Step && e.Result.Call >= 1 && e.Result.Call <= len(r.Message.Calls) {
				return e, nil
			}
			break
		}
	}
	return e, fmt.Errorf("it has a result of call %d of step %d, which was not made", e.Result.Call, e.Result.Step)
}
