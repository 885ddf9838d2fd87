package provider

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// weightLimit is what the first visit of the sign-in page may transfer, in bytes, heads of the answers included.
const weightLimit = 30_000

// loads is what a browser fetched for a page, as it came over the wire.
type loads struct {
	mu    sync.Mutex
	sent  []*network.EventRequestWillBeSent
	bytes map[network.RequestID]float64
}

func (l *loads) watch(event any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		l.sent = append(l.sent, e)
	case *network.EventLoadingFinished:
		l.bytes[e.RequestID] = e.EncodedDataLength
	}
}

// all are the requests for a page that are all answered, in the order in which they were sent.
func (l *loads) all() (sent []*network.EventRequestWillBeSent, total float64, done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.sent {
		n, ok := l.bytes[e.RequestID]
		if !ok {
			return nil, 0, false
		}
		total += n
	}
	return slices.Clone(l.sent), total, len(l.sent) > 1
}

// The sign-in page of a first visit weighs less than 30 KB, and is painted one round trip after it has arrived: all that the paint
// waits for is a style sheet that the page itself names, so that nothing is asked for only once something else is there.
func testWeight(t *testing.T, c *chromium) {
	w := newWorld(t)
	s := w.site(t)
	l := &loads{bytes: map[network.RequestID]float64{}}
	b := (&tab{t: t, c: c}).start(c.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(l.watch))
	b.visit(s.attempt().url).is(atSignIn)
	var sent []*network.EventRequestWillBeSent
	var total float64
	b.eventually("everything is there", func() (done bool) { sent, total, done = l.all(); return done })
	if total == 0 || total > weightLimit {
		t.Errorf("the first visit transfers %.0f bytes, want at most %d", total, weightLimit)
	}
	t.Logf("the first visit transfers %.0f bytes", total)
	// The authorization request leads to the page, and the page to all else.
	page := sent[1]
	if page.Type != network.ResourceTypeDocument || page.RequestID != sent[0].RequestID {
		t.Fatalf("the second request is %+v", page)
	}
	var paint []string
	for _, e := range sent[2:] {
		if e.RedirectResponse != nil || e.Type == network.ResourceTypeDocument {
			t.Errorf("%s is led to by another answer: another round trip", e.Request.URL)
		}
		switch e.RenderBlockingBehavior {
		case network.RenderBlockingBehaviorBlocking, network.RenderBlockingBehaviorInBodyParserBlocking:
			paint = append(paint, e.Request.URL)
			if e.Initiator.Type != network.InitiatorTypeParser || e.Initiator.URL != page.DocumentURL {
				t.Errorf("the paint waits for %s, which the page itself does not name", e.Request.URL)
			}
		}
	}
	if len(paint) != 1 || !strings.HasSuffix(paint[0], ".css") {
		t.Errorf("the paint waits for %q, want one style sheet", paint)
	}

	// Whoever comes back loads nothing but the page.
	b.visit(s.attempt().url).is(atSignIn)
	if again := eval[[]string](b, `performance.getEntriesByType("resource").filter((e) => e.transferSize > 0).map((e) => e.name)`); len(again) > 0 {
		t.Errorf("the second visit loads %q again", again)
	}
	b.clean(w.issuer, s.url)
}
