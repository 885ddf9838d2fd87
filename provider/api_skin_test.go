package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// shed is an API to try the skin of all APIs with: things in a tenant's shed, kept in memory. It is served by the world's
// own server, with its tokens and its store.
type shed struct {
	made atomic.Int64
	// hold, if set, keeps every make under way until it is closed.
	hold chan struct{}
	// fail, if set, is what make fails with.
	fail atomic.Pointer[error]
	// pause, if set, is called before each row that is written or read.
	pause func()

	mu    sync.Mutex
	names map[string]string
}

type inShed struct {
	Tenant string `path:"tenant"`
}

type newThing struct {
	inShed
	Name  string            `json:"name" required:"true"`
	Tags  []string          `json:"tags"`
	Sizes map[string]int    `json:"sizes"`
	Parts []part            `json:"parts"`
	Note  *string           `json:"note"`
	Until *time.Time        `json:"until"`
	Extra map[string]string `json:"extra"`
}

type part struct {
	Name string `json:"name"`
}

type thing struct {
	ID   string   `json:"id"`
	Name string   `json:"name"`
	Tags []string `json:"tags"`
	// Secret is shown once.
	Secret string `json:"secret,omitempty"`
}

type oneThing struct {
	inShed
	ID string `path:"id"`
}

func (s *shed) make(ctx context.Context, _ *web.Actor, in newThing) (web.Created[thing], error) {
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return web.Created[thing]{}, ctx.Err()
		}
	}
	n := s.made.Add(1)
	if err := s.fail.Load(); err != nil {
		return web.Created[thing]{}, *err
	}
	id := fmt.Sprintf("thing-%d", n)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[id] = in.Name
	return web.Created[thing]{Path: "/api/v1/sheds/" + in.Tenant + "/things/" + id, View: thing{ID: id, Name: in.Name, Tags: in.Tags, Secret: "s3cret-" + id}}, nil
}

func (s *shed) get(_ context.Context, _ *web.Actor, in oneThing) (thing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, ok := s.names[in.ID]
	if !ok {
		return thing{}, web.Missing("thing", in.ID, "look at the list")
	}
	return thing{ID: in.ID, Name: name}, nil
}

func (s *shed) remove(_ context.Context, _ *web.Actor, in oneThing) (struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.names, in.ID)
	return struct{}{}, nil
}

type renameThing struct {
	oneThing
	Name *string `json:"name"`
}

func (s *shed) rename(_ context.Context, _ *web.Actor, in renameThing) (thing, error) {
	if in.Name != nil && *in.Name == "" {
		return thing{}, errors.Join(web.Refuse("name", "empty", "it is empty", "give one"), web.Refuse("id", "", "it has no name then", "keep it"))
	}
	return thing{ID: in.ID, Name: fmt.Sprint(in.Name != nil)}, nil
}

type takeOut struct {
	inShed
	Rows int    `query:"rows" minimum:"0" maximum:"100000"`
	Fail int    `query:"fail"`
	As   string `query:"as" enum:"csv,text"`
}

var errFire = errors.New("the shed burns")

func (s *shed) export(_ context.Context, _ *web.Actor, in takeOut) (web.Download, error) {
	return web.Download{Type: "text/csv", Name: "things.csv", Write: func(w io.Writer) error {
		for i := range in.Rows {
			if in.Fail > 0 && i == in.Fail-1 {
				return errFire
			}
			if s.pause != nil {
				s.pause()
			}
			if _, err := fmt.Fprintf(w, "%d,%s\n", i, strings.Repeat("x", 100)); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

type bringIn struct {
	inShed
	File web.Upload `accept:"text/csv,application/jsonl"`
}

type broughtIn struct {
	Type  string `json:"type"`
	Bytes int64  `json:"bytes"`
}

func (s *shed) bring(_ context.Context, _ *web.Actor, in bringIn) (broughtIn, error) {
	n, err := io.Copy(io.Discard, in.File.Body)
	return broughtIn{in.File.Type, n}, err
}

// shed opens one, beside all that the world serves.
func (w *world) shed(change ...func(*http.Server)) *shed {
	w.t.Helper()
	s := &shed{names: map[string]string{}}
	const at = "/api/v1/sheds/:tenant"
	e := echo.New()
	err := w.p.server.Mount(e, append(w.p.Routes(),
		web.API(http.MethodPost, at+"/things", "users:write", s.make),
		web.API(http.MethodGet, at+"/things/:id", "users:read", s.get),
		web.API(http.MethodPatch, at+"/things/:id", "users:write", s.rename),
		web.API(http.MethodDelete, at+"/things/:id", "users:write", s.remove),
		web.API(http.MethodGet, at+"/export", "users:read", s.export).Produces("text/csv"),
		web.API(http.MethodPost, at+"/import", "users:write", s.bring),
	))
	if err != nil {
		w.t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(e)
	for _, f := range change {
		f(server.Config)
	}
	server.Start()
	w.t.Cleanup(server.Close)
	w.address = server.URL
	return s
}

// TestAPIOnce: with an Idempotency-Key, 20 requests at once have one effect, and whoever asks again gets the same answer.
func TestAPIOnce(t *testing.T) {
	w := newWorld(t)
	s := w.shed()
	p := w.machine("robot", "birch", "users:read", "users:write")
	const path, body = "/api/v1/sheds/birch/things", `{"name":"rake"}`
	var mu sync.Mutex
	var first said
	made, waiting := 0, 0
	together(t, 20, func(int) error {
		got, err := p.send(http.MethodPost, path, body, "Idempotency-Key", "0192-a")
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		switch got.status {
		case http.StatusCreated:
			made++
			first = got
		case http.StatusConflict:
			waiting++
		default:
			return fmt.Errorf("%d %s", got.status, got.body)
		}
		return nil
	})
	if s.made.Load() != 1 || made < 1 || made+waiting != 20 {
		t.Fatalf("%d made; %d got an answer, %d were asked to wait", s.made.Load(), made, waiting)
	}
	again := func() said { return p.call(http.MethodPost, path, body, "Idempotency-Key", "0192-a") }
	if got := again(); got.status != http.StatusCreated || got.body != first.body || got.header.Get("Location") != first.header.Get("Location") ||
		!strings.HasSuffix(got.header.Get("Location"), "/things/thing-1") {
		t.Errorf("again: %d %s at %q", got.status, got.body, got.header.Get("Location"))
	}
	// In quotes, as RFC 9651 has strings, it is the same key.
	if got := p.call(http.MethodPost, path, body, "Idempotency-Key", `"0192-a"`); got.body != first.body {
		t.Errorf("in quotes: %d %s", got.status, got.body)
	}
	p.call(http.MethodPost, path, `{"name":"spade"}`, "Idempotency-Key", "0192-a").
		problem(t, "another body", http.StatusUnprocessableEntity, "error.idempotency_key_reused")
	p.call(http.MethodPost, "/api/v1/sheds/acme/things", body, "Idempotency-Key", "0192-a").
		problem(t, "another path", http.StatusUnprocessableEntity, "error.idempotency_key_reused")
	if s.made.Load() != 1 {
		t.Errorf("%d made after that", s.made.Load())
	}
	// Another caller's key of the same name is another key.
	if got := w.machine("drone", "birch", "users:write").call(http.MethodPost, path, body, "Idempotency-Key", "0192-a"); got.body == first.body {
		t.Errorf("another caller was given %s", got.body)
	}
	// Without a key each request counts.
	p.call(http.MethodPost, path, body)
	if s.made.Load() != 3 {
		t.Errorf("%d made, want 3", s.made.Load())
	}
	for name, keys := range map[string][]string{
		"empty": {"Idempotency-Key", ""}, "long": {"Idempotency-Key", strings.Repeat("k", 256)}, "space": {"Idempotency-Key", "a b"},
		"two": {"Idempotency-Key", "a", "Idempotency-Key", "b"}, "no ASCII": {"Idempotency-Key", "schlüssel"},
	} {
		p.call(http.MethodPost, path, body, keys...).problem(t, name, http.StatusBadRequest, "error.bad_request")
	}
	// The answer holds a secret, which nobody reads in the database.
	kept, err := w.store.Replies.List(t.Context(), storage.Query{Tenant: "birch"})
	if err != nil || len(kept) != 2 {
		t.Fatalf("%d answers kept (%v), want 2", len(kept), err)
	}
	for _, k := range kept {
		if len(k.Sealed) == 0 || strings.Contains(string(k.Sealed), "s3cret") || strings.Contains(k.ID, "0192") {
			t.Errorf("kept: %+v", k)
		}
	}
	// One that was put into another's place does not open, and is not carried out again either.
	w.swapReplies(kept)
	again().problem(t, "swapped", http.StatusConflict, "error.idempotency_answer_lost")
	// One that is too large to be kept was carried out nonetheless.
	large := `{"name":"` + strings.Repeat("x", 40<<10) + `"}`
	before := s.made.Load()
	if got := p.call(http.MethodPost, path, large, "Idempotency-Key", "large"); got.status != http.StatusCreated {
		t.Errorf("large: %d", got.status)
	}
	p.call(http.MethodPost, path, large, "Idempotency-Key", "large").problem(t, "large, again", http.StatusConflict, "error.idempotency_answer_lost")
	if s.made.Load() != before+1 {
		t.Errorf("large: carried out %d times", s.made.Load()-before)
	}
	w.clock.forward(24*time.Hour + time.Second)
	p.token = w.machineToken("robot", "the-secret-of-an-application-in-a-test")
	if got := again(); got.status != http.StatusCreated || got.body == first.body {
		t.Errorf("after a day: %d %s", got.status, got.body)
	}
}

// swapReplies gives two records of answers each other's answer.
func (w *world) swapReplies(kept []storage.Reply) {
	w.t.Helper()
	kept[0].Sealed, kept[1].Sealed = kept[1].Sealed, kept[0].Sealed
	for i := range kept {
		if err := w.store.Replies.Replace(context.Background(), &kept[i]); err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestAPIOnceUnderWay: whoever comes second meanwhile is asked to wait; a process that died meanwhile does not take the key
// with it for longer than the operation could have lasted.
func TestAPIOnceUnderWay(t *testing.T) {
	w := newWorld(t)
	s := w.shed()
	s.hold = make(chan struct{})
	p := w.machine("robot", "birch", "users:write")
	const path, body = "/api/v1/sheds/birch/things", `{"name":"rake"}`
	call := func() said { return p.call(http.MethodPost, path, body, "Idempotency-Key", "k") }
	done := make(chan said, 1)
	go func() {
		got, err := p.send(http.MethodPost, path, body, "Idempotency-Key", "k")
		if err != nil {
			t.Error(err)
		}
		done <- got
	}()
	for taken := 0; taken == 0; {
		kept, err := w.store.Replies.List(t.Context(), storage.Query{Tenant: "birch"})
		if err != nil {
			t.Fatal(err)
		}
		taken = len(kept)
	}
	call().problem(t, "meanwhile", http.StatusConflict, "error.idempotency_under_way")
	p.call(http.MethodPost, path, `{"name":"spade"}`, "Idempotency-Key", "k").
		problem(t, "another meanwhile", http.StatusUnprocessableEntity, "error.idempotency_key_reused")
	close(s.hold)
	first := <-done
	if got := call(); first.status != http.StatusCreated || got.body != first.body {
		t.Errorf("first %d %s, then %d %s", first.status, first.body, got.status, got.body)
	}

	// A record that a dead process left behind.
	kept, err := w.store.Replies.List(t.Context(), storage.Query{Tenant: "birch"})
	if err != nil || len(kept) != 1 {
		t.Fatalf("%d kept (%v)", len(kept), err)
	}
	dead := kept[0]
	dead.Status, dead.Sealed, dead.Expires = 0, nil, w.clock.Now().Add(web.OperationTime)
	if err := w.store.Replies.Replace(t.Context(), &dead); err != nil {
		t.Fatal(err)
	}
	call().problem(t, "it may still be under way", http.StatusConflict, "error.idempotency_under_way")
	w.clock.forward(web.OperationTime)
	if got := call(); got.status != http.StatusCreated || got.body == first.body {
		t.Errorf("when it can't be any more: %d %s", got.status, got.body)
	}
}

// TestAPIOnceFailed: what may be answered otherwise in a moment can be tried again with the same key; a refusal stays.
func TestAPIOnceFailed(t *testing.T) {
	w := newWorld(t)
	s := w.shed()
	p := w.machine("robot", "birch", "users:write")
	call := func(key string) said {
		return p.call(http.MethodPost, "/api/v1/sheds/birch/things", `{"name":"rake"}`, "Idempotency-Key", strings.ReplaceAll(key, " ", "-"))
	}
	fail := func(err error) {
		if err == nil {
			s.fail.Store(nil)
			return
		}
		s.fail.Store(&err)
	}
	for name, c := range map[string]struct {
		err    error
		status int
		code   string
		again  bool
	}{
		"no words for it": {errFire, 500, "error.internal", true},
		"unavailable":     {web.ErrUnavailable, 503, "error.unavailable", true},
		"too many":        {&web.TooMany{Retry: time.Minute}, 429, "error.too_many_requests", true},
		"refused":         {web.Refuse("name", "", "it is taken", "choose another"), 422, "error.invalid", false},
		"not allowed":     {web.ErrForbidden, 403, "error.forbidden", false},
	} {
		fail(c.err)
		got := call(name)
		got.problem(t, name, c.status, c.code)
		if c.status == 429 && got.header.Get("Retry-After") != "60" {
			t.Errorf("%s: Retry-After %q", name, got.header.Get("Retry-After"))
		}
		if strings.Contains(got.body, errFire.Error()) {
			t.Errorf("%s: tells strangers what only the log may: %s", name, got.body)
		}
		fail(nil)
		if again := call(name); (again.status == http.StatusCreated) != c.again || !c.again && again.body != got.body {
			t.Errorf("%s, again: %d %s", name, again.status, again.body)
		}
	}
}

// TestAPIRequests: every route reads requests alike.
func TestAPIRequests(t *testing.T) {
	w := newWorld(t)
	s := w.shed()
	p := w.machine("robot", "birch", "users:read", "users:write")
	reader := w.machine("reader", "birch", "users:read")
	const things = "/api/v1/sheds/birch/things"
	got := p.call(http.MethodPost, things, `{"name":"a/b","note":null,"parts":[{"name":"x"}]}`)
	if v := got.json(t); got.status != http.StatusCreated || got.header.Get("Location") != "/api/v1/sheds/birch/things/thing-1" ||
		fmt.Sprint(v["tags"]) != "[]" || v["tags"] == nil {
		t.Fatalf("made: %d %s at %q", got.status, got.body, got.header.Get("Location"))
	}
	if got := reader.call(http.MethodGet, things+"/thing-1", ""); got.status != http.StatusOK || got.json(t)["name"] != "a/b" {
		t.Errorf("read: %d %s", got.status, got.body)
	}
	v := reader.call(http.MethodGet, things+"/a%2Fb%20c", "").problem(t, "missing", http.StatusNotFound, "error.not_found")
	if fmt.Sprint(v["errors"]) != `[map[code:missing do:look at the list what:there is no thing "a/b c" where:thing]]` {
		t.Errorf("missing: %v", v["errors"])
	}
	scope := reader.call(http.MethodPost, things, `{"name":"x"}`)
	scope.problem(t, "scope", http.StatusForbidden, "error.insufficient_scope")
	if c := scope.header.Get("WWW-Authenticate"); c != `Bearer realm="`+w.issuer+`", error="insufficient_scope", scope="users:write"` {
		t.Errorf("scope: WWW-Authenticate %q", c)
	}
	if got := p.call(http.MethodPatch, things+"/thing-1", `{"name":"c"}`); got.status != http.StatusOK {
		t.Errorf("patch: %d %s", got.status, got.body)
	}
	v = p.call(http.MethodPatch, things+"/thing-1", `{"name":null}`).problem(t, "two refusals", http.StatusUnprocessableEntity, "error.invalid")
	if list, _ := v["errors"].([]any); len(list) != 2 {
		t.Errorf("two refusals: %v", v["errors"])
	}
	if got := p.call(http.MethodDelete, things+"/thing-1", ""); got.status != http.StatusNoContent || got.body != "" || got.header.Get("Content-Type") != "" {
		t.Errorf("delete: %d %q %v", got.status, got.body, got.header)
	}
	before := s.made.Load()
	for name, c := range map[string]struct {
		path, body, kind string
		status           int
		code, where      string
	}{
		"the path's, in the body":  {things, `{"name":"x","tenant":"acme"}`, "", 400, "error.bad_request", "tenant"},
		"unknown, within":          {things, `{"name":"x","parts":[{"name":"y","size":1}]}`, "", 400, "error.bad_request", "parts/0/size"},
		"twice":                    {things, `{"name":"x","name":"y"}`, "", 400, "error.bad_request", "name"},
		"wrong type":               {things, `{"name":"x","sizes":{"a":"b"}}`, "", 400, "error.bad_request", "sizes/a"},
		"missing":                  {things, `{}`, "", 400, "error.bad_request", "name"},
		"no body":                  {things, ``, "", 400, "error.bad_request", "name"},
		"trailing data":            {things, `{"name":"x"}{}`, "", 400, "error.bad_request", ""},
		"unknown in the query":     {things + "?dry_run=true", `{"name":"x"}`, "", 400, "error.bad_request", "dry_run"},
		"form":                     {things, `name=x`, "application/x-www-form-urlencoded", 415, "error.media_type", ""},
		"plain text":               {things, `{"name":"x"}`, "text/plain", 415, "error.media_type", ""},
		"merge patch for a POST":   {things, `{"name":"x"}`, "application/merge-patch+json", 415, "error.media_type", ""},
		"too large":                {things, `{"name":"` + strings.Repeat("x", 64<<10) + `"}`, "", 413, "error.bad_request", ""},
		"import of another format": {"/api/v1/sheds/birch/import", `{}`, "", 415, "error.media_type", ""},
	} {
		headers := []string{}
		if c.kind != "" {
			headers = append(headers, "Content-Type", c.kind)
		}
		v := p.call(http.MethodPost, c.path, c.body, headers...).problem(t, name, c.status, c.code)
		at := ""
		if list, ok := v["errors"].([]any); ok {
			first, _ := list[0].(map[string]any)
			at, _ = first["where"].(string)
		}
		if at != c.where {
			t.Errorf("%s: at %q, want %q: %v", name, at, c.where, v)
		}
	}
	if s.made.Load() != before {
		t.Errorf("%d things were made", s.made.Load()-before)
	}
	merge := p.call(http.MethodPatch, things+"/thing-1", `{"name":"c"}`, "Content-Type", "application/merge-patch+json")
	if merge.status != http.StatusOK || merge.json(t)["name"] != "true" {
		t.Errorf("merge patch: %d %s", merge.status, merge.body)
	}
	if allow := p.call(http.MethodPut, things+"/x", "").header.Get("Allow"); allow != "DELETE, GET, HEAD, OPTIONS, PATCH" {
		t.Errorf("Allow %q", allow)
	}
}

// TestAPIStreams: exports and imports are as long as they are, and one that is broken off does not look complete.
func TestAPIStreams(t *testing.T) {
	w := newWorld(t)
	w.shed()
	p := w.machine("robot", "birch", "users:read", "users:write")
	const export = "/api/v1/sheds/birch/export"
	got := p.call(http.MethodGet, export+"?rows=20000&as=csv", "")
	if got.status != http.StatusOK || strings.Count(got.body, "\n") != 20000 || got.header.Get("Content-Type") != "text/csv" ||
		got.header.Get("Content-Disposition") != `attachment; filename="things.csv"` || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("export: %d, %d bytes, %v", got.status, len(got.body), got.header)
	}
	if got := p.call(http.MethodGet, export, ""); got.status != http.StatusOK || got.body != "" {
		t.Errorf("nothing to export: %d %q", got.status, got.body)
	}
	if got := p.call(http.MethodHead, export+"?rows=20000", ""); got.status != http.StatusOK || got.header.Get("Content-Type") != "text/csv" {
		t.Errorf("HEAD: %d %v", got.status, got.header)
	}
	p.call(http.MethodGet, export+"?rows=10&fail=1", "").problem(t, "failed before it began", http.StatusInternalServerError, "error.internal")
	p.call(http.MethodGet, export+"?rows=100001", "").problem(t, "too many", http.StatusBadRequest, "error.bad_request")
	p.call(http.MethodGet, export+"?as=pdf", "").problem(t, "no such format", http.StatusBadRequest, "error.bad_request")
	if cut, err := p.send(http.MethodGet, export+"?rows=20000&fail=15000", ""); err == nil {
		t.Errorf("broken off, and %d bytes look complete", len(cut.body))
	}
	if !strings.Contains(w.log.String(), errFire.Error()) {
		t.Error("the log does not tell why it was broken off")
	}
	big := strings.Repeat("a,b\n", 1<<18)
	in := p.call(http.MethodPost, "/api/v1/sheds/birch/import", big, "Content-Type", "text/csv; charset=utf-8", "Idempotency-Key", "k")
	if v := in.json(t); in.status != http.StatusOK || v["bytes"] != float64(len(big)) || v["type"] != "text/csv" {
		t.Errorf("import: %d %s", in.status, in.body)
	}
}

// TestAPIStreamsTakeTheirTime: the server's deadlines are for requests that are short. A stream goes on as long as the
// other side takes what comes.
func TestAPIStreamsTakeTheirTime(t *testing.T) {
	w := newWorld(t)
	const deadline = 100 * time.Millisecond
	s := w.shed(func(srv *http.Server) { srv.ReadTimeout, srv.WriteTimeout = deadline, deadline })
	p := w.machine("robot", "birch", "users:read", "users:write")
	s.pause = func() { <-time.After(deadline / 2) }
	if got, err := p.send(http.MethodGet, "/api/v1/sheds/birch/export?rows=5", ""); err != nil || strings.Count(got.body, "\n") != 5 {
		t.Errorf("slow export: %d %q (%v)", got.status, got.body, err)
	}
	in, out := io.Pipe()
	go func() {
		for range 5 {
			s.pause()
			if _, err := io.WriteString(out, "row\n"); err != nil {
				t.Error(err)
			}
		}
		if err := out.Close(); err != nil {
			t.Error(err)
		}
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.address+"/api/v1/sheds/birch/import", in)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	r.Header.Set("Content-Type", "text/csv")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), `"bytes":20`) {
		t.Errorf("slow import: %d %s (%v)", res.StatusCode, body, err)
	}
}

// BenchmarkAPI is a call by a token of a machine, and by one of a user whom the policy is asked about.
func BenchmarkAPI(b *testing.B) {
	w := newWorld(b)
	w.user("birch", "kim@birch.example", "client")
	user, _ := w.signedIn("kim@birch.example")
	for name, p := range map[string]*caller{"machine": w.machine("robot", "birch", "users:read"), "user": user} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if got, err := p.send(http.MethodGet, "/api/v1/me", ""); err != nil || got.status != http.StatusOK {
					b.Fatalf("%d %s (%v)", got.status, got.body, err)
				}
			}
		})
	}
}
