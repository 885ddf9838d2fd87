package courier

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// mostTries is how many requests of one method are made for one message.
	mostTries = 3
	// usualTimeout is the time of one try: somebody waits in front of a page.
	usualTimeout = 5 * time.Second
	// firstPause is about the time before the second try; it doubles before the third.
	firstPause = 500 * time.Millisecond
	// longestPause is the longest Retry-After that is waited for.
	longestPause = 5 * time.Second
	// longestBody is the most that is read of a response, in bytes.
	longestBody = 1 << 20
	// tooManyRequests is the status of a request that was not looked at (RFC 6585, section 4).
	tooManyRequests = 429
)

var (
	// ErrTooLong: the response is longer than a gateway's can be.
	ErrTooLong = errors.New("the response is too long")
	// ErrRedirect: gateways stay where they are, and following them elsewhere would take the credentials there.
	ErrRedirect = errors.New("the gateway redirects")
)

// Courier says how requests are carried. The zero Courier is ready to use.
type Courier struct {
	// Base makes the single request; nil means http.DefaultTransport.
	Base http.RoundTripper
	// Timeout is the time of one try; 0 means 5 s. A whole Trip has three times that.
	Timeout time.Duration
	// Wait waits for a pause, or until ctx ends; nil means by the clock.
	Wait func(ctx context.Context, d time.Duration) error
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Trip is the way of one message: at most three requests of each method. It is used by one goroutine.
type Trip struct {
	courier Courier
	ctx     context.Context
	tries   map[string]int

	// Status and Date are those of the last response; Status is 0 where there was none.
	Status int
	Date   time.Time
	// Unsent: the last request did not get as far as to a connection.
	Unsent bool
}

var _ http.RoundTripper = (*Trip)(nil)

// Begin begins the way of a message. Whatever is carried on it ends with ctx, with end, or with the trip's time.
func (c Courier) Begin(ctx context.Context) (t *Trip, end context.CancelFunc) {
	if c.Base == nil {
		c.Base = http.DefaultTransport
	}
	if c.Timeout == 0 {
		c.Timeout = usualTimeout
	}
	if c.Wait == nil {
		c.Wait = wait
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	ctx, end = context.WithTimeout(ctx, mostTries*c.Timeout)
	return &Trip{courier: c, ctx: ctx, tries: map[string]int{}}, end
}

// RoundTrip carries one request in the time of the trip, whatever context the request has, and again
//   - after 429, and where no connection came about: it was not looked at;
//   - after 5xx and where the connection broke or took too long, if it can be repeated without harm: it is a GET, or
//     has an Idempotency-Key.
//
// Bodies of responses are read whole, so that nobody has to close them.
func (t *Trip) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }() // it is read through GetBody, so there is nothing to lose
	}
	for {
		resp, err := t.once(req)
		pause, again := t.again(req, resp, err)
		if !again || !t.Left(req.Method) || t.courier.Wait(t.ctx, pause) != nil {
			return resp, err
		}
	}
}

// Left tells whether a request of the method can still be made.
func (t *Trip) Left(method string) bool { return t.tries[method] < mostTries }

// Pause waits as long as before the next request of the method.
func (t *Trip) Pause(method string) error {
	if err := t.courier.Wait(t.ctx, backOff(t.tries[method])); err != nil {
		return fmt.Errorf("waiting to try again: %w", err)
	}
	return nil
}

// once makes one request and reads its response.
func (t *Trip) once(req *http.Request) (*http.Response, error) {
	t.tries[req.Method]++
	t.Status, t.Date, t.Unsent = 0, time.Time{}, false
	ctx, cancel := context.WithTimeout(t.ctx, t.courier.Timeout)
	defer cancel()
	try := req.Clone(ctx)
	if req.Body != nil {
		if req.GetBody == nil {
			return nil, errors.New("the request's body can't be sent again")
		}
		body, err := req.GetBody()
		if err != nil {
			return nil, fmt.Errorf("the request's body: %w", err)
		}
		try.Body = body
	}
	resp, err := t.courier.Base.RoundTrip(try)
	if err != nil {
		t.Unsent = unsent(err)
		return nil, err
	}
	// Of the body that came, which is replaced below; all that is wanted of it was read.
	defer func(came io.Closer) { _ = came.Close() }(resp.Body)
	t.Status = resp.StatusCode
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		t.Date = at
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return nil, ErrRedirect
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the response: %w", err)
	case len(body) > longestBody:
		return nil, ErrTooLong
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// again tells whether req can be carried once more, and after which pause.
func (t *Trip) again(req *http.Request, resp *http.Response, err error) (time.Duration, bool) {
	repeatable := req.Method == http.MethodGet || req.Header.Get("Idempotency-Key") != ""
	switch {
	case t.ctx.Err() != nil, errors.Is(err, ErrRedirect), errors.Is(err, ErrTooLong):
		return 0, false
	case err != nil:
		return backOff(t.tries[req.Method]), repeatable || t.Unsent
	case resp.StatusCode == tooManyRequests, resp.StatusCode >= 500 && repeatable:
		return t.retryAfter(resp, backOff(t.tries[req.Method]))
	default:
		return 0, false
	}
}

// retryAfter reads the header of that name (RFC 9110, section 10.2.3); usual is the pause where there is none. Where it
// asks for longer than somebody waits in front of a page, there is no other try.
func (t *Trip) retryAfter(resp *http.Response, usual time.Duration) (time.Duration, bool) {
	header := resp.Header.Get("Retry-After")
	if header == "" {
		return usual, true
	}
	pause := usual
	if seconds, err := strconv.ParseUint(header, 10, 16); err == nil {
		pause = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		pause = max(0, at.Sub(t.courier.Now()))
	}
	return pause, pause <= longestPause
}

// backOff is the pause after so many tries: half a second, doubled each time, less up to a half by chance, so that all
// who were refused at once don't come back at once.
func backOff(tries int) time.Duration {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	whole := firstPause << max(0, tries-1)
	return whole - time.Duration(binary.BigEndian.Uint64(b[:])%uint64(whole/2)) //nolint:gosec // G115: less than whole/2.
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// unsent tells whether err is of a connection that never came about. All other errors may have come after the request
// was read at the other end.
func unsent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// Bare takes from an error of an http.Client what it quotes: the URL, in which numbers may stand.
func Bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// Endpoint reads the URL of a gateway: https, or http on this machine.
func Endpoint(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("it is not a URL") // the error would quote it, and people put passwords in URLs
	case u.User != nil:
		return nil, errors.New("it holds a user name or password, which would be logged")
	case u.Hostname() == "" || u.Fragment != "":
		return nil, errors.New("it is not the URL of a host")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("it is not https, which plain http stands in for on this machine only")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
