// Package page shows a report as a page: one file that needs nothing but a browser, or the same page served, which follows
// the ledgers as they grow. It knows reports, and nothing of files, Redis or MCP.
//
// The page asks nothing of any other machine, which its content security policy enforces. Every text from a ledger or a model
// is escaped and stays text. Each drawing has its figures beside it as a table, and everything works by keyboard. Its size is
// bounded, however long the ledgers are: it shows the newest trades and says how many there are.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

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
}

// Write writes the page that shows the data.
func Write(w io.Writer, s Data) error {
	var r renderer
	return r.render(s).write(w, false)
}

//go:embed page.css page.js
var files embed.FS

// content returns an embedded file.
func content(name string) string {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err) // an embedded file is always there
	}
	return string(text)
}

// policy is the content security policy: it forbids everything that the page does not need. Its hashes allow the page's own style
// and script.
func policy(live bool) string {
	connect := "'none'"
	if live {
		connect = "'self'"
	}
	return "default-src 'none'; img-src data:; style-src 'sha256-" + hash(content("page.css")) + "'; script-src 'sha256-" +
		hash(content("page.js")) + "'; connect-src " + connect + "; base-uri 'none'; form-action 'none'"
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// section is a part of the page. The script replaces it as a whole when it changes.
type section struct {
	ID   string
	HTML string
}

// snapshot is the content of the page at one time.
type snapshot struct {
	name     string // the same for the same content
	title    string
	sections []section
}

// link is a link to an account's section.
type link struct {
	ID, Name string
	Look     chart.Look
}

func newLink(a report.Account, looks map[string]chart.Look) link {
	return link{"account-" + elementID(a.Signature), a.Signature, looks[a.Signature]}
}

// renderer makes snapshots. It renders an account again only if the account has changed since the last one.
type renderer struct{ drawn map[string]drawn }

// drawn is an account's section with the data that it was rendered from.
type drawn struct {
	account report.Account
	link    link
	html    string
}

// render makes the snapshot of the data.
func (r *renderer) render(s Data) *snapshot {
	rep := s.Report
	// Accounts keep their place and colour, however their ranks change.
	rep.Accounts = slices.SortedFunc(slices.Values(rep.Accounts), func(a, b report.Account) int { return strings.Compare(a.Signature, b.Signature) })
	looks := chart.Looks(rep.Accounts)
	v := &snapshot{title: titleOf(rep)}
	v.sections = append(v.sections, section{"board", markup(newLeaderboard(s.Report, looks).node())}, section{"curves", markup(curvesNode(newCurves(rep)))})
	r.accounts(v, s, rep.Accounts, looks)
	v.sections = append(v.sections, section{"trades", markup(newTrades(rep, s.TradesNote).node())})
	v.name = v.digest()
	return v
}

// accounts adds a section for each account. They are rendered in parallel.
func (r *renderer) accounts(v *snapshot, s Data, accounts []report.Account, looks map[string]chart.Look) {
	made := make([]drawn, len(accounts))
	var renderers errgroup.Group
	renderers.SetLimit(runtime.GOMAXPROCS(0))
	for i, a := range accounts {
		renderers.Go(func() error {
			made[i] = r.account(a, newLink(a, looks), s)
			return nil
		})
	}
	_ = renderers.Wait()
	r.drawn = map[string]drawn{}
	for _, d := range made {
		r.drawn[d.account.Signature] = d
		v.sections = append(v.sections, section{d.link.ID, d.html})
	}
}

// account renders an account's section, or returns that of the last snapshot if nothing has changed.
func (r *renderer) account(a report.Account, l link, s Data) drawn {
	if d, ok := r.drawn[a.Signature]; ok && d.link == l && reflect.DeepEqual(d.account, a) {
		return d
	}
	return drawn{a, l, markup(newAccount(a, l, s).node())}
}

func (v *snapshot) digest() string {
	sum := sha256.New()
	for _, s := range v.sections {
		fmt.Fprintf(sum, "%s %d %s", s.ID, len(s.HTML), s.HTML)
	}
	return hex.EncodeToString(sum.Sum(nil)[:12])
}

// write writes the whole page.
func (v *snapshot) write(w io.Writer, live bool) error {
	return v.document(live).Render(w)
}

// since returns the sections that differ from an older snapshot; all of them if old is nil.
func (v *snapshot) since(old *snapshot) []section {
	var changed []section
	for _, s := range v.sections {
		if old == nil || !slices.Contains(old.sections, s) {
			changed = append(changed, s)
		}
	}
	return changed
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
