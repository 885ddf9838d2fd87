package directory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// Directory is who the users are.
type Directory interface {
	// Lookup returns the users that answer to a login (e-mail or user name, in any case), of one tenant, or of all when
	// tenant is "". None is no error.
	Lookup(ctx context.Context, tenant, login string) ([]storage.User, error)
	// Check returns those of users whose password it is, as they are in storage after it. Disabled users have none.
	// It takes as long for no users at all as for one, however many tenants they are in. What does not hold: for users whose
	// hash an import brought along it takes as long as that hash does, until their first sign-in replaces it. ErrBusy.
	Check(ctx context.Context, users []storage.User, password string) ([]storage.User, error)
	// SetPassword gives u, as last read, a new password, in storage and in *u. *PasswordError if it is not good enough,
	// ErrBusy, storage.ErrConflict.
	SetPassword(ctx context.Context, u *storage.User, password string) error
}

// Errors that callers tell apart; see also *FieldError and *PasswordError.
var (
	// ErrBusy: too many passwords are being checked; it may be tried again in a moment.
	ErrBusy = errors.New("directory: busy with other passwords")
	// ErrTaken: another user of the tenant answers to this e-mail address or user name. It comes within a *FieldError.
	ErrTaken = errors.New("directory: taken")
	// ErrCrowded: maxPerLogin users in other tenants answer to it already. It comes within a *FieldError.
	ErrCrowded = errors.New("directory: too many users answer to it")
)

// Options may all be left out.
type Options struct {
	// Now is the clock; nil means time.Now.
	Now    func() time.Time
	Logger *slog.Logger
	// Hasher makes new passwords' hashes; nil means argon2id, m=19 MiB, t=2, p=1.
	Hasher Hasher
	// Workers is how many passwords are hashed at a time: GOMAXPROCS when 0. More would take longer each.
	Workers int
	// Wait is how long a password waits for its turn before ErrBusy: 2 s when 0.
	Wait time.Duration
	// Product is the name of the product or company, which is no good password.
	Product string
}

// Local is the built-in Directory: users are in our own storage, and their passwords too.
type Local struct {
	store storage.Store
	salt  []byte
	o     Options
	slots chan struct{}
}

var _ Directory = (*Local)(nil)

// minSaltKey is the least length in bytes of the key that salts are derived with.
const minSaltKey = 16

// New returns the directory of the users in store. saltKey is a secret of the deployment that never changes (from
// keys.Derive); the salts of passwords are derived with it.
func New(store storage.Store, saltKey []byte, o Options) (*Local, error) {
	if len(saltKey) < minSaltKey {
		return nil, fmt.Errorf("directory: salt key has %d bytes, wants at least %d", len(saltKey), minSaltKey)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Hasher == nil {
		o.Hasher = Argon2id{}
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Wait <= 0 {
		o.Wait = 2 * time.Second
	}
	return &Local{store: store, salt: saltKey, o: o, slots: make(chan struct{}, o.Workers)}, nil
}

// Lookup implements Directory.
func (d *Local) Lookup(ctx context.Context, tenant, login string) ([]storage.User, error) {
	name, err := Normalize(login)
	if err != nil {
		// What can't be a login is nobody's, and costs what an unknown one does.
		name = storage.NewID()
	}
	claim, err := d.store.Logins.Get(ctx, storage.Global, name)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, fmt.Errorf("directory: look up login: %w", err)
	}
	var users []storage.User
	asked := false
	for _, who := range claim.Users {
		if tenant != "" && who.Tenant != tenant {
			continue
		}
		asked = true
		u, err := d.store.Users.Get(ctx, who.Tenant, who.User)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, fmt.Errorf("directory: look up login: %w", err)
		}
		// A claim outlives its user's change of name where a process died in between; it lets nobody in.
		if err == nil && (u.Email == name || u.Login == name) {
			users = append(users, u)
		}
	}
	if !asked {
		// An unknown login costs two reads as a known one does.
		_, err := d.store.Users.Get(ctx, storage.Global, storage.NewID())
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, fmt.Errorf("directory: look up login: %w", err)
		}
	}
	return users, nil
}

// slot waits for one of the places in which passwords are hashed. The caller calls leave once it is done.
func (d *Local) slot(ctx context.Context) (leave func(), err error) {
	leave = func() { <-d.slots }
	select {
	case d.slots <- struct{}{}:
		return leave, nil
	default:
	}
	wait := time.NewTimer(d.o.Wait)
	defer wait.Stop()
	select {
	case d.slots <- struct{}{}:
		return leave, nil
	case <-wait.C:
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, fmt.Errorf("directory: wait for a turn: %w", ctx.Err())
	}
}
