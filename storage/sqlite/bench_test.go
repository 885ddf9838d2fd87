package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// BenchmarkSessions times each operation on a table of 1k, 100k and 1M sessions, five to a user: the time should
// not depend on the size. CPU is of the whole process, system calls included; -short leaves out the largest.
func BenchmarkSessions(b *testing.B) {
	for _, size := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			if size > 100_000 && testing.Short() {
				b.Skip("a million records take half a minute to seed")
			}
			st := seeded(b, size)
			for _, op := range operations {
				b.Run(op.name, func(b *testing.B) { op.run(b, st.Sessions, size) })
			}
		})
	}
}

const benchTenant = "acme"

// operations; each leaves the table as large as it was. fresh numbers what none of them has used yet.
var operations = []struct {
	name string
	run  func(b *testing.B, table storage.Table[storage.Session], size int)
}{
	{"Get", func(b *testing.B, table storage.Table[storage.Session], size int) {
		measure(b, func(i int) error {
			_, err := table.Get(b.Context(), benchTenant, benchID(i*7919%size))
			return err
		})
	}},
	{"ListByUser", func(b *testing.B, table storage.Table[storage.Session], size int) {
		measure(b, func(i int) error {
			q := storage.Query{Tenant: benchTenant, Field: "user", Value: benchUser(i * 7919 % size)}
			list, err := table.List(b.Context(), q)
			if err == nil && len(list) != 5 {
				err = fmt.Errorf("%d sessions, want 5", len(list))
			}
			return err
		})
	}},
	{"Replace", func(b *testing.B, table storage.Table[storage.Session], size int) {
		var all []storage.Session
		for i := range min(size, 1000) {
			s, err := table.Get(b.Context(), benchTenant, benchID(i*7919%size))
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, s)
		}
		measure(b, func(i int) error { return table.Replace(b.Context(), &all[i%len(all)]) })
	}},
	{"InsertDelete", func(b *testing.B, table storage.Table[storage.Session], size int) {
		measure(b, func(i int) error {
			s := benchSession(size + i)
			if err := table.Insert(b.Context(), &s); err != nil {
				return err
			}
			return table.Delete(b.Context(), benchTenant, s.ID)
		})
	}},
	{"InsertDeleteBy64", func(b *testing.B, table storage.Table[storage.Session], size int) {
		var n atomic.Int64
		b.SetParallelism(32)
		cpu := cpuTime(b)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				s := benchSession(size + int(n.Add(1)))
				if err := table.Insert(b.Context(), &s); err != nil {
					b.Error(err)
					return
				}
				if err := table.Delete(b.Context(), benchTenant, s.ID); err != nil {
					b.Error(err)
					return
				}
			}
		})
		b.ReportMetric(float64(cpuTime(b)-cpu)/float64(b.N), "cpu-ns/op")
	}},
}

// BenchmarkSignIn does the storage work of one sign-in with a second step: 12 writes and 15 reads, over a table of
// 1,000 users' sessions.
func BenchmarkSignIn(b *testing.B) {
	st := seeded(b, 5_000)
	ctx := b.Context()
	measure(b, func(i int) error {
		id := fmt.Sprint("sign-in", i)
		f := storage.Flow{
			Key:  storage.Key{Tenant: benchTenant, ID: id, Expires: time.Now().Add(15 * time.Minute)},
			User: benchUser(i), Browser: benchID(i), Request: strings.Repeat("r", 400), Created: time.Now(),
			Proofs: []storage.Proof{{Factor: "password", AMR: []string{"pwd"}, At: time.Now()}},
		}
		if err := st.Flows.Insert(ctx, &f); err != nil {
			return err
		}
		for range 11 {
			if err := st.Flows.Replace(ctx, &f); err != nil {
				return err
			}
			if _, err := st.Flows.Get(ctx, benchTenant, id); err != nil {
				return err
			}
		}
		for r := range 4 {
			if _, err := st.Sessions.Get(ctx, benchTenant, benchID((i+r)%5_000)); err != nil {
				return err
			}
		}
		return nil
	})
}

// measure runs f b.N times and reports the processor's time beside the wall's.
func measure(b *testing.B, f func(i int) error) {
	b.Helper()
	b.ReportAllocs()
	cpu := cpuTime(b)
	i := 0
	for b.Loop() {
		if err := f(i); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(float64(cpuTime(b)-cpu)/float64(i), "cpu-ns/op")
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchID(i int) string {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}

func benchUser(i int) string { return benchID(-1 - i/5) }

func benchSession(i int) storage.Session {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	return storage.Session{
		Key:    storage.Key{Tenant: benchTenant, ID: benchID(i), Expires: time.Now().Add(24 * time.Hour)},
		User:   benchUser(i),
		Secret: benchID(i + 1),
		Proofs: []storage.Proof{
			{Factor: "password", AMR: []string{"pwd"}, At: at},
			{Factor: "totp", Credential: benchID(i + 2), AMR: []string{"otp"}, At: at},
		},
		Clients: []string{"portal", "books"},
		Address: "192.0.2.17",
		Agent:   "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
		Created: at, Seen: at,
	}
}

func benchUserRecord(i int) storage.User {
	given, family := benchID(i)[:6], benchID(-i)[:8]
	u := storage.User{
		Key:   storage.Key{Tenant: benchTenant, ID: benchID(i)},
		Email: given + "." + family + "@example.com", EmailVerified: true,
		Name: strings.ToUpper(given[:1]) + given[1:] + " " + family, Role: storage.Member, Type: "staff",
		Password: "$argon2id$v=19$m=19456,t=2,p=1$" + benchID(i + 1)[:22] + "$" + benchID(i+2) + benchID(i + 3)[:17],
		Locale:   "en", Created: time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC),
	}
	if i%2 == 0 {
		u.Factors = []string{"totp"}
	}
	return u
}

// BenchmarkUsers times what lists and searches of a tenant's users cost, and what the indexes for them cost each write.
func BenchmarkUsers(b *testing.B) {
	const size = 100_000
	st, path := opened(b)
	seed(b, path, st.Users, size, benchUserRecord)
	ctx := b.Context()
	b.Run("InsertDelete", func(b *testing.B) {
		measure(b, func(i int) error {
			u := benchUserRecord(size + i)
			if err := st.Users.Insert(ctx, &u); err != nil {
				return err
			}
			return st.Users.Delete(ctx, benchTenant, u.ID)
		})
	})
	replace := func(change func(u *storage.User)) func(b *testing.B) {
		return func(b *testing.B) {
			var all []storage.User
			for i := range 1000 {
				u, err := st.Users.Get(ctx, benchTenant, benchID(i*7919%size))
				if err != nil {
					b.Fatal(err)
				}
				all = append(all, u)
			}
			measure(b, func(i int) error {
				u := &all[i%len(all)]
				change(u)
				return st.Users.Replace(ctx, u)
			})
		}
	}
	b.Run("Replace", replace(func(u *storage.User) { u.LastSignIn = time.Now() }))
	b.Run("ReplaceFactors", replace(func(u *storage.User) {
		if len(u.Factors) > 0 {
			u.Factors = nil
		} else {
			u.Factors = []string{"totp"}
		}
	}))
	b.Run("Prefix", func(b *testing.B) {
		measure(b, func(i int) error {
			q := storage.Query{Tenant: benchTenant, Field: "surname_key", Value: benchID(-(i * 7919 % size))[:2], Prefix: true, Limit: 20}
			list, err := st.Users.List(ctx, q)
			if err == nil && len(list) != 20 {
				err = fmt.Errorf("%d users, want 20", len(list))
			}
			return err
		})
	})
	for name, q := range map[string]storage.Query{
		"CountSegment": {Field: "segment", Value: "staff/on"}, "CountRole": {Field: "role", Value: "member"}, "CountAll": {},
	} {
		q.Tenant = benchTenant
		b.Run(name, func(b *testing.B) {
			measure(b, func(int) error {
				n, err := storage.Count(ctx, st.Users, q)
				if err == nil && n < size/3 {
					err = fmt.Errorf("%d users", n)
				}
				return err
			})
		})
	}
}

// seeded opens a store with size sessions.
func seeded(b *testing.B, size int) storage.Store {
	b.Helper()
	st, path := opened(b)
	seed(b, path, st.Sessions, size, benchSession)
	return st
}

func opened(b *testing.B) (st storage.Store, path string) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "bench.db")
	st, err := Open(context.Background(), Options{Path: path})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := st.Close(); err != nil {
			b.Error(err)
		}
	})
	return st, path
}

// seed puts records there in few transactions, without waiting for the disk.
func seed[N any, P storage.Row[N]](b *testing.B, path string, to storage.Table[N], size int, record func(i int) N) {
	b.Helper()
	c, err := connect(path, 256*1024)
	if err != nil {
		b.Fatal(err)
	}
	t := to.(*table[N, P])
	run := func(sql string) {
		if err := c.exec(sql); err != nil {
			b.Fatal(err)
		}
	}
	run("PRAGMA synchronous = OFF")
	run("PRAGMA wal_autocheckpoint = 100000")
	for from := 0; from < size; from += 50_000 {
		run("BEGIN IMMEDIATE")
		for i := from; i < min(from+50_000, size); i++ {
			n := record(i)
			values, err := t.insertArgs(&n)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := c.run(t.insert, values); err != nil {
				b.Fatal(err)
			}
		}
		run("COMMIT")
	}
	run("PRAGMA wal_checkpoint(TRUNCATE)")
	if err := c.close(); err != nil {
		b.Fatal(err)
	}
}
