package provider

import (
	"context"
	"net/http"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
)

const pingTime = 2 * time.Second

// health are the routes that load balancers and monitors ask: /healthz, whether the process answers; /readyz, whether
// its database does too.
func (p *Provider) health() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Path: "/healthz", CrossOrigin: true, Public: true, Handler: status(func(context.Context) error { return nil })},
		{Method: http.MethodGet, Path: "/readyz", CrossOrigin: true, Public: true, Handler: status(func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, pingTime)
			defer cancel()
			err := p.config.Store.Ping(ctx)
			if err != nil {
				p.config.Logger.ErrorContext(ctx, "not ready", "error", err)
			}
			return err
		})},
	}
}

func status(check func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if check(r.Context()) != nil {
			// What exactly is wrong is for the log, not for strangers.
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"status":"unavailable"}`))
			return
		}
		_, _ = w.Write([]byte(`{"status":"ok"}`))
	}
}
