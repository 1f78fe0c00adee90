package console

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds what one step in the browser may take.
const patience = time.Minute

// tab is a page in a browser profile of its own. It fails its test when the page logs anything, breaks its policy, or asks
// another host.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string // of the server

	lock    sync.Mutex
	noise   []string
	expects []string // parts of noise that the test is about
}

// startBrowser starts Chromium, without anything that it does on its own.
func startBrowser(dir string) (context.Context, context.CancelFunc) {
	options := []chromedp.ExecAllocatorOption{chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(dir), chromedp.ExecPath("chromium"),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("disable-features", "Translate,OptimizationHints,MediaRouter")}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	return ctx, func() { cancel(); stop() }
}

// open starts a tab at a server.
func open(t *testing.T, base string) *tab {
	t.Helper()
	b := &tab{t: t, base: base, expects: []string{"Autofocus processing was blocked"}} // tests type faster than people
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.listen))
	b.ctx = ctx
	t.Cleanup(func() {
		cancel()
		b.lock.Lock()
		defer b.lock.Unlock()
		for _, line := range b.noise {
			t.Errorf("the page was not quiet: %s", line)
		}
	})
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 860)); err != nil { // with the context that the tab lives as long as
		t.Fatal(err)
	}
	b.call(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, log.Enable, cdp.Empty{})
		if err == nil {
			_, err = chromedp.Call(ctx, network.Enable, network.EnableParams{})
		}
		return err
	})
	return b
}

// expect takes noise with this text for granted.
func (b *tab) expect(text string) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.expects = append(b.expects, text)
}

func (b *tab) note(format string, args ...any) {
	b.lock.Lock()
	defer b.lock.Unlock()
	line := fmt.Sprintf(format, args...)
	for _, text := range b.expects {
		if strings.Contains(line, text) {
			return
		}
	}
	b.noise = append(b.noise, line)
}

func (b *tab) listen(event any) {
	switch e := event.(type) {
	case *log.EventEntryAdded:
		b.note("log: %s %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL)
	case *runtime.EventConsoleAPICalled:
		b.note("console.%s %s", e.Type, e.Args[0].Value)
	case *runtime.EventExceptionThrown:
		b.note("exception: %s", e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, b.base+"/") && !strings.HasPrefix(e.Request.URL, "data:") {
			b.note("a request to another host: %s", e.Request.URL)
		}
	}
}

// run does steps in the tab.
func (b *tab) run(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	b.call(func(ctx context.Context) error { return chromedp.Do(ctx, steps...) })
}

// call does something with the tab.
func (b *tab) call(do func(ctx context.Context) error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := do(ctx); err != nil {
		b.t.Fatalf("%v; the page is %s", err, b.describe())
	}
}

func (b *tab) describe() string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + ":\n" + document.body.innerText.slice(0, 1500)`))
	if err != nil {
		return err.Error()
	}
	return text
}

// value returns what a JavaScript expression, or its promise, comes to.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	var got T
	b.call(func(ctx context.Context) (err error) {
		got, err = chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
		return err
	})
	return got
}

// goTo loads a page of the server.
func (b *tab) goTo(path string) *tab {
	b.t.Helper()
	b.run(chromedp.Navigate(b.base + path))
	return b
}

// click clicks what a selector finds, and waits for the page that follows.
func (b *tab) click(selector string) *tab {
	b.t.Helper()
	b.call(func(ctx context.Context) error {
		_, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
		return err
	})
	return b
}

// press clicks what stays on the page.
func (b *tab) press(selector string) *tab {
	b.t.Helper()
	b.run(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
	return b
}

// fill types into a field, after what it had is gone.
func (b *tab) fill(selector, text string) *tab {
	b.t.Helper()
	value[bool](b, fmt.Sprintf(`document.querySelector(%q).value = "", true`, selector))
	b.run(chromedp.SendKeys(chromedp.CSS(selector), text))
	return b
}

// text returns what a reader sees of the first element that a selector finds.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(value[string](b, fmt.Sprintf("document.querySelector(%q).innerText", selector)))
}

// shows fails the test unless the page has a text.
func (b *tab) shows(texts ...string) *tab {
	b.t.Helper()
	all := value[string](b, `document.body.innerText`)
	for _, text := range texts {
		if !strings.Contains(all, text) {
			b.t.Errorf("the page does not show %q; it is %s", text, b.describe())
		}
	}
	return b
}

// hides fails the test if the source of the page has a text.
func (b *tab) hides(texts ...string) *tab {
	b.t.Helper()
	all := value[string](b, `document.documentElement.outerHTML`)
	for _, text := range texts {
		if strings.Contains(all, text) {
			b.t.Errorf("the page has %q", text)
		}
	}
	return b
}

// waits waits until something can be seen.
func (b *tab) waits(selector string) *tab {
	b.t.Helper()
	b.run(chromedp.WaitVisible(chromedp.CSS(selector)))
	return b
}

// at fails the test unless the address has this path.
func (b *tab) at(path string) *tab {
	b.t.Helper()
	if value[string](b, `location.pathname`) != path {
		b.t.Fatalf("the page is %s, want %s", b.describe(), path)
	}
	return b
}

// looks are how each page is looked at.
var looks = []struct {
	name, scheme  string
	width, height int64
}{{"light", "light", 1280, 860}, {"dark", "dark", 1280, 860}, {"phone", "light", 390, 844}, {"phone-dark", "dark", 390, 844}}

// axeOptions are the rules that must hold.
const axeOptions = `{runOnly: {type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}, rules: {'target-size': {enabled: true}}, resultTypes: ['violations']}`

// inspect looks at the page in every look: accessible, nothing wider than the window, nothing that moves while it loads. With
// CONSOLE_SHOTS set it writes a picture of each.
func (b *tab) inspect(name string) *tab {
	b.t.Helper()
	for _, look := range looks {
		b.look(look.scheme, look.width, look.height)
		if value[bool](b, `document.documentElement.scrollWidth > window.innerWidth`) {
			b.t.Errorf("%s (%s) is wider than the window", name, look.name)
		}
		found := value[[]string](b, axe+`; axe.run(document, `+axeOptions+`).then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target + ' ' + n.failureSummary).join(' | ')))`)
		for _, v := range found {
			b.t.Errorf("%s (%s): %s", name, look.name, v)
		}
		results.add(len(found))
		if shots != "" {
			b.shoot(name + "-" + look.name)
		}
	}
	results.shifted(name, value[float64](b, `new Promise((done) => { let sum = 0; new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) sum += e.value; }).observe({type: 'layout-shift', buffered: true}); setTimeout(() => done(sum), 0); })`))
	b.look("light", 1280, 860)
	return b
}

// look sets the color scheme and the size of the window.
func (b *tab) look(scheme string, width, height int64) {
	b.t.Helper()
	b.run(chromedp.EmulateViewport(width, height))
	b.call(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	})
}

func (b *tab) shoot(name string) {
	b.t.Helper()
	var picture []byte
	b.call(func(ctx context.Context) (err error) {
		picture, err = chromedp.Run(ctx, chromedp.CaptureScreenshot())
		return err
	})
	if err := os.WriteFile(filepath.Join(shots, name+".png"), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
	if page, light := strings.CutSuffix(name, "-light"); light && slices.Contains(shown, page) {
		shrink(b.t, picture, filepath.Join(shots, "docs", page+".png"))
	}
}
