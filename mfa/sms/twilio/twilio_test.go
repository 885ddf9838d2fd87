package twilio

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/mfa/sms"
)

func TestSend(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   map[string]string
	}{
		"number": {func(*Config) {}, map[string]string{"From": from, "MessagingServiceSid": ""}},
		"messaging service": {
			func(c *Config) { c.From, c.MessagingServiceSID = "", service },
			map[string]string{"From": "", "MessagingServiceSid": service},
		},
		"no reports without the means to check them": {
			func(c *Config) { c.AuthToken, c.APIKeySID, c.APIKeySecret = "", keySID, keyPass },
			map[string]string{"StatusCallback": ""},
		},
		"key and token": {
			func(c *Config) { c.APIKeySID, c.APIKeySecret = keySID, keyPass },
			map[string]string{"StatusCallback": message().Callback},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tw := newTwilio(t)
			s := tw.sender(c.change)
			if s.config.APIKeySID != "" {
				tw.user, tw.password = keySID, keyPass
			}
			if err := s.Send(t.Context(), message()); err != nil {
				t.Fatal(err)
			}
			if posted, looked, taken := tw.count(); posted != 1 || looked != 0 || taken != 1 || len(tw.pauses) != 0 {
				t.Fatalf("%d posted, %d looked, %d taken, %d waited", posted, looked, taken, len(tw.pauses))
			}
			tw.mu.Lock()
			defer tw.mu.Unlock()
			c.want["To"], c.want["Body"], c.want["SmartEncoded"] = to, text, "false"
			for key, want := range c.want {
				if got := tw.posts[0].Get(key); got != want {
					t.Errorf("%s is %q, not %q", key, got, want)
				}
			}
		})
	}
}

// TestEnvironment: what the environment holds for other programs is not used.
func TestEnvironment(t *testing.T) {
	t.Setenv("TWILIO_EDGE", "sydney")
	t.Setenv("TWILIO_REGION", "au1")
	t.Setenv("TWILIO_ACCOUNT_SID", "ACother")
	var asked string
	s, err := New(Config{AccountSID: account, AuthToken: token, From: from, Transport: tripper(func(r *http.Request) (*http.Response, error) {
		asked = r.Host + " " + r.URL.String()
		return &http.Response{StatusCode: 201, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"sid":"SM1"}`))}, nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	if want := "api.twilio.com https://api.twilio.com/2010-04-01/Accounts/" + account + "/Messages.json"; asked != want {
		t.Errorf("asked %s", asked)
	}
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// takenThen keeps the message, and then answers otherwise than with it.
func (tw *twilio) takenThen(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		tw.take(r, nil)
		next(w, r)
	}
}

// TestFailures: whatever goes wrong, a message is taken at most once, and nothing tells number, text or secret.
func TestFailures(t *testing.T) {
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
		}
	}
	text := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}
	}
	// huge never ends by itself.
	huge := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(201)
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}
	changed := func(tw *twilio, changes map[string]any) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			tw.take(r, changes)
			drop(w, r)
		}
	}
	type script func(tw *twilio) (posts, looks []http.HandlerFunc)
	posts := func(h ...http.HandlerFunc) script {
		return func(*twilio) ([]http.HandlerFunc, []http.HandlerFunc) { return h, nil }
	}
	taken := func(h http.HandlerFunc, looks ...http.HandlerFunc) script {
		return func(tw *twilio) ([]http.HandlerFunc, []http.HandlerFunc) {
			return []http.HandlerFunc{tw.takenThen(h)}, looks
		}
	}
	throttled := []http.HandlerFunc{refuse(429, 20429)}
	const ok, gateway, undeliverable = "", "gateway", "undeliverable"
	for _, c := range []struct {
		name   string
		script script
		want   string
		// posted, looked, taken are how many requests were made and messages taken.
		posted, looked, taken int
		says                  string
	}{
		{"429, then taken", posts(refuse(429, 20429)), ok, 2, 0, 1, ""},
		{"429 twice, then taken", posts(slices.Repeat(throttled, 2)...), ok, 3, 0, 1, ""},
		{"429 for good", posts(slices.Repeat(throttled, 3)...), gateway, 3, 0, 0, "status 429, code 20429"},
		{"429 for too long", posts(status(429, "Retry-After", "3600")), gateway, 1, 0, 0, "status 429"},
		{"wrong number", posts(refuse(400, 21211)), undeliverable, 1, 0, 0, "status 400, code 21211"},
		{"landline", posts(refuse(400, 21614)), undeliverable, 1, 0, 0, "21614"},
		{"region", posts(refuse(400, 21408)), undeliverable, 1, 0, 0, "21408"},
		{"said STOP", posts(refuse(400, 21610)), undeliverable, 1, 0, 0, "21610"},
		{"unreachable from here", posts(refuse(400, 21612)), undeliverable, 1, 0, 0, "21612"},
		{"sender is none", posts(refuse(400, 21212)), gateway, 1, 0, 0, "21212"},
		{"account closed", posts(refuse(401, 20005)), gateway, 1, 0, 0, "status 401, code 20005"},
		{"400 without words", posts(status(400)), gateway, 1, 0, 0, "status 400"},
		{"400 with other words", posts(text(400, "<html>"+to)), gateway, 1, 0, 0, "status 400"},

		{"taken, then 500", taken(status(500)), ok, 1, 1, 1, ""},
		{"500, then taken", posts(status(500)), ok, 2, 1, 1, ""},
		{"503 for good", posts(slices.Repeat([]http.HandlerFunc{status(503)}, 3)...), gateway, 3, 3, 0, "status 503"},
		{"taken, then dropped", taken(drop), ok, 1, 1, 1, ""},
		{"dropped, then taken", posts(drop), ok, 2, 1, 1, ""},
		{"taken at the second try, then dropped", func(tw *twilio) ([]http.HandlerFunc, []http.HandlerFunc) {
			return []http.HandlerFunc{drop, tw.takenThen(drop)}, nil
		}, ok, 2, 2, 1, ""},
		{"taken, then no JSON", taken(text(201, "{")), ok, 1, 1, 1, ""},
		{"no JSON", posts(text(200, "{")), ok, 2, 1, 1, ""},
		{"taken, then an empty answer", taken(status(201)), ok, 1, 1, 1, ""},
		{"taken, then an answer without message", taken(text(201, "{}")), ok, 1, 1, 1, ""},
		{"taken, then a huge answer", taken(huge), ok, 1, 1, 1, ""},
		{"taken, then a redirect", taken(status(307, "Location", "/elsewhere")), ok, 1, 1, 1, ""},
		{"408", posts(status(408)), ok, 2, 1, 1, ""},

		{"taken, then dropped, and the list breaks once", taken(drop, status(500)), ok, 1, 2, 1, ""},
		{"taken, then dropped, and the list breaks", taken(drop, status(500), status(502), status(503)), gateway, 1, 3, 1, "not known"},
		{"taken, then dropped, and the list is no JSON", taken(drop, text(200, "[")), gateway, 1, 1, 1, "not known"},
		{"taken, then dropped, and the list is huge", taken(drop, huge), gateway, 1, 1, 1, "not known"},
		{"taken, then dropped, and the list is refused", taken(drop, refuse(401, 20003)), gateway, 1, 1, 1, "code 20003"},
		{"dropped, and the list breaks", func(*twilio) ([]http.HandlerFunc, []http.HandlerFunc) {
			return []http.HandlerFunc{drop}, []http.HandlerFunc{drop, drop, drop}
		}, gateway, 1, 3, 0, "not known"},
		{"taken, then dropped, in an account that keeps no texts", func(tw *twilio) ([]http.HandlerFunc, []http.HandlerFunc) {
			return []http.HandlerFunc{changed(tw, map[string]any{"body": ""})}, nil
		}, gateway, 1, 1, 1, "no texts"},
		{"taken, then dropped, and the list has no times", func(tw *twilio) ([]http.HandlerFunc, []http.HandlerFunc) {
			return []http.HandlerFunc{changed(tw, map[string]any{"date_created": nil})}, nil
		}, gateway, 1, 1, 1, "no times"},
		{"taken, then dropped, and failed meanwhile", func(tw *twilio) ([]http.HandlerFunc, []http.HandlerFunc) {
			return []http.HandlerFunc{changed(tw, map[string]any{"status": "undelivered", "error_code": 30006})}, nil
		}, undeliverable, 1, 1, 1, "code 30006"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tw := newTwilio(t)
			tw.script(c.script(tw))
			err := tw.sender().Send(t.Context(), message())
			switch {
			case c.want == ok && err != nil, c.want != ok && err == nil,
				errors.Is(err, sms.ErrUndeliverable) != (c.want == undeliverable):
				t.Errorf("%v", err)
			case err != nil && (!strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "twilio: ")):
				t.Errorf("says %q, not %q", err, c.says)
			}
			if posted, looked, taken := tw.count(); posted != c.posted || looked != c.looked || taken != c.taken {
				t.Errorf("%d posted, %d looked, %d taken; want %d, %d, %d", posted, looked, taken, c.posted, c.looked, c.taken)
			}
			tw.silent(err)
			tw.mu.Lock()
			defer tw.mu.Unlock()
			if len(tw.onPost)+len(tw.onLook) > 0 {
				t.Error("the story was not told to its end")
			}
		})
	}
}

// silent checks that neither err nor the log tells what is private.
func (tw *twilio) silent(err error) {
	tw.t.Helper()
	said := tw.log.String()
	if err != nil {
		said += err.Error()
	}
	for _, private := range []string{to, to[1:], "%2B4915", "123456", token, keyPass, "login.example.com"} {
		if strings.Contains(said, private) {
			tw.t.Errorf("it tells %q: %s", private, said)
		}
	}
}

// TestTimeoutAfterTaken: the answer takes longer than a try may, and the message is not sent twice.
func TestTimeoutAfterTaken(t *testing.T) {
	tw := newTwilio(t)
	slow := make(chan struct{})
	t.Cleanup(func() { close(slow) })
	tw.script([]http.HandlerFunc{tw.takenThen(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-slow:
		case <-r.Context().Done():
		}
	})}, nil)
	s := tw.sender(func(c *Config) { c.Timeout = time.Second })
	if err := s.Send(t.Context(), message()); err != nil {
		t.Error(err)
	}
	if posted, looked, taken := tw.count(); posted != 1 || looked != 1 || taken != 1 {
		t.Errorf("%d posted, %d looked, %d taken", posted, looked, taken)
	}
	tw.silent(nil)
}

// TestClocksApart: messages are told from older ones with the same text by Twilio's clock alone.
func TestClocksApart(t *testing.T) {
	for _, ahead := range []time.Duration{-2 * time.Hour, -time.Minute, 0, time.Minute, 2 * time.Hour} {
		tw := newTwilio(t)
		tw.ahead = ahead
		s := tw.sender()
		if err := s.Send(t.Context(), message()); err != nil {
			t.Fatal(err)
		}
		// An hour ago the same notice went out. Somebody answered it, with the same words.
		tw.mu.Lock()
		tw.kept[0]["date_created"] = time.Now().Add(ahead - time.Hour).UTC().Format(time.RFC1123Z)
		echoed := map[string]any{"direction": "inbound", "to": to, "body": text, "date_created": time.Now().Add(ahead).UTC().Format(time.RFC1123Z)}
		other := map[string]any{"direction": "outbound-api", "to": to, "body": "Another code", "date_created": echoed["date_created"], "status": "sent"}
		tw.kept = append([]map[string]any{echoed, other}, tw.kept...)
		tw.mu.Unlock()
		tw.script([]http.HandlerFunc{drop}, nil)
		err := s.Send(t.Context(), message())
		if posted, looked, taken := tw.count(); err != nil || posted != 3 || looked != 1 || taken != 4 {
			t.Errorf("%v ahead: %v; %d posted, %d looked, %d taken", ahead, err, posted, looked, taken)
		}
		tw.script([]http.HandlerFunc{tw.takenThen(drop)}, nil)
		// In other words, as the message before is still a recent one.
		m := message()
		m.Text = "Another notice"
		err = s.Send(t.Context(), m)
		if posted, looked, taken := tw.count(); err != nil || posted != 4 || looked != 2 || taken != 5 {
			t.Errorf("%v ahead, taken: %v; %d posted, %d looked, %d taken", ahead, err, posted, looked, taken)
		}
	}
}

func TestPauses(t *testing.T) {
	after := func(value string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(429)
		}
	}
	tw := newTwilio(t)
	tw.script([]http.HandlerFunc{after("2"), after(time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))}, nil)
	if err := tw.sender().Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tw.pauses, []time.Duration{2 * time.Second, 0}) {
		t.Errorf("waited %v", tw.pauses)
	}
	tw.pauses = nil
	tw.script([]http.HandlerFunc{after("soon"), refuse(429, 20429)}, nil)
	if err := tw.sender().Send(t.Context(), message()); err != nil {
		t.Fatal(err)
	}
	if p := tw.pauses; len(p) != 2 || p[0] <= 250*time.Millisecond || p[0] > 500*time.Millisecond || p[1] <= 500*time.Millisecond || p[1] > time.Second {
		t.Errorf("waited %v", p)
	}
}

// TestRefusedConnection: nothing was sent, so there is nothing to look for, and another try is safe.
func TestRefusedConnection(t *testing.T) {
	tw := newTwilio(t)
	address := tw.Listener.Addr().String()
	dialled := 0
	s := tw.sender(func(c *Config) {
		c.Transport = &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			dialled++
			if dialled <= 2 {
				closed := httptest.NewServer(nil)
				closed.Close()
				return new(net.Dialer).DialContext(ctx, network, closed.Listener.Addr().String())
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		}}
	})
	err := s.Send(t.Context(), message())
	if posted, looked, taken := tw.count(); err != nil || dialled != 3 || posted != 1 || looked != 0 || taken != 1 {
		t.Errorf("%v; dialled %d times, %d posted, %d looked, %d taken", err, dialled, posted, looked, taken)
	}
	tw.Close()
	err = tw.sender().Send(t.Context(), message())
	if err == nil || errors.Is(err, sms.ErrUndeliverable) || !strings.HasPrefix(err.Error(), "twilio: dial") {
		t.Errorf("nobody there: %v", err)
	}
	if len(tw.pauses) != 4 {
		t.Errorf("waited %v", tw.pauses)
	}
	tw.silent(err)
}

func TestCancelled(t *testing.T) {
	tw := newTwilio(t)
	ctx, cancel := context.WithCancel(t.Context())
	tw.script([]http.HandlerFunc{func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}}, nil)
	err := tw.sender().Send(ctx, message())
	if posted, looked, _ := tw.count(); !errors.Is(err, context.Canceled) || posted != 1 || looked != 0 {
		t.Errorf("%v, %d posted, %d looked", err, posted, looked)
	}
	tw.silent(err)
}

func TestNoMessage(t *testing.T) {
	tw := newTwilio(t)
	m := message()
	m.To = "015123456789"
	err := tw.sender().Send(t.Context(), m)
	if posted, _, _ := tw.count(); !errors.Is(err, sms.ErrMessage) || posted != 0 {
		t.Errorf("%v, %d posted", err, posted)
	}
}

func TestNew(t *testing.T) {
	good := Config{AccountSID: account, AuthToken: token, From: from}
	for _, change := range []func(*Config){
		func(*Config) {},
		func(c *Config) { c.From = "72727" },
		func(c *Config) { c.From = "My Company" },
		func(c *Config) { c.BaseURL = "https://api.dublin.ie1.twilio.com/" },
		func(c *Config) { c.BaseURL = "http://[::1]:8080" },
	} {
		c := good
		change(&c)
		if _, err := New(c); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, c := range []struct {
		want   string
		change func(*Config)
	}{
		{"AccountSID: it is not", func(c *Config) { c.AccountSID = "" }},
		{"AccountSID: it is not", func(c *Config) { c.AccountSID, c.AuthToken = token, account }},
		{"AccountSID: it is not", func(c *Config) { c.AccountSID = account + "/../x" }},
		{"AuthToken: there is neither it nor", func(c *Config) { c.AuthToken = "" }},
		{"AuthToken: it is not", func(c *Config) { c.AuthToken = token + "\n" }},
		{"APIKeySecret: it is missing", func(c *Config) { c.APIKeySID = keySID }},
		{"APIKeySID: it is missing", func(c *Config) { c.APIKeySecret = keyPass }},
		{"APIKeySID: it is not", func(c *Config) { c.APIKeySID, c.APIKeySecret = account, keyPass }},
		{"APIKeySecret: it is not", func(c *Config) { c.APIKeySID, c.APIKeySecret = keySID, "se cret "+keyPass }},
		{"From: there is neither it nor", func(c *Config) { c.From = "" }},
		{"From: there are both it and", func(c *Config) { c.MessagingServiceSID = service }},
		{"MessagingServiceSID: it is not", func(c *Config) { c.From, c.MessagingServiceSID = "", account }},
		{"From: \"", func(c *Config) { c.From = "015123456789" }},
		{"From: \"", func(c *Config) { c.From = "Too long a name" }},
		{"From: \"", func(c *Config) { c.From = "1234567890123" }},
		{"From: \"", func(c *Config) { c.From = "Größe" }},
		{"Timeout: -1ns is negative", func(c *Config) { c.Timeout = -1 }},
		{"BaseURL: it ", func(c *Config) { c.BaseURL = "http://api.twilio.com" }},
		{"BaseURL: it ", func(c *Config) { c.BaseURL = "https://user:" + keyPass + "@api.twilio.com" }},
		{"BaseURL: it ", func(c *Config) { c.BaseURL = "https://api.twilio.com/2010-04-01" }},
		{"BaseURL: it ", func(c *Config) { c.BaseURL = "https://api.twilio.com?x=y" }},
		{"BaseURL: it ", func(c *Config) { c.BaseURL = "api.twilio.com" }},
		{"BaseURL: it ", func(c *Config) { c.BaseURL = "https://%zz" + keyPass }},
	} {
		changed := good
		c.change(&changed)
		_, err := New(changed)
		var wrong *sms.ConfigError
		if !errors.As(err, &wrong) || !strings.HasPrefix(err.Error(), "twilio: "+c.want) {
			t.Errorf("want %s: %v", c.want, err)
		}
		if err != nil && (strings.Contains(err.Error(), token) || strings.Contains(err.Error(), keyPass)) {
			t.Errorf("it tells a secret: %v", err)
		}
	}
}
