package mongo

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// checkURI refuses a connection string that the driver can't read. The driver's words can quote what they are about,
// and a password with an @ or / in it would be torn and quoted as a host; so it reads the URI without it first.
func checkURI(uri string) error {
	scheme, rest, found := strings.Cut(uri, "://")
	if !found || (scheme != "mongodb" && scheme != "mongodb+srv") {
		return errors.New(`storage/mongo: the URI must begin with "mongodb://" or "mongodb+srv://"`)
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = "user:password@" + rest[at+1:]
	}
	if err := options.Client().ApplyURI(scheme + "://" + rest).Validate(); err != nil {
		return fmt.Errorf("storage/mongo: the URI can't be used: %w", err)
	}
	if options.Client().ApplyURI(uri).Validate() != nil {
		return errors.New("storage/mongo: the user name or password in the URI can't be read: " +
			"write characters such as @ : / ? % in them percent-encoded (@ is %40)")
	}
	return nil
}

// databaseName is the name asked for, the one in the URI, or the default.
func databaseName(o Options) (string, error) {
	name := o.Database
	if name == "" {
		_, rest, _ := strings.Cut(o.URI, "://")
		rest, _, _ = strings.Cut(rest, "?")
		_, path, _ := strings.Cut(rest, "/")
		var err error
		if name, err = url.PathUnescape(path); err != nil {
			return "", fmt.Errorf("storage/mongo: the database name in the URI: %w", err)
		}
	}
	if name == "" {
		return defaultDatabase, nil
	}
	// The server's own rules; it would tell of them only at the first write.
	if len(name) > 63 || strings.ContainsAny(name, "/\\. \"$*<>:|?\x00") {
		return "", fmt.Errorf("storage/mongo: %q can't be a database name: at most 63 bytes, without / \\ . \" $ * < > : | ? and spaces", name)
	}
	return name, nil
}

// hosts lists the addresses, which unlike the URI hold no password.
func hosts(co *options.ClientOptions) string { return strings.Join(co.Hosts, ", ") }

// Codes of the server's errors; see src/mongo/base/error_codes.yml in its source.
const (
	codeUnauthorized         = 13
	codeAuthenticationFailed = 18
	codeIndexOptionsConflict = 85
	codeIndexKeySpecsClash   = 86
)

func hasCode(err error, codes ...int) bool {
	var se mongo.ServerError
	if !errors.As(err, &se) {
		return false
	}
	for _, code := range codes {
		if se.HasErrorCode(code) {
			return true
		}
	}
	return false
}

// explainConnect says what a failure to connect comes from, as far as it can be told, and what to do.
func explainConnect(hosts, database string, err error) error {
	advice := "check that it is running, that the address and port are right, that this machine may reach it, " +
		"and, for a replica set, that replicaSet is its name and it has a primary"
	switch {
	case hasCode(err, codeAuthenticationFailed) || strings.Contains(err.Error(), "auth error"):
		advice = "it refused the user name or password: check them, and that authSource names the database the user was made in"
	case hasCode(err, codeUnauthorized):
		advice = fmt.Sprintf("the user needs the role readWrite on %q", database)
	case strings.Contains(err.Error(), "x509:") || strings.Contains(err.Error(), "tls:"):
		advice = "its TLS certificate was not accepted: check tlsCAFile and that the certificate is for the host's name"
	}
	return fmt.Errorf("storage/mongo: no connection to MongoDB at %s (database %q); %s: %w", hosts, database, advice, err)
}
