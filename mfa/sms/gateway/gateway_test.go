package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/mfa/sms"
)

const (
	to     = "+4915123456789"
	secret = "Bearer c2VjcmV0"
)

func code() sms.Message {
	return sms.Message{ID: "m1", Tenant: "acme", User: "alice", To: to, Text: "Code “123456”\n\n@x #123456"}
}

// service is a deployment's own: it answers in turn, and then takes.
type service struct {
	*httptest.Server
	pauses []time.Duration

	mu     sync.Mutex
	script []http.HandlerFunc
	keys   []string
	bodies []map[string]any
}

// posted are the keys that messages were posted with.
func (s *service) posted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.keys)
}

func newService(t testing.TB, script ...http.HandlerFunc) (*service, *Sender) {
	t.Helper()
	s := &service{script: script}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Errorf("no JSON: %v", err)
		}
		if r.Method != http.MethodPost || r.URL.String() != "/send?to=sms" || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != secret {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		s.mu.Lock()
		s.keys, s.bodies = append(s.keys, r.Header.Get("Idempotency-Key")), append(s.bodies, body)
		next := status(http.StatusAccepted)
		if len(s.script) > 0 {
			next, s.script = s.script[0], s.script[1:]
		}
		s.mu.Unlock()
		next(w, r)
	}))
	t.Cleanup(s.Close)
	sender, err := New(Config{URL: s.URL + "/send?to=sms", Headers: map[string]string{"authorization": secret}, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	sender.courier.Wait = func(ctx context.Context, d time.Duration) error {
		s.pauses = append(s.pauses, d)
		return ctx.Err()
	}
	return s, sender
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, "no text to "+to)
	}
}

func drop(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestSend(t *testing.T) {
	s, sender := newService(t)
	if err := sender.Send(t.Context(), code()); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"id": "m1", "to": to, "text": code().Text, "tenant": "acme"}
	if keys := s.posted(); !slices.Equal(keys, []string{"m1"}) || !reflect.DeepEqual(s.bodies[0], want) {
		t.Errorf("%v %v", s.bodies, keys)
	}
	m := code()
	m.Text = ""
	if err := sender.Send(t.Context(), m); !errors.Is(err, sms.ErrMessage) || len(s.posted()) != 1 {
		t.Errorf("no text: %v", err)
	}
}

func TestFailures(t *testing.T) {
	const ok, gateway, undeliverable = "", "gateway", "undeliverable"
	for _, c := range []struct {
		name   string
		script []http.HandlerFunc
		want   string
		posted int
	}{
		{"200", []http.HandlerFunc{status(200)}, ok, 1},
		{"400", []http.HandlerFunc{status(400)}, undeliverable, 1},
		{"422", []http.HandlerFunc{status(422)}, undeliverable, 1},
		{"401", []http.HandlerFunc{status(401)}, gateway, 1},
		{"404", []http.HandlerFunc{status(404)}, gateway, 1},
		{"redirect", []http.HandlerFunc{status(307, "Location", "/elsewhere")}, gateway, 1},
		{"500 twice", []http.HandlerFunc{status(500), status(502)}, ok, 3},
		{"500 for good", []http.HandlerFunc{status(500), status(502), status(503)}, gateway, 3},
		{"500, then 422", []http.HandlerFunc{status(500), status(422)}, undeliverable, 2},
		{"429", []http.HandlerFunc{status(429, "Retry-After", "1")}, ok, 2},
		{"503 for an hour", []http.HandlerFunc{status(503, "Retry-After", "3600")}, gateway, 1},
		{"dropped", []http.HandlerFunc{drop}, ok, 2},
		{"huge", []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}}, gateway, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, sender := newService(t, c.script...)
			err := sender.Send(t.Context(), code())
			if (err == nil) != (c.want == ok) || errors.Is(err, sms.ErrUndeliverable) != (c.want == undeliverable) {
				t.Errorf("%v", err)
			}
			if len(s.posted()) != c.posted || len(s.pauses) != c.posted-1 {
				t.Errorf("%d posted, %d waited; want %d", len(s.posted()), len(s.pauses), c.posted)
			}
			for _, key := range s.posted() {
				if key != "m1" {
					t.Errorf("posted with the key %q", key)
				}
			}
			if err == nil {
				return
			}
			for _, private := range []string{to, "123456", secret, "Bearer", "to=sms"} {
				if strings.Contains(err.Error(), private) {
					t.Errorf("it tells %q: %v", private, err)
				}
			}
		})
	}
}

// TestNoAnswer: each try has its time, and the whole has its own.
func TestNoAnswer(t *testing.T) {
	silent := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	s, sender := newService(t, silent)
	sender.courier.Timeout = time.Second // enough for a slow machine to answer in the second try
	if err := sender.Send(t.Context(), code()); err != nil || len(s.posted()) != 2 {
		t.Errorf("%v, %d posted", err, len(s.posted()))
	}
	s, sender = newService(t, slices.Repeat([]http.HandlerFunc{silent}, 3)...)
	sender.courier.Timeout = 100 * time.Millisecond
	if err := sender.Send(t.Context(), code()); !errors.Is(err, context.DeadlineExceeded) || len(s.posted()) > 3 {
		t.Errorf("%v, %d posted", err, len(s.posted()))
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s, sender := newService(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if err := sender.Send(ctx, code()); !errors.Is(err, context.Canceled) || len(s.posted()) != 1 {
		t.Errorf("%v, %d posted", err, len(s.posted()))
	}
}

func TestNew(t *testing.T) {
	for _, good := range []string{"https://sms.example.com/send?x=y", "http://localhost:8080", "http://127.0.0.1", "http://[::1]:1/"} {
		if _, err := New(Config{URL: good}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, c := range []struct {
		want string
		c    Config
	}{
		{"URL", Config{}},
		{"URL", Config{URL: "http://sms.example.com"}},
		{"URL", Config{URL: "http://127.0.0.1.example.com"}},
		{"URL", Config{URL: "ftp://localhost"}},
		{"URL", Config{URL: "https:///path"}},
		{"URL", Config{URL: "https://user:s3cr3t@example.com"}},
		{"URL", Config{URL: "https://%zzs3cr3t"}},
		{"URL", Config{URL: "https://example.com/#x"}},
		{"Timeout", Config{URL: "https://example.com", Timeout: -1}},
		{`Headers: "X Y"`, Config{URL: "https://example.com", Headers: map[string]string{"X Y": "s3cr3t"}}},
		{`Headers: ""`, Config{URL: "https://example.com", Headers: map[string]string{"": "s3cr3t"}}},
		{"Headers: Idempotency-Key", Config{URL: "https://example.com", Headers: map[string]string{"idempotency-key": "s3cr3t"}}},
		{"Headers: the value of X", Config{URL: "https://example.com", Headers: map[string]string{"x": "s3cr3t\r\nHost: evil"}}},
	} {
		_, err := New(c.c)
		var wrong *sms.ConfigError
		if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), "sms gateway: "+c.want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%+v: %v", c.c, err)
		}
	}
}
