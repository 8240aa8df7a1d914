// Package page shows a report as a page: one file that needs nothing but a browser, or the same page served, which follows
// the ledgers as they grow. It knows reports, and nothing of files, Redis or MCP.
//
// The page asks nothing of any other machine, which its content security policy enforces. Every text from a ledger or a model
// is escaped and stays text. Each drawing has its figures beside it as a table, and everything works by keyboard.
//
// The page holds data, compressed, each series once. Its script draws the overview of all accounts at once, and the details of an
// account when a reader opens them; of a page that is served, it asks the server for them then.
package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	g "maragu.dev/gomponents"

	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/chart"
)

// Data is what a page shows.
type Data struct {
	Report report.Report
	// Prices returns the closes of a symbol between two days, both included, for the drawings of its trades. Nil, or a series
	// without points, is none.
	Prices func(symbol string, from, to market.Stamp) report.Series
	// TradesNote says, in a sentence, where the trades are that the page does not show.
	TradesNote string
	// JSON writes report.json, for a page that is served.
	JSON func(w io.Writer) error

	conversations bool // the server has them
}

// MaxTrades is how many trades a page takes, of all accounts together: those that a browser searches without delay.
const MaxTrades = 200_000

// Write writes the page that shows the data.
func Write(w io.Writer, s Data) error {
	var r renderer
	v, err := r.render(s)
	if err != nil {
		return err
	}
	return v.write(w, false)
}

//go:embed page.css *.js
var files embed.FS

// content returns an embedded file.
func content(name string) string {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err) // an embedded file is always there
	}
	return string(text)
}

// script is the script of the page, in the order in which its files use each other.
func script() string {
	var all strings.Builder
	all.WriteString("\"use strict\";\n")
	for _, name := range []string{"text.js", "dom.js", "data.js", "draw.js", "figure.js", "forest.js", "matrix.js", "board.js", "runs.js", "trades.js", "account.js", "start.js"} {
		all.WriteString(content(name))
	}
	return all.String()
}

// policy is the content security policy: it forbids everything that the page does not need. Its hashes allow the page's own style
// and script.
func policy(live bool) string {
	connect := "'none'"
	if live {
		connect = "'self'"
	}
	return "default-src 'none'; img-src data:; style-src 'sha256-" + hash(content("page.css")) + "'; script-src 'sha256-" +
		hash(script()) + "'; connect-src " + connect + "; base-uri 'none'; form-action 'none'"
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// snapshot is the content of the page at one time: parts of JSON, compressed, by name. They are "overview", "trades", "prices",
// "pairs" and one for each account; "runs" of a page that is served.
type snapshot struct {
	name              string // the same for the same content
	title, lead, note string
	plain             g.Node // the leaderboard where no script runs
	parts             map[string][]byte
	followed          map[string]json.RawMessage // the parts that viewers are told the changes of, as JSON
	json              func(io.Writer) error
	runs              json.RawMessage // those under way; nil: the page says nothing of them
	change            []byte          // compressed, what turns the snapshot before it into this one; nil of the first
}

// accountID is the id of an account's section, and the name of its part.
func accountID(a report.Account) string { return "account-" + elementID(a.Signature) }

// renderer makes snapshots. It renders an account again only if the account has changed since the last one.
// An account keeps the look that it had in it.
type renderer struct {
	made  map[string]details
	looks chart.Looks
}

// render makes the snapshot of the data.
func (r *renderer) render(s Data) (*snapshot, error) {
	accounts, err := r.accounts(s)
	if err != nil {
		return nil, err
	}
	v := &snapshot{json: s.JSON, parts: map[string][]byte{}, followed: map[string]json.RawMessage{}}
	for _, d := range accounts {
		v.parts[accountID(d.account)] = d.packed
	}
	if v.parts["prices"], err = pack(pricesOf(s)); err != nil {
		return nil, err
	}
	if v.parts["pairs"], err = pack(pairsOf(s.Report)); err != nil {
		return nil, err
	}
	r.looks = chart.LooksOf(s.Report.Accounts, r.looks)
	o := newOverview(s, accounts, r.looks)
	o.Prices = digest(v.parts["prices"])
	v.title, v.lead, v.note, v.plain = o.Title, o.Lead, o.Note, o.plain()
	for name, data := range map[string]any{"overview": o, "trades": tradesOf(s.Report)} {
		if v.followed[name], err = json.Marshal(data); err == nil {
			v.parts[name], err = pack(v.followed[name])
		}
		if err != nil {
			return nil, err
		}
	}
	v.name = digest(slices.Concat(v.parts["overview"], v.parts["trades"]))
	return v, nil
}

// withRuns is the snapshot with other runs under way.
func (v *snapshot) withRuns(runs json.RawMessage) (*snapshot, error) {
	if runs == nil {
		return v, nil
	}
	made := *v
	made.runs, made.parts, made.followed = runs, maps.Clone(v.parts), maps.Clone(v.followed)
	packed, err := pack(runs)
	made.parts["runs"], made.followed["runs"] = packed, runs
	made.name = digest(slices.Concat(v.parts["overview"], v.parts["trades"], packed))
	return &made, err
}

// accounts makes the details of each account, in parallel.
func (r *renderer) accounts(s Data) (map[string]details, error) {
	made := make([]details, len(s.Report.Accounts))
	var renderers errgroup.Group
	renderers.SetLimit(runtime.GOMAXPROCS(0))
	for i, a := range s.Report.Accounts {
		renderers.Go(func() (err error) {
			if d, ok := r.made[a.Signature]; ok && reflect.DeepEqual(d.account, a) {
				made[i] = d
				return nil
			}
			made[i], err = newDetails(a, s)
			return err
		})
	}
	if err := renderers.Wait(); err != nil {
		return nil, err
	}
	r.made = map[string]details{}
	for _, d := range made {
		r.made[d.account.Signature] = d
	}
	return r.made, nil
}

// changeFrom makes what turns an older snapshot into this one.
func (v *snapshot) changeFrom(old *snapshot) (err error) {
	change := map[string]any{"version": v.name}
	for name, text := range v.followed {
		change[name] = newPatch(old.followed[name], text)
	}
	v.change, err = pack(change)
	return err
}

// pack writes a value as compressed JSON.
func pack(value any) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	e := json.NewEncoder(z)
	e.SetEscapeHTML(false)
	err := errors.Join(e.Encode(value), z.Close())
	return out.Bytes(), err
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:12])
}

// write writes the whole page. A page that is served has the overview in it, and asks for the rest.
func (v *snapshot) write(w io.Writer, live bool) error {
	inPage := map[string][]byte{} // base64 in JSON, which no text of HTML can look like
	for name, data := range v.parts {
		if !live || name == "overview" || name == "runs" {
			inPage[name] = data
		}
	}
	data, err := json.Marshal(inPage)
	if err != nil {
		return err
	}
	return v.document(live, string(data)).Render(w)
}

// elementID makes a name fit for an id: letters, digits and hyphens stay, other characters are replaced by their code points.
func elementID(name string) string {
	var out strings.Builder
	for _, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-':
			out.WriteRune(r)
		default:
			fmt.Fprintf(&out, "_%x_", r)
		}
	}
	return out.String()
}
