package twilio

import (
	"fmt"
	"net/http"

	"github.com/twilio/twilio-go/client"

	"github.com/sallyport-id/sallyport/mfa/sms"
)

// longestReport is the most that is read of a report, in bytes.
const longestReport = 64 << 10

// Report implements sms.Reporter: it reads a status callback, whose X-Twilio-Signature covers the public URL and all
// that was posted. The signature has no time, so a report that somebody could read can be repeated.
func (s *Sender) Report(r *http.Request, public string) (sms.Report, error) {
	if s.config.AuthToken == "" {
		return sms.Report{}, fmt.Errorf("%w: there is no AuthToken to check it with, so none was asked for", sms.ErrForged)
	}
	posted, err := form(r)
	if err != nil {
		return sms.Report{}, err
	}
	validator := client.NewRequestValidator(s.config.AuthToken)
	if !validator.Validate(public, posted, r.Header.Get("X-Twilio-Signature")) {
		return sms.Report{}, fmt.Errorf("%w: its signature is wrong", sms.ErrForged)
	}
	if posted["AccountSid"] != s.config.AccountSID {
		return sms.Report{}, fmt.Errorf("%w: it is of another account", sms.ErrForged)
	}
	report, err := sms.Whose(public)
	if err != nil {
		return sms.Report{}, err
	}
	report.Status, report.Code = posted["MessageStatus"], posted["ErrorCode"]
	if report.Status == "" {
		return sms.Report{}, fmt.Errorf("%w: it tells no status", sms.ErrForged)
	}
	report.Failed = failed(report.Status)
	return report, nil
}

// form reads what was posted. A name that stands twice is refused: the library signs the first value only.
func form(r *http.Request) (map[string]string, error) {
	if r.Method != http.MethodPost {
		return nil, fmt.Errorf("%w: it was not posted", sms.ErrForged)
	}
	if r.Body != nil {
		r.Body = http.MaxBytesReader(nil, r.Body, longestReport)
	}
	if err := r.ParseForm(); err != nil {
		return nil, fmt.Errorf("%w: it can't be read", sms.ErrForged)
	}
	posted := make(map[string]string, len(r.PostForm))
	for name, values := range r.PostForm {
		if len(values) != 1 {
			return nil, fmt.Errorf("%w: %d values have one name", sms.ErrForged, len(values))
		}
		posted[name] = values[0]
	}
	return posted, nil
}
