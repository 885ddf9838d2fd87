package transfer

import (
	"context"
	"errors"
	"hash/maphash"
	"strconv"
	"strings"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/storage"
)

// totpFactor is the factor whose keys a file brings along.
const totpFactor = "totp"

// fold is near enough to the directory's own form to send lines of one user to one worker.
func fold(name string) string { return strings.ToLower(name) }

// user does what one line says. Its error ends the import; what will not do stands in the line.
func (r *run) user(ctx context.Context, rec *record, line *Line) error {
	err := r.try(ctx, rec, line)
	words, fault, ok := r.words(err)
	if err == nil || !ok {
		return err
	}
	line.Outcome, line.Reason, line.Fault = Refused, words, fault
	return nil
}

func (r *run) try(ctx context.Context, rec *record, line *Line) error {
	if err := rec.check(r.now, r.o.Passwords); err != nil {
		return err
	}
	u := r.newUser(rec)
	if err := r.s.c.Directory.Prepare(r.tenant, &u); err != nil {
		return err
	}
	known, found, err := r.find(ctx, &u)
	if err != nil {
		return err
	}
	if !found {
		if err := r.mayMake(u.Role); err != nil {
			return err
		}
	}
	if is(rec.TOTP) {
		if err := r.s.c.Credentials.CanImport(ctx, r.person(&u), totpFactor, *rec.TOTP); err != nil {
			return err
		}
	}
	if is(rec.Password) {
		if err := directory.CheckNew(*rec.Password, u.Email, u.Login, u.Name); err != nil {
			return err
		}
	}
	if !found {
		err = r.create(ctx, rec, &u, line)
		// Somebody else may have been first since it was asked; then the user is there.
		if !errors.Is(err, directory.ErrTaken) {
			return err
		}
		if known, found, err = r.find(ctx, &u); err != nil || !found {
			return errors.Join(err, &directory.FieldError{Field: "email", Reason: directory.Taken})
		}
	}
	return r.there(ctx, rec, &known, line)
}

// newUser is the user that a line describes.
func (r *run) newUser(rec *record) storage.User {
	u := storage.User{Key: storage.Key{Tenant: r.tenant.ID, ID: storage.NewID()}, Role: storage.Member, Created: rec.created}
	if len(r.tenant.UserTypes) > 0 {
		u.Type = r.tenant.UserTypes[0]
	}
	rec.put(&u)
	set(&u.Email, rec.Email)
	set(&u.Login, rec.Login)
	set(&u.EmailVerified, rec.EmailVerified)
	set(&u.Password, rec.PasswordHash)
	// What applications are told of an address must not hang on the word of a customer.
	u.EmailVerified = u.EmailVerified && u.Email != "" && r.trusted
	return u
}

func (r *run) person(u *storage.User) credential.Person { return person(r.tenant, u) }

func person(t *storage.Tenant, u *storage.User) credential.Person {
	return credential.Person{Tenant: t, User: u}
}

// find looks for a user whom the line means: by the e-mail address, or by the user name where there is no address. A user
// name that is somebody else's is refused.
func (r *run) find(ctx context.Context, u *storage.User) (known storage.User, found bool, err error) {
	known, found, err = r.named(ctx, u.Email)
	if err != nil || u.Login == "" {
		return known, found, err
	}
	other, taken, err := r.named(ctx, u.Login)
	switch {
	case err != nil:
		return known, false, err
	case u.Email == "":
		return other, taken, nil
	case taken && (!found || other.ID != known.ID):
		return known, false, refuse(bad("login", directory.Taken), "the user name is another user's")
	}
	return known, found, nil
}

func (r *run) named(ctx context.Context, name string) (storage.User, bool, error) {
	if name == "" {
		return storage.User{}, false, nil
	}
	u, err := r.s.c.Directory.Find(ctx, r.tenant.ID, name)
	if errors.Is(err, storage.ErrNotFound) {
		return u, false, nil
	}
	return u, err == nil, err
}

// create adds a user. The second step goes first: nobody may sign in without it in between.
func (r *run) create(ctx context.Context, rec *record, u *storage.User, line *Line) error {
	if r.o.DryRun {
		return r.twice(u, line)
	}
	line.User = u.ID
	e := storage.Event{Key: storage.Key{Tenant: u.Tenant}, Action: "user.create", User: u.ID}
	if is(rec.TOTP) {
		e.Factor = totpFactor
	}
	err := r.audited(e, line, func() error {
		password := ""
		set(&password, rec.Password)
		if !is(rec.TOTP) {
			return r.add(ctx, u, password)
		}
		c, err := r.s.c.Credentials.ImportNew(ctx, r.person(u), totpFactor, *rec.TOTP)
		if err != nil {
			return err
		}
		u.Factors = r.s.c.Credentials.FactorsOf([]storage.Credential{c})
		if err := r.add(ctx, u, password); err != nil {
			return errors.Join(err, r.s.c.Store.Credentials.Delete(ctx, c.Tenant, c.ID))
		}
		return nil
	})
	if err != nil {
		line.User = ""
		return err
	}
	line.Outcome = Created
	if is(rec.Email) && rec.EmailVerified != nil && *rec.EmailVerified && !r.trusted {
		line.Reason = unconfirmed
	}
	return nil
}

// unconfirmed is said of a line that says of an address what only operators can know.
const unconfirmed = "the address counts as not confirmed: only operators can know that it is the user's"

// busyTries bounds how often a password that must be hashed waits for its turn.
const busyTries = 30

func (r *run) add(ctx context.Context, u *storage.User, password string) (err error) {
	for range busyTries {
		if err = r.s.c.Directory.Import(ctx, u, password); !errors.Is(err, directory.ErrBusy) {
			break
		}
	}
	return err
}

// most is how many names a dry run remembers.
const most = 1 << 20

// twice finds, in a dry run, a name that stood in the file before.
func (r *run) twice(u *storage.User, line *Line) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range []string{u.Email, u.Login} {
		if name == "" {
			continue
		}
		h := maphash.String(r.seed, name)
		if before, ok := r.seen[h]; ok {
			return refuse(Fault{Code: "twice", Value: strconv.Itoa(before)}, "%s stands in line %d too", shown(name), before)
		}
		if len(r.seen) < most {
			r.seen[h] = line.Line
		}
	}
	line.Outcome = Created
	return nil
}

// there is for users who are there already.
func (r *run) there(ctx context.Context, rec *record, known *storage.User, line *Line) error {
	line.User = known.ID
	if !r.o.DryRun {
		if err := r.s.c.Directory.Complete(ctx, known); err != nil {
			return err
		}
	}
	if !r.o.Update {
		line.Outcome, line.Reason = Skipped, "the user is there already"
		return nil
	}
	return r.update(ctx, rec, known, line)
}

// mayMake refuses roles that the actor does not hand out.
func (r *run) mayMake(role storage.Role) error {
	if role == storage.Member || r.empowers {
		return nil
	}
	return refuse(bad("role", "beyond"), "the access token is not good for all that owners and admins do, so it makes none")
}
