package webauthn

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/sallyport-id/sallyport/mfa"
)

// person is a user as the library wants it.
type person struct {
	handle        []byte
	name, display string
	passkeys      []webauthn.Credential
}

func (p person) WebAuthnID() []byte                         { return p.handle }
func (p person) WebAuthnName() string                       { return p.name }
func (p person) WebAuthnDisplayName() string                { return p.display }
func (p person) WebAuthnCredentials() []webauthn.Credential { return p.passkeys }

func personOf(u mfa.User) (person, error) {
	h, err := handle(u.Tenant, u.ID)
	if err != nil {
		return person{}, err
	}
	name := u.Account
	if name == "" {
		name = u.ID
	}
	return person{handle: h, name: name, display: name}, nil
}

// Enroll asks the browser to make a passkey. Prompt.Options is a PublicKeyCredentialCreationOptionsJSON; the
// authenticators of u.Held are excluded, so that nobody makes two passkeys where one would do. It fails for a user
// whose IDs don't fit a user handle.
func (f Factor) Enroll(ctx context.Context, u mfa.User, _ string) (mfa.Challenge, error) {
	if err := f.ready(u); err != nil {
		return mfa.Challenge{}, err
	}
	p, err := personOf(u)
	if err != nil {
		return mfa.Challenge{}, err
	}
	var held []protocol.CredentialDescriptor
	for _, c := range u.Held {
		r, err := open(c, u)
		if err != nil {
			// A passkey that can't be read must not keep the user from making another.
			f.logger.LogAttrs(ctx, slog.LevelWarn, "passkey not excluded", slog.String("cause", err.Error()))
			continue
		}
		passkey := r.credential()
		held = append(held, passkey.Descriptor())
	}
	options, session, err := f.lib.BeginRegistration(p, webauthn.WithCredentialParameters(algorithms()), webauthn.WithExclusions(held))
	if err != nil {
		return mfa.Challenge{}, fmt.Errorf("webauthn: beginning a registration: %w", err)
	}
	return f.put(options.Response, session.Challenge, state{For: forSetup, Tenant: u.Tenant, User: u.ID})
}

// Challenge asks for an assertion by one of creds. Prompt.Options is a PublicKeyCredentialRequestOptionsJSON.
func (f Factor) Challenge(_ context.Context, u mfa.User, creds []mfa.Credential) (mfa.Challenge, error) {
	if err := f.ready(u); err != nil {
		return mfa.Challenge{}, err
	}
	p, err := personOf(u)
	if err != nil {
		return mfa.Challenge{}, err
	}
	s := state{For: forSignIn, Tenant: u.Tenant, User: u.ID}
	failed := errNoCredential
	for _, c := range creds {
		r, err := open(c, u)
		switch {
		case err != nil:
			// A passkey that can't be read must not keep the user from signing in with another.
			failed = err
		case !f.may(r):
			failed = errNotAllowed
		default:
			p.passkeys = append(p.passkeys, r.credential())
			s.Allowed = append(s.Allowed, r.ID)
		}
	}
	if len(p.passkeys) == 0 {
		return mfa.Challenge{}, failed
	}
	options, session, err := f.lib.BeginLogin(p)
	if err != nil {
		return mfa.Challenge{}, fmt.Errorf("webauthn: beginning an assertion: %w", err)
	}
	return f.put(options.Response, session.Challenge, s)
}

// Discover implements mfa.Discoverer. Prompt.Options is a PublicKeyCredentialRequestOptionsJSON that any passkey of
// the relying party answers.
func (f Factor) Discover(context.Context) (mfa.Challenge, error) {
	if f.lib == nil {
		return mfa.Challenge{}, errNotIn
	}
	options, session, err := f.lib.BeginDiscoverableLogin()
	if err != nil {
		return mfa.Challenge{}, fmt.Errorf("webauthn: beginning an assertion: %w", err)
	}
	return f.put(options.Response, session.Challenge, state{For: forDiscover})
}

var (
	errNotIn        = errors.New("webauthn: the factor was not told its deployment: call In")
	errNoCredential = errors.New("webauthn: the user has no passkey")
	errNotAllowed   = errors.New("webauthn: the user has no passkey of a model that is allowed")
)

// put makes a challenge of the options for the browser and the state that waits for its answer.
func (f Factor) put(options any, challenge string, s state) (mfa.Challenge, error) {
	shown, err := json.Marshal(options)
	if err != nil {
		return mfa.Challenge{}, fmt.Errorf("webauthn: encoding the options: %w", err)
	}
	if s.Challenge, err = base64.RawURLEncoding.DecodeString(challenge); err != nil {
		return mfa.Challenge{}, fmt.Errorf("webauthn: reading the challenge: %w", err)
	}
	s.Factor, s.Put = ID, f.Now().UTC()
	kept, err := mfa.Pack(s)
	if err != nil {
		return mfa.Challenge{}, err
	}
	return mfa.Challenge{Prompt: mfa.Prompt{Options: shown, Until: s.Put.Add(Life), Input: f.Info().Input}, State: kept}, nil
}

// session is s as the library wants it.
func (f Factor) session(s state, p person) webauthn.SessionData {
	return webauthn.SessionData{
		Challenge:        base64.RawURLEncoding.EncodeToString(s.Challenge),
		RelyingPartyID:   f.RPID,
		Origin:           f.origin,
		UserID:           p.handle,
		UserVerification: protocol.VerificationRequired,
		CredParams:       algorithms(),
	}
}

// Confirm takes the new passkey (WebAuthn section 7.1). answer is a RegistrationResponseJSON, what
// PublicKeyCredential.toJSON returns.
func (f Factor) Confirm(ctx context.Context, u mfa.User, ch mfa.Challenge, answer string) (mfa.Credential, error) {
	if err := f.ready(u); err != nil {
		return mfa.Credential{}, err
	}
	s, err := f.read(ch, u, forSetup)
	if err != nil {
		return mfa.Credential{}, err
	}
	if answer, err = f.Info().Input.Clean(answer); err != nil {
		return mfa.Credential{}, err
	}
	p, err := personOf(u)
	if err != nil {
		return mfa.Credential{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return mfa.Credential{}, f.refuse(ctx, mfa.Format, err)
	}
	if origin := parsed.Response.CollectedClientData.Origin; origin != f.origin {
		return mfa.Credential{}, f.refuse(ctx, mfa.Mismatch, originError(origin, f.origin))
	}
	made, err := f.lib.CreateCredential(p, f.session(s, p), parsed)
	if err != nil {
		return mfa.Credential{}, f.refuse(ctx, mfa.Mismatch, err)
	}
	r := record{
		Tenant: u.Tenant, User: u.ID,
		ID: made.ID, Key: made.PublicKey, Format: made.AttestationFormat,
		AAGUID: made.Authenticator.AAGUID, Count: made.Authenticator.SignCount,
		Eligible: made.Flags.BackupEligible, BackedUp: made.Flags.BackupState,
	}
	for _, t := range made.Transport {
		r.Transports = append(r.Transports, string(t))
	}
	if r.Attested, err = f.attest(parsed.Response.AttestationObject); err != nil {
		return mfa.Credential{}, f.refuse(ctx, mfa.Mismatch, err)
	}
	if !f.may(r) {
		return mfa.Credential{}, f.refuse(ctx, mfa.Mismatch, errNotAllowed)
	}
	for _, c := range u.Held {
		if old, err := open(c, u); err == nil && bytes.Equal(old.ID, r.ID) {
			return mfa.Credential{}, &mfa.Wrong{Reason: mfa.Used}
		}
	}
	return r.keep(mfa.Credential{ID: strings.ToLower(rand.Text()), Name: "Passkey", Left: -1})
}

// Verify checks an assertion (WebAuthn section 7.2), to a question of Challenge or Discover. answer is an
// AuthenticationResponseJSON. A counter that went back is refused, and noted in the credential that comes with the
// *mfa.Wrong; later assertions with a higher one pass, and the note stays.
func (f Factor) Verify(ctx context.Context, u mfa.User, creds []mfa.Credential, ch mfa.Challenge, answer string) (mfa.Credential, error) {
	if err := f.ready(u); err != nil {
		return mfa.Credential{}, err
	}
	if len(creds) == 0 {
		return mfa.Credential{}, errNoCredential
	}
	s, err := f.read(ch, u, forSignIn, forDiscover)
	if err != nil {
		return mfa.Credential{}, err
	}
	if answer, err = f.Info().Input.Clean(answer); err != nil {
		return mfa.Credential{}, err
	}
	p, err := personOf(u)
	if err != nil {
		return mfa.Credential{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return mfa.Credential{}, f.refuse(ctx, mfa.Format, err)
	}
	if err := f.fits(parsed, s, p); err != nil {
		return mfa.Credential{}, f.refuse(ctx, mfa.Mismatch, err)
	}
	c, r, err := f.find(ctx, u, creds, parsed.RawID)
	if err != nil {
		return mfa.Credential{}, err
	}
	p.passkeys = []webauthn.Credential{r.credential()}
	after, err := f.lib.ValidateLogin(p, f.session(s, p), parsed)
	if err != nil {
		return mfa.Credential{}, f.refuse(ctx, mfa.Mismatch, err)
	}
	if err := r.spend(s, f.Now()); err != nil {
		return mfa.Credential{}, err
	}
	if after.Authenticator.CloneWarning {
		r.Copied = true
		kept, err := r.keep(c)
		if err != nil {
			return mfa.Credential{}, err
		}
		return kept, f.refuse(ctx, mfa.Mismatch, errors.New("the counter went back"))
	}
	r.Count, r.BackedUp = after.Authenticator.SignCount, after.Flags.BackupState
	if c, err = r.keep(c); err != nil {
		return mfa.Credential{}, err
	}
	c.Whole = true
	return c, nil
}

// fits tells whether an assertion is to the question of s, as far as the library leaves it to us.
func (f Factor) fits(a *protocol.ParsedCredentialAssertionData, s state, p person) error {
	named := a.Response.UserHandle
	switch origin := a.Response.CollectedClientData.Origin; {
	case origin != f.origin:
		return originError(origin, f.origin)
	case s.For == forDiscover && len(named) == 0:
		return errors.New("the answer names nobody")
	case len(named) > 0 && !bytes.Equal(named, p.handle):
		return errors.New("the answer names another user")
	case s.For == forSignIn && !slices.ContainsFunc(s.Allowed, func(id []byte) bool { return bytes.Equal(id, a.RawID) }):
		return errors.New("the answer is of a passkey that was not asked for")
	}
	return nil
}

// find returns the passkey that has the ID.
func (f Factor) find(ctx context.Context, u mfa.User, creds []mfa.Credential, id []byte) (mfa.Credential, record, error) {
	var failed error
	for _, c := range creds {
		r, err := open(c, u)
		switch {
		case err != nil:
			failed = errors.Join(failed, err)
		case !bytes.Equal(r.ID, id):
		case !f.may(r):
			return mfa.Credential{}, record{}, f.refuse(ctx, mfa.Mismatch, errNotAllowed)
		default:
			return c, r, nil
		}
	}
	if failed != nil {
		// It may be the passkey that could not be read: saying "wrong" would be a guess.
		return mfa.Credential{}, record{}, failed
	}
	return mfa.Credential{}, record{}, f.refuse(ctx, mfa.Mismatch, errors.New("the user has no such passkey"))
}

// Whose implements mfa.Discoverer: it reads the answer's user handle.
func (f Factor) Whose(answer string) (tenant, user string, err error) {
	if answer, err = f.Info().Input.Clean(answer); err != nil {
		return "", "", err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return "", "", &mfa.Wrong{Reason: mfa.Format}
	}
	tenant, user, ok := whose(parsed.Response.UserHandle)
	if !ok {
		return "", "", &mfa.Wrong{Reason: mfa.Mismatch}
	}
	return tenant, user, nil
}

// refuse says no for a cause that only the log tells: an operator has to learn of a wrong origin, which no user can
// mend.
func (f Factor) refuse(ctx context.Context, reason mfa.Reason, cause error) error {
	f.logger.LogAttrs(ctx, slog.LevelInfo, "passkey refused", slog.String("cause", cause.Error()))
	return &mfa.Wrong{Reason: reason}
}

func originError(got, want string) error {
	return fmt.Errorf("the answer is of the origin %.100q, not %q", got, want)
}
