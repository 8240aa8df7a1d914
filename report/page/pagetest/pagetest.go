// Package pagetest looks at pages with a real browser, for tests.
package pagetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"mcp-trade/internal/testenv"
)

// patience is how long a test waits for what must come before it calls it missing. It measures nothing.
const patience = 60 * time.Second

// Browser is a headless Chromium with an empty profile, in which names of other machines lead nowhere.
type Browser struct{ ctx context.Context }

// Start starts a browser, and ends it with the test.
func Start(t testing.TB) Browser {
	t.Helper()
	path := testenv.Program(t, "chromium", "chromium", "chromium-browser", "google-chrome")
	options := append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.WSURLReadTimeout(patience))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it refuses to run as root with one
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return Browser{ctx}
}

// Screen is what a page is looked at with.
type Screen struct {
	Width, Height int64
	Phone, Dark   bool
}

// Screens that pages are tried on.
var (
	Desktop = Screen{Width: 1280, Height: 900}
	Phone   = Screen{Width: 390, Height: 844, Phone: true}
)

// InTheDark is the screen of somebody who prefers dark ground.
func (s Screen) InTheDark() Screen {
	s.Dark = true
	return s
}

// Tab is a page that is open. It notes what the page complains of and what it asks for.
type Tab struct {
	t      testing.TB
	ctx    context.Context
	origin string

	mu       sync.Mutex
	errors   []string
	requests []string
}

// Open opens an address. When the test ends the page must have complained of nothing and asked nobody else for anything.
func (b Browser) Open(t testing.TB, s Screen, address string) *Tab {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	tab := &Tab{t: t, origin: at.Scheme + "://" + at.Host + "/"}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithListener(tab.note))
	t.Cleanup(cancel)
	tab.ctx = ctx
	scheme := "light"
	if s.Dark {
		scheme = "dark"
	}
	viewport := []chromedp.EmulateViewportOption{}
	if s.Phone {
		viewport = append(viewport, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	prefers := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	tab.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, network.Enable, network.EnableParams{})
		_, errLog := cdp.Call(ctx, target, log.Enable, cdp.Empty{})
		_, errMedia := cdp.Call(ctx, target, emulation.SetEmulatedMedia, prefers)
		_, errFocus := cdp.Call(ctx, target, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}) // whatever other tabs do
		return errors.Join(err, errLog, errMedia, errFocus)
	}), chromedp.EmulateViewport(s.Width, s.Height, viewport...), chromedp.Navigate(address))
	t.Cleanup(func() {
		if complaints := tab.Complaints(); len(complaints) > 0 {
			t.Errorf("%s:\n%s", address, strings.Join(complaints, "\n"))
		}
	})
	return tab
}

func (tab *Tab) note(event any) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		tab.errors = append(tab.errors, "exception: "+e.ExceptionDetails.Text+" "+describe(e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			tab.errors = append(tab.errors, fmt.Sprintf("console: %s", describe(e.Args...)))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			tab.errors = append(tab.errors, "log: "+e.Entry.Text+" "+e.Entry.URL)
		}
	case *page.EventJavascriptDialogOpening:
		tab.errors = append(tab.errors, "dialog: "+e.Message)
	case *network.EventRequestWillBeSent:
		tab.requests = append(tab.requests, e.Request.URL)
	}
}

func describe(objects ...*runtime.RemoteObject) string {
	var all []string
	for _, o := range objects {
		if o != nil {
			all = append(all, fmt.Sprint(string(o.Value), o.Description))
		}
	}
	return strings.Join(all, " ")
}

// Complaints are the errors and warnings of the page so far, and its requests to others than where it came from.
func (tab *Tab) Complaints() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	all := tab.errors[:len(tab.errors):len(tab.errors)]
	for _, r := range tab.requests {
		if !strings.HasPrefix(r, tab.origin) && !strings.HasPrefix(r, "data:") {
			all = append(all, "request: "+r)
		}
	}
	return all
}

// Forget drops the complaints so far, for a test that provoked them.
func (tab *Tab) Forget() {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.errors, tab.requests = nil, nil
}

// Do runs actions of chromedp; an error ends the test.
func (tab *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	if err := chromedp.Do(tab.ctx, actions...); err != nil {
		tab.t.Fatal(err)
	}
}

// Eval returns what an expression is worth in the page.
func Eval[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	value, err := chromedp.Run(tab.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tab.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// Wait waits until an expression is true in the page.
func (tab *Tab) Wait(expression string) {
	tab.t.Helper()
	_, err := chromedp.Run(tab.ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(patience), chromedp.WithPollingInterval(10*time.Millisecond)))
	if err != nil {
		tab.t.Fatalf("%s never was: %v\n%s", expression, err, strings.Join(tab.Complaints(), "\n"))
	}
}

// Axe holds the page against the rules of axe-core, whose script MCP_TRADE_AXE names, and returns its serious findings.
func (tab *Tab) Axe() []string {
	tab.t.Helper()
	script, err := os.ReadFile(testenv.File(tab.t, "axe", "MCP_TRADE_AXE", "the script of axe-core"))
	testenv.Require(tab.t, "axe", err == nil, fmt.Sprint(err))
	tab.Do(chromedp.Evaluate[chromedp.Void](string(script)))
	found := Eval[string](tab,
		`axe.run({resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations.filter(v => ["serious", "critical"].includes(v.impact))
			.map(v => v.impact + " " + v.id + ": " + v.help + " " + v.nodes.slice(0, 3).map(n => n.html.slice(0, 200) + " " + n.failureSummary).join("\n  "))))`)
	var findings []string
	if err := json.Unmarshal([]byte(found), &findings); err != nil {
		tab.t.Fatalf("axe: %v: %.500s", err, found)
	}
	return findings
}

// Picture writes the page as a PNG to the folder that MCP_TRADE_PICTURES names, for eyes; without it, it does nothing.
func (tab *Tab) Picture(name string) {
	tab.t.Helper()
	dir := os.Getenv("MCP_TRADE_PICTURES")
	if dir == "" {
		return
	}
	image, err := chromedp.Run(tab.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		tab.t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/"+name+".png", image, 0o644); err != nil {
		tab.t.Fatal(err)
	}
}
