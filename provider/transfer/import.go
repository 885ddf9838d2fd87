package transfer

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Options are how an import goes.
type Options struct {
	Format Format
	// DryRun checks everything and changes nothing. Names that stand twice in the file are found among the first
	// million lines.
	DryRun bool
	// Update changes users who are there already, by what the file says of them; else they are skipped. What users have
	// set up themselves, a password or a second step, stays as it is, and a lock is never taken off.
	Update bool
	// Passwords allows the field password, a password in plain text. Each is hashed, which takes long.
	Passwords bool
	// Line is told of each line, in the file's order; an error of it ends the import. nil: nobody is told.
	Line func(Line) error
	// Progress is told how far it is, about once a second. nil: nobody is told.
	Progress func(Totals)
	// Workers is how many users are written at a time: 64 when 0. Stores write those of one moment together.
	Workers int
	// Actor is who imports, for the audit log: "operator" when empty.
	Actor string
}

// Outcome is what became of a line.
type Outcome string

// The outcomes.
const (
	Created Outcome = "created"
	Updated Outcome = "updated"
	// Skipped: the user is there already, and there is nothing to change.
	Skipped Outcome = "skipped"
	Refused Outcome = "refused"
)

// Line is what became of one line.
type Line struct {
	Line    int     `json:"line"`
	Outcome Outcome `json:"outcome"`
	// Account is the e-mail address or user name, as the file has it.
	Account string `json:"account,omitempty"`
	// User is the ID of the user, where there is one.
	User string `json:"user,omitempty"`
	// Reason says in words why the line was refused or skipped, or what of it was left out.
	Reason string `json:"reason,omitempty"`
}

// Totals count lines.
type Totals struct {
	Lines   int `json:"lines"`
	Created int `json:"created"`
	Updated int `json:"updated"`
	Skipped int `json:"skipped"`
	Refused int `json:"refused"`
	// Bytes is how much of the file was read.
	Bytes int64 `json:"bytes"`
}

func (t *Totals) count(o Outcome) {
	t.Lines++
	switch o {
	case Created:
		t.Created++
	case Updated:
		t.Updated++
	case Skipped:
		t.Skipped++
	case Refused:
		t.Refused++
	}
}

// String is for the audit log.
func (t Totals) String() string {
	return fmt.Sprintf("%d lines: %d created, %d updated, %d skipped, %d refused", t.Lines, t.Created, t.Updated, t.Skipped, t.Refused)
}

const (
	defaultWorkers = 64
	// ahead is how many lines a worker may have waiting.
	ahead = 8
	// progressEvery is how often Progress is told.
	progressEvery = time.Second
)

// Import brings users into a tenant, line by line, in bounded memory. Nothing is mailed. A line that will not do is
// refused and the others go on; broken off, by an error or otherwise, it leaves whole users only, and the same file can be
// given again: users are known by their e-mail address, or by their user name where they have none.
// *web.Invalid where nothing was changed; ctx's error, one of the file's, the store's or of Options.Line, with what was done
// till then.
func (s *Service) Import(ctx context.Context, tenant string, file io.Reader, o Options) (Totals, error) {
	t, err := s.tenant(ctx, tenant)
	if err != nil {
		return Totals{}, err
	}
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	in := newLines(file)
	read, err := reading(in, o)
	if err != nil {
		return Totals{}, err
	}
	r := &run{s: s, tenant: t, o: o, log: newRecorder(s.c.Audit, tenant, o.Workers), now: s.c.Now(), seed: maphash.MakeSeed(), seen: map[uint64]int{}}
	totals, err := r.all(ctx, in, read)
	if o.DryRun {
		return totals, err
	}
	e := storage.Event{
		Key: storage.Key{Tenant: tenant}, Action: "users.import", Actor: actor(o.Actor), Outcome: "ok", Reason: totals.String(),
	}
	if err != nil {
		e.Outcome, e.Reason = "failed", "broken off after "+e.Reason
	}
	return totals, errors.Join(err, s.c.Audit.Record(ctx, e))
}

// reading returns what reads a line; of a CSV file it reads the header.
func reading(in *lines, o Options) (func(string) (*record, error), error) {
	switch o.Format {
	case JSONLines:
		return readJSON, nil
	case CSV:
		header, err := in.next()
		var refused *wrong
		switch {
		case errors.Is(err, io.EOF):
			return nil, badHeader("the file is empty", "write the names of the columns into the first line")
		case errors.As(err, &refused):
			return nil, badHeader(refused.words, "write the names of the columns into the first line")
		case err != nil:
			return nil, fmt.Errorf("read the file: %w", err)
		}
		t, err := newTable(header, o.Passwords)
		if err != nil {
			return nil, err
		}
		return t.read, nil
	default:
		return nil, &web.Invalid{What: fmt.Sprintf("there is no format %q", o.Format), Where: "format", Do: "choose csv or jsonl"}
	}
}

// run is one import.
type run struct {
	s      *Service
	tenant *storage.Tenant
	o      Options
	now    time.Time
	seed   maphash.Seed
	log    *recorder

	mu sync.Mutex
	// seen are, in a dry run, the lines in which names stood, by the names' hashes.
	seen map[uint64]int
}

// job is one line on its way.
type job struct {
	line Line
	rec  *record
	// err ends the import.
	err   error
	bytes int64
	done  chan struct{}
}

// all sends the lines to the workers, and tells of them in their order.
func (r *run) all(ctx context.Context, in *lines, read func(string) (*record, error)) (Totals, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queues := make([]chan *job, r.o.Workers)
	var workers sync.WaitGroup
	for i := range queues {
		queues[i] = make(chan *job, ahead)
		workers.Go(func() { r.work(ctx, queues[i]) })
	}
	var recording sync.WaitGroup
	recording.Go(func() { r.log.run(ctx) })
	ordered := make(chan *job, ahead*len(queues))
	var failed error
	workers.Go(func() {
		defer close(ordered)
		failed = r.send(ctx, in, read, queues, ordered)
	})
	totals, err := r.tell(cancel, ordered)
	workers.Wait()
	close(r.log.in)
	recording.Wait()
	if err == nil {
		err = failed
	}
	return totals, err
}

// send reads the file. Lines of one name go to one worker, so that the first of them wins.
func (r *run) send(ctx context.Context, in *lines, read func(string) (*record, error), queues []chan *job, ordered chan<- *job) error {
	defer func() {
		for _, q := range queues {
			close(q)
		}
	}()
	for ctx.Err() == nil {
		text, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		j := &job{line: Line{Line: in.n}, bytes: in.bytes, done: make(chan struct{})}
		if err == nil {
			j.rec, err = read(text)
		}
		if j.rec != nil {
			j.line.Account = j.rec.account()
		}
		var refused *wrong
		switch {
		case errors.As(err, &refused):
			j.line.Outcome, j.line.Reason = Refused, refused.words
			close(j.done)
		case err != nil:
			return fmt.Errorf("read the file, line %d: %w", in.n, err)
		}
		select {
		case ordered <- j:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err != nil {
			continue
		}
		select {
		case queues[maphash.String(r.seed, fold(j.line.Account))%uint64(len(queues))] <- j:
		case <-ctx.Done():
			j.err = ctx.Err()
			close(j.done)
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// work writes users. What was begun is finished, whoever hangs up meanwhile.
func (r *run) work(ctx context.Context, queue <-chan *job) {
	for j := range queue {
		if err := ctx.Err(); err != nil {
			j.err = err
		} else {
			j.err = r.user(context.WithoutCancel(ctx), j.rec, &j.line)
		}
		close(j.done)
	}
}

// tell reports the lines in their order. After an error nothing more is begun, and what was is waited for and counted.
func (r *run) tell(cancel func(), ordered <-chan *job) (Totals, error) {
	var totals Totals
	var failed error
	fail := func(err error) {
		if failed == nil {
			failed = err
		}
		cancel()
	}
	last := time.Now()
	for j := range ordered {
		<-j.done
		totals.Bytes = j.bytes
		if j.err != nil {
			fail(fmt.Errorf("line %d: %w", j.line.Line, j.err))
			continue
		}
		totals.count(j.line.Outcome)
		if r.o.Line != nil && failed == nil {
			if err := r.o.Line(j.line); err != nil {
				fail(fmt.Errorf("report of line %d: %w", j.line.Line, err))
			}
		}
		if r.o.Progress != nil && time.Since(last) >= progressEvery {
			last = time.Now()
			r.o.Progress(totals)
		}
	}
	if r.o.Progress != nil {
		r.o.Progress(totals)
	}
	return totals, failed
}
