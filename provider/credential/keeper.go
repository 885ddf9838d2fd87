package credential

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/storage"
)

// Sealer seals under a tenant's key.
type Sealer interface {
	SealFor(ctx context.Context, tenant, purpose string, plain []byte) ([]byte, error)
	OpenFor(ctx context.Context, tenant, purpose string, sealed []byte) ([]byte, error)
}

// Keeper enrols, challenges and verifies the factors of users. What factors remember it seals and stores, and
// whatever a factor accepts it spends by compare-and-swap, so that no answer is good twice.
type Keeper struct {
	Credentials storage.Table[storage.Credential]
	// Users are told which factors they have: User.Factors.
	Users    storage.Table[storage.User]
	Counters storage.Table[storage.Counter]
	Seal     Sealer
	// Factors are those that can be used, the best first.
	Factors []mfa.Factor
	// Product is the name that authenticator apps show for tenants that have none.
	Product string
	// Logger hears where User.Factors could not be brought up to date; nil is slog.Default.
	Logger *slog.Logger
	Now    func() time.Time
}

// Purposes of what is sealed. One kind of secret can't be passed off as another.
const (
	sealCredential = "credential"
	sealChallenge  = "challenge"
	sealEnrolment  = "enrolment"
	sealCodes      = "codes"
)

// purposeOf binds what a credential holds to its place: moved to another user's record, or another factor's, it does
// not open.
func purposeOf(c storage.Credential) string {
	return sealCredential + "/" + c.User + "/" + c.Factor + "/" + c.ID
}

// pendingLife is how long a challenge or a set-up waits for its answer.
const pendingLife = 15 * time.Minute

var (
	// ErrUnknownFactor: there is no factor of that ID, or the user has none of it.
	ErrUnknownFactor = errors.New("credential: no such factor")
	// ErrNothingPending: there is no challenge or set-up under way, or its time is over.
	ErrNothingPending = errors.New("credential: nothing waits for an answer")
	// ErrOff: the factor is off after too many wrong answers in a row.
	ErrOff = errors.New("credential: factor is off")
)

// Locked refuses all answers until a time, because too many were wrong.
type Locked struct{ Until time.Time }

// Error implements error.
func (l *Locked) Error() string { return "credential: locked until " + l.Until.Format(time.RFC3339) }

// Factor finds a factor by its ID.
func (k *Keeper) Factor(id string) (mfa.Factor, error) {
	for _, f := range k.Factors {
		if f.Info().ID == id {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%w: %q", ErrUnknownFactor, id)
}

// List returns all of a user's credentials. Those of factors that this deployment no longer has are left out.
func (k *Keeper) List(ctx context.Context, p Person) ([]storage.Credential, error) {
	all, err := k.Credentials.List(ctx, storage.Query{Tenant: p.User.Tenant, Field: "user", Value: p.User.ID, Limit: 1000})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(c storage.Credential) bool {
		_, err := k.Factor(c.Factor)
		return err != nil
	}), nil
}

// Get reads one credential of the user's.
func (k *Keeper) Get(ctx context.Context, p Person, id string) (storage.Credential, error) {
	c, err := k.Credentials.Get(ctx, p.User.Tenant, id)
	if err == nil && c.User != p.User.ID {
		return storage.Credential{}, storage.ErrNotFound
	}
	return c, err
}

// Rename gives a credential the user's own name for it.
func (k *Keeper) Rename(ctx context.Context, p Person, id, name string) (storage.Credential, error) {
	return storage.Change(ctx, k.Credentials, p.User.Tenant, id, func(c *storage.Credential) error {
		if c.User != p.User.ID {
			return storage.ErrNotFound
		}
		c.Name = name
		return nil
	})
}

// Primary keeps the credentials that are a second step by themselves, and not only a stand-in for one.
func (k *Keeper) Primary(all []storage.Credential) []storage.Credential {
	return slices.DeleteFunc(slices.Clone(all), func(c storage.Credential) bool {
		f, err := k.Factor(c.Factor)
		return err != nil || f.Info().Backup
	})
}

// DailyMessages is how many messages that are paid for a tenant may have sent a day, if one of the factors sends any.
func (k *Keeper) DailyMessages(t *storage.Tenant) (most int, offered bool, err error) {
	for _, f := range k.Factors {
		if f, ok := f.(interface{ Daily(u mfa.User) (int, error) }); ok {
			most, err = f.Daily(k.user(Person{Tenant: t, User: &storage.User{}}, nil))
			return most, true, err
		}
	}
	return 0, false, nil
}

// user is what a factor may know of the person; held are the credentials of that factor, where it is to know them.
func (k *Keeper) user(p Person, held []mfa.Credential) mfa.User {
	account := p.User.Email
	if account == "" {
		account = p.User.Login
	}
	options := map[string]string{}
	if d := p.Tenant.Settings.TOTPDigits; d != 0 {
		options["totp.digits"] = strconv.Itoa(d)
	}
	if a := p.Tenant.Settings.TOTPAlgorithm; a != "" {
		options["totp.algorithm"] = a
	}
	if n := p.Tenant.Settings.BackupCodes; n != 0 {
		options["backup.codes"] = strconv.Itoa(n)
	}
	if c := p.Tenant.Settings.SMSCountries; len(c) > 0 {
		options["sms.countries"] = strings.Join(c, ",")
	}
	if n := p.Tenant.Settings.SMSBudget; n != 0 {
		options["sms.budget"] = strconv.Itoa(n)
	}
	// The tenant's name tells apart the accounts that one person has with several tenants.
	issuer := p.Tenant.Name
	if issuer == "" {
		issuer = k.Product
	}
	return mfa.User{
		Tenant: p.User.Tenant, ID: p.User.ID, Account: account, Issuer: issuer, Lang: cmp.Or(p.Lang, p.User.Locale), Options: options, Held: held,
	}
}

// holder is the user who sets a factor up, with the credentials of it that there are already.
func (k *Keeper) holder(ctx context.Context, p Person, factor string) (mfa.User, error) {
	all, err := k.List(ctx, p)
	if err != nil {
		return mfa.User{}, err
	}
	_, creds, err := k.open(ctx, all, factor)
	return k.user(p, creds), err
}

// open unseals the credentials of one factor.
func (k *Keeper) open(ctx context.Context, all []storage.Credential, factor string) (map[string]storage.Credential, []mfa.Credential, error) {
	kept := map[string]storage.Credential{}
	var creds []mfa.Credential
	for _, c := range all {
		if c.Factor != factor {
			continue
		}
		data, err := k.Seal.OpenFor(ctx, c.Tenant, purposeOf(c), c.Data)
		if err != nil {
			return nil, nil, fmt.Errorf("credential %s: %w", c.ID, err)
		}
		kept[c.ID] = c
		creds = append(creds, mfa.Credential{ID: c.ID, Name: c.Name, Note: c.Note, Data: data, Left: c.Left, Expires: c.Expires})
	}
	return kept, creds, nil
}

// over tells whether a question can't be answered any more.
func (k *Keeper) over(ch mfa.Challenge) bool {
	return !ch.Prompt.Until.IsZero() && !k.Now().Before(ch.Prompt.Until)
}

// sealJSON seals for one user: what is sealed for another, or for another purpose, does not open.
func (k *Keeper) sealJSON(ctx context.Context, p Person, purpose string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return k.Seal.SealFor(ctx, p.User.Tenant, purpose+"/"+p.User.ID, plain)
}

func (k *Keeper) openJSON(ctx context.Context, p Person, purpose string, sealed []byte, v any) error {
	plain, err := k.Seal.OpenFor(ctx, p.User.Tenant, purpose+"/"+p.User.ID, sealed)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, v)
}

// Tell tells a user of a change on every device that a factor of the user's reaches. held are the credentials, which may
// be gone by now.
func (k *Keeper) Tell(ctx context.Context, p Person, held []storage.Credential, text string) error {
	var failed error
	for _, f := range k.Factors {
		m, ok := f.(mfa.Messenger)
		if !ok {
			continue
		}
		_, creds, err := k.open(ctx, held, f.Info().ID)
		if err == nil && len(creds) > 0 {
			err = m.Tell(ctx, k.user(p, nil), creds, text)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}
