package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/sallyport-id/sallyport/provider/webhook"
	"github.com/sallyport-id/sallyport/storage"
)

func TestEventArrivesSignedInTheStandardForm(t *testing.T) {
	o := newOffice(t)
	w, secret := o.create("acme", "user.*", "sign_in.password")
	if len(secret) != 50 || !strings.HasPrefix(secret, "whsec_") {
		t.Errorf("secret %q", secret)
	}
	o.happens("acme", "sign_in.password")
	at := o.clock()
	o.forward(time.Second)
	o.deliver(1)
	all := o.requests()
	if len(all) != 1 {
		t.Fatalf("%d requests", len(all))
	}
	// The library also holds the timestamp against the real time, at which this office's clock began.
	v, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Verify([]byte(all[0].body), all[0].header); err != nil {
		t.Error(err)
	}
	m := o.verified(all[0], secret)
	want := map[string]any{
		"type": "sign_in.password", "timestamp": at.Format(time.RFC3339Nano),
		"data": map[string]any{
			"id": "00000000000000000002", "tenant": "acme", "outcome": "ok", "user": "ada", "factor": "totp", "address": "192.0.2.1",
			"agent": "Firefox <140>",
		},
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("%v, want %v", m, want)
	}
	h := all[0].header
	if h.Get("Content-Type") != "application/json" || h.Get("Webhook-Timestamp") != strconv.FormatInt(o.clock().Unix(), 10) {
		t.Errorf("%v", h)
	}
	if _, sent := h["Idempotency-Key"]; sent {
		t.Errorf("what is for the transport alone was sent: %v", h)
	}
	log := o.deliveries(w)
	if len(log) != 1 || log[0].ID != h.Get("Webhook-Id") || log[0].State != "delivered" || log[0].Status != 200 || log[0].Tries != 1 ||
		log[0].Event != "00000000000000000002" || strings.Contains(log[0].ID, ".") || !log[0].Next.IsZero() {
		t.Errorf("%+v", log)
	}
	if n := o.queued(); n != 0 {
		t.Errorf("%d places are left in the queue", n)
	}
	o.deliver(0)
	// Nobody else's secret fits.
	other, err := standardwebhooks.NewWebhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Verify([]byte(all[0].body), h); err == nil {
		t.Error("another secret fits")
	}
}

func TestOnlyWhatIsWantedByTheTenantsOwnEnabledWebhooksIsSent(t *testing.T) {
	o := newOffice(t)
	users, _ := o.create("acme", "user.*")
	exact, _ := o.create("acme", "sign_in.password", "user")
	all, _ := o.create("acme")
	off, _ := o.create("acme", "*")
	disabled := true
	if _, err := o.hooks.Update(t.Context(), operator, "acme", off.ID, webhook.Update{Disabled: &disabled}); err != nil {
		t.Fatal(err)
	}
	before := map[string]int{}
	for _, w := range []webhook.Webhook{users, exact, all, off} {
		before[w.ID] = len(o.deliveries(w))
	}
	for _, action := range []string{"user.create", "users.create", "user", "sign_in.password", "sign_in.password_x"} {
		o.happens("acme", action)
	}
	o.happens("birch", "user.create")
	o.happens("", "user.create")
	for _, c := range []struct {
		w    webhook.Webhook
		want []string
	}{
		{users, []string{"user.create"}},
		{exact, []string{"sign_in.password", "user"}},
		{all, []string{"sign_in.password_x", "sign_in.password", "user", "users.create", "user.create"}},
		{off, nil},
	} {
		log := o.deliveries(c.w)
		var types []string
		for _, d := range log[:len(log)-before[c.w.ID]] {
			types = append(types, d.Type)
		}
		if !reflect.DeepEqual(types, c.want) {
			t.Errorf("%v: %q, want %q", c.w.Events, types, c.want)
		}
	}
}

func TestRetriesAsScheduledAndThenGivesUp(t *testing.T) {
	o := newOffice(t)
	w, secret := o.create("acme", "user.create")
	o.answersStatus(http.StatusInternalServerError)
	o.happens("acme", "user.create")
	schedule := []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour}
	for i, pause := range schedule {
		if pause > 0 {
			o.forward(pause - time.Millisecond)
			o.deliver(0)
			if n := len(o.requests()); n != i {
				t.Fatalf("%d requests before pause %d was over", n, i)
			}
			o.forward(time.Millisecond)
		}
		o.deliver(0)
		if n := len(o.requests()); n != i+1 {
			t.Fatalf("%d requests at try %d", n, i+1)
		}
	}
	log := o.deliveries(w)
	if len(log) != 1 || log[0].State != "failed" || log[0].Tries != 8 || log[0].Status != 500 ||
		log[0].Reason != "the receiver answered 500 Internal Server Error" {
		t.Errorf("%+v", log)
	}
	o.forward(100 * time.Hour)
	o.deliver(0)
	all := o.requests()
	if len(all) != len(schedule) || o.queued() != 0 {
		t.Errorf("%d requests, %d in the queue", len(all), o.queued())
	}
	stamps := map[string]bool{}
	for _, g := range all {
		o.verified(g, secret)
		stamps[g.header.Get("Webhook-Timestamp")] = true
		if g.header.Get("Webhook-Id") != log[0].ID {
			t.Errorf("the webhook-id changed to %s", g.header.Get("Webhook-Id"))
		}
	}
	if len(stamps) != len(schedule) {
		t.Errorf("%d different timestamps", len(stamps))
	}
	if o.get(w).Disabled {
		t.Error("one delivery that was given up disabled the webhook")
	}
	// By hand it goes again, with the same ID.
	o.answersStatus(http.StatusNoContent)
	if d, err := o.hooks.Redeliver(t.Context(), operator, "acme", w.ID, log[0].ID); err != nil || d.State != "waiting" || d.Tries != 0 {
		t.Errorf("%+v, %v", d, err)
	}
	o.deliver(1)
	if log = o.deliveries(w); log[0].State != "delivered" || log[0].Tries != 1 || !o.get(w).Failing.IsZero() {
		t.Errorf("%+v, %+v", log, o.get(w))
	}
}

func TestGoneDisablesAtOnce(t *testing.T) {
	o := newOffice(t)
	w, _ := o.create("acme", "user.create")
	o.answersStatus(http.StatusGone)
	o.happens("acme", "user.create")
	o.happens("acme", "user.create")
	o.deliver(0)
	if v := o.get(w); !v.Disabled || v.Reason != "gone" {
		t.Errorf("%+v", v)
	}
	e := o.events("acme", "webhook.disable")
	if len(e) != 1 || !strings.HasSuffix(e[0].Reason, ": gone") || !strings.Contains(e[0].Reason, w.ID) {
		t.Errorf("%+v", e)
	}
	o.happens("acme", "user.create")
	o.deliver(0)
	log := o.deliveries(w)
	if len(log) != 2 || log[1].State != "failed" || log[0].State != "failed" || log[0].Reason != "the webhook is disabled" || len(o.requests()) != 1 {
		t.Errorf("%+v, %d requests", log, len(o.requests()))
	}
	// Enabled again, it is told again.
	o.answersStatus(http.StatusOK)
	enabled := false
	if v, err := o.hooks.Update(t.Context(), operator, "acme", w.ID, webhook.Update{Disabled: &enabled}); err != nil || v.Disabled || v.Reason != "" {
		t.Errorf("%+v, %v", v, err)
	}
	o.happens("acme", "user.create")
	o.deliver(1)
}

func TestFiveDaysOfNothingButFailuresDisable(t *testing.T) {
	o := newOffice(t)
	w, _ := o.create("acme", "user.create")
	fails := func(after time.Duration) {
		o.forward(after)
		o.happens("acme", "user.create")
		o.answersStatus(http.StatusBadGateway)
		o.deliver(0)
	}
	fails(0)
	fails(4 * 24 * time.Hour)
	// One success, and the time begins anew.
	o.answersStatus(http.StatusOK)
	o.forward(time.Hour)
	for range 3 {
		if _, err := o.hooks.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if v := o.get(w); !v.Failing.IsZero() {
		t.Fatalf("%+v", v)
	}
	fails(24 * time.Hour)
	fails(5*24*time.Hour - time.Second)
	if v := o.get(w); v.Disabled || v.Failing.IsZero() {
		t.Errorf("%+v", v)
	}
	fails(time.Second)
	if v := o.get(w); !v.Disabled || v.Reason != "failing" {
		t.Errorf("%+v", v)
	}
	if e := o.events("acme", "webhook.disable"); len(e) != 1 || !strings.HasSuffix(e[0].Reason, ": failing") {
		t.Errorf("%+v", e)
	}
}

func TestSecretsRotateWithoutAGap(t *testing.T) {
	o := newOffice(t)
	w, first := o.create("acme", "user.create")
	v, second, err := o.hooks.RotateSecret(t.Context(), operator, "acme", w.ID)
	if err != nil || len(v.Secrets) != 2 || second == first || !v.Secrets[1].Until.Equal(o.clock().Add(24*time.Hour)) {
		t.Fatalf("%+v, %v", v, err)
	}
	o.happens("acme", "user.create")
	o.deliver(1)
	both := o.requests()[0]
	o.verified(both, first)
	o.verified(both, second)
	if n := len(strings.Fields(both.header.Get("Webhook-Signature"))); n != 2 {
		t.Errorf("%d signatures", n)
	}
	o.forward(24 * time.Hour)
	o.happens("acme", "user.create")
	o.deliver(1)
	one := o.requests()[1]
	o.verified(one, second)
	old, err := standardwebhooks.NewWebhook(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := old.VerifyIgnoringTimestamp([]byte(one.body), one.header); err == nil {
		t.Error("the old secret still signs after a day")
	}
	// A third ends the first at once, if it were still there.
	if _, _, err := o.hooks.RotateSecret(t.Context(), operator, "acme", w.ID); err != nil {
		t.Fatal(err)
	}
	if v, _, err := o.hooks.RotateSecret(t.Context(), operator, "acme", w.ID); err != nil || len(v.Secrets) != 2 {
		t.Errorf("%+v, %v", v, err)
	}
	if e := o.events("acme", "webhook.secret"); len(e) != 3 || e[0].Actor != "operator" || e[0].Address != "192.0.2.7" {
		t.Errorf("%+v", e)
	}
}

// Two processes at one queue deliver everything once.
func TestTwoWorkersDeliverOnce(t *testing.T) {
	o := newOffice(t)
	w, _ := o.create("acme", "user.create")
	const events = 30
	for range events {
		o.happens("acme", "user.create")
	}
	workers := []*webhook.Service{o.hooks, o.another(), o.another()}
	var all sync.WaitGroup
	for _, s := range workers {
		all.Go(func() {
			for range 10 {
				if _, err := s.Deliver(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	seen := map[string]int{}
	for _, g := range o.requests() {
		seen[g.header.Get("Webhook-Id")]++
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s was sent %d times", id, n)
		}
	}
	if len(seen) != events {
		t.Errorf("%d of %d arrived", len(seen), events)
	}
	// What losers left in the queue is cleared up and sends nothing.
	o.forward(time.Hour)
	o.deliver(0)
	if n := len(o.requests()); n != events || o.queued() != 0 {
		t.Errorf("%d requests, %d in the queue", n, o.queued())
	}
	for _, d := range o.deliveries(w) {
		if d.State != "delivered" || d.Tries != 1 {
			t.Errorf("%+v", d)
		}
	}
}

// A process that dies while it waits for the answer leaves the delivery to others.
func TestWhatWasClaimedByTheDeadIsDelivered(t *testing.T) {
	o := newOffice(t)
	w, _ := o.create("acme", "user.create")
	o.happens("acme", "user.create")
	ctx, die := context.WithCancel(t.Context())
	o.answers(func(_ http.ResponseWriter, r *http.Request) {
		die()
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // net/http's own way to give no answer: an empty one may still arrive
	})
	if n, err := o.hooks.Deliver(ctx); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if d := o.deliveries(w); d[0].State != "waiting" || d[0].Tries != 1 {
		t.Errorf("%+v", d)
	}
	o.answersStatus(http.StatusOK)
	o.deliver(0)
	o.forward(2 * time.Minute)
	o.deliver(1)
	if n := o.queued(); n != 0 {
		t.Errorf("%d in the queue", n)
	}
}

// Run is woken by an event, and need not be waited for.
func TestRunDeliversAtOnce(t *testing.T) {
	o := newOffice(t)
	o.create("acme", "user.create")
	arrived := make(chan struct{}, 10)
	o.answers(func(http.ResponseWriter, *http.Request) { arrived <- struct{}{} })
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.hooks.Run(ctx)
	}()
	for range 3 {
		o.happens("acme", "user.create")
		select {
		case <-arrived:
		case <-time.After(20 * time.Second):
			t.Fatal("nothing arrived")
		}
	}
	stop()
	<-done
}

// A receiver that hangs holds nobody else up, and an event does not wait for it.
func TestSlowReceiverHoldsNobodyUp(t *testing.T) {
	o := newOffice(t)
	o.create("acme", "user.create")
	quick := newReceiver(t)
	release := make(chan struct{})
	o.answers(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	arrived := make(chan struct{}, 10)
	quick.answers(func(http.ResponseWriter, *http.Request) { arrived <- struct{}{} })
	if _, _, err := o.hooks.Create(t.Context(), operator, "birch", webhook.NewWebhook{URL: quick.URL, Events: []string{"user.create"}}); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		o.happens("acme", "user.create")
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		o.hooks.Run(ctx)
	}()
	for range 3 {
		o.happens("birch", "user.create")
		select {
		case <-arrived:
		case <-time.After(20 * time.Second):
			t.Fatal("nothing arrived")
		}
	}
	stop()
	<-done
	close(release)
}

func TestNoRedirectIsFollowedAndLongAnswersAreCut(t *testing.T) {
	o := newOffice(t)
	w, _ := o.create("acme", "user.create")
	o.answers(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	d, err := o.hooks.Test(t.Context(), operator, "acme", w.ID)
	if err != nil || d.State != "failed" || d.Status != http.StatusTemporaryRedirect || len(o.requests()) != 1 {
		t.Errorf("%+v, %v, %d requests", d, err, len(o.requests()))
	}
	o.answers(func(w http.ResponseWriter, _ *http.Request) {
		chunk := bytes.Repeat([]byte("x"), 1<<16)
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	if d, err = o.hooks.Test(t.Context(), operator, "acme", w.ID); err != nil || d.State != "delivered" {
		t.Errorf("an endless answer: %+v, %v", d, err)
	}
}

func TestTestTellsWhatCame(t *testing.T) {
	o := newOffice(t)
	w, secret := o.create("acme", "user.create")
	d, err := o.hooks.Test(t.Context(), operator, "acme", w.ID)
	if err != nil || d.State != "delivered" || d.Type != "webhook.test" || d.Status != 200 {
		t.Errorf("%+v, %v", d, err)
	}
	if m := o.verified(o.requests()[0], secret); m["type"] != "webhook.test" {
		t.Errorf("%v", m)
	}
	o.Server.Close()
	o.forward(time.Millisecond)
	if d, err = o.hooks.Test(t.Context(), operator, "acme", w.ID); err != nil || d.State != "failed" || d.Status != 0 || d.Reason != "nobody takes the connection" {
		t.Errorf("%+v, %v", d, err)
	}
	if log := o.deliveries(w); len(log) != 2 || log[0].ID != d.ID || o.queued() != 0 {
		t.Errorf("%+v", log)
	}
	// Whose certificate is not trusted gets nothing.
	other := newReceiver(t)
	if _, err = o.hooks.Update(t.Context(), operator, "acme", w.ID, webhook.Update{URL: &other.URL}); err != nil {
		t.Fatal(err)
	}
	strict := o.another(func(c *webhook.Config) { c.RootCAs = nil })
	if d, err = strict.Test(t.Context(), operator, "acme", w.ID); err != nil || d.Reason != "the certificate is not valid" || len(other.requests()) != 0 {
		t.Errorf("%+v, %v", d, err)
	}
}

// The secret, and what stands behind the host in a URL, are in no log and no audit log; the secret is in no file.
func TestSecretsAreSealed(t *testing.T) {
	o := newOffice(t)
	w, secret := o.create("acme")
	_, second, err := o.hooks.RotateSecret(t.Context(), operator, "acme", w.ID)
	if err != nil {
		t.Fatal(err)
	}
	o.happens("acme", "user.create")
	o.answersStatus(http.StatusInternalServerError)
	o.deliver(0)
	o.Server.Close()
	o.forward(time.Hour)
	o.deliver(0)
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(o.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{secret, second} {
			if bytes.Contains(b, []byte(strings.TrimPrefix(s, "whsec_"))) {
				t.Errorf("the file %s tells a secret", suffix)
			}
		}
	}
	told := o.lines.String()
	for _, e := range append(o.events("acme", "webhook.create"), o.events("acme", "webhook.secret")...) {
		told += fmt.Sprintf("%+v", e)
	}
	for _, d := range o.deliveries(w) {
		told += fmt.Sprintf("%+v", d)
	}
	if !strings.Contains(told, "webhook not delivered") {
		t.Fatalf("nothing was logged: %s", told)
	}
	for _, s := range []string{secret[6:], second[6:], "behind-the-host"} {
		if strings.Contains(told, s) {
			t.Errorf("%q is told: %s", s, told)
		}
	}
	// A record that is given another's secret signs nothing.
	other, _ := o.create("acme")
	stored, err := o.store.Webhooks.Get(t.Context(), "acme", w.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Change(t.Context(), o.store.Webhooks, "acme", other.ID, func(v *storage.Webhook) error {
		v.Secrets = stored.Secrets
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if d, err := o.hooks.Test(t.Context(), operator, "acme", other.ID); err != nil || d.Reason != "the secret can't be opened" {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestDeleteEndsWhatWaits(t *testing.T) {
	o := newOffice(t)
	w, _ := o.create("acme", "user.create")
	o.happens("acme", "user.create")
	if err := o.hooks.Delete(t.Context(), operator, "acme", w.ID); err != nil {
		t.Fatal(err)
	}
	o.happens("acme", "user.create")
	o.deliver(0)
	if len(o.requests()) != 0 || o.queued() != 0 {
		t.Errorf("%d requests, %d in the queue", len(o.requests()), o.queued())
	}
	left, err := o.store.Deliveries.List(t.Context(), storage.Query{Tenant: "acme"})
	if err != nil || len(left) != 0 {
		t.Errorf("%+v, %v", left, err)
	}
	if _, err := o.hooks.Get(t.Context(), "acme", w.ID); !errors.Is(err, storage.ErrNotFound) {
		t.Error(err)
	}
	if e := o.events("acme", "webhook.delete"); len(e) != 1 {
		t.Errorf("%+v", e)
	}
}
