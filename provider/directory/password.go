package directory

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/sallyport-id/sallyport/storage"
)

// maxHashes bounds how many hashes one Check computes. One is enough for all users whose salt is derived, in however
// many tenants; imported and older hashes take one each, and those beyond the bound do not match.
const maxHashes = 4

// canonical returns the password as it is hashed, and whether it can be one at all. Keyboards write an accented letter
// as one code point or as two; NFC makes them one, as the OpaqueString profile does (RFC 8265, section 4.2.2). NFKC
// would also take letters for one another that their owner told apart.
func canonical(password string) (string, bool) {
	fits := true
	if len(password) > maxPasswordBytes {
		// Cut before anything is done with it: what can never match should not cost more either.
		password, fits = password[:maxPasswordBytes], false
	}
	password = norm.NFC.String(password)
	return password, fits && utf8.RuneCountInString(password) <= MaxPassword
}

// maxPasswordBytes is more than MaxPassword characters take in any spelling that people's keyboards write.
const maxPasswordBytes = 16 * MaxPassword

// saltOf derives the salt of a user's password from whom it is for. So one hash answers for a person in all tenants, and
// the time it takes does not tell in how many an address is. Without the key nobody can know salts in advance.
func (d *Local) saltOf(u storage.User) []byte {
	name := u.Email
	if name == "" {
		name = u.Login
	}
	return d.saltFor(name)
}

func (d *Local) saltFor(name string) []byte {
	h := hmac.New(sha256.New, d.salt)
	h.Write([]byte("password salt\x00" + name))
	return h.Sum(nil)[:saltSize]
}

// Check implements Directory.
func (d *Local) Check(ctx context.Context, users []storage.User, password string) ([]storage.User, error) {
	leave, err := d.slot(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	canon, fits := canonical(password)
	c := checker{d: d, raw: password, canon: canon, known: map[string]string{}}
	var right []storage.User
	for _, u := range users {
		match, err := c.match(ctx, u)
		if err != nil {
			return nil, err
		}
		// Whether it counts is asked after the work was done, so that the time tells nothing.
		if match && fits && !u.Out() {
			right = append(right, u)
		}
	}
	if c.hashes == 0 {
		if _, err := d.o.Hasher.Hash(d.o.Hasher.Settings(d.saltFor("")), canon); err != nil {
			return nil, fmt.Errorf("directory: check password: %w", err)
		}
	}
	for i := range right {
		d.renew(ctx, &right[i], canon)
	}
	return right, nil
}

// checker checks one password against many users.
type checker struct {
	d          *Local
	raw, canon string
	// known are the hashes computed so far, by settings.
	known  map[string]string
	hashes int
}

func (c *checker) match(ctx context.Context, u storage.User) (bool, error) {
	stored, err := readHash(u.Password)
	if err == nil && !stored.native {
		return c.imported(ctx, u, stored)
	}
	readable := err == nil
	settings, ok := split(u.Password)
	if !ok {
		return false, nil
	}
	hash, ok := c.known[settings]
	if !ok {
		if !c.spend(ctx, u) {
			return false, nil
		}
		var err error
		hash, err = c.d.o.Hasher.Hash(settings, c.canon)
		if errors.Is(err, ErrSettings) {
			c.hashes--
			if readable {
				return c.imported(ctx, u, stored)
			}
			c.d.o.Logger.WarnContext(ctx, "password hash can't be checked", "tenant", u.Tenant, "user", u.ID)
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("directory: check password: %w", err)
		}
		c.known[settings] = hash
	}
	return same(hash, u.Password), nil
}

// imported checks a hash that another system made, or that this deployment's hasher does not know.
func (c *checker) imported(ctx context.Context, u storage.User, stored hashed) (bool, error) {
	if !c.spend(ctx, u) {
		return false, nil
	}
	// Where it came from it was hashed as it was typed.
	ok, err := stored.matches(c.raw)
	if err != nil {
		return false, fmt.Errorf("directory: check password: %w", err)
	}
	return ok, nil
}

// spend counts a hash, and refuses it beyond the bound.
func (c *checker) spend(ctx context.Context, u storage.User) bool {
	if c.hashes >= maxHashes {
		c.d.o.Logger.WarnContext(ctx, "more hashes for one login than are checked", "tenant", u.Tenant, "user", u.ID)
		return false
	}
	c.hashes++
	return true
}

// renew hashes a right password anew if it was hashed in a foreign way, with old parameters, or for a name its owner no
// longer has. The sign-in does not hang on it: what fails now is done at the next one.
func (d *Local) renew(ctx context.Context, u *storage.User, canon string) {
	want := d.o.Hasher.Settings(d.saltOf(*u))
	if has, ok := split(u.Password); ok && has == want {
		return
	}
	fresh := *u
	var err error
	if fresh.Password, err = d.o.Hasher.Hash(want, canon); err == nil {
		err = d.store.Users.Replace(ctx, &fresh)
	}
	switch {
	case err == nil:
		*u = fresh
	case !errors.Is(err, storage.ErrConflict):
		d.o.Logger.WarnContext(ctx, "password could not be hashed anew",
			slog.String("tenant", u.Tenant), slog.String("user", u.ID), slog.Any("error", err))
	}
}

// SetPassword implements Directory.
func (d *Local) SetPassword(ctx context.Context, u *storage.User, password string) error {
	fresh := *u
	if err := d.hashNew(ctx, &fresh, password); err != nil {
		return err
	}
	// An invitation to choose one has nothing left to ask for.
	fresh.Invited, fresh.ByInvitation = time.Time{}, false
	if err := d.store.Users.Replace(ctx, &fresh); err != nil {
		return fmt.Errorf("directory: set password: %w", err)
	}
	*u = fresh
	return nil
}

// hashNew puts a new password into u, if it is good enough.
func (d *Local) hashNew(ctx context.Context, u *storage.User, password string) error {
	if err := CheckNew(password, u.Email, u.Login, u.Name, d.o.Product); err != nil {
		return err
	}
	leave, err := d.slot(ctx)
	if err != nil {
		return err
	}
	defer leave()
	canon, _ := canonical(password)
	if u.Password, err = d.o.Hasher.Hash(d.o.Hasher.Settings(d.saltOf(*u)), canon); err != nil {
		return fmt.Errorf("directory: hash password: %w", err)
	}
	u.PasswordSet = d.o.Now()
	return nil
}
