package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/storage"
)

// maxLine bounds a line, in bytes.
const maxLine = 64 << 10

// lines parts a file, however long a line is, in little memory.
type lines struct {
	r *bufio.Reader
	// n is the number of the line read last, bytes how much was read so far.
	n     int
	bytes int64
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, maxLine)} }

// next returns the next line that is not blank. io.EOF at the end; *wrong for a line that can't be read; any other error
// is the file's.
func (l *lines) next() (string, error) {
	for {
		line, err := l.r.ReadSlice('\n')
		l.n++
		l.bytes += int64(len(line))
		if errors.Is(err, bufio.ErrBufferFull) {
			return "", l.skip()
		}
		if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
			return "", err
		}
		if l.n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case len(bytes.TrimSpace(line)) == 0:
			continue
		case bytes.IndexByte(line, 0) >= 0:
			return "", refuse(Fault{Code: "nul"}, "it holds a NUL character; the file must be text in UTF-8 (not UTF-16)")
		case !utf8.Valid(line):
			return "", refuse(Fault{Code: "utf8"}, "it is not text in UTF-8")
		}
		return string(line), nil
	}
}

// skip passes over the rest of a line that is too long.
func (l *lines) skip() error {
	for {
		rest, err := l.r.ReadSlice('\n')
		l.bytes += int64(len(rest))
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		return refuse(Fault{Code: "long"}, "it is longer than %d KiB", maxLine>>10)
	}
}

// maxShown is how much of a text of the file is shown in reports, in characters.
const maxShown = 100

// shown makes a text of the file fit to be read on a terminal: nothing in it can move the cursor or turn round what stands
// beside it.
func shown(s string) string {
	s = strings.Map(func(r rune) rune {
		if storage.Unprintable(r) {
			return utf8.RuneError
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) > maxShown {
		return string([]rune(s)[:maxShown-1]) + "…"
	}
	return s
}
