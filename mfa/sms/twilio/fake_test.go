package twilio

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/mfa/sms"
)

const (
	account = "AC0123456789abcdef0123456789abcdef"
	token   = "fedcba9876543210fedcba9876543210"
	keySID  = "SK0123456789abcdef0123456789abcdef"
	keyPass = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4"
	service = "MG0123456789abcdef0123456789abcdef"
	from    = "+15005550006"
	to      = "+4915123456789"
	text    = "Your code is 123456.\n\n@login.example.com #123456"
)

// twilio speaks the part of Twilio's API (2010-04-01) that a Sender uses: the creation and the list of messages.
type twilio struct {
	*httptest.Server
	t testing.TB

	mu sync.Mutex
	// kept are the messages that it took, newest first.
	kept []map[string]any
	// posts are the forms that were posted, looks the queries of the list, pauses what was waited for.
	posts, looks []url.Values
	pauses       []time.Duration
	// onPost and onLook answer the requests in their order, in place of the usual answer; nil is the usual answer.
	onPost, onLook []http.HandlerFunc
	// user and password are what it wants.
	user, password string
	// ahead is how far its clock is ahead of ours.
	ahead time.Duration
	log   bytes.Buffer
}

func newTwilio(t testing.TB) *twilio {
	tw := &twilio{t: t, user: account, password: token}
	tw.Server = httptest.NewServer(tw)
	t.Cleanup(tw.Close)
	return tw
}

// sender is one that uses it, and doesn't wait by the clock.
func (tw *twilio) sender(change ...func(*Config)) *Sender {
	tw.t.Helper()
	c := Config{
		AccountSID: account, AuthToken: token, From: from, BaseURL: tw.URL, Timeout: 10 * time.Second,
		Logger: slog.New(slog.NewTextHandler(&tw.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&c)
	}
	s, err := New(c)
	if err != nil {
		tw.t.Fatal(err)
	}
	s.courier.Wait = func(ctx context.Context, d time.Duration) error {
		tw.pauses = append(tw.pauses, d)
		return ctx.Err()
	}
	return s
}

func message() sms.Message {
	return sms.Message{ID: "m1", Tenant: "acme", User: "alice", To: to, Text: text, Callback: "https://login.example.com/callbacks/sms?message=m1&tenant=acme&user=alice"}
}

func (tw *twilio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if user, password, ok := r.BasicAuth(); !ok || user != tw.user || password != tw.password {
		refuse(401, 20003)(w, r)
		return
	}
	if r.URL.Path != "/2010-04-01/Accounts/"+account+"/Messages.json" {
		refuse(404, 20404)(w, r)
		return
	}
	tw.mu.Lock()
	w.Header().Set("Date", time.Now().Add(tw.ahead).UTC().Format(http.TimeFormat))
	var usual http.HandlerFunc
	var special *[]http.HandlerFunc
	switch r.Method {
	case http.MethodPost:
		if err := r.ParseForm(); err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			tw.t.Errorf("it posts no form: %v", err)
		}
		tw.posts = append(tw.posts, r.PostForm)
		usual, special = tw.create, &tw.onPost
	case http.MethodGet:
		tw.looks = append(tw.looks, r.URL.Query())
		usual, special = tw.list, &tw.onLook
	default:
		usual, special = refuse(405, 20004), new([]http.HandlerFunc)
	}
	if len(*special) > 0 {
		if first := (*special)[0]; first != nil {
			usual = first
		}
		*special = (*special)[1:]
	}
	tw.mu.Unlock()
	usual(w, r)
}

// take keeps the message that was posted, with some of its members changed.
func (tw *twilio) take(r *http.Request, changes map[string]any) map[string]any {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	m := map[string]any{
		"sid": fmt.Sprintf("SM%032x", len(tw.kept)), "account_sid": account, "to": r.PostForm.Get("To"), "from": r.PostForm.Get("From"),
		"body": r.PostForm.Get("Body"), "status": "queued", "direction": "outbound-api", "error_code": nil, "date_sent": nil,
		"date_created": time.Now().Add(tw.ahead).UTC().Format(time.RFC1123Z), "num_segments": "1", "uri": "/2010-04-01/x",
	}
	maps.Copy(m, changes)
	tw.kept = append([]map[string]any{m}, tw.kept...)
	return maps.Clone(m)
}

// count says how many requests were made, and messages taken.
func (tw *twilio) count() (posted, looked, taken int) {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	return len(tw.posts), len(tw.looks), len(tw.kept)
}

// script says how the next requests are answered.
func (tw *twilio) script(posts, looks []http.HandlerFunc) {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	tw.onPost, tw.onLook = posts, looks
}

func (tw *twilio) create(w http.ResponseWriter, r *http.Request) {
	if !r.PostForm.Has("To") || !r.PostForm.Has("Body") || r.PostForm.Has("From") == r.PostForm.Has("MessagingServiceSid") {
		refuse(400, 21603)(w, r)
		return
	}
	answer(w, 201, tw.take(r, nil))
}

func (tw *twilio) list(w http.ResponseWriter, r *http.Request) {
	tw.mu.Lock()
	defer tw.mu.Unlock()
	found := []map[string]any{}
	for _, m := range tw.kept {
		if m["to"] == r.URL.Query().Get("To") {
			found = append(found, m)
		}
	}
	answer(w, 200, map[string]any{"messages": found, "page": 0, "page_size": 50, "next_page_uri": nil})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

// refuse answers as Twilio does, which quotes the number.
func refuse(status, code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer(w, status, map[string]any{
			"code": code, "message": "The number " + r.PostForm.Get("To") + " is wrong, and the body " + r.PostForm.Get("Body"),
			"more_info": fmt.Sprint("https://www.twilio.com/docs/errors/", code), "status": status,
		})
	}
}

// drop breaks the connection without an answer.
func drop(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
