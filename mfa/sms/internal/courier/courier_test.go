package courier

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// body tells whether it was closed.
type body struct {
	io.Reader
	closed bool
}

func (b *body) Close() error { b.closed = true; return nil }

func response(status int, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: &body{Reader: strings.NewReader("said")}}
}

func request(t *testing.T, method, text string, header ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://example.com", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

// TestAgain: what is carried again, and what is not because it could happen twice.
func TestAgain(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: errors.New("refused")}
	for _, c := range []struct {
		name           string
		method, key    string
		status         int
		err            error
		tries          int
		unsent, failed bool
	}{
		{"taken", "POST", "", 201, nil, 1, false, false},
		{"a POST after 500", "POST", "", 500, nil, 1, false, false},
		{"a POST with a key after 500", "POST", "k", 500, nil, 3, false, false},
		{"a GET after 503", "GET", "", 503, nil, 3, false, false},
		{"a POST after 429", "POST", "", 429, nil, 3, false, false},
		{"a GET after 404", "GET", "", 404, nil, 1, false, false},
		{"a POST without a connection", "POST", "", 0, dial, 3, true, true},
		{"a POST whose proxy has none", "POST", "", 0, &net.OpError{Op: "proxyconnect", Err: dial}, 3, true, true},
		{"a POST whose connection broke", "POST", "", 0, &net.OpError{Op: "read", Err: io.EOF}, 1, false, true},
		{"a POST that broke while it was written", "POST", "", 0, &net.OpError{Op: "write", Err: io.EOF}, 1, false, true},
		{"a POST with a key whose connection broke", "POST", "k", 0, io.EOF, 3, false, true},
		{"a GET that is redirected", "GET", "", 302, nil, 1, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			tries, pauses := 0, 0
			courier := Courier{
				Base: tripper(func(r *http.Request) (*http.Response, error) {
					tries++
					if sent, err := io.ReadAll(r.Body); err != nil || string(sent) != "text" {
						t.Errorf("try %d carries %q, %v", tries, sent, err)
					}
					if c.err != nil {
						return nil, c.err
					}
					return response(c.status), nil
				}),
				Wait: func(context.Context, time.Duration) error { pauses++; return nil },
			}
			trip, end := courier.Begin(t.Context())
			defer end()
			resp, err := trip.RoundTrip(request(t, c.method, "text", "Idempotency-Key", c.key))
			if tries != c.tries || pauses != c.tries-1 || (err != nil) != c.failed || trip.Status != c.status || trip.Unsent != c.unsent {
				t.Errorf("%d tries, %d pauses, status %d, %v", tries, pauses, trip.Status, err)
			}
			if trip.Left(c.method) != (c.tries < 3) {
				t.Errorf("left: %v", trip.Left(c.method))
			}
			if err == nil {
				if said, err := io.ReadAll(resp.Body); err != nil || string(said) != "said" {
					t.Errorf("it said %q, %v", said, err)
				}
			}
		})
	}
}

func TestBodiesAreClosed(t *testing.T) {
	var bodies []*body
	courier := Courier{
		Base: tripper(func(*http.Request) (*http.Response, error) {
			resp := response(429)
			bodies = append(bodies, resp.Body.(*body))
			return resp, nil
		}),
		Wait: func(context.Context, time.Duration) error { return nil },
	}
	trip, end := courier.Begin(t.Context())
	defer end()
	sent := &body{Reader: strings.NewReader("x")}
	req := request(t, "POST", "text")
	req.Body = sent
	if _, err := trip.RoundTrip(req); err != nil {
		t.Fatal(err)
	}
	if len(bodies) != 3 || !bodies[0].closed || !bodies[1].closed || !bodies[2].closed || !sent.closed {
		t.Errorf("%d bodies were left open", len(bodies))
	}
	req = request(t, "PUT", "text")
	req.GetBody = nil
	if _, err := trip.RoundTrip(req); err == nil {
		t.Error("a body that can't be sent again was sent once")
	}
}

// TestTime: a try has five seconds, the whole fifteen, by default.
func TestTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		courier := Courier{Base: tripper(func(r *http.Request) (*http.Response, error) {
			at = append(at, time.Since(began))
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		trip, end := courier.Begin(t.Context())
		defer end()
		_, err := trip.RoundTrip(request(t, "GET", ""))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 15*time.Second || len(at) != 3 {
			t.Errorf("%v after %v, tries at %v", err, time.Since(began), at)
		}
		if pause := trip.Pause("POST"); !errors.Is(pause, context.DeadlineExceeded) {
			t.Errorf("a pause after the end: %v", pause)
		}
		for i, least := range []time.Duration{0, 5250 * time.Millisecond, 10750 * time.Millisecond} {
			if len(at) == 3 && (at[i] < least || at[i] > least+750*time.Millisecond) {
				t.Errorf("try %d was at %v", i+1, at[i])
			}
		}
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"0": 0, "5": 5 * time.Second, "6": -1, "65535": -1, "99999999999": 7, "-1": 7, "1.5": 7, "soon": 7, "": 7,
		now.Add(3 * time.Second).Format(http.TimeFormat): 3 * time.Second,
		now.Add(-time.Hour).Format(http.TimeFormat):      0,
		now.Add(time.Hour).Format(http.TimeFormat):       -1,
	} {
		trip := &Trip{courier: Courier{Now: func() time.Time { return now }}}
		pause, again := trip.retryAfter(response(429, "Retry-After", header), 7)
		if again != (want >= 0) || again && pause != want {
			t.Errorf("%q: %v, %v", header, pause, again)
		}
	}
}

func TestBackOff(t *testing.T) {
	for tries, whole := range map[int]time.Duration{0: 500 * time.Millisecond, 1: 500 * time.Millisecond, 2: time.Second, 3: 2 * time.Second} {
		seen := map[time.Duration]bool{}
		for range 100 {
			d := backOff(tries)
			if d <= whole/2 || d > whole {
				t.Errorf("after %d tries: %v", tries, d)
			}
			seen[d] = true
		}
		if len(seen) < 50 {
			t.Errorf("after %d tries all come back at once", tries)
		}
	}
}

func TestBare(t *testing.T) {
	if err := Bare(&url.Error{Op: "Get", URL: "https://x/?To=%2B49", Err: io.EOF}); !errors.Is(err, io.EOF) || strings.Contains(err.Error(), "49") {
		t.Errorf("%v", err)
	}
	if err := Bare(io.EOF); !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
}
