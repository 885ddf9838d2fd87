package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

// postman is a Sender that remembers what it was given, and answers as it is told.
type postman struct {
	mu     sync.Mutex
	sent   []mail.Message
	answer func(ctx context.Context, m mail.Message) error
}

func (p *postman) Send(ctx context.Context, m mail.Message) error {
	p.mu.Lock()
	answer := p.answer
	p.mu.Unlock()
	if answer != nil {
		if err := answer(ctx, m); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, m)
	return nil
}

func (p *postman) answers(f func(ctx context.Context, m mail.Message) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

func (p *postman) subjects() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, m := range p.sent {
		all = append(all, m.Subject)
	}
	slices.Sort(all)
	return all
}

// office is a queue over a store of its own, with a clock that stands still.
type office struct {
	*testing.T
	postman
	path  string
	store storage.Store
	keys  *keys.Keys
	queue *mail.Queue
	now   time.Time
	log   *safeBuffer
}

type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{
		T: t, path: filepath.Join(t.TempDir(), "mail.db"), now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), log: &safeBuffer{},
	}
	clock := func() time.Time { return o.now }
	o.store = sqlitetest.Open(t, sqlite.Options{Path: o.path, Now: clock})
	var err error
	if o.keys, err = keys.New(t.Context(), o.store, keys.Options{Master: bytes.Repeat([]byte{7}, keys.MasterSize), Now: clock}); err != nil {
		t.Fatal(err)
	}
	o.queue = o.another()
	return o
}

// another is the queue as another process has it.
func (o *office) another() *mail.Queue {
	return &mail.Queue{
		Sender: &o.postman, Messages: o.store.Messages, Seal: o.keys, Now: func() time.Time { return o.now },
		Logger: slog.New(slog.NewTextHandler(o.log, nil)),
	}
}

// post puts messages into the queue, a second after each other.
func (o *office) post(subjects ...string) {
	o.Helper()
	for _, s := range subjects {
		m := resetMail
		m.Subject = s
		if err := o.queue.Send(o.Context(), m); err != nil {
			o.Fatal(err)
		}
		o.now = o.now.Add(time.Second)
	}
}

// deliver wants n messages to be sent in a round.
func (o *office) deliver(n int) {
	o.Helper()
	if got, err := o.queue.Deliver(o.Context()); err != nil || got != n {
		o.Errorf("at %v: sent %d, %v; want %d", o.now, got, err, n)
	}
}

func (o *office) waiting() []storage.Message {
	o.Helper()
	all, err := o.store.Messages.List(o.Context(), storage.Query{Tenant: "-mail", Limit: 1000})
	if err != nil {
		o.Fatal(err)
	}
	return all
}

func TestQueueSendsWhole(t *testing.T) {
	o := newOffice(t)
	if err := o.queue.Send(t.Context(), resetMail); err != nil {
		t.Fatal(err)
	}
	o.deliver(1)
	if len(o.sent) != 1 || o.sent[0].ID == "" {
		t.Fatalf("%+v", o.sent)
	}
	want := resetMail
	want.ID = o.sent[0].ID
	if o.sent[0] != want {
		t.Errorf("%+v", o.sent)
	}
	if left := o.waiting(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
	o.deliver(0)
	if log := o.log.String(); log != "" {
		t.Errorf("log: %s", log)
	}
}

func TestQueueRefusesWhatItCannotSend(t *testing.T) {
	o := newOffice(t)
	for _, m := range []mail.Message{
		{To: "a@b.example\r\nBcc: eve@example.com", Subject: "a", Text: "b"},
		{To: "a@b.example", Subject: "a", Text: strings.Repeat("a", 60<<10)},
		{To: "a@b.example", Subject: "a", Text: strings.Repeat("a", 30<<10), HTML: strings.Repeat("a", 30<<10)}, // sealed, it would not open
	} {
		if err := o.queue.Send(t.Context(), m); !errors.Is(err, mail.ErrMessage) {
			t.Errorf("%v", err)
		}
	}
	if left := o.waiting(); len(left) != 0 {
		t.Errorf("kept: %+v", left)
	}
}

// Neither a message nor whom it is for can be read in the database, and no record's text opens in another's place.
func TestQueueIsSealed(t *testing.T) {
	o := newOffice(t)
	o.post("first", "second")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(o.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"login.example", "reset?token", "ada@", "first", "second", "Gr\u00fc", "acme"} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("the file %s tells %q", suffix, secret)
			}
		}
	}
	all := o.waiting()
	if len(all) != 2 || !all[0].Expires.After(o.now) || all[0].Channel != "mail" {
		t.Fatalf("%+v", all)
	}
	all[0].Sealed = all[1].Sealed
	if err := o.store.Messages.Replace(t.Context(), &all[0]); err != nil {
		t.Fatal(err)
	}
	o.deliver(1)
	if got := o.subjects(); !slices.Equal(got, []string{"second"}) {
		t.Errorf("sent %q", got)
	}
}

// A message is the same for every try, so that mail programs show it once where two tries bring it.
func TestQueueKeepsTheID(t *testing.T) {
	o := newOffice(t)
	o.post("first", "second")
	var ids []string
	o.answers(func(_ context.Context, m mail.Message) error {
		ids = append(ids, m.Subject+" "+m.ID)
		return errors.New("not now")
	})
	o.deliver(0)
	o.now = o.now.Add(time.Hour)
	o.queue = o.another()
	o.deliver(0)
	slices.Sort(ids)
	if len(ids) != 4 || ids[0] != ids[1] || ids[2] != ids[3] || strings.TrimPrefix(ids[0], "first ") == strings.TrimPrefix(ids[2], "second ") {
		t.Errorf("%q", ids)
	}
}

// A message that was put into the queue before mails had a part in HTML goes out as it is.
func TestQueueSendsWhatIsOld(t *testing.T) {
	o := newOffice(t)
	const id = "01772352000000000000-abcdefghijklmnopqrstuvwxyz"
	sealed, err := o.keys.Seal("mail/"+id, 24*time.Hour, []byte(`{"Tenant":"acme","To":"ada@example.com","Subject":"old","Text":"Hello,\n\nas ever.\n"}`))
	if err != nil {
		t.Fatal(err)
	}
	err = o.store.Messages.Insert(t.Context(), &storage.Message{
		Key: storage.Key{Tenant: "-mail", ID: id, Expires: o.now.Add(25 * time.Hour)}, Channel: "mail", Created: o.now, Next: o.now, Sealed: []byte(sealed),
	})
	if err != nil {
		t.Fatal(err)
	}
	o.deliver(1)
	if want := (mail.Message{Tenant: "acme", To: "ada@example.com", Subject: "old", Text: "Hello,\n\nas ever.\n", ID: id}); len(o.sent) != 1 || o.sent[0] != want {
		t.Errorf("%+v", o.sent)
	}
	if len(o.sent) == 1 && o.sent[0].Check() != nil {
		t.Error(o.sent[0].Check())
	}
}

// Two processes send each message once.
func TestQueueOfTwoProcesses(t *testing.T) {
	o := newOffice(t)
	const n = 40
	for i := range n {
		o.post(fmt.Sprintf("message %02d", i))
	}
	sent := make(chan int)
	for _, q := range []*mail.Queue{o.queue, o.another()} {
		go func() {
			n, err := q.Deliver(t.Context())
			if err != nil {
				t.Error(err)
			}
			sent <- n
		}()
	}
	if a, b := <-sent, <-sent; a+b != n {
		t.Errorf("sent %d and %d, want %d together", a, b, n)
	}
	got := o.subjects()
	if len(got) != n || len(slices.Compact(got)) != n {
		t.Errorf("%d messages, %d different ones, want %d", len(got), len(slices.Compact(got)), n)
	}
}

// A message whose process died between the claim and the sending is sent when the claim has run out, and not before.
func TestQueueAfterACrash(t *testing.T) {
	o := newOffice(t)
	o.post("reset")
	ctx, die := context.WithCancel(t.Context())
	o.answers(func(ctx context.Context, _ mail.Message) error {
		die()
		<-ctx.Done()
		return ctx.Err()
	})
	if n, err := o.queue.Deliver(ctx); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v", n, err)
	}
	o.answers(nil)
	o.queue = o.another()
	o.deliver(0)
	o.now = o.now.Add(2*time.Minute - time.Millisecond)
	o.deliver(0)
	o.now = o.now.Add(time.Millisecond)
	o.deliver(1)
	o.deliver(0)
}

// Once it was sent it is not sent again, even if the process is stopped at that moment.
func TestQueueThatIsStoppedAfterSending(t *testing.T) {
	o := newOffice(t)
	o.post("reset")
	ctx, stop := context.WithCancel(t.Context())
	o.answers(func(context.Context, mail.Message) error { stop(); return nil })
	if n, err := o.queue.Deliver(ctx); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	o.now = o.now.Add(time.Hour)
	o.deliver(0)
}

// What fails is tried again after pauses that grow, and dropped after a day, with a word to the operator each time.
func TestQueueTriesAgain(t *testing.T) {
	o := newOffice(t)
	o.post("reset")
	tries := 0
	o.answers(func(_ context.Context, m mail.Message) error {
		tries++
		return fmt.Errorf("451 %s not now: %s %q", m.To, m.Text, m.Subject+m.Text)
	})
	start := o.now
	for i, minutes := range []int{1, 2, 4, 8, 16, 30, 30, 30} {
		pause := time.Duration(minutes) * time.Minute
		o.deliver(0)
		if tries != i+1 {
			t.Fatalf("after %v: %d tries, want %d", o.now.Sub(start), tries, i+1)
		}
		o.now = o.now.Add(pause - time.Millisecond)
		o.deliver(0)
		if tries != i+1 {
			t.Fatalf("tried again before %v were over", pause)
		}
		o.now = o.now.Add(time.Millisecond)
	}
	for o.now.Sub(start) < 24*time.Hour {
		o.deliver(0)
		o.now = o.now.Add(30 * time.Minute)
	}
	before := tries
	o.deliver(0)
	if left := o.waiting(); len(left) != 0 || tries != before {
		t.Errorf("after a day: %d more tries, left: %+v", tries-before, left)
	}
	log := o.log.String()
	if strings.Count(log, "to be tried again") != tries || strings.Count(log, "mail dropped") != 1 || !strings.Contains(log, "tenant=acme") {
		t.Errorf("%d tries; log: %s", tries, log)
	}
	for _, secret := range []string{"login.example", "token", "ada@", "Gr\u00fc"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log tells %q: %s", secret, log)
		}
	}
}

// What nobody could send for a day is told of, even by a process that starts only then.
func TestQueueTellsOfWhatIsTooLate(t *testing.T) {
	o := newOffice(t)
	o.post("reset")
	o.now = o.now.Add(24 * time.Hour)
	o.deliver(0)
	if log := o.log.String(); !strings.Contains(log, "mail dropped") || len(o.subjects()) != 0 || len(o.waiting()) != 0 {
		t.Errorf("log: %s", log)
	}
}

func TestQueueDropsWhatIsRefusedForGood(t *testing.T) {
	for _, refusal := range []error{mail.ErrPermanent, mail.ErrMessage} {
		o := newOffice(t)
		o.post("refused", "sent")
		o.answers(func(_ context.Context, m mail.Message) error {
			if m.Subject == "refused" {
				return fmt.Errorf("server: %w: 550 5.1.1", refusal)
			}
			return nil
		})
		o.deliver(1)
		if left := o.waiting(); len(left) != 0 {
			t.Errorf("left: %+v", left)
		}
		if log := o.log.String(); !strings.Contains(log, "mail dropped") || !strings.Contains(log, "550 5.1.1") || strings.Contains(log, "ada@") {
			t.Errorf("log: %s", log)
		}
	}
}

// A Sender that panics costs one try.
func TestQueueSurvivesItsSender(t *testing.T) {
	o := newOffice(t)
	o.post("reset")
	o.answers(func(context.Context, mail.Message) error { panic("nil map") })
	o.deliver(0)
	o.answers(nil)
	o.now = o.now.Add(time.Minute)
	o.deliver(1)
	if log := o.log.String(); !strings.Contains(log, "nil map") {
		t.Errorf("log: %s", log)
	}
}

// A process that has another master key leaves a message to those that can read it.
func TestQueueWhileTheMasterKeyChanges(t *testing.T) {
	o := newOffice(t)
	o.post("reset")
	other, err := keys.New(t.Context(), sqlitetest.Open(t, sqlite.Options{}), keys.Options{Master: bytes.Repeat([]byte{8}, keys.MasterSize)})
	if err != nil {
		t.Fatal(err)
	}
	strange := o.another()
	strange.Seal = other
	if n, err := strange.Deliver(t.Context()); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	o.now = o.now.Add(time.Minute)
	o.deliver(1)
}

// A round is bounded, begins with the oldest, and those that fail do not keep the others waiting.
func TestQueueIsFair(t *testing.T) {
	o := newOffice(t)
	for i := range 250 {
		o.post(fmt.Sprintf("bad %03d", i))
	}
	for i := range 20 {
		o.post(fmt.Sprintf("good %03d", i))
	}
	tried := map[string]bool{}
	var mu sync.Mutex
	o.answers(func(_ context.Context, m mail.Message) error {
		mu.Lock()
		defer mu.Unlock()
		tried[m.Subject] = true
		if strings.HasPrefix(m.Subject, "bad") {
			return errors.New("not now")
		}
		return nil
	})
	o.deliver(0)
	if len(tried) != 200 || !tried["bad 000"] || !tried["bad 199"] {
		t.Errorf("the first round tried %d", len(tried))
	}
	o.now = o.now.Add(2 * time.Minute) // the first 200 are due again
	o.deliver(20)
	if len(tried) != 270 {
		t.Errorf("after two rounds %d were tried", len(tried))
	}
	clear(tried)
	o.deliver(0) // and from the beginning
	if !tried["bad 000"] {
		t.Errorf("the third round did not begin anew: %d tried", len(tried))
	}
}

// Run sends what comes at once, and ends when it is told to.
func TestQueueRuns(t *testing.T) {
	o := newOffice(t)
	came := make(chan string, 3)
	o.answers(func(_ context.Context, m mail.Message) error { came <- m.Subject; return nil })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		o.queue.Run(ctx)
	}()
	for i := range 3 {
		m := resetMail
		m.Subject = fmt.Sprint("message ", i)
		if err := o.queue.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-came:
			if got != m.Subject {
				t.Errorf("%q", got)
			}
		case <-time.After(5 * time.Second): // it looks by itself only every 10 s
			t.Fatal("it was not woken")
		}
	}
	stop()
	<-ended
}
