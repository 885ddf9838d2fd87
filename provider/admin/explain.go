package admin

import (
	"errors"
	"fmt"

	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

func taken(field string, t *storage.Tenant) error {
	return &web.Invalid{
		What: fmt.Sprintf("another user of tenant %q answers to it", t.ID), Where: field, Code: directory.Taken,
		Do: "choose another, or change that user", Err: storage.ErrExists,
	}
}

// explain puts the directory's refusals into words.
func (s *Service) explain(t *storage.Tenant, err error) error {
	var field *directory.FieldError
	var password *directory.PasswordError
	switch {
	case errors.As(err, &field) && field.Reason == directory.Taken:
		return taken(field.Field, t)
	case errors.As(err, &field):
		words, ok := fieldWords[field.Reason]
		if !ok {
			words = [2]string{field.Reason, "give another"}
		}
		return invalidAs(field.Field, field.Reason, words[0], words[1])
	case errors.As(err, &password):
		words, ok := passwordWords[password.Reason]
		if !ok {
			words = [2]string{password.Reason, "choose another"}
		}
		return invalidAs("password", password.Reason, words[0], words[1])
	default:
		return err
	}
}

var fieldWords = map[string][2]string{
	directory.Missing: {"it is empty", "give one"},
	directory.TooLong: {"it is too long", "shorten it"},
	directory.Charset: {"it holds characters that are not allowed there", "use letters, digits and . _ + - only"},
	directory.Syntax:  {"it is not an e-mail address", "write it as name@example.com"},
	directory.Unknown: {"there is no such value", "choose one that the tenant has"},
	directory.Crowded: {"too many users of other tenants answer to it", "choose another"},
}

var passwordWords = map[string][2]string{
	directory.TooShort: {"it is too short", fmt.Sprintf("use %d characters or more", directory.MinPassword)},
	directory.TooLong:  {"it is too long", fmt.Sprintf("use %d characters at most", directory.MaxPassword)},
	directory.Charset:  {"it is not text in UTF-8", "type it anew"},
	directory.Common:   {"it is one that many people use and attackers try first", "choose a longer or rarer one"},
	directory.Personal: {"it hangs on the user's own name or address", "choose one that has nothing to do with them"},
}
