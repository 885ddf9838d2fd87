package provider

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"

	"github.com/sallyport-id/sallyport/provider/transfer"
	"github.com/sallyport-id/sallyport/provider/web"
)

// bring imports a file into a tenant; every line of it must do.
func (w *world) bring(tenant, file string) {
	w.t.Helper()
	totals, err := w.p.Transfer().Import(w.t.Context(), web.Operator(), tenant, strings.NewReader(file), transfer.Options{Format: transfer.CSV, Line: func(l transfer.Line) error {
		if l.Outcome != transfer.Created {
			w.t.Errorf("%+v", l)
		}
		return nil
	}})
	if err != nil || totals.Created == 0 {
		w.t.Fatalf("%+v, %v", totals, err)
	}
}

// hashesOf are hashes of the right password, of each kind that an import takes.
func hashesOf(t *testing.T, password string) map[string]string {
	t.Helper()
	salt := []byte("0123456789abcdef")
	b64 := base64.RawStdEncoding.EncodeToString
	must := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	crypted := string(must(bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)))
	s := must(scrypt.Key([]byte(password), salt, 1<<10, 8, 1, 32))
	p256 := must(pbkdf2.Key(sha256.New, password, salt, 1000, 32))
	return map[string]string{
		"bcrypt-2a":      "$2a" + crypted[3:],
		"bcrypt-2b":      "$2b" + crypted[3:],
		"bcrypt-2y":      "$2y" + crypted[3:],
		"scrypt":         "$scrypt$ln=10,r=8,p=1$" + b64(salt) + "$" + b64(s),
		"scrypt-django":  "scrypt$1024$" + string(salt) + "$8$1$" + base64.StdEncoding.EncodeToString(s),
		"pbkdf2-passlib": "$pbkdf2-sha256$1000$" + b64(salt) + "$" + strings.ReplaceAll(b64(p256), "+", "."),
		"pbkdf2-phc":     "$pbkdf2-sha256$i=1000,l=32$" + b64(salt) + "$" + b64(p256),
		"pbkdf2-django":  "pbkdf2_sha256$1000$" + string(salt) + "$" + base64.StdEncoding.EncodeToString(p256),
		"pbkdf2-sha512":  "$pbkdf2-sha512$1000$" + b64(salt) + "$" + b64(must(pbkdf2.Key(sha512.New, password, salt, 1000, 64))),
		"pbkdf2-sha1":    "$pbkdf2$1000$" + b64(salt) + "$" + b64(must(pbkdf2.Key(sha1.New, password, salt, 1000, 20))),
		"argon2i":        "$argon2i$v=19$m=64,t=3,p=1$" + b64(salt) + "$" + b64(argon2.Key([]byte(password), salt, 3, 64, 1, 32)),
		"argon2id":       "$argon2id$v=19$m=128,t=1,p=2$" + b64(salt) + "$" + b64(argon2.IDKey([]byte(password), salt, 1, 128, 2, 32)),
		"argon2id-short": "$argon2id$v=19$m=64,t=1,p=1$" + b64(salt) + "$" + b64(argon2.IDKey([]byte(password), salt, 1, 64, 1, 16)),
	}
}

// Other hashes are accepted at import and replaced at the next sign-in (security.md, Passwords).
func TestImportedHashSignsInAndIsReplaced(t *testing.T) {
	w := newWorld(t, realHash)
	a := w.app()
	hashes := hashesOf(t, rightPassword)
	file := "email\tname\temail_verified\tpassword_hash\n"
	for kind, hash := range hashes {
		file += fmt.Sprintf("%s@birch.example\tRobin\ttrue\t%s\n", kind, hash)
	}
	w.bring("birch", file)
	for kind, hash := range hashes {
		email := kind + "@birch.example"
		find := func() string {
			t.Helper()
			found, err := w.p.local.Lookup(t.Context(), "birch", email)
			if err != nil || len(found) != 1 {
				t.Fatal(found, err)
			}
			return found[0].Password
		}
		if got := find(); got != hash {
			t.Errorf("%s is kept as %q", kind, got)
		}
		b := w.browser()
		attempt := a.attempt()
		p := attempt.begin(b).is(atSignIn).submit("/signin", "login", email, "password", rightPassword+"r").is(atSignIn)
		if got := find(); got != hash {
			t.Errorf("%s: a wrong password changed the hash", kind)
		}
		attempt.redeem(p.signIn(email))
		renewed := find()
		if !strings.HasPrefix(renewed, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("%s is kept as %q after the sign-in", kind, renewed)
		}
		again := a.attempt()
		again.redeem(again.begin(w.browser()).signIn(email))
		if find() != renewed {
			t.Errorf("%s was hashed anew twice", kind)
		}
	}
}

// An imported key asks for its codes from the first sign-in on; a code from before the import is not good here.
func TestImportedKeyIsTheSecondStep(t *testing.T) {
	w := newWorld(t)
	a := w.app()
	const secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	w.bring("acme", "email,type,password_hash,totp\nrobin@acme.example,staff,"+hashesOf(t, rightPassword)["bcrypt-2b"]+
		",otpauth://totp/Old:robin?secret="+strings.ToLower(secret)+"&issuer=Old&algorithm=SHA1&digits=6&period=30\n")
	ph := &phone{t: t, w: w, secret: secret}
	seen := ph.code()
	attempt := a.attempt()
	p := attempt.begin(w.browser()).signIn("robin@acme.example").is(atCode)
	p = p.submit("/with/totp", "code", seen)
	if p.status != 422 {
		t.Errorf("a code that was seen before the import answers %d", p.status)
	}
	c, _ := attempt.redeem(p.submit("/with/totp", "code", ph.next()))
	if strings.Join(c.AMR, " ") != "pwd otp mfa" {
		t.Errorf("amr %v", c.AMR)
	}
	for _, secretly := range []string{secret, strings.ToLower(secret), "$2b$04$"} {
		if strings.Contains(w.log.String(), secretly) {
			t.Errorf("the log holds %q", secretly)
		}
	}
}
