package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

const (
	// sendTime bounds one request and its answer.
	sendTime = 15 * time.Second
	dialTime = 5 * time.Second
	// maxAnswer and maxAnswerHeader bound what is read of an answer, in bytes. The body is of no interest; it is read so that
	// the connection can be used again.
	maxAnswer, maxAnswerHeader = 64 << 10, 32 << 10
	// gone is the HTTP status 410: the receiver wants nothing more.
	gone = 410

	userAgent = "Sallyport-Webhooks/1"
)

// newClient follows no redirect: it could lead anywhere, and a receiver that moved tells its new address to people.
func newClient(g guard, roots *x509.CertPool, r *net.Resolver) *http.Client {
	return &http.Client{
		Timeout:       sendTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			// No proxy: it would make the connection, and the guard would see its address and not the target's.
			Proxy: nil, DialContext: g.dialer(r).DialContext, ForceAttemptHTTP2: true,
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: dialTime, MaxResponseHeaderBytes: maxAnswerHeader,
			MaxIdleConns: 2 * atOnce, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second,
		},
	}
}

// result is what a receiver answered, or why there was no answer.
type result struct {
	Status int
	// Reason is for the tenant's administrators. It repeats neither the URL nor addresses: these could tell of the network
	// that the server stands in.
	Reason string
	// final: it is not tried again.
	final bool
}

func (r result) ok() bool { return r.Status >= 200 && r.Status < 300 }

func (r result) gone() bool { return r.Status == gone }

// send makes one request.
func (s *Service) send(ctx context.Context, w *storage.Webhook, d *storage.Delivery) result {
	// What is allowed may have changed since the webhook was made.
	if err := s.guard.check(w.URL); err != nil {
		var refused *web.Invalid
		if errors.As(err, &refused) {
			return result{Reason: "the URL is not allowed: " + refused.What}
		}
		return result{Reason: "the URL is not allowed"}
	}
	at := s.now()
	signatures, err := s.signatures(ctx, w, d.ID, at, d.Payload)
	if err != nil {
		s.Logger.ErrorContext(ctx, "a webhook's secret can't be opened", "tenant", w.Tenant, "webhook", w.ID, "error", err)
		return result{Reason: "the secret can't be opened"}
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, strings.NewReader(d.Payload))
	if err != nil {
		return result{Reason: "the URL can't be used"}
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "User-Agent": userAgent,
		"Webhook-Id": d.ID, "Webhook-Timestamp": strconv.FormatInt(at.Unix(), 10), "Webhook-Signature": signatures,
	} {
		req.Header.Set(name, value)
	}
	// The webhook-id makes it idempotent, and this, which is not sent, tells the transport: where a connection that was
	// kept turns out to be closed, it makes a new one.
	req.Header["Idempotency-Key"] = nil
	res, err := s.client.Do(req)
	if err != nil {
		s.Logger.DebugContext(ctx, "webhook", "tenant", w.Tenant, "webhook", w.ID, "error", bare(err))
		return result{Reason: why(err)}
	}
	defer func() { _ = res.Body.Close() }() // What is left of the answer is of no interest.
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer)
	r := result{Status: res.StatusCode}
	if !r.ok() {
		r.Reason = "the receiver answered " + strings.TrimSpace(strconv.Itoa(r.Status)+" "+http.StatusText(r.Status))
	}
	return r
}

// bare takes the URL out of an error.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// why puts an error into words that tell nothing of our networks.
func why(err error) string {
	var (
		dns       *net.DNSError
		verify    *tls.CertificateVerificationError
		temporary net.Error
		op        *net.OpError
	)
	switch {
	case errors.Is(err, ErrAddress):
		return "the name leads to an address that is not a public one"
	case errors.As(err, &dns):
		return "the name can't be resolved"
	case errors.As(err, &verify):
		return "the certificate is not valid"
	case errors.As(err, &temporary) && temporary.Timeout():
		return "there was no answer in time"
	case errors.As(err, &op) && op.Op == "dial":
		return "nobody takes the connection"
	default:
		return "the connection broke, or the answer is no HTTP"
	}
}
