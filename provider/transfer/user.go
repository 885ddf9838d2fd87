package transfer

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"reflect"
	"strconv"
	"strings"

	"github.com/sallyport-id/sallyport/mfa"
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

// update changes what the file says otherwise, and leaves alone what is the user's own.
func (r *run) update(ctx context.Context, rec *record, known *storage.User, line *Line) error {
	rec, kept := r.bounded(rec)
	held, err := r.s.c.Credentials.List(ctx, r.person(known))
	if err != nil {
		return err
	}
	step := is(rec.TOTP) && len(r.s.c.Credentials.Primary(held)) == 0
	line.Reason = kept
	if said := stays(rec, known, is(rec.TOTP) && !step); said != "" && kept != "" {
		line.Reason += "; " + said
	} else if said != "" {
		line.Reason = said
	}
	after := *known
	if err := r.over(rec, &after); err != nil {
		return err
	}
	password := is(rec.Password) && known.Password == ""
	if reflect.DeepEqual(after, *known) && !step && !password {
		line.Outcome = Skipped
		if line.Reason == "" {
			line.Reason = "nothing is to be changed"
		}
		return nil
	}
	line.Outcome = Updated
	if r.o.DryRun {
		return nil
	}
	e := storage.Event{Key: storage.Key{Tenant: known.Tenant}, Action: "user.change", User: known.ID}
	if step {
		e.Factor = totpFactor
	}
	return r.audited(e, line, func() error { return r.change(ctx, rec, known, step) })
}

// bounded is what a file may change of users who are there already, and says what it may not. Who could put in what somebody
// else signs in with could sign in as that user.
func (r *run) bounded(rec *record) (*record, string) {
	if r.trusted || !is(rec.Password) && !is(rec.PasswordHash) && !is(rec.TOTP) {
		return rec, ""
	}
	less := *rec
	less.Password, less.PasswordHash, less.TOTP = nil, nil, nil
	return &less, "what the user signs in with was left as it is"
}

// stays says what of the line is not taken over.
func stays(rec *record, known *storage.User, step bool) string {
	var kept, said []string
	if (is(rec.PasswordHash) || is(rec.Password)) && known.Password != "" {
		kept = append(kept, "the password")
	}
	if step {
		kept = append(kept, "the second step")
	}
	if is(rec.Login) && is(rec.Email) && !strings.EqualFold(strings.TrimSpace(*rec.Login), known.Login) {
		if known.Login == "" {
			said = append(said, "the user has no user name, and an update gives none")
		} else {
			kept = append(kept, "the user name")
		}
	}
	if len(kept) > 0 {
		said = append(said, strings.Join(kept, " and ")+" that the user has was left as it is")
	}
	return strings.Join(said, "; ")
}

// over writes what the line says over the user.
func (r *run) over(rec *record, u *storage.User) error {
	kept, was := u.Password, *u
	rec.put(u)
	if err := r.bounds(&was, u); err != nil {
		return err
	}
	if is(rec.Email) && r.trusted {
		set(&u.EmailVerified, rec.EmailVerified)
	}
	// The hash that is there is not the file's, and so is not looked at.
	u.Password = ""
	if kept == "" {
		set(&u.Password, rec.PasswordHash)
	}
	err := r.s.c.Directory.Prepare(r.tenant, u)
	if kept != "" {
		u.Password = kept
	}
	return err
}

// bounds refuses what a tenant's own file does not change. Owners are lowered and kept out one at a time, and so is whatever
// the rules might keep them out by: so a tenant never loses its last one.
func (r *run) bounds(was, now *storage.User) error {
	same := was.Role == now.Role && was.Type == now.Type && was.Require2FA == now.Require2FA && was.Out() == now.Out()
	switch {
	case r.trusted:
		return nil
	case was.Role == storage.Owner && !same:
		return refuse(bad("role", "owner"), "the user is an owner, of whom a file changes no more than the name and language")
	case was.Role != now.Role:
		return r.mayMake(now.Role)
	default:
		return nil
	}
}

// mayMake refuses roles that the actor does not hand out.
func (r *run) mayMake(role storage.Role) error {
	if role == storage.Member || r.empowers {
		return nil
	}
	return refuse(bad("role", "beyond"), "the access token is not good for all that owners and admins do, so it makes none")
}

func (r *run) change(ctx context.Context, rec *record, known *storage.User, step bool) error {
	if step {
		_, err := r.s.c.Credentials.Import(ctx, r.person(known), totpFactor, *rec.TOTP, func(held []storage.Credential) error {
			if len(r.s.c.Credentials.Primary(held)) > 0 {
				return refuse(bad("totp", "enrolled"), "the user has set up a second step just now")
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	was := known.Out()
	u, err := storage.Change(ctx, r.s.c.Store.Users, known.Tenant, known.ID, func(u *storage.User) error {
		return r.over(rec, u)
	})
	if err != nil {
		return err
	}
	if is(rec.Password) && u.Password == "" {
		if err := r.s.c.Directory.SetPassword(ctx, &u, *rec.Password); err != nil {
			return err
		}
	}
	if u.Out() && !was {
		return r.s.c.EndAll(ctx, u.Tenant, u.ID, "")
	}
	return nil
}

// audited records an event and then does what it is about. Where that fails after all, the log is told too.
func (r *run) audited(e storage.Event, line *Line, do func() error) error {
	who := about(r.by, e.Tenant, e.Action)
	who.User, who.Factor, who.Reason = e.User, e.Factor, fmt.Sprintf("import, line %d", line.Line)
	e = who
	if err := r.log.record(e); err != nil {
		return fmt.Errorf("nothing was changed, because it could not be put into the audit log: %w", err)
	}
	err := do()
	if err == nil {
		return nil
	}
	e.Outcome = "failed"
	return errors.Join(err, r.log.record(e))
}

// words says why a line was refused; ok is false where the line is not to blame.
func (r *run) words(err error) (words string, f Fault, ok bool) {
	var (
		line     *wrong
		field    *directory.FieldError
		password *directory.PasswordError
		hash     *directory.HashError
		factor   *mfa.Refused
	)
	switch {
	case errors.As(err, &line):
		return line.words, line.Fault, true
	case errors.As(err, &field):
		return r.fieldWords(field), bad(field.Field, field.Reason), true
	case errors.As(err, &password):
		return "password: " + passwordWords(password.Reason), bad("password", "password_"+password.Reason), true
	case errors.As(err, &hash):
		return "password_hash: " + hash.What, bad("password_hash", "hash"), true
	case errors.As(err, &factor) && factor.Err != nil:
		return "totp: " + factor.Err.Error(), bad("totp", "totp"), true
	case errors.Is(err, credential.ErrUnknownFactor):
		return "totp: this deployment has no authenticator apps", bad("totp", "no_totp"), true
	default:
		return "", Fault{}, false
	}
}

func (r *run) fieldWords(e *directory.FieldError) string {
	switch e.Reason {
	case directory.Missing:
		return "there is neither an e-mail address nor a user name"
	case directory.TooLong:
		return e.Field + " is too long"
	case directory.Charset:
		return e.Field + " holds characters that are not allowed there"
	case directory.Syntax:
		return "email is not an e-mail address"
	case directory.Taken:
		return e.Field + " is another user's"
	case directory.Crowded:
		return "too many users of other tenants answer to this " + e.Field
	case directory.Unknown:
		if e.Field == "type" {
			return "the tenant has no such user type; it has " + strings.Join(r.tenant.UserTypes, ", ")
		}
		return "role is none of owner, admin and member"
	default:
		return e.Field + ": " + e.Reason
	}
}

func passwordWords(reason string) string {
	switch reason {
	case directory.TooShort:
		return fmt.Sprintf("it has fewer than %d characters", directory.MinPassword)
	case directory.TooLong:
		return fmt.Sprintf("it has more than %d characters", directory.MaxPassword)
	case directory.Common:
		return "it is one that many people use"
	case directory.Personal:
		return "it hangs on the user's own name or address"
	default:
		return "it can't be a password"
	}
}
