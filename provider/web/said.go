package web

import (
	"encoding/json"
	"net/url"
	"time"

	"github.com/sallyport-id/sallyport/ui"
)

// Said carries a notice of what was just done to the page that comes next. It travels sealed in the address, so that no
// link can make our pages say things.
type Said struct {
	// Keys seals; keys.Keys does.
	Keys interface {
		Seal(purpose string, ttl time.Duration, plain []byte) (string, error)
		Open(purpose, sealed string) ([]byte, error)
	}
}

const (
	sealNotice = "notice"
	noticeLife = time.Minute
)

// Go leads to a path, whose operation takes the notice from its field "notice".
func (s Said) Go(path string, t ui.Text) (Result, error) {
	plain, err := json.Marshal(t)
	if err != nil {
		return Result{}, err
	}
	sealed, err := s.Keys.Seal(sealNotice, noticeLife, plain)
	if err != nil {
		return Result{}, err
	}
	return Go(path + "?" + url.Values{"notice": {sealed}}.Encode()), nil
}

// Read opens a notice; one that is too old has nothing to say any more.
func (s Said) Read(sealed string) (t ui.Text) {
	if sealed == "" {
		return ui.Text{}
	}
	plain, err := s.Keys.Open(sealNotice, sealed)
	if err != nil || json.Unmarshal(plain, &t) != nil {
		return ui.Text{}
	}
	return t
}
