package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chromium is a real browser. The tests share its process; each has a profile of its own in it.
type chromium struct {
	ctx context.Context
	// clipboard is held by the test that uses the one clipboard of the process.
	clipboard sync.Mutex
}

// program finds a program that the browser tests need. On a developer's machine without it they are skipped; where
// CI=true they fail, so that they can't be left out by accident.
func program(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	words := fmt.Sprintf("no %s on this machine; to run the browser tests: apt-get install chromium-headless-shell zbar-tools oathtool, "+
		"then go test ./provider -run TestChromium", names[0])
	if os.Getenv("CI") == "true" {
		t.Fatal(words)
	}
	t.Skip(words)
	return ""
}

// startChromium starts a browser with a new, empty profile, which ends with the test.
func startChromium(t *testing.T) *chromium {
	t.Helper()
	options := append(
		chromedp.DefaultExecAllocatorOptions[:],
		// The first is Chromium without its windows, which take longer than the pages.
		chromedp.ExecPath(program(t, "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")),
		chromedp.Flag("headless", "new"), chromedp.DisableGPU, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	// As root, and in most containers, Chromium can't build its sandbox. It loads pages of these tests only.
	options = append(options, chromedp.NoSandbox)
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal("Chromium does not start:", err)
	}
	return &chromium{ctx: ctx}
}

// tab is a tab of the browser, and watches what goes on in it.
type tab struct {
	t *testing.T
	c *chromium
	// ctx is chromedp's.
	ctx context.Context
	// plain: the pages' own JavaScript is off.
	plain bool

	mu       sync.Mutex
	issues   []string
	requests []*network.Request
}

// patience is how long the tests wait for what must happen.
const patience = 20 * time.Second

// open opens a tab in a profile of its own.
func (c *chromium) open(t *testing.T) *tab {
	t.Helper()
	b := &tab{t: t, c: c}
	return b.start(c.ctx, chromedp.WithNewBrowserContext())
}

// beside opens another tab of the same profile.
func (b *tab) beside() *tab {
	b.t.Helper()
	other := &tab{t: b.t, c: b.c}
	return other.start(b.ctx)
}

func (b *tab) start(parent context.Context, options ...chromedp.ContextOption) *tab {
	b.t.Helper()
	var cancel context.CancelFunc
	b.ctx, cancel = chromedp.NewContext(parent, append(options, chromedp.WithListener(b.watch))...)
	b.t.Cleanup(cancel)
	b.do()
	call(b, audits.Enable, cdp.Empty{})
	// All tabs of the tests are looked at, whichever has the window's focus.
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	b.size(1000, 800)
	return b
}

// watch notes what no page may do: errors, violations of the Content-Security-Policy, and anything else that
// Chromium would show a developer as a problem.
func (b *tab) watch(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	note := func(kind string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			text = []byte(err.Error())
		}
		b.issues = append(b.issues, kind+": "+string(text))
	}
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request)
	case *runtime.EventExceptionThrown:
		note("exception", e.ExceptionDetails)
	case *runtime.EventConsoleAPICalled:
		note("console", e.Args)
	case *audits.EventIssueAdded:
		// Chromium counts how often an application sends its users on without a click of theirs; that is how a sign-in
		// that is known already works, and for information.
		if e.Issue.Code == "BounceTrackingIssue" {
			return
		}
		// A page that goes on once the browser's own prompt is answered was not clicked in. It is left out on the way back.
		if g := e.Issue.Details.GenericIssueDetails; g != nil && g.ErrorType == audits.GenericIssueErrorTypeNavigationEntryMarkedSkippable {
			return
		}
		note("issue", e.Issue)
	case *log.EventEntryAdded:
		// A page with an answer of 422 and the like is a page of ours, and the developer's console says so. What is for
		// information only, as that the tests were quicker than the autofocus, is no fault.
		told := strings.HasPrefix(e.Entry.Text, "Failed to load resource: the server responded with a status of 4")
		if !told && (e.Entry.Level == log.EntryLevelWarning || e.Entry.Level == log.EntryLevelError) {
			note("log", e.Entry)
		}
	}
}

// seen returns what was noted so far.
func (b *tab) seen() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.issues)
}

// sent returns the requests that the tab has sent.
func (b *tab) sent() []*network.Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

// posts counts the forms sent to a path ending so.
func (b *tab) posts(suffix string) int {
	n := 0
	for _, r := range b.sent() {
		if r.Method == "POST" && strings.HasSuffix(r.URL, suffix) {
			n++
		}
	}
	return n
}

// clean fails the test if a page gave cause for complaint, or a request left for another place than these.
func (b *tab) clean(origins ...string) {
	b.t.Helper()
	for _, issue := range b.seen() {
		b.t.Error("the browser complains:", issue)
	}
	for _, r := range b.sent() {
		ours := slices.ContainsFunc(origins, func(o string) bool { return strings.HasPrefix(r.URL, o+"/") })
		if !ours && r.URL != "about:blank" && !strings.HasPrefix(r.URL, "data:") {
			b.t.Errorf("a request to %s", r.URL)
		}
	}
}

// call sends a command to the tab.
func call[P, R any](b *tab, cmd cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, cmd, params)
	if err != nil {
		b.t.Fatalf("%s: %v", cmd.Method, err)
	}
	return r
}

// do runs actions.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if len(steps) == 0 {
		ctx = b.ctx // the first run ties the tab to its context
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v, at %s", err, b.where())
	}
}

// eval evaluates JavaScript, also where the page's own is off.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// where describes the page for a failure.
func (b *tab) where() string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// until waits for an expression to be true. While pages change hands there may be nothing to ask: it asks again.
func (b *tab) until(what, expression string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ctx, cancel := context.WithDeadline(b.ctx, deadline)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		cancel()
		if ok && err == nil {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("waited for %s (%v) in vain at %s", what, err, b.where())
		}
		<-time.After(5 * time.Millisecond)
	}
}

// eventually waits for something that the browser tells us.
func (b *tab) eventually(what string, is func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); !is(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// leave runs steps that lead to another page, and waits until that is loaded.
func (b *tab) leave(steps ...chromedp.Action[chromedp.Void]) *tab {
	b.t.Helper()
	before := eval[float64](b, `performance.timeOrigin`)
	b.do(steps...)
	b.until("another page", `document.readyState === "complete" && performance.timeOrigin !== `+strconv.FormatFloat(before, 'f', -1, 64))
	return b
}

func (b *tab) visit(to string) *tab {
	b.t.Helper()
	return b.leave(chromedp.Navigate(to))
}

// quote makes a JavaScript string.
func quote(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		panic("a string can't be encoded") // it can
	}
	return string(data)
}

// is waits for the page with this heading.
func (b *tab) is(heading string) *tab {
	b.t.Helper()
	b.until("the page “"+heading+"”", `document.readyState === "complete" && document.querySelectorAll("h1").length === 1 &&
		document.querySelector("h1").textContent.replaceAll("\u2011", "-").trim() === `+quote(heading))
	return b
}

// says waits until the page says all of it.
func (b *tab) says(words ...string) *tab {
	b.t.Helper()
	for _, w := range words {
		b.until("the words “"+w+"”", `document.body.innerText.replaceAll("\u2011", "-").replaceAll("\u00a0", " ").includes(`+quote(w)+`)`)
	}
	return b
}

// mouse clicks on the middle of an element, so many times in quick succession. It must be there to be seen, and nothing
// may lie over it.
func (b *tab) mouse(selector string, times int) chromedp.Action[chromedp.Void] {
	b.t.Helper()
	const middle = `((e) => {
		const r = e?.getClientRects()[0];
		return r ? [r.left + r.width / 2, r.top + r.height / 2] : null;
	})(document.querySelector(%s))`
	point := fmt.Sprintf(middle, quote(selector))
	b.until("a sight of "+selector, `document.querySelector(`+quote(selector)+`)?.checkVisibility() === true`)
	eval[chromedp.Void](b, `document.querySelector(`+quote(selector)+`).scrollIntoView({block: "nearest", behavior: "instant"})`)
	b.until("nothing over "+selector, `((p) => p !== null && document.querySelector(`+quote(selector)+`).contains(document.elementFromPoint(...p)))(`+point+`)`)
	at := eval[[2]float64](b, point)
	steps := make([]chromedp.Action[chromedp.Void], times)
	for i := range steps {
		steps[i] = chromedp.MouseClickXY(at[0], at[1], chromedp.ClickCount(i+1))
	}
	return chromedp.Steps(steps...)
}

func (b *tab) click(selector string) *tab {
	b.t.Helper()
	b.do(b.mouse(selector, 1))
	return b
}

// follow clicks, and waits for the page it leads to.
func (b *tab) follow(selector string) *tab {
	b.t.Helper()
	return b.leave(b.mouse(selector, 1))
}

// fill puts text into a field, in place of what is there, as a password manager does. A code that sends itself is entered
// instead, or the next step would be on whichever page comes first.
func (b *tab) fill(selector, text string) *tab {
	b.t.Helper()
	b.until("a sight of "+selector, `document.querySelector(`+quote(selector)+`)?.checkVisibility() === true`)
	if b.selfSent(selector, text) {
		b.t.Fatalf("%s sends itself when it is complete: use enter, at %s", selector, b.where())
	}
	b.click(selector)
	eval[chromedp.Void](b, `document.querySelector(`+quote(selector)+`).select()`)
	call(b, input.InsertText, input.InsertTextParams{Text: text})
	return b
}

// press presses keys.
func (b *tab) press(keys string) *tab {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
	return b
}

// javascript switches the pages' own JavaScript.
func (b *tab) javascript(on bool) {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
	b.plain = !on
}

// size sets the window's inner size in CSS pixels.
func (b *tab) size(width, height int64) {
	b.t.Helper()
	b.scale(width, height, 1)
}

func (b *tab) scale(width, height int64, scale float64) {
	b.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: scale})
}

// media pretends media features, as pairs of names and values.
func (b *tab) media(pairs ...string) {
	b.t.Helper()
	var p emulation.SetEmulatedMediaParams
	for i := 0; i+1 < len(pairs); i += 2 {
		p.Features = append(p.Features, &emulation.MediaFeature{Name: pairs[i], Value: pairs[i+1]})
	}
	call(b, emulation.SetEmulatedMedia, p)
}

// signIn types in name and password at the sign-in page.
func (b *tab) signIn(login string) *tab {
	b.t.Helper()
	return b.is(atSignIn).fill("#login", login).fill("#password", rightPassword).follow("main form .button")
}

// enter types a code in. A full one sends itself where JavaScript is on.
func (b *tab) enter(code string) *tab {
	b.t.Helper()
	b.click("#code")
	eval[chromedp.Void](b, `document.querySelector("#code").select()`)
	return b.leave(chromedp.KeyEvent(code))
}

// selfSent is whether text would complete the code in a field, which sends itself then: as app.js has it.
func (b *tab) selfSent(selector, text string) bool {
	b.t.Helper()
	const full = `((field, code) => field.matches("form:not(:has([name=remember])) input[data-digits]") &&
		/^[0-9]+$/.test(code) && code.length === Number(field.dataset.digits))`
	return !b.plain && eval[bool](b, full+`(document.querySelector(`+quote(selector)+`), `+quote(text)+`)`)
}

// keys for press.
const (
	tabKey   = kb.Tab
	enterKey = kb.Enter
	spaceKey = " "
)
