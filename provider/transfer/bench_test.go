package transfer_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/sallyport-id/sallyport/provider/transfer"
	"github.com/sallyport-id/sallyport/provider/web"
)

// fileOf is a file of n users with bcrypt hashes.
func fileOf(n int) []byte {
	var b bytes.Buffer
	b.WriteString("email,name,type,password_hash\n")
	for i := range n {
		fmt.Fprintf(&b, "user-%07d@acme.example,User %d,client,%s\n", i, i, hash)
	}
	return b.Bytes()
}

// BenchmarkImport imports users into SQLite, with an audit event each; ns/user is the time for one.
func BenchmarkImport(b *testing.B) {
	for _, workers := range []int{1, 16, 64, 128} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			w := newWorld(b)
			file := fileOf(b.N)
			b.ResetTimer()
			totals, err := w.Import(b.Context(), web.Operator(), "acme", bytes.NewReader(file), transfer.Options{Format: transfer.CSV, Workers: workers})
			if err != nil || totals.Created != b.N {
				b.Fatal(totals, err)
			}
		})
	}
}

// BenchmarkExport exports users out of SQLite.
func BenchmarkExport(b *testing.B) {
	w := newWorld(b)
	if _, err := w.Import(b.Context(), web.Operator(), "acme", bytes.NewReader(fileOf(2000)), transfer.Options{Format: transfer.CSV}); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		if n, err := w.Export(b.Context(), web.Operator(), "acme", io.Discard, transfer.ExportOptions{Format: transfer.CSV}); err != nil || n != 2000 {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2000, "ns/user")
}
