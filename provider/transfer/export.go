package transfer

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// ExportOptions are how an export goes.
type ExportOptions struct {
	Format Format
	// Hashes takes the password hashes along. They are as secret as the passwords of all who chose badly: for operators
	// only.
	Hashes bool
	// Progress is told how many users were written, after each page. nil: nobody is told.
	Progress func(users int)
}

// exported is a user as the file has it.
type exported struct {
	ID            string    `json:"id"`
	Email         string    `json:"email,omitempty"`
	EmailVerified bool      `json:"email_verified"`
	Login         string    `json:"login,omitempty"`
	Name          string    `json:"name"`
	Role          string    `json:"role"`
	Type          string    `json:"type"`
	Require2FA    bool      `json:"require_2fa"`
	Locale        string    `json:"locale,omitempty"`
	Disabled      bool      `json:"disabled"`
	Locked        time.Time `json:"locked,omitzero"`
	Created       time.Time `json:"created"`
	LastSignIn    time.Time `json:"last_sign_in,omitzero"`
	// TwoFactor are the IDs of the factors that are set up.
	TwoFactor    []string `json:"two_factor"`
	PasswordHash string   `json:"password_hash,omitempty"`
}

// columns are the header of a CSV file; the last one is there with hashes only.
func columns() []string {
	return []string{
		"id", "email", "email_verified", "login", "name", "role", "type", "require_2fa", "locale", "disabled", "locked", "created",
		"last_sign_in", "two_factor", "password_hash",
	}
}

func (e *exported) cells() []string {
	return []string{
		e.ID, e.Email, strconv.FormatBool(e.EmailVerified), e.Login, e.Name, e.Role, e.Type, strconv.FormatBool(e.Require2FA), e.Locale,
		strconv.FormatBool(e.Disabled), instant(e.Locked), instant(e.Created), instant(e.LastSignIn), strings.Join(e.TwoFactor, " "),
		e.PasswordHash,
	}
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// exportPage is how many users are read at a time.
const exportPage = 500

// Export writes all users of a tenant, for its owners, its own programs and operators, by their IDs, in bounded memory, and
// returns how many. Which second steps a user has is told, but no secret of theirs. What Export wrote, Import reads.
// *web.Invalid, web.ErrForbidden, *web.Denied, or an error of w's or the store's.
func (s *Service) Export(ctx context.Context, by *web.Actor, tenant string, w io.Writer, o ExportOptions) (int, error) {
	a, err := s.admit(ctx, by, tenant)
	if err != nil {
		return 0, err
	}
	if o.Hashes && !a.trusted {
		return 0, noHashes()
	}
	row, end, err := writing(w, o)
	if err != nil {
		return 0, err
	}
	e := about(by, tenant, "users.export")
	if o.Hashes {
		e.Reason = "with password hashes"
	}
	if err := s.c.Audit.Record(ctx, e); err != nil {
		return 0, fmt.Errorf("nothing was exported, because it could not be put into the audit log: %w", err)
	}
	n := 0
	for q := (storage.Query{Tenant: tenant, Limit: exportPage}); ; {
		page, err := s.c.Store.Users.List(ctx, q)
		if err != nil {
			return n, web.Unavailable("users", err)
		}
		for i := range page {
			// One whose import is under way is not a user yet.
			if !page[i].Expires.IsZero() {
				continue
			}
			line, err := s.export(ctx, a.tenant, &page[i], o.Hashes)
			if err != nil {
				return n, err
			}
			if err := row(line); err != nil {
				return n, fmt.Errorf("write: %w", err)
			}
			n++
		}
		if o.Progress != nil {
			o.Progress(n)
		}
		if len(page) < exportPage {
			break
		}
		q.After = page[len(page)-1].ID
	}
	if err := end(); err != nil {
		return n, fmt.Errorf("write: %w", err)
	}
	return n, nil
}

// Download is Export for pages and programs.
func (s *Service) Download(ctx context.Context, by *web.Actor, tenant string, o ExportOptions) (web.Download, error) {
	a, err := s.admit(ctx, by, tenant)
	switch {
	case err != nil:
		return web.Download{}, err
	case o.Hashes && !a.trusted:
		return web.Download{}, noHashes()
	case o.Format != CSV && o.Format != JSONLines:
		return web.Download{}, noFormat(o.Format)
	}
	kind := o.Format.Media()
	if o.Format == CSV {
		kind += "; charset=utf-8"
	}
	return web.Download{
		Type: kind, Name: fmt.Sprintf("users-%s-%s.%s", tenant, s.c.Now().UTC().Format(time.DateOnly), o.Format),
		Write: func(w io.Writer) error {
			out := bufio.NewWriterSize(w, 32<<10)
			if _, err := s.Export(ctx, by, tenant, out, o); err != nil {
				return err
			}
			return out.Flush()
		},
	}, nil
}

func noHashes() error {
	return web.Refuse("hashes", "operator", "only operators take password hashes out", "leave it out")
}

// writing returns what writes a user, and what ends the file.
func writing(w io.Writer, o ExportOptions) (row func(*exported) error, end func() error, _ error) {
	switch o.Format {
	case JSONLines:
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		return func(u *exported) error { return e.Encode(u) }, func() error { return nil }, nil
	case CSV:
		c := csv.NewWriter(w)
		put := func(cells []string) error {
			if !o.Hashes {
				cells = cells[:len(cells)-1]
			}
			return c.Write(cells)
		}
		row = func(u *exported) error {
			cells := u.cells()
			for i := range cells {
				cells[i] = storage.SheetCell(cells[i])
			}
			return put(cells)
		}
		end = func() error {
			c.Flush()
			return c.Error()
		}
		return row, end, put(columns())
	default:
		return nil, nil, noFormat(o.Format)
	}
}

func (s *Service) export(ctx context.Context, t *storage.Tenant, u *storage.User, hashes bool) (*exported, error) {
	held, err := s.c.Credentials.List(ctx, person(t, u))
	if err != nil {
		return nil, fmt.Errorf("factors of user %s: %w", u.ID, err)
	}
	factors := []string{}
	for _, c := range s.c.Credentials.Primary(held) {
		if !slices.Contains(factors, c.Factor) {
			factors = append(factors, c.Factor)
		}
	}
	slices.Sort(factors)
	line := &exported{
		ID: u.ID, Email: u.Email, EmailVerified: u.EmailVerified, Login: u.Login, Name: u.Name, Role: string(u.Role), Type: u.Type,
		Require2FA: u.Require2FA, Locale: u.Locale, Disabled: u.Disabled, Locked: u.Locked, Created: u.Created, LastSignIn: u.LastSignIn,
		TwoFactor: factors,
	}
	if hashes {
		line.PasswordHash = u.Password
	}
	return line, nil
}
