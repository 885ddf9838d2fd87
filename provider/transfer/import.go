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
	// Line is its number; the first is 1.
	Line int `json:"line"`
	// Outcome is "created", "updated", "skipped" or "refused".
	Outcome Outcome `json:"outcome"`
	// Account is the e-mail address or user name, as the file has it.
	Account string `json:"account,omitempty"`
	// User is the ID of the user, where there is one.
	User string `json:"user,omitempty"`
	// Reason says in words why the line was refused or skipped, or what of it was left out.
	Reason string `json:"reason,omitempty"`
	// Fault says it of a line that was refused.
	Fault
}

// Totals count lines.
type Totals struct {
	// Lines is how many lines there were, without blank ones and the header.
	Lines int `json:"lines"`
	// Created is how many of them made a user.
	Created int `json:"created"`
	// Updated is how many changed a user who was there.
	Updated int `json:"updated"`
	// Skipped is how many had nothing to change.
	Skipped int `json:"skipped"`
	// Refused is how many will not do.
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
	// askEvery is how often it is asked whether the actor still may.
	askEvery = time.Second
	// longest bounds an import that is no operator's command, so that nobody keeps one open for later.
	longest = 15 * time.Minute
)

var errLong = errors.New("transfer: the import took too long")

// Import brings users into a tenant, line by line, in bounded memory. Owners may, the tenant's own programs, and operators,
// one at a time in a tenant. Only operators' files say of an address that it is confirmed, give users who are there already
// what they sign in with, or change what an owner may. Nothing is mailed. A line that will not do is refused and the others
// go on; broken off, by an error or otherwise, it leaves whole users only, and the same file can be given again: users are
// known by their e-mail address, or by their user name where they have none. *web.Invalid, web.ErrForbidden, *web.Denied or
// web.ErrBusy where nothing was changed; ctx's error, one of the file's, the store's or of Options.Line, with what was done
// till then.
func (s *Service) Import(ctx context.Context, by *web.Actor, tenant string, file io.Reader, o Options) (Totals, error) {
	a, err := s.admit(ctx, by, tenant)
	if err != nil {
		return Totals{}, err
	}
	if o.Passwords && !a.trusted {
		return Totals{}, web.Refuse("passwords", "operator", "only operators bring plain passwords, for hashing many of them takes the machine from all others",
			"bring password_hash, or let the users choose their passwords by a mailed link")
	}
	end, err := s.begin(by, tenant)
	if err != nil {
		return Totals{}, err
	}
	defer end()
	if !by.Operator {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, longest, errLong)
		defer cancel()
	}
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	in := newLines(file)
	read, err := reading(in, o)
	if err != nil {
		return Totals{}, err
	}
	r := &run{s: s, by: by, allowed: a, asked: s.c.Now(), o: o, log: newRecorder(s.c.Audit, tenant, o.Workers), now: s.c.Now(), seed: maphash.MakeSeed(), seen: map[uint64]int{}}
	totals, err := r.all(ctx, in, read)
	if o.DryRun {
		return totals, err
	}
	if err != nil && errors.Is(context.Cause(ctx), errLong) {
		err = web.Refuse("file", "time", fmt.Sprintf("the import was broken off after %d minutes; %s", longest/time.Minute, totals),
			"send the same file again: who is there is skipped")
	}
	e := about(by, tenant, "users.import")
	e.Reason = totals.String()
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
			return nil, badHeader("empty", "the file is empty", "write the names of the columns into the first line")
		case errors.As(err, &refused):
			return nil, badHeader(refused.Code, refused.words, "write the names of the columns into the first line")
		case err != nil:
			return nil, fmt.Errorf("read the file: %w", err)
		}
		t, err := newTable(header, o.Passwords)
		if err != nil {
			return nil, err
		}
		return t.read, nil
	default:
		return nil, noFormat(o.Format)
	}
}

// run is one import.
type run struct {
	s  *Service
	by *web.Actor
	allowed
	// asked is when it was last asked whether the actor may. Only send asks.
	asked time.Time
	o     Options
	now   time.Time
	seed  maphash.Seed
	log   *recorder

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
			j.line.Outcome, j.line.Reason, j.line.Fault = Refused, refused.words, refused.Fault
			close(j.done)
		case err != nil:
			return fmt.Errorf("read the file, line %d: %w", in.n, err)
		}
		if err := r.still(ctx); err != nil {
			return err
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

// still asks again whether the actor may: a file can be sent so slowly that whoever sends it has been put out meanwhile.
func (r *run) still(ctx context.Context) error {
	now := r.s.c.Now()
	if now.Sub(r.asked) < askEvery {
		return nil
	}
	r.asked = now
	_, _, err := r.s.c.Admit(ctx, r.by, r.tenant.ID)
	return err
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
			fail(web.Unavailable(fmt.Sprintf("line %d", j.line.Line), j.err))
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
