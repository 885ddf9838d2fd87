package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Download is an answer that is written as it comes, however long it is.
type Download struct {
	// Type is the media type, and Name what the file is called.
	Type, Name string
	// Write writes it. What fails before anything was written is answered as any other error; what fails later breaks the
	// connection off, so that nobody takes a part for the whole.
	Write func(w io.Writer) error
}

// Upload is a body of any length, read as it comes. It is a field of an operation's In, whose tag `accept:"…"` lists the
// media types that it may have, with commas between.
type Upload struct {
	// Type is the media type, one of those listed.
	Type string
	Body io.Reader
}

// stallTime is how long the other side of a stream may take for its next piece. A stream as a whole may take longer than
// the server gives other requests.
const stallTime = time.Minute

// steady moves the connection's deadlines on. They are the network's, so the clock is the real one.
func (x *exchange) steady() {
	c := http.NewResponseController(x.c.Response())
	until := time.Now().Add(stallTime)
	// Servers without deadlines, as those of tests, need none.
	for _, err := range []error{c.SetReadDeadline(until), c.SetWriteDeadline(until)} {
		if err != nil && !errors.Is(err, http.ErrNotSupported) {
			x.s.Logger.DebugContext(x.c.Request().Context(), "deadline not set", "error", err, "request", x.by.Request)
		}
	}
}

// arriving is an upload's body.
type arriving struct {
	x *exchange
	r io.Reader
}

// Read implements io.Reader.
func (a arriving) Read(p []byte) (int, error) {
	a.x.steady()
	return a.r.Read(p)
}

// leaving is a download's body; its headers go out with the first byte.
type leaving struct {
	x     *exchange
	d     Download
	begun bool
}

func (l *leaving) begin() {
	if l.begun {
		return
	}
	l.begun = true
	h := l.x.c.Response().Header()
	h.Set("Content-Type", l.d.Type)
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", l.d.Name))
	l.x.c.Response().WriteHeader(http.StatusOK)
}

// Write implements io.Writer.
func (l *leaving) Write(p []byte) (int, error) {
	l.begin()
	l.x.steady()
	return l.x.c.Response().Write(p)
}

// stream answers an operation that read or writes a stream.
func (x *exchange) stream(out any, err error) {
	x.steady()
	d, ok := out.(Download)
	if err != nil || !ok {
		x.write(x.answerOf(out, err))
		return
	}
	l := &leaving{x: x, d: d}
	if x.c.Request().Method == http.MethodHead {
		l.begin()
		return
	}
	err = d.Write(l)
	switch {
	case err == nil:
		l.begin()
	case !l.begun:
		x.fail(err)
	default:
		x.s.Logger.ErrorContext(x.c.Request().Context(), "download broken off", "error", err, "path", x.c.Path(), "request", x.by.Request)
		panic(http.ErrAbortHandler) //nolint:forbidigo // It is net/http's one way of not ending a chunked answer as if it were complete.
	}
}
