package transfer

import (
	"context"
	"reflect"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

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
	switch {
	case kept != "":
		u.Password = kept
	case u.Password != "":
		// An invitation to choose one has nothing left to ask for.
		u.Invited, u.ByInvitation = time.Time{}, false
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
