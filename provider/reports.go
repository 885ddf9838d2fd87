package provider

import (
	"errors"
	"net/http"

	"github.com/sallyport-id/sallyport/mfa/sms"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// longestReport bounds what a gateway may post, in bytes.
const longestReport = 16 << 10

// reports is where SMS gateways tell what became of messages, if one of the factors can hear it.
func (p *Provider) reports() []web.Route {
	for _, f := range p.factors {
		if r, ok := f.(sms.Reporter); ok {
			return []web.Route{{
				Method: http.MethodPost, Path: sms.CallbackPath, CrossOrigin: true,
				Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { p.report(w, req, r) }),
			}}
		}
	}
	return nil
}

// report puts a message that was not delivered into the tenant's audit log. Only what the gateway signed is believed.
func (p *Provider) report(w http.ResponseWriter, req *http.Request, from sms.Reporter) {
	req.Body = http.MaxBytesReader(w, req.Body, longestReport)
	public := p.issuer.JoinPath(sms.CallbackPath).String()
	if q := req.URL.RawQuery; q != "" {
		public += "?" + q
	}
	r, err := from.Report(req, public)
	if errors.Is(err, sms.ErrForged) {
		p.config.Logger.WarnContext(req.Context(), "report on an SMS refused", "error", err)
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if err == nil && r.Failed {
		err = p.audit.Record(req.Context(), storage.Event{
			Key: storage.Key{Tenant: r.Tenant}, Action: "factor.delivery", Outcome: "failed", User: r.User, Factor: sms.ID,
			Reason: "gateway says " + r.Status + " " + r.Code,
		})
	}
	if err != nil {
		p.config.Logger.ErrorContext(req.Context(), "report on an SMS not taken", "error", err)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
