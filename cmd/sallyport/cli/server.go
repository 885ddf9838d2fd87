package cli

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sallyport-id/sallyport/provider"
	"github.com/sallyport-id/sallyport/ui"
)

// Bounds on how long strangers can hold a connection, and on what they can make the server keep.
const (
	headerTime  = 10 * time.Second
	requestTime = 30 * time.Second
	answerTime  = 60 * time.Second
	idleTime    = 2 * time.Minute
	headerBytes = 32 << 10
	// stopTime is how long requests under way have to finish.
	stopTime = 10 * time.Second
)

// newEcho is the web application around a provider.
func newEcho(p *provider.Provider, issuer string, logger *slog.Logger) (*echo.Echo, error) {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	// What clients say of their own address is not believed; the provider looks at trusted proxies itself.
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = refused(logger)
	e.Use(recovered(logger))
	if err := p.Mount(e); err != nil {
		return nil, err
	}
	u, err := url.Parse(issuer)
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(u.Path, "/")
	e.GET(base+"/", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, base+ui.PathAccount) })
	e.RouteNotFound("/*", p.NotFound)
	return e, nil
}

// recovered answers 500 where the code panics, and logs where. Request and server live on.
func recovered(logger *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			defer func() {
				r := recover()
				if r == nil {
					return
				}
				if cause, ok := r.(error); ok && errors.Is(cause, http.ErrAbortHandler) {
					panic(r) //nolint:forbidigo // net/http's own way to drop a connection, on its way there.
				}
				id := rand.Text()
				logger.ErrorContext(c.Request().Context(), "panic", "request", id, "method", c.Request().Method,
					"path", c.Path(), "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
				if c.Response().Committed {
					return
				}
				err = c.String(http.StatusInternalServerError, "Something went wrong on our side. It is in the log as "+id+".\n")
			}()
			return next(c)
		}
	}
}

// refused answers what no route of the provider's did: in a plain sentence, or as problem details (RFC 9457) to who
// asks for JSON. What went wrong inside is for the log only.
func refused(logger *slog.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		ctx := c.Request().Context()
		status := http.StatusInternalServerError
		if known, ok := errors.AsType[*echo.HTTPError](err); ok && known.Code >= http.StatusBadRequest {
			status = known.Code
		}
		var detail string
		switch {
		case status == http.StatusNotFound:
			detail = "There is nothing here."
		case status < http.StatusInternalServerError:
			detail = "This request can’t be answered."
		default:
			id := rand.Text()
			logger.ErrorContext(ctx, "request failed", "request", id, "method", c.Request().Method, "path", c.Path(), "error", err)
			detail = "Something went wrong on our side. It is in the log as " + id + "."
		}
		if err := say(c, status, detail); err != nil {
			logger.DebugContext(ctx, "answer not taken", "error", err)
		}
	}
}

func say(c echo.Context, status int, detail string) error {
	c.Response().Header().Set("X-Content-Type-Options", "nosniff")
	accept := c.Request().Header.Get("Accept")
	switch {
	case c.Request().Method == http.MethodHead:
		return c.NoContent(status)
	case strings.Contains(accept, "text/html") || !strings.Contains(accept, "json"):
		return c.String(status, detail+"\n")
	}
	data, err := json.Marshal(map[string]any{
		"type": "about:blank", "status": status, "title": http.StatusText(status), "detail": detail,
	})
	if err != nil {
		return err
	}
	return c.Blob(status, "application/problem+json", data)
}

// listen opens an address, and says what to do where that fails.
func listen(ctx context.Context, address, where string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, finding{
			What: address + " is taken by another program", Where: where,
			Do: "stop that program, or choose another port; port 0 picks a free one",
		}
	case errors.Is(err, syscall.EACCES):
		return nil, finding{What: address + " may not be listened on", Where: where, Do: "choose a port from 1024 up, or give the program the right to use lower ones"}
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT):
		return nil, notHere{finding{
			What: err.Error(), Where: where, Do: "give an address of this machine and a port, such as 127.0.0.1:8080",
		}, err}
	default:
		return nil, finding{What: err.Error(), Where: where, Do: "give an address of this machine and a port, such as 127.0.0.1:8080"}
	}
}

// notHere is the finding of an address that this machine has not got.
type notHere struct {
	finding
	cause error
}

// Unwrap returns both, so that whoever asks finds the words and the cause.
func (n notHere) Unwrap() []error { return []error{n.finding, n.cause} }

func newServer(h http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: answerTime, IdleTimeout: idleTime,
		MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// serve answers on the listeners until ctx ends, and then lets the requests under way finish.
func serve(ctx context.Context, srv *http.Server, cert *tls.Certificate, on ...net.Listener) error {
	if cert != nil {
		srv.TLSConfig.Certificates = []tls.Certificate{*cert}
	}
	failed := make(chan error, len(on))
	for _, l := range on {
		go func() {
			if cert != nil {
				failed <- srv.ServeTLS(l, "", "")
				return
			}
			failed <- srv.Serve(l)
		}()
	}
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("serve: %w", err), srv.Close())
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := srv.Shutdown(stopping); err != nil {
		return errors.Join(fmt.Errorf("requests were still under way after %s: %w", stopTime, err), srv.Close())
	}
	return nil
}
